/**
 * Recording → signals that the model takes: montage → microvolt → 200 Hz → filter, span by span; no gap is bridged.
 * All offline steps of a recipe live here, and nowhere else.
 */
import { appendAll, maxOf, minOf } from '../core/arrays.ts';
import type { Recording, Span } from '../core/recording.ts';
import { unitFactor, unitOf } from '../core/units.ts';
import { detectBeatsAndContrast } from '../signal/beats.ts';
import { butterworth, notch, type Sos, sosFilter, sosFiltFilt, steadyState } from '../signal/filter.ts';
import { bridgeMissing } from '../signal/missing.ts';
import { combineTerms, type MontageRow } from '../signal/montage.ts';
import { checkQuality } from '../signal/quality.ts';
import { resample } from '../signal/resample.ts';
import { type MayLack, planLenient } from './lenient-montage.ts';
import { modelRateHz, type Recipe, type SignalRecipe } from './recipe.ts';
import type { Modality, TrialPast } from './windows.ts';

/** One contiguous stretch, at 200 Hz in microvolt: rows as the recipe's channels. */
export interface PreparedSpan {
  /** Seconds from the recording's start. */
  readonly start: number;
  readonly lengthSamples: number;
  readonly signals: { readonly [M in Modality]?: readonly Float64Array[] };
  /** Samples in a modality's rows before `start`, for contexts of the first windows; none where absent. */
  readonly history?: { readonly [M in Modality]?: number };
}

/** Samples before a span's start, for contexts of its first windows. */
export function samplesBefore({ history }: PreparedSpan): number {
  return maxOf(Object.values(history ?? {}), 0);
}

/** A fact about a recording that a report must count: a flat channel, guessed beats. */
export interface PreparationFact {
  readonly what: string;
  readonly reason: string;
  readonly example: string;
}

export interface PreparedRecording {
  readonly spans: readonly PreparedSpan[];
  /** R peaks in seconds from the recording's start; empty without ECG. */
  readonly beats: Float64Array;
  /** What contexts reach back to, where they run over the session (session.ts). */
  readonly past?: TrialPast;
  readonly facts: readonly PreparationFact[];
}

/** Below this contrast a channel holds no clear ECG (signal/beats.ts). */
const clearContrast = 8;
/** Zero-phase filters need this much signal; shorter spans cannot be filtered (0.5 s). */
export const minimumSpanSamples = modelRateHz / 2;
const filterOrder = 4;
const notchQuality = 30;

export interface PreparationOptions {
  /** Seconds of the recording to prepare; all by default. */
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  /** In facts; the recording's source by default. */
  readonly name?: string | undefined;
  /** What the recording may lack: rows of NaN. */
  readonly mayLack?: MayLack;
}

/** Prepare the seconds [start, end) of a recording (default: all). ChannelError where the montage does not fit. */
export async function prepareRecording(
  recording: Recording,
  recipe: Recipe,
  { start = 0, end = Number.POSITIVE_INFINITY, name = recording.source, mayLack }: PreparationOptions = {},
): Promise<PreparedRecording> {
  const facts: PreparationFact[] = recording.log.map((reason) => ({
    what: 'recording',
    reason,
    example: name,
  }));
  const plans = planRows(recording, recipe, name, facts, mayLack);
  const memory = new SampleMemory(recording);
  const spans: PreparedSpan[] = [];
  const beats: number[] = [];
  for (const span of clipSpans(recording.spans, start, end)) {
    memory.forget();
    const signals: { [M in Modality]?: Float64Array[] } = {};
    for (const { modality, signal, rows } of plans) {
      const raw: Row[] = [];
      for (const row of rows)
        raw.push(row.terms.length > 0 ? await readRow(memory, row, span, signal.unit) : absentRow(span));
      const there = raw.flatMap(({ values }, i) =>
        rows[i]!.terms.length > 0 ? [{ values, channel: signal.channels[i]! }] : [],
      );
      reportQuality(there, name, facts);
      if (modality === 'ecg' && there.length > 0) appendAll(beats, findBeats(there, span.start, name, facts));
      const filters = designFilters(signal);
      signals[modality] = raw.map((row, i) => {
        const isLong = row.values.length >= minimumSpanSamples && rows[i]!.terms.length > 0;
        const x = isLong ? filterRow(row.values, filters, signal.zeroPhase) : row.values;
        // What was missing stays missing: windows that touch it are dropped and counted.
        for (const [from, to] of row.missing) x.fill(Number.NaN, from, to);
        return x;
      });
    }
    const lengths = Object.values(signals).flatMap((rows) => rows.map((row) => row.length));
    spans.push({ start: span.start, lengthSamples: minOf(lengths), signals });
  }
  return { spans, beats: Float64Array.from(beats), facts };
}

function planRows(
  recording: Recording,
  recipe: Recipe,
  name: string,
  facts: PreparationFact[],
  mayLack: MayLack,
) {
  const available = recording.channels.map((channel) => channel.name);
  const plans = planLenient(available, recipe, mayLack, (fact) => facts.push({ ...fact, example: name }));
  return Object.entries(recipe.signals).flatMap(([modality, signal]) => {
    if (!signal) return [];
    const { rows, notes } = plans.get(modality as Modality)!;
    for (const reason of notes) facts.push({ what: 'channel', reason, example: name });
    return [{ modality: modality as Modality, signal, rows }];
  });
}

interface StoredSpan extends Span {
  /** Seconds of stored signal before it: gaps are not stored. */
  readonly stored: number;
}

function clipSpans(spans: readonly Span[], start: number, end: number): StoredSpan[] {
  let before = 0;
  return spans.flatMap((span) => {
    const [from, to] = [Math.max(start, span.start), Math.min(end, span.start + span.duration)];
    const stored = before + (from - span.start);
    before += span.duration;
    return to > from ? [{ start: from, duration: to - from, stored }] : [];
  });
}

/** A row of the montage over a span: microvolt at 200 Hz, holes bridged, and where they were. */
interface Row {
  readonly values: Float64Array;
  readonly missing: readonly (readonly [from: number, to: number])[];
}

/** A recording's channels of one span at 200 Hz, in their own unit; each read and resampled once, whatever rows it is in. */
class SampleMemory {
  readonly #channels = new Map<number, Row>();
  #raw = new Float64Array(0);

  constructor(readonly recording: Recording) {}

  forget(): void {
    this.#channels.clear();
  }

  async get(channel: number, span: StoredSpan): Promise<Row> {
    const known = this.#channels.get(channel);
    if (known) return known;
    const { rateHz, lengthSamples } = this.recording.channels[channel]!;
    const from = Math.min(lengthSamples, Math.round(span.stored * rateHz));
    const to = Math.min(lengthSamples, Math.round((span.stored + span.duration) * rateHz));
    if (this.#raw.length !== to - from) this.#raw = new Float64Array(to - from);
    const { values, holes } = bridgeMissing(await this.recording.read(channel, from, to, this.#raw));
    const missing = holes.map((hole) => missingRange(hole, rateHz));
    const row = { values: resample(values, rateHz, modelRateHz), missing };
    this.#channels.set(channel, row);
    return row;
  }
}

/** A hole in recorded samples → the range at 200 Hz that it touches. */
export function missingRange(
  [first, end]: readonly [first: number, end: number],
  rateHz: number,
): readonly [from: number, to: number] {
  return [Math.floor((first / rateHz) * modelRateHz), Math.ceil((end / rateHz) * modelRateHz)];
}

/** A row that the recording lacks; a little longer than any other, so that it does not cut them. */
function absentRow({ duration }: StoredSpan): Row {
  const length = Math.ceil(duration * modelRateHz) + 1;
  return { values: new Float64Array(length).fill(Number.NaN), missing: [] };
}

async function readRow(
  memory: SampleMemory,
  row: MontageRow,
  span: StoredSpan,
  unit: string | undefined,
): Promise<Row> {
  const channels = new Map<number, Row>();
  for (const { channel } of row.terms) channels.set(channel, await memory.get(channel, span));
  const rows = [...channels.values()];
  const length = minOf(rows.map(({ values }) => values.length));
  const terms = row.terms.map(({ channel, weight }) => ({
    channel,
    weight: weight * unitFactor(unitOf(memory.recording.channels[channel]!, unit), 'uV'),
  }));
  const values = combineTerms(terms, (channel) => channels.get(channel)!.values.subarray(0, length));
  return { values, missing: rows.flatMap(({ missing }) => missing) };
}

/** A row that is there, and the model's channel that it is. */
interface NamedRow {
  readonly values: Float64Array;
  readonly channel: string;
}

function reportQuality(rows: readonly NamedRow[], name: string, facts: PreparationFact[]): void {
  for (const { values, channel } of rows) {
    const { flat, clipped, outOfRange } = checkQuality(values, modelRateHz, { unitMicrovolts: 1 });
    const example = `${name} ${channel}`;
    if (flat) facts.push({ what: 'channel', reason: 'flat', example });
    else if (clipped > 0.01)
      facts.push({ what: 'channel', reason: 'clipped in more than 1 % of its samples', example });
    if (outOfRange)
      facts.push({ what: 'channel', reason: 'out of range: more than 10 mV from its median', example });
  }
}

/** R peaks from lead II where it is there, else from the first lead. Published heart baselines guess where none is clear. */
function findBeats(rows: readonly NamedRow[], start: number, name: string, facts: PreparationFact[]) {
  const lead = (rows.find(({ channel }) => channel === 'II') ?? rows[0]!).values;
  const { times, contrast } = detectBeatsAndContrast(lead, modelRateHz, { whenUnclear: 'guess' });
  if (contrast < clearContrast)
    facts.push({ what: 'beats', reason: 'no clear ECG: R peaks were guessed', example: name });
  return times.map((time) => time + start);
}

function filterRow(x: Float64Array, filters: readonly Sos[], zeroPhase: boolean): Float64Array {
  return filters.reduce(
    (y, sos) => (zeroPhase ? sosFiltFilt(sos, y) : sosFilter(sos, y, steadyState(sos, y[0] ?? 0))),
    x,
  );
}

/** The recipe's filters at 200 Hz, in the order in which they are applied. */
export function designFilters({ lowHz, highHz, notchHz }: SignalRecipe): Sos[] {
  const band = { ...(lowHz === null ? {} : { lowHz }), ...(highHz === null ? {} : { highHz }) };
  return [
    ...(lowHz === null && highHz === null ? [] : [butterworth(filterOrder, band, modelRateHz)]),
    ...(notchHz === null ? [] : [notch(notchHz, notchQuality, modelRateHz)]),
  ];
}
