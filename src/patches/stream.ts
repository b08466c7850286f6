/**
 * A live signal → signals that the model takes, chunk by chunk: montage → microvolt → 200 Hz → causal filter. Value for
 * value what `prepareRecording` gives by the same recipe with `zeroPhase: false`, however the chunks are cut.
 */
import { appendAll, joinArrays, minOf } from '../core/arrays.ts';
import { ConfigError } from '../core/errors.ts';
import type { Channel } from '../core/recording.ts';
import { unitFactor, unitOf } from '../core/units.ts';
import { type FilterState, type Sos, sosFilter, steadyState } from '../signal/filter.ts';
import type { MontageRow } from '../signal/montage.ts';
import { StreamBridge, StreamResampler } from '../signal/stream.ts';
import { contextsLookAhead } from './context.ts';
import { type MayLack, planLenient } from './lenient-montage.ts';
import { designFilters, minimumSpanSamples, missingRange } from './prepare.ts';
import { modelRateHz, type Recipe } from './recipe.ts';
import type { Modality } from './windows.ts';

export type LiveChannel = Pick<Channel, 'name' | 'unit' | 'assumedUnit' | 'rateHz'>;

/** Rows as the recipe's channels, microvolt at 200 Hz; what was missing is NaN. All rows are equally long. */
export type PreparedChunk = { readonly [M in Modality]?: readonly Float64Array[] };

/**
 * The same recipe as a live stream can follow it: filters that run forwards only, and no context that ends after its
 * window. The same as it was where it is causal already.
 */
export function causalRecipe(recipe: Recipe): Recipe {
  const entries = Object.entries(recipe.signals).map(([modality, signal]) => [
    modality,
    signal && { ...signal, zeroPhase: false },
  ]);
  return {
    ...recipe,
    signals: Object.fromEntries(entries),
    ...(contextsLookAhead(recipe) && { window: { ...recipe.window, contextAtStart: 'drop' as const } }),
  };
}

/** Prepares one gapless stretch. Behind a gap, `finish` this one and begin another: filters then settle anew, as offline. */
export class StreamPreparer {
  readonly #inputs = new Map<number, Input>();
  /** A row that the stream lacks is absent. */
  readonly #rows: { readonly modality: Modality; readonly row: Row | undefined }[] = [];
  /** What to know about the montage: derived channels, reversed signs. */
  readonly notes: readonly string[];

  /** ChannelError where the montage does not fit, ConfigError where the recipe's filters are not causal. */
  constructor(
    readonly channels: readonly LiveChannel[],
    readonly recipe: Recipe,
    mayLack?: MayLack,
  ) {
    const available = channels.map(({ name }) => name);
    const notes: string[] = [];
    const plans = planLenient(available, recipe, mayLack, ({ reason }) => notes.push(`live: ${reason}.`));
    for (const [modality, signal] of Object.entries(recipe.signals)) {
      if (!signal) continue;
      const filters = designFilters(signal);
      if (signal.zeroPhase && filters.length > 0) {
        const key = `signals.${modality}.zeroPhase`;
        throw new ConfigError(
          `${key}: true, a live stream cannot be filtered backwards. Use causalRecipe(recipe).`,
          key,
          'false',
        );
      }
      const plan = plans.get(modality as Modality)!;
      appendAll(notes, plan.notes);
      const withUnits = channels.map((one) => ({ ...one, unit: unitOf(one, signal.unit) }));
      for (const montage of plan.rows) {
        const row = montage.terms.length > 0 ? new Row(montage, withUnits, filters) : undefined;
        this.#rows.push({ modality: modality as Modality, row });
      }
    }
    for (const { row } of this.#rows) {
      for (const { channel } of row?.terms ?? []) {
        const input = this.#inputs.get(channel) ?? new Input(channels[channel]!.rateHz);
        this.#inputs.set(channel, input);
      }
    }
    this.notes = notes;
  }

  /** New samples of every channel, in the channels' order and unit; channels may be of different lengths, or empty. */
  push(chunk: readonly Float64Array[]): PreparedChunk {
    for (const [channel, input] of this.#inputs) input.push(chunk[channel]!);
    return this.#emit(false);
  }

  /** What still waits, as if the stretch ended here. */
  finish(): PreparedChunk {
    for (const input of this.#inputs.values()) input.finish();
    return this.#emit(true);
  }

  #emit(isEnd: boolean): PreparedChunk {
    for (const { row } of this.#rows) row?.take(this.#inputs, isEnd);
    for (const input of this.#inputs.values()) {
      input.fresh = [];
      input.missing.length = 0;
    }
    const ready = minOf(this.#rows.flatMap(({ row }) => (row ? [row.ready] : [])));
    const result: { [M in Modality]?: Float64Array[] } = {};
    for (const { modality, row } of this.#rows) {
      result[modality] ??= [];
      result[modality].push(row?.give(ready) ?? new Float64Array(ready).fill(Number.NaN));
    }
    return result;
  }
}

/** One recorded channel: bridged, at 200 Hz, with the ranges at 200 Hz that were missing. */
class Input {
  readonly #bridge = new StreamBridge();
  readonly #resampler: StreamResampler;
  /** Samples at 200 Hz since rows last took them. */
  fresh: Float64Array[] = [];
  readonly missing: (readonly [start: number, end: number])[] = [];

  constructor(readonly rateHz: number) {
    this.#resampler = new StreamResampler(rateHz, modelRateHz);
  }

  push(x: Float64Array): void {
    const { values, holes } = this.#bridge.push(x);
    appendAll(
      this.missing,
      holes.map((hole) => missingRange(hole, this.rateHz)),
    );
    this.fresh.push(this.#resampler.push(values));
  }

  finish(): void {
    const { values, holes } = this.#bridge.finish();
    appendAll(
      this.missing,
      holes.map((hole) => missingRange(hole, this.rateHz)),
    );
    this.fresh.push(this.#resampler.push(values), this.#resampler.finish());
  }
}

/** One of the model's channels: its terms wait for one another, then are added and filtered. */
class Row {
  readonly terms: readonly { readonly channel: number; readonly weight: number }[];
  readonly #waiting = new Map<number, Float64Array>();
  readonly #states: FilterState[] = [];
  readonly #missing: (readonly [start: number, end: number])[] = [];
  /** Added, not yet filtered: offline, stretches under half a second are not filtered at all. */
  #head: Float64Array | undefined = new Float64Array(0);
  /** Filtered, not yet given. */
  #done = new Float64Array(0);
  #given = 0;

  constructor(
    montage: MontageRow,
    channels: readonly LiveChannel[],
    readonly filters: readonly Sos[],
  ) {
    this.terms = montage.terms.map(({ channel, weight }) => ({
      channel,
      weight: weight * unitFactor(channels[channel]!.unit, 'uV'),
    }));
  }

  get ready(): number {
    return this.#done.length;
  }

  take(inputs: ReadonlyMap<number, Input>, isEnd: boolean): void {
    for (const channel of new Set(this.terms.map((term) => term.channel))) {
      const input = inputs.get(channel)!;
      this.#waiting.set(
        channel,
        joinArrays(Float64Array, [this.#waiting.get(channel) ?? new Float64Array(0), ...input.fresh]),
      );
      appendAll(this.#missing, input.missing);
    }
    const length = minOf([...this.#waiting.values()].map((x) => x.length));
    const sum = new Float64Array(length);
    for (const [i, { channel, weight }] of this.terms.entries()) {
      const x = this.#waiting.get(channel)!;
      // As combineTerms: a first term of weight 1 is taken as it is.
      for (let t = 0; t < length; t++) sum[t] = i === 0 ? x[t]! * weight : sum[t]! + weight * x[t]!;
    }
    for (const [channel, x] of this.#waiting) this.#waiting.set(channel, x.slice(length));
    this.#filter(sum, isEnd);
  }

  #filter(x: Float64Array, isEnd: boolean): void {
    let input = x;
    if (this.#head) {
      input = joinArrays(Float64Array, [this.#head, x]);
      const isLong = input.length >= minimumSpanSamples;
      this.#head = isLong ? undefined : input;
      if (!isLong) {
        if (isEnd) this.#keep(input);
        return;
      }
    }
    for (const [i, sos] of this.filters.entries()) {
      this.#states[i] ??= steadyState(sos, input[0] ?? 0);
      input = sosFilter(sos, input, this.#states[i]);
    }
    this.#keep(input);
  }

  #keep(y: Float64Array): void {
    this.#done = joinArrays(Float64Array, [this.#done, y]);
  }

  /** The next `length` filtered samples, holes in them as NaN. */
  give(length: number): Float64Array {
    const y = this.#done.slice(0, length);
    for (const [start, end] of this.#missing)
      y.fill(Number.NaN, Math.max(0, start - this.#given), Math.max(0, end - this.#given));
    this.#done = this.#done.slice(length);
    this.#given += length;
    const past = this.#missing.findIndex(([, end]) => end > this.#given);
    this.#missing.splice(0, past < 0 ? this.#missing.length : past);
    return y;
  }
}
