/** The index of a store: rows of windows, trials and subjects, gathered from the parts of an unfinished store. */
import { runsOverSession } from './context.ts';
import type { Column } from './store-arrays.ts';
import type { StoredTarget } from './store-format.ts';
import { DroppedCounts, type PartRecord, type PieceRecord, qualityFlags } from './store-parts.ts';
import type { PlannedTrial, StorePlan } from './store-plan.ts';
import type { Dropped, Modality } from './windows.ts';

/** A column of numbers that grows. */
class Growing<T extends Int32Array | Float32Array | Float64Array> {
  #length = 0;
  constructor(private values: T) {}

  push(values: ArrayLike<number>): void {
    const end = this.#length + values.length;
    if (end > this.values.length) {
      const Kind = this.values.constructor as new (length: number) => T;
      const grown = new Kind(Math.max(1024, 2 * end));
      grown.set(this.values);
      this.values = grown;
    }
    this.values.set(values, this.#length);
    this.#length = end;
  }

  get result(): T {
    return this.values.subarray(0, this.#length) as T;
  }
}

export class StoreIndexBuilder {
  /** In the order in which they first appear. */
  readonly subjects: readonly string[];
  readonly trialSubject: Int32Array;
  readonly trialWindows: Int32Array;
  readonly trialDropped: Int32Array;
  readonly trialQuality: Uint16Array;
  readonly trialBeats: Int32Array;
  readonly trialPastBeats: Int32Array;
  readonly trialPastSeams: Int32Array;
  readonly #trial = new Growing(new Int32Array(0));
  readonly #start = new Growing(new Float64Array(0));
  readonly #history = new Growing(new Float64Array(0));
  readonly #beats = new Growing(new Float64Array(0));
  readonly #pastBeats = new Growing(new Float64Array(0));
  readonly #pastSeams = new Growing(new Float64Array(0));
  readonly #peak: { [M in Modality]?: Growing<Float32Array> } = {};
  readonly #dropped = new DroppedCounts();

  constructor(trials: readonly PlannedTrial[]) {
    const codes = new Map<string, number>();
    this.trialSubject = Int32Array.from(trials, ({ subject }) => {
      const code = codes.get(subject) ?? codes.size;
      codes.set(subject, code);
      return code;
    });
    this.subjects = [...codes.keys()];
    const zeros = () => new Int32Array(trials.length);
    this.trialWindows = zeros();
    this.trialDropped = zeros();
    this.trialBeats = zeros();
    this.trialPastBeats = zeros();
    this.trialPastSeams = zeros();
    this.trialQuality = new Uint16Array(trials.length);
  }

  /** Parts come in order. */
  add({ windows, pieces, dropped }: PartRecord): void {
    for (const trial of windows.trial) this.trialWindows[trial]!++;
    this.#trial.push(windows.trial);
    this.#start.push(windows.start);
    if (windows.history) this.#history.push(windows.history);
    for (const modality of ['eeg', 'ecg'] as const) {
      const peak = windows.peak[modality];
      if (!peak) continue;
      this.#peak[modality] ??= new Growing(new Float32Array(0));
      this.#peak[modality].push(peak);
    }
    this.addRest(pieces, dropped);
  }

  /** What is known of pieces without windows. */
  addRest(pieces: readonly PieceRecord[], dropped: readonly Dropped[]): void {
    for (const piece of pieces) {
      this.trialDropped[piece.trial]! += piece.dropped;
      this.trialQuality[piece.trial]! |= piece.quality;
      this.trialBeats[piece.trial]! += piece.beats.length;
      this.#beats.push(piece.beats);
      const { beats, seams } = piece.past ?? { beats: [], seams: [] };
      this.trialPastBeats[piece.trial]! += beats.length;
      this.trialPastSeams[piece.trial]! += seams.length;
      this.#pastBeats.push(beats);
      this.#pastSeams.push(seams);
    }
    this.#dropped.add(dropped);
  }

  get count(): number {
    return this.#trial.result.length;
  }

  get trial(): Int32Array {
    return this.#trial.result;
  }

  get start(): Float64Array {
    return this.#start.result;
  }

  /** Empty where no signal has a context. */
  get history(): Float64Array {
    return this.#history.result;
  }

  get beats(): Float64Array {
    return this.#beats.result;
  }

  get pastBeats(): Float64Array {
    return this.#pastBeats.result;
  }

  get pastSeams(): Float64Array {
    return this.#pastSeams.result;
  }

  get dropped(): readonly Dropped[] {
    return this.#dropped.list;
  }

  peak(modality: Modality): Float32Array | undefined {
    return this.#peak[modality]?.result;
  }
}

export interface NamedColumn {
  readonly name: string;
  readonly column: Column;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** The columns of an index, as they are stored. */
export function indexColumns(
  index: StoreIndexBuilder,
  { trials, recipe }: StorePlan,
  targets: readonly StoredTarget[],
): NamedColumn[] {
  const seconds = { units: 's' };
  const peaks = (['eeg', 'ecg'] as const).flatMap((modality): NamedColumn[] => {
    const column = index.peak(modality);
    return column ? [{ name: `window_peak_${modality}`, column, attributes: { units: 'uV' } }] : [];
  });
  return [
    { name: 'window_trial', column: index.trial },
    { name: 'window_start', column: index.start, attributes: seconds },
    ...(index.history.length > 0
      ? [{ name: 'window_history', column: index.history, attributes: seconds }]
      : []),
    ...peaks,
    { name: 'trial_name', column: trials.map(({ id }) => id) },
    { name: 'trial_subject', column: index.trialSubject },
    { name: 'trial_windows', column: index.trialWindows },
    { name: 'trial_dropped', column: index.trialDropped },
    {
      name: 'trial_quality',
      column: index.trialQuality,
      attributes: {
        flag_masks: qualityFlags.map(({ mask }) => mask),
        flag_meanings: qualityFlags.map(({ meaning }) => meaning).join(' '),
      },
    },
    // Beats of all trials one after another; trial_beats says how many are whose.
    { name: 'trial_beats', column: index.trialBeats },
    { name: 'beats', column: index.beats, attributes: seconds },
    ...(runsOverSession(recipe)
      ? [
          { name: 'trial_past_beats', column: index.trialPastBeats },
          { name: 'past_beats', column: index.pastBeats, attributes: seconds },
          { name: 'trial_past_seams', column: index.trialPastSeams },
          { name: 'past_seams', column: index.pastSeams, attributes: seconds },
        ]
      : []),
    { name: 'subject_name', column: index.subjects },
    ...targets.map((target) => ({
      name: target.array,
      column: targetColumn(target, trials),
      attributes: target.kind === 'class' ? { classes: target.classes } : {},
    })),
  ];
}

function targetColumn({ name, kind, classes }: StoredTarget, trials: readonly PlannedTrial[]): Column {
  const values = trials.map(({ targets }) => targets[name]);
  if (kind === 'number')
    return Float64Array.from(values, (value) => (typeof value === 'number' ? value : Number.NaN));
  if (kind === 'text') return values.map((value) => (value === undefined ? '' : String(value)));
  const codes = new Map(classes.map((one, i) => [one, i]));
  return Int32Array.from(
    values,
    (value) => codes.get(String(value)) ?? (value === undefined || value === '' ? -1 : -2),
  );
}
