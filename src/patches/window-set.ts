/** Prepared recordings → one WindowSet: equally shaped windows, every one that was left out counted with its reason. */
import { DataError } from '../core/errors.ts';
import { sha256 } from '../core/sha256.ts';
import { hasContext, historySeconds, signalSeconds } from './context.ts';
import { type CutWindow, contextOutOfReach, cutWindow, reasonToDrop, rowsOf } from './cut-window.ts';
import type { MayLack } from './lenient-montage.ts';
import { judgeChannels, type LenientWindow } from './lost-channels.ts';
import { type PreparationFact, type PreparedRecording, type PreparedSpan, samplesBefore } from './prepare.ts';
import { modelRateHz, patchSamples, type Recipe, type SignalRecipe } from './recipe.ts';
import type { Dropped, Modality, SignalWindows, TrialPast, WindowSet } from './windows.ts';

export interface WindowSource {
  readonly subject: string;
  /** One recording, or one stimulus in it. */
  readonly trial: string;
  /** What was shown, where several people were shown the same. */
  readonly stimulus?: string;
  /** Class index. */
  readonly label?: number;
}

const maximumExamples = 10;

/** Gathers windows; `finish` gives the set. */
export class WindowSetBuilder {
  readonly #windows: CutWindow[] = [];
  readonly #sources: WindowSource[] = [];
  readonly #starts: number[] = [];
  readonly #history: number[] = [];
  readonly #beats = new Map<string, Float64Array>();
  readonly #past = new Map<string, TrialPast>();
  readonly #dropped = new Map<string, { what: string; reason: string; count: number; examples: string[] }>();

  constructor(
    readonly recipe: Recipe,
    readonly classes: readonly string[] = [],
    /** What may be missing in a window: NaN in its values. */
    readonly mayLack?: MayLack,
  ) {}

  /** Cut a prepared recording into windows. */
  add(prepared: PreparedRecording, source: WindowSource): void {
    for (const fact of prepared.facts) this.count(fact);
    this.#beats.set(source.trial, prepared.beats);
    if (prepared.past) this.#past.set(source.trial, prepared.past);
    const { lengthSeconds, stepSeconds } = this.recipe.window;
    const length = lengthSeconds * modelRateHz;
    const longestHistory = historySeconds(this.recipe);
    let found = false;
    for (const span of prepared.spans) {
      const before = samplesBefore(span);
      for (let i = 0; ; i++) {
        const from = Math.round(i * stepSeconds * modelRateHz);
        if (from + length > span.lengthSamples) break;
        found = true;
        const start = span.start + from / modelRateHz;
        const example = `${source.trial} at ${start} s`;
        const { reason, lost, facts } = this.#judge(span, from, from + length);
        if (reason) {
          this.count({ what: 'window', reason, example });
          continue;
        }
        for (const fact of facts) this.count({ ...fact, example });
        this.#windows.push(cutWindow(span, this.recipe, from + length, lost));
        this.#sources.push(source);
        this.#starts.push(start);
        this.#history.push(Math.min(longestHistory, (from + before) / modelRateHz));
      }
    }
    if (!found) {
      this.count({
        what: 'recording',
        reason: `no stretch of ${lengthSeconds} s without a gap`,
        example: source.trial,
      });
    }
  }

  /** Whether a window may be kept, and without which channels. */
  #judge(span: PreparedSpan, from: number, to: number): LenientWindow {
    const { recipe, mayLack } = this;
    if (!mayLack) {
      const reason = reasonToDrop(span, recipe, from, to);
      return { lost: {}, facts: [], ...(reason !== undefined && { reason }) };
    }
    for (const [modality] of rowsOf(span)) {
      const reason = contextOutOfReach(span, recipe, modality, to);
      if (reason !== undefined) return { lost: {}, facts: [], reason };
    }
    return judgeChannels(span, recipe, from, to, mayLack);
  }

  /** Count something left out or worth saying. */
  count({ what, reason, example }: PreparationFact): void {
    const key = `${what}: ${reason}`;
    const entry = this.#dropped.get(key) ?? { what, reason, count: 0, examples: [] };
    entry.count++;
    if (entry.examples.length < maximumExamples) entry.examples.push(example);
    this.#dropped.set(key, entry);
  }

  /** Windows so far. */
  get size(): number {
    return this.#windows.length;
  }

  /** What was left out so far. */
  get dropped(): Dropped[] {
    return [...this.#dropped.values()];
  }

  /** The set. DataError where no window is left. */
  async finish(): Promise<WindowSet> {
    const count = this.#windows.length;
    const { dropped } = this;
    if (count === 0) {
      const reasons = dropped.map(({ count: n, what, reason }) => `${n} × ${what}: ${reason}`).join('; ');
      throw new DataError(
        `windows: none is left (${reasons || 'no recordings were given'}). Check the recipe's window.`,
      );
    }
    const signals: { [M in Modality]?: SignalWindows } = {};
    for (const [modality, signal] of Object.entries(this.recipe.signals) as [
      Modality,
      SignalRecipe | undefined,
    ][]) {
      if (!signal) continue;
      const seconds = signalSeconds(this.recipe, modality);
      const size = signal.channels.length * seconds * modelRateHz;
      const data = new Float32Array(count * size);
      for (const [i, window] of this.#windows.entries()) data.set(window[modality]!, i * size);
      signals[modality] = {
        channels: signal.channels,
        patches: seconds, // one is one second
        patchSamples,
        data,
      };
    }
    const labelled = this.#sources.every((source) => source.label !== undefined);
    const set = {
      recipe: this.recipe,
      count,
      signals,
      ...(labelled ? { label: Int32Array.from(this.#sources, (source) => source.label!) } : {}),
      classes: this.classes,
      subject: this.#sources.map((source) => source.subject),
      trial: this.#sources.map((source) => source.trial),
      start: Float64Array.from(this.#starts),
      ...(hasContext(this.recipe) && { history: Float64Array.from(this.#history) }),
      ...(this.#sources.some(({ stimulus }) => stimulus !== undefined) && {
        stimulus: this.#sources.map(({ stimulus = '' }) => stimulus),
      }),
      beats: this.#beats,
      ...(this.#past.size > 0 && { past: this.#past }),
      dropped,
    };
    return { ...set, hash: await hashWindows(set) };
  }
}

/** The windows at these indices, in this order; what was dropped stays on record. */
export function selectWindows(set: WindowSet, indices: ArrayLike<number>): WindowSet {
  const pick = Array.from(indices);
  const signals = mapSignals(set, (signal) => {
    const size = signal.data.length / set.count;
    const data = new Float32Array(pick.length * size);
    for (const [i, index] of pick.entries())
      data.set(signal.data.subarray(index * size, (index + 1) * size), i * size);
    return { ...signal, data };
  });
  return {
    ...set,
    count: pick.length,
    signals,
    ...(set.label ? { label: Int32Array.from(pick, (i) => set.label![i]!) } : {}),
    subject: pick.map((i) => set.subject[i]!),
    trial: pick.map((i) => set.trial[i]!),
    start: Float64Array.from(pick, (i) => set.start[i]!),
    ...(set.history && { history: Float64Array.from(pick, (i) => set.history![i]!) }),
    ...(set.stimulus && { stimulus: pick.map((i) => set.stimulus![i]!) }),
    hash: `${set.hash}[${pick.length}:${fingerprint(pick)}]`,
  };
}

/** FNV-1a over indices: tells selections of one set apart. */
function fingerprint(indices: readonly number[]): string {
  let hash = 0x811c9dc5;
  for (const index of indices) hash = Math.imul(hash ^ index, 0x01000193) >>> 0;
  return hash.toString(16);
}

/** Several sets of one recipe as one; labels are kept where all have them. */
export async function concatWindowSets(sets: readonly WindowSet[]): Promise<WindowSet> {
  const [first, ...others] = sets;
  if (!first) throw new DataError('windows: no set was given.');
  if (others.length === 0) return first;
  const shape = (set: WindowSet) =>
    Object.entries(set.signals)
      .map(([m, s]) => `${m} ${s.channels.join(' ')} × ${s.patches}`)
      .join('; ');
  const other = others.find((set) => shape(set) !== shape(first));
  if (other)
    throw new DataError(
      `windows: sets of [${shape(first)}] and [${shape(other)}] cannot be joined. Use one recipe.`,
    );
  const recipe = JSON.stringify(first.recipe);
  if (others.some((set) => JSON.stringify(set.recipe) !== recipe))
    throw new DataError('windows: sets of different recipes cannot be joined. Prepare them by one recipe.');
  const labelled = sets.every((set) => set.label);
  const differs = labelled && others.find((set) => set.classes.join() !== first.classes.join());
  if (differs)
    throw new DataError(
      `windows: sets of classes [${first.classes.join(', ')}] and [${differs.classes.join(', ')}] cannot be joined. Use one target.`,
    );
  const count = sets.reduce((sum, set) => sum + set.count, 0);
  const signals = mapSignals(first, (signal, modality) => {
    const data = new Float32Array(sets.reduce((sum, set) => sum + set.signals[modality]!.data.length, 0));
    let offset = 0;
    for (const set of sets) {
      data.set(set.signals[modality]!.data, offset);
      offset += set.signals[modality]!.data.length;
    }
    return { ...signal, data };
  });
  const joined = {
    recipe: first.recipe,
    count,
    signals,
    ...(labelled ? { label: Int32Array.from(sets.flatMap((set) => [...set.label!])) } : {}),
    classes: first.classes,
    subject: sets.flatMap((set) => set.subject),
    trial: sets.flatMap((set) => set.trial),
    start: Float64Array.from(sets.flatMap((set) => [...set.start])),
    ...(sets.every((set) => set.history) && {
      history: Float64Array.from(sets.flatMap((set) => [...set.history!])),
    }),
    ...(sets.every((set) => set.stimulus) && { stimulus: sets.flatMap((set) => set.stimulus!) }),
    beats: new Map(sets.flatMap((set) => [...set.beats])),
    ...(sets.some((set) => set.past) && { past: new Map(sets.flatMap((set) => [...(set.past ?? [])])) }),
    dropped: sets.flatMap((set) => set.dropped),
  };
  return { ...joined, hash: await hashText(sets.map((set) => set.hash).join()) };
}

function mapSignals(
  set: WindowSet,
  map: (signal: SignalWindows, modality: Modality) => SignalWindows,
): { [M in Modality]?: SignalWindows } {
  const result: { [M in Modality]?: SignalWindows } = {};
  for (const modality of ['eeg', 'ecg'] as const) {
    const signal = set.signals[modality];
    if (signal) result[modality] = map(signal, modality);
  }
  return result;
}

/** sha256 over the windows, labels and sources. */
async function hashWindows(set: Omit<WindowSet, 'hash'>): Promise<string> {
  const parts: string[] = [
    JSON.stringify([set.recipe, set.classes, set.subject, set.trial, [...(set.label ?? [])]]),
  ];
  for (const [modality, { data }] of Object.entries(set.signals))
    parts.push(`${modality} ${await sha256(data)}`);
  return hashText(parts.join('\n'));
}

function hashText(text: string): Promise<string> {
  return sha256(new TextEncoder().encode(text));
}
