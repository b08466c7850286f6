/**
 * Trials of one file → pieces of a store: prepared, cut, and encoded as they are stored. A long recording is prepared
 * stretch by stretch, each with enough signal around it that filters do not notice: memory holds a stretch, no night.
 */
import { HeartmindError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import type { Recording, Span } from '../core/recording.ts';
import { historySeconds } from '../patches/context.ts';
import { type PreparedRecording, prepareRecording, samplesBefore } from '../patches/prepare.ts';
import { modelRateHz, type Recipe } from '../patches/recipe.ts';
import { clipSpan, type EarlierRecordings, marginSeconds, prepareInSession } from '../patches/session.ts';
import { int16StepsPerUnit, type SampleType } from '../patches/store-format.ts';
import { encodeSamples, scaleFactorOf } from '../patches/store-samples.ts';
import type { TrialPiece } from '../patches/store-writer.ts';
import { WindowSetBuilder } from '../patches/window-set.ts';
import type { Modality } from '../patches/windows.ts';
import { concernsAllRecordings, type Trial } from './dataset.ts';
import { EarlierFiles } from './sessions.ts';
import { type InputOptions, type TrialFile, TrialFiles } from './trial-files.ts';

/** Trials of one file that follow one another: it is opened once. Plain data, so that another thread can take it. */
export interface FileTask {
  readonly file: string;
  readonly trials: readonly (Pick<Trial, 'id' | 'subject' | 'start' | 'end'> &
    TrialFile & {
      readonly index: number;
      /** What came before in its session, the latest first, where contexts reach back there. */
      readonly earlier?: readonly TrialFile[];
    })[];
}

export interface PieceOptions {
  readonly recipe: Recipe;
  readonly type: SampleType;
  /** Count recordings that cannot be read instead of stopping at the first. */
  readonly skipBroken: boolean;
  /** Open truncated recordings up to where they go; their log is counted. */
  readonly tolerant?: boolean;
  /** What a user states of all recordings. */
  readonly input?: InputOptions;
  /** Seconds of a stretch; a span of up to twice as many is prepared whole. Default half an hour. */
  readonly stretchSeconds?: number;
}

const defaultStretchSeconds = 1800;

/** The pieces of a file's trials, in order. Errors of reading and preparing, unless they are skipped. */
export async function* preparePieces(
  folder: Pick<ByteFolder, 'open'>,
  { trials }: FileTask,
  options: PieceOptions,
): AsyncGenerator<TrialPiece> {
  const input = { tolerant: options.tolerant ?? false, ...options.input };
  const files = new TrialFiles(folder, input);
  const past = new EarlierFiles(folder, input);
  try {
    for (const trial of trials) {
      let piece = 0;
      try {
        const earlier = past.of(trial.earlier ?? []);
        for await (const prepared of prepareStretches(await files.open(trial), trial, earlier, options)) {
          yield { trial: trial.index, piece, ...(await cutPiece(prepared, trial, options)) };
          piece++;
        }
      } catch (error) {
        if (!options.skipBroken || !(error instanceof HeartmindError) || concernsAllRecordings(error))
          throw error;
        const dropped = [
          { what: 'recording', reason: `${error.name}: ${error.message}`, count: 1, examples: [trial.id] },
        ];
        yield { trial: trial.index, piece, ...nothing(options.recipe), dropped };
      }
    }
  } finally {
    await files.close();
    await past.close();
  }
}

type Part = Omit<TrialPiece, 'trial' | 'piece'>;

function nothing(recipe: Recipe): Part {
  const signals = Object.keys(recipe.signals).map((modality) => [
    modality,
    { bits: new Uint16Array(0), peak: new Float32Array(0) },
  ]);
  return {
    signals: Object.fromEntries(signals),
    start: new Float64Array(0),
    beats: new Float64Array(0),
    dropped: [],
  };
}

/** A trial as prepared stretches; a short one is one, prepared as for a WindowSet. */
async function* prepareStretches(
  recording: Recording,
  { id, start = 0, end = Number.POSITIVE_INFINITY }: FileTask['trials'][number],
  earlier: EarlierRecordings,
  { recipe, skipBroken, stretchSeconds = defaultStretchSeconds }: PieceOptions,
): AsyncGenerator<PreparedRecording> {
  const { lengthSeconds, stepSeconds } = recipe.window;
  // A stretch begins with a window, at a whole sample.
  const steps = 1000 * Math.max(1, Math.floor(stretchSeconds / stepSeconds / 1000));
  const perStretch = Number.isInteger(stretchSeconds / stepSeconds) ? stretchSeconds / stepSeconds : steps;
  const history = historySeconds(recipe);
  // The first stretch holds the contexts that end after their windows.
  const enough = Math.ceil((history + stepSeconds) / (perStretch * stepSeconds));
  const stretch = (history > 0 ? enough : 1) * perStretch * stepSeconds;
  const spans = recording.spans.flatMap((span): Span[] => {
    const [from, to] = [Math.max(start, span.start), Math.min(end, span.start + span.duration)];
    return to > from ? [{ start: from, duration: to - from }] : [];
  });
  if (spans.every(({ duration }) => duration <= 2 * stretch)) {
    yield await prepareInSession(recording, recipe, { start, end, name: id, earlier, skipBroken });
    return;
  }
  const told = new Set<string>();
  for (const [index, span] of spans.entries()) {
    for (let from = 0; from === 0 || from + lengthSeconds <= span.duration; from += stretch) {
      const isLast = from + stretch + lengthSeconds > span.duration;
      const [low, high] = [
        Math.max(0, from - history - marginSeconds),
        isLast ? span.duration : from + stretch + lengthSeconds,
      ];
      const range = {
        start: span.start + low,
        end: span.start + Math.min(span.duration, high + marginSeconds),
        name: id,
      };
      const isFirst = index === 0 && from === 0;
      const prepared = isFirst
        ? await prepareInSession(recording, recipe, { ...range, earlier, skipBroken })
        : await prepareRecording(recording, recipe, range);
      // Windows of this stretch begin before the next one's first.
      const last = isLast ? high : from + stretch - stepSeconds + lengthSeconds;
      yield {
        spans: prepared.spans.map((one) =>
          clipSpan(
            one,
            from - low,
            last - low,
            isFirst ? samplesBefore(one) / modelRateHz : Math.min(from, history),
          ),
        ),
        ...(prepared.past && { past: prepared.past }),
        beats: prepared.beats.filter(
          (time) => time >= span.start + from && (isLast || time < span.start + from + stretch),
        ),
        // What holds for the recording is told once.
        facts: prepared.facts.filter(({ what, reason, example }) => {
          const key = `${what}: ${reason} (${example})`;
          return !told.has(key) && told.add(key);
        }),
      };
      if (isLast) break;
    }
  }
}

async function cutPiece(
  prepared: PreparedRecording,
  { id, subject }: FileTask['trials'][number],
  { recipe, type }: PieceOptions,
): Promise<Part> {
  const builder = new WindowSetBuilder(recipe);
  builder.add(prepared, { subject, trial: id });
  const { beats, past } = prepared;
  const found = { beats, ...(past && { past }) };
  if (builder.size === 0) return { ...nothing(recipe), ...found, dropped: builder.dropped };
  const set = await builder.finish();
  const kept: number[] = [];
  const windows = new Map<Modality, { bits: Uint16Array; peak: number }[]>();
  for (let i = 0; i < set.count; i++) {
    const encoded = encodeWindow(set.signals, set.count, i, type);
    if (!encoded) {
      builder.count({
        what: 'window',
        reason: tooLarge(recipe, type),
        example: `${id} at ${set.start[i]} s`,
      });
      continue;
    }
    kept.push(i);
    for (const [modality, one] of encoded) windows.set(modality, [...(windows.get(modality) ?? []), one]);
  }
  const signals = Array.from(windows, ([modality, list]) => {
    const size = list[0]!.bits.length;
    const bits = new Uint16Array(list.length * size);
    for (const [i, one] of list.entries()) bits.set(one.bits, i * size);
    const { scaleMicrovolts } = recipe.signals[modality]!;
    return [modality, { bits, peak: Float32Array.from(list, ({ peak }) => peak * scaleMicrovolts) }];
  });
  return {
    signals: kept.length === 0 ? nothing(recipe).signals : Object.fromEntries(signals),
    start: Float64Array.from(kept, (i) => set.start[i]!),
    ...(set.history && { history: Float64Array.from(kept, (i) => set.history![i]!) }),
    ...found,
    dropped: builder.dropped,
  };
}

/** A window of every modality; undefined where one of them does not fit. */
function encodeWindow(
  signals: Awaited<ReturnType<WindowSetBuilder['finish']>>['signals'],
  count: number,
  window: number,
  type: SampleType,
) {
  const encoded: [Modality, { bits: Uint16Array; peak: number }][] = [];
  for (const modality of ['eeg', 'ecg'] as const) {
    const signal = signals[modality];
    if (!signal) continue;
    const size = signal.data.length / count;
    const one = encodeSamples(signal.data.subarray(window * size, (window + 1) * size), type);
    if (!one) return undefined;
    encoded.push([modality, one]);
  }
  return encoded;
}

function tooLarge(recipe: Recipe, type: SampleType): string {
  const ranges = Object.values(recipe.signals)
    .flatMap((signal) => signal ?? [])
    .map(
      (signal) =>
        `±${Math.round(scaleFactorOf(type, signal.scaleMicrovolts) * (type === 'int16' ? 32767 : 65504))} µV`,
    );
  const advice = type === 'int16' ? ` in ${int16StepsPerUnit} steps a unit; float16 holds more` : '';
  return `beyond ${[...new Set(ranges)].join(' or ')}, what ${type} holds${advice}`;
}
