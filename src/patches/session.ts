/**
 * A trial with what a live stream would have brought before it: its recording from before the trial began, and behind a
 * seam the end of the session's earlier recordings. Contexts of the trial's first windows reach back there.
 *
 * Between two recordings of a session lies a seam: what was not recorded is closed up, as if the later one began where the
 * earlier one ended; each is filtered by itself. A gap inside a recording is never crossed, in neither of them.
 */
import { joinArrays } from '../core/arrays.ts';
import { HeartmindError } from '../core/errors.ts';
import type { Recording, Span } from '../core/recording.ts';
import { historySeconds, runsOverSession } from './context.ts';
import {
  type PreparationOptions,
  type PreparedRecording,
  type PreparedSpan,
  prepareRecording,
} from './prepare.ts';
import { modelRateHz, type Recipe } from './recipe.ts';
import type { Modality } from './windows.ts';

/** A session's earlier recordings, the latest first. Each is open until the next is asked for. */
export type EarlierRecordings = () => AsyncIterable<Recording>;

export interface SessionOptions extends PreparationOptions {
  /** None by default: the recording is a session of its own. */
  readonly earlier?: EarlierRecordings | undefined;
  /** An earlier recording that cannot be read or prepared ends the past instead of the work. */
  readonly skipBroken?: boolean;
}

/** Prepared before what is used: at 0.3 Hz a Butterworth filter of order 4 forgets all but 1e-9 in 15 s. */
export const marginSeconds = 60;

/**
 * `prepareRecording`, and before its first stretch the seconds that contexts reach back to (`history`), where the recipe
 * lets them run over the session. Errors as `prepareRecording`.
 */
export async function prepareInSession(
  recording: Recording,
  recipe: Recipe,
  { earlier, skipBroken = false, ...options }: SessionOptions = {},
): Promise<PreparedRecording> {
  const { start = 0, end = Number.POSITIVE_INFINITY } = options;
  const wanted = historySeconds(recipe);
  const index = recording.spans.findIndex((span) => span.start + span.duration > start && span.start < end);
  if (!runsOverSession(recipe) || index < 0) return prepareRecording(recording, recipe, options);
  const span = recording.spans[index]!;
  const first = Math.max(start, span.start);
  const own = first - span.start;
  // Whole seconds before the trial keep its samples where they were; a past that is short is taken whole.
  const back = own < wanted ? own : Math.min(Math.floor(own), wanted + marginSeconds);
  const prepared = await prepareRecording(recording, recipe, { ...options, start: first - back });
  const [stretch, ...others] = prepared.spans;
  if (!stretch) return prepared;
  const history = Math.min(back, wanted);
  const settled = clipSpan(stretch, back, stretch.lengthSamples / modelRateHz, history);
  const reaches = index === 0 && own < wanted && earlier;
  const past = reaches
    ? await collectPast(earlier, recipe, wanted - own, { ...options, skipBroken })
    : { parts: [], beats: [], seams: [] };
  const begun = putBefore(past.parts, settled);
  const ownBeats = prepared.beats.filter((time) => time >= first - history && time < first);
  return {
    spans: [begun, ...others],
    beats: prepared.beats.filter((time) => time >= first),
    past: {
      beats: Float64Array.from([...past.beats.map((time) => span.start + time), ...ownBeats]),
      seams: Float64Array.from(past.seams, (time) => span.start + time),
    },
    facts: prepared.facts,
  };
}

/** The last `seconds` of a session's earlier recordings, the earliest part first; times in seconds after their end. */
async function collectPast(
  earlier: EarlierRecordings,
  recipe: Recipe,
  seconds: number,
  { mayLack, skipBroken }: SessionOptions,
): Promise<{ readonly parts: PreparedSpan[]; readonly beats: number[]; readonly seams: number[] }> {
  const parts: PreparedSpan[] = [];
  let beats: number[] = [];
  const seams: number[] = [];
  let missing = Math.round(seconds * modelRateHz);
  let seam = 0;
  try {
    for await (const recording of earlier()) {
      const span = recording.spans.at(-1);
      if (!span) break;
      const begin = beginOfTail(span, missing / modelRateHz);
      const { spans, beats: found } = await prepareRecording(recording, recipe, { start: begin, mayLack });
      const tail = spans.at(-1);
      if (!tail) break;
      const taken = Math.min(missing, tail.lengthSamples);
      const end = tail.start + tail.lengthSamples / modelRateHz;
      const from = end - taken / modelRateHz;
      const taking = found.filter((time) => time >= from && time < end);
      beats = [...taking.map((time) => seam + time - end), ...beats];
      parts.unshift(
        clipSpan(tail, (tail.lengthSamples - taken) / modelRateHz, tail.lengthSamples / modelRateHz, 0),
      );
      seams.unshift(seam);
      missing -= taken;
      seam -= taken / modelRateHz;
      // Before a gap in it nothing counts.
      if (missing <= 0 || recording.spans.length > 1) break;
    }
  } catch (error) {
    if (!skipBroken || !(error instanceof HeartmindError)) throw error;
  }
  return { parts, beats, seams };
}

/** Where to prepare a recording's last stretch from, so that its last `seconds` are settled. */
function beginOfTail({ start, duration }: Span, seconds: number): number {
  return start + Math.max(0, Math.floor(duration - seconds - marginSeconds));
}

/** The span with these parts as the beginning of its history. Parts have none of their own; their rows are equally long. */
function putBefore(parts: readonly PreparedSpan[], span: PreparedSpan): PreparedSpan {
  if (parts.length === 0) return span;
  const added = parts.reduce((sum, { lengthSamples }) => sum + lengthSamples, 0);
  const signals: { [M in Modality]?: Float64Array[] } = {};
  const history: { [M in Modality]?: number } = {};
  for (const modality of ['eeg', 'ecg'] as const) {
    const rows = span.signals[modality];
    if (!rows) continue;
    history[modality] = added + (span.history?.[modality] ?? 0);
    signals[modality] = rows.map((row, i) =>
      joinArrays(Float64Array, [...parts.map((part) => part.signals[modality]![i]!), row]),
    );
  }
  return { ...span, signals, history };
}

/**
 * The seconds [from, to) of a prepared span, counted from its start, and `history` seconds before them for contexts: at
 * most what lies before `from`, the span's own history included.
 */
export function clipSpan(span: PreparedSpan, from: number, to: number, history: number): PreparedSpan {
  const before = Math.round(history * modelRateHz);
  const low = Math.round(from * modelRateHz);
  const high = Math.min(span.lengthSamples, Math.round(to * modelRateHz));
  const signals = Object.entries(span.signals).map(([modality, rows]) => {
    const begin = span.history?.[modality as Modality] ?? 0;
    return [modality, rows.map((row) => row.subarray(begin + low - before, begin + high))] as const;
  });
  return {
    start: span.start + from,
    lengthSamples: Math.max(0, high - low),
    signals: Object.fromEntries(signals),
    ...(before > 0 && { history: Object.fromEntries(signals.map(([modality]) => [modality, before])) }),
  };
}
