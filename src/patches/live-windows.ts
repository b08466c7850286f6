/** Prepared chunks of a live signal → windows, each as soon as its last sample is there. The same windows as offline. */
import { ConfigError } from '../core/errors.ts';
import { RingBuffer } from '../signal/ring-buffer.ts';
import { contextsLookAhead, signalSeconds } from './context.ts';
import type { MayLack } from './lenient-montage.ts';
import { modelRateHz, type Recipe } from './recipe.ts';
import type { PreparedChunk } from './stream.ts';
import { WindowSetBuilder } from './window-set.ts';
import type { Dropped, Modality, WindowSet } from './windows.ts';

export interface LiveWindow {
  /** Seconds from the start of the stretch, or of its recording after the latest seam. */
  readonly start: number;
  /** Absent where the recipe drops the window: see `dropped`. */
  readonly windows?: WindowSet;
  readonly dropped: readonly Dropped[];
}

/** A sliding window with a hop over one gapless stretch; holds the samples of a window and of its contexts, and no more. */
export class LiveWindows {
  readonly #rings = new Map<Modality, RingBuffer[]>();
  readonly #length: number;
  #next = 0;
  /** Samples before the recording that runs now: its windows are counted from there. */
  #origin = 0;

  /** ConfigError where the recipe lets contexts end after their windows. */
  constructor(
    /** Its window length, step, contexts and limits are used. */
    readonly recipe: Recipe,
    /** Name in reports of dropped windows. */
    readonly source = 'live',
    readonly mayLack?: MayLack,
  ) {
    this.#length = recipe.window.lengthSeconds * modelRateHz;
    if (contextsLookAhead(recipe))
      throw new ConfigError(
        `window.contextAtStart: ${recipe.window.contextAtStart ?? 'absent, which means shift'}, a live stream cannot look ahead. Use causalRecipe(recipe).`,
        'window.contextAtStart',
        'drop',
      );
    for (const modality of ['eeg', 'ecg'] as const) {
      const capacity = signalSeconds(recipe, modality) * modelRateHz;
      const rings = recipe.signals[modality]?.channels.map(() => new RingBuffer(capacity));
      if (rings) this.#rings.set(modality, rings);
    }
  }

  /** The windows that a chunk completes, in order. */
  async push(chunk: PreparedChunk): Promise<LiveWindow[]> {
    const rows = [...this.#rings].flatMap(([modality, rings]) =>
      rings.map((ring, i) => ({ ring, x: chunk[modality]![i]! })),
    );
    const found: LiveWindow[] = [];
    const length = rows[0]!.x.length;
    for (let at = 0; at < length; ) {
      const from = this.#origin + Math.round(this.#next * this.recipe.window.stepSeconds * modelRateHz);
      const missing = from + this.#length - rows[0]!.ring.total;
      const end = Math.min(length, at + missing);
      for (const { ring, x } of rows) ring.push(x.subarray(at, end));
      if (end - at === missing) {
        found.push(await this.#cut(from));
        this.#next++;
      }
      at = end;
    }
    return found;
  }

  /** The session goes on in another recording: windows begin anew with it, contexts reach back to what was before. */
  seam(): void {
    const [[ring]] = [...this.#rings.values()] as [RingBuffer[]];
    this.#origin = ring!.total;
    this.#next = 0;
  }

  async #cut(from: number): Promise<LiveWindow> {
    const signals: { [M in Modality]?: Float64Array[] } = {};
    const history: { [M in Modality]?: number } = {};
    for (const [modality, rings] of this.#rings) {
      // Before the stretch began there is nothing to reach back to.
      history[modality] = Math.min(from, rings[0]!.capacity - this.#length);
      const first = from - history[modality];
      signals[modality] = rings.map((ring) => ring.read(first, from + this.#length));
    }
    const start = (from - this.#origin) / modelRateHz;
    const builder = new WindowSetBuilder(this.recipe, [], this.mayLack);
    builder.add(
      {
        spans: [{ start, lengthSamples: this.#length, signals, history }],
        beats: new Float64Array(0),
        facts: [],
      },
      { subject: this.source, trial: this.source },
    );
    const { dropped } = builder;
    return builder.size === 0 ? { start, dropped } : { start, windows: await builder.finish(), dropped };
  }
}
