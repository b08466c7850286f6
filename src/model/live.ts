/** A model over a live signal: chunks of samples → class probabilities, window by window, as they become known. */
import { UnsupportedError } from '../core/errors.ts';
import { historySeconds, signalSeconds } from '../patches/context.ts';
import type { MayLack } from '../patches/lenient-montage.ts';
import { LiveWindows } from '../patches/live-windows.ts';
import type { Recipe } from '../patches/recipe.ts';
import { causalRecipe, type LiveChannel, type PreparedChunk, StreamPreparer } from '../patches/stream.ts';
import type { Backend } from '../runtime/backend.ts';
import { type LackingOptions, mayLack } from './lacking.ts';
import type { TrainedModel } from './model-file.ts';
import type { FloatTensors } from './parameters.ts';
import type { InferenceOptions } from './precision.ts';
import { Predictor } from './predict.ts';
import { describeOutputs, type TimelineEntry } from './timeline.ts';

export interface LiveEntry {
  readonly start: number;
  readonly duration: number;
  /** The prediction; absent where the recipe drops the window. */
  readonly entry?: TimelineEntry;
  /** Why it was dropped. */
  readonly reason?: string;
}

export interface LiveOptions extends InferenceOptions, LackingOptions {
  /** From one window's start to the next's; the recipe's by default. */
  readonly stepSeconds?: number;
}

/**
 * Predicts a live signal. Where the model's recipe filters forwards and backwards, a stream cannot: the same filters run
 * causally, and `notes` says so.
 */
export class LivePredictor {
  readonly #predictor: Predictor;
  readonly #recipe: Recipe;
  readonly #mayLack: MayLack;
  #preparer: StreamPreparer;
  #windows: LiveWindows;
  /** Seconds from the stream's start at which the present stretch begins. */
  #offset = 0;
  /** What to know: derived channels, causal filters in place of others. */
  readonly notes: readonly string[];

  /** ChannelError where the montage does not fit the channels. */
  constructor(
    backend: Backend,
    readonly model: TrainedModel & { readonly tensors: FloatTensors },
    readonly channels: readonly LiveChannel[],
    { stepSeconds, missingChannels, ...options }: LiveOptions = {},
  ) {
    const { recipe } = model;
    const isCausal = Object.values(recipe.signals).every(
      (signal) =>
        !signal?.zeroPhase || (signal.lowHz === null && signal.highHz === null && signal.notchHz === null),
    );
    const causal = causalRecipe(recipe);
    this.#recipe = {
      ...causal,
      window: stepSeconds === undefined ? causal.window : { ...causal.window, stepSeconds },
    };
    this.#mayLack = mayLack(model.config, { missingChannels });
    this.#preparer = new StreamPreparer(channels, this.#recipe, this.#mayLack);
    this.#windows = new LiveWindows(this.#recipe, 'live', this.#mayLack);
    this.notes = [
      ...this.#preparer.notes,
      ...(isCausal
        ? []
        : [
            'live: the model was trained on signals filtered forwards and backwards; here the same filters run causally, which shifts phases. Train with zeroPhase false for live use.',
          ]),
      ...noteContext(recipe),
    ];
    this.#predictor = new Predictor(backend, model.config, model.tensors, options);
  }

  /** Predictions of the windows that this chunk completes. `chunk`: new samples of every channel, in its own unit. */
  async push(chunk: readonly Float64Array[]): Promise<LiveEntry[]> {
    if (chunk.length !== this.channels.length)
      throw new UnsupportedError(
        `live: a chunk has ${chunk.length} channels, the stream ${this.channels.length}. Give all, empty where nothing is new.`,
        'chunks of some channels',
      );
    return this.#predict(this.#preparer.push(chunk));
  }

  /** The signal goes on at `start` seconds after samples were lost: filters settle anew, no window spans the gap. */
  async gap(start: number): Promise<LiveEntry[]> {
    const last = await this.finish();
    this.#preparer = new StreamPreparer(this.channels, this.#recipe, this.#mayLack);
    this.#windows = new LiveWindows(this.#recipe, 'live', this.#mayLack);
    this.#offset = start;
    return last;
  }

  /**
   * The session goes on in another recording, whose first sample is at `start` seconds: filters settle anew and windows
   * begin with it, contexts reach back over the seam. As offline between a session's files.
   */
  async seam(start: number): Promise<LiveEntry[]> {
    const last = await this.finish();
    this.#preparer = new StreamPreparer(this.channels, this.#recipe, this.#mayLack);
    this.#windows.seam();
    this.#offset = start;
    return last;
  }

  /** The windows that the last samples complete. */
  finish(): Promise<LiveEntry[]> {
    return this.#predict(this.#preparer.finish());
  }

  dispose(): Promise<void> {
    return this.#predictor.dispose();
  }

  async #predict(chunk: PreparedChunk): Promise<LiveEntry[]> {
    const { classes } = this.model;
    const duration = this.#recipe.window.lengthSeconds;
    const entries: LiveEntry[] = [];
    for (const { start: inStretch, windows, dropped } of await this.#windows.push(chunk)) {
      const start = this.#offset + inStretch;
      if (!windows) {
        entries.push({ start, duration, reason: dropped.map(({ reason }) => reason).join('; ') });
        continue;
      }
      const probabilities = Array.from(await this.#predictor.probabilities(windows.signals, { batch: 1 }));
      const predicted = describeOutputs(probabilities, classes, this.model.config);
      entries.push({ start, duration, entry: { start, duration, predicted, probabilities } });
    }
    return entries;
  }
}

/** When predictions begin, where a window has a longer context. */
function noteContext(recipe: Recipe): string[] {
  if (historySeconds(recipe) === 0) return [];
  const lengths = (['eeg', 'ecg'] as const).map(
    (modality) => [modality, signalSeconds(recipe, modality)] as const,
  );
  const [modality, seconds] = lengths.reduce((a, b) => (b[1] > a[1] ? b : a));
  return [
    `live: a prediction needs ${seconds} s of ${modality}; until they are there, after the beginning and after every gap, there is none.`,
  ];
}
