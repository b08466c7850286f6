/**
 * A part of a recording as a recording of its own, lazily: some of its channels, a stretch of time, another rate.
 * Nothing is read before somebody asks for samples. A gap stays a gap, a missing sample stays missing.
 */
import { maxOf } from '../core/arrays.ts';
import { ConfigError, DataError, FormatError, ShapeError } from '../core/errors.ts';
import type { Annotation, Channel, Recording, Span } from '../core/recording.ts';
import { chooseChannels } from './select-channels.ts';
import { type Piece, ResampledChannel } from './select-rate.ts';

export interface Selection {
  /** Names, globs, `#index`, `!pattern`, or indices (select-channels.ts). Default: all. */
  readonly channels?: readonly (string | number)[];
  /** Seconds from the recording's start; half-open. The range begins at a sample of the fastest channel. */
  readonly start?: number;
  readonly end?: number;
  /** One rate for all channels. */
  readonly rateHz?: number;
}

/**
 * Select from a recording; closing the result closes the recording. What is not resampled keeps its range, resolution
 * and offset. ChannelError for a channel that is not there, ConfigError for a range or rate that is none, DataError
 * where nothing is recorded in the range.
 */
export function selectRecording(recording: Recording, selection: Selection): Recording {
  const { rateHz } = selection;
  if (rateHz !== undefined && !(rateHz > 0 && Number.isFinite(rateHz)))
    throw new ConfigError(`select: the rate is ${rateHz}. Give more than 0 Hz.`, 'rateHz', 'above 0');
  const chosen = chooseChannels(
    recording.channels.map(({ name }) => name),
    selection.channels,
  );
  const sources = chosen.indices.map((index) => recording.channels[index]!);
  const log = [...recording.log, ...chosen.notes];
  const cuts = cutSpans(
    recording,
    selection,
    maxOf(
      sources.map((channel) => channel.rateHz),
      0,
    ),
  );
  const origin = cuts[0]?.from ?? 0;
  const spans = cuts.map(({ from, to }): Span => ({ start: from - origin, duration: to - from }));
  const duration = spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0);
  const isWhole = selection.start === undefined && selection.end === undefined;
  const selected = sources.map((channel, i) => {
    const index = chosen.indices[i]!;
    // Whatever rounding makes of its spans: all of a channel is all that is stored.
    if (isWhole && (rateHz ?? channel.rateHz) === channel.rateHz)
      return { channel, shift: 0, read: recording.read.bind(recording, index) };
    return selectChannel(recording, index, channel, cuts, rateHz);
  });
  const late = maxOf(
    selected.map(({ shift }) => shift),
    0,
  );
  if (late > 1e-3)
    log.push(
      `select: the range begins between two samples of slower channels; they are placed up to ${late.toPrecision(3)} s off.`,
    );
  const channels = selected.map(({ channel }) => channel);
  const annotations = selectAnnotations(
    recording.annotations,
    chosen.indices,
    origin,
    isWhole ? Number.POSITIVE_INFINITY : duration,
    isWhole,
    log,
  );
  return {
    source: recording.source,
    format: recording.format,
    channels,
    spans,
    duration,
    annotations,
    ...shiftedStart(recording, origin),
    metadata: recording.metadata,
    log,
    async read(channel, start, end, into) {
      const found = selected[channel];
      const length = found?.channel.lengthSamples ?? 0;
      const isInside = Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end;
      if (!found || !isInside || end > length)
        throw new FormatError(
          `select: samples ${start}–${end} of channel ${channel} were asked for, it has ${length}.`,
          recording.source,
        );
      if (into && into.length !== end - start)
        throw new ShapeError(
          `read: ${end - start} samples were asked for, there is room for ${into.length}. Give an array of that length.`,
          'read',
          `[${end - start}]`,
          `[${into.length}]`,
        );
      return found.read(start, end, into ?? new Float64Array(end - start));
    },
    close: () => recording.close(),
  };
}

/** What is kept of a span: seconds [from, to) of the recording, and where the span and its stored samples begin. */
interface Cut {
  readonly from: number;
  readonly to: number;
  readonly span: Span;
  /** Seconds of stored signal before the span: gaps are not stored. */
  readonly stored: number;
}

function cutSpans(recording: Recording, { start, end }: Selection, fastestHz: number): Cut[] {
  for (const [key, value] of [
    ['start', start],
    ['end', end],
  ] as const)
    if (value !== undefined && !(value >= 0))
      throw new ConfigError(
        `select: ${key} is ${value}. Give seconds from the recording's start.`,
        key,
        '≥ 0',
      );
  const [low, high] = [start ?? Number.NEGATIVE_INFINITY, end ?? Number.POSITIVE_INFINITY];
  if (low >= high)
    throw new ConfigError(`select: the range ${low}–${high} s is empty. Give an end after the start.`, 'end');
  let stored = 0;
  const cuts = recording.spans.flatMap((span): Cut[] => {
    const spanEnd = span.start + span.duration;
    const cut = {
      from: low > span.start ? atSample(low, span.start, fastestHz) : span.start,
      to: high < spanEnd ? Math.min(spanEnd, atSample(high, span.start, fastestHz)) : spanEnd,
      span,
      stored,
    };
    stored += span.duration;
    return cut.to > cut.from ? [cut] : [];
  });
  if (cuts.length === 0 && (start !== undefined || end !== undefined))
    throw new DataError(
      `${recording.source}: nothing is recorded from ${start ?? 0} to ${end ?? recording.duration} s; the recording lasts ${recording.duration} s${recording.spans.length > 1 ? ` with ${recording.spans.length - 1} gaps` : ''}. Choose another range.`,
    );
  return cuts;
}

/** The time of the first sample at or after `time`. */
function atSample(time: number, spanStart: number, rateHz: number): number {
  if (rateHz === 0) return time;
  return spanStart + Math.ceil((time - spanStart) * rateHz - 1e-6) / rateHz;
}

interface SelectedChannel {
  readonly channel: Channel;
  /** Seconds between the range's begin and the channel's nearest sample. */
  readonly shift: number;
  read(start: number, end: number, into: Float64Array): Promise<Float64Array>;
}

function selectChannel(
  recording: Recording,
  index: number,
  channel: Channel,
  cuts: readonly Cut[],
  rateHz = channel.rateHz,
): SelectedChannel {
  const [pieces, shift] = placePieces(channel, cuts, rateHz);
  const lengthSamples = pieces.at(-1)?.outputEnd ?? 0;
  const readStored = (start: number, end: number, into?: Float64Array) =>
    recording.read(index, start, end, into);
  if (rateHz === channel.rateHz) {
    return {
      channel: { ...channel, lengthSamples },
      shift,
      read: (start, end, into) => readPieces(readStored, pieces, start, end, into),
    };
  }
  const { range: _range, resolution: _resolution, offset: _offset, ...rest } = channel;
  const resampled = new ResampledChannel(readStored, channel.rateHz, rateHz, pieces);
  return {
    channel: { ...rest, rateHz, lengthSamples },
    shift,
    read: (start, end, into) => resampled.read(start, end, into),
  };
}

/** Which stored samples make which samples of the result. */
function placePieces(
  { rateHz, lengthSamples }: Channel,
  cuts: readonly Cut[],
  resultHz: number,
): [Piece[], shift: number] {
  let [outputStart, seconds, shift] = [0, 0, 0];
  const pieces = cuts.map(({ from, to, span, stored }): Piece => {
    const limit = (time: number) => Math.min(lengthSamples, Math.round(time * rateHz));
    const [spanFirst, spanEnd] = [limit(stored), limit(stored + span.duration)];
    const ahead = (from - span.start) * rateHz;
    let first = Math.min(spanEnd, spanFirst + Math.round(ahead));
    shift = Math.max(shift, Math.abs(ahead - Math.round(ahead)) / rateHz);
    // Counted from the beginning of the result, so that rounding does not add up over spans.
    const before = Math.round(seconds * rateHz);
    seconds += to - from;
    const wanted = Math.round(seconds * rateHz) - before;
    if (first + wanted > spanEnd && wanted <= spanEnd - spanFirst) first = spanEnd - wanted;
    const end = Math.min(spanEnd, first + wanted);
    const outputEnd =
      resultHz === rateHz
        ? outputStart + (end - first)
        : Math.max(outputStart, Math.round(seconds * resultHz));
    const piece = { first, end, outputStart, outputEnd };
    outputStart = outputEnd;
    return piece;
  });
  return [pieces, shift];
}

async function readPieces(
  read: (start: number, end: number, into?: Float64Array) => Promise<Float64Array>,
  pieces: readonly Piece[],
  start: number,
  end: number,
  into: Float64Array,
): Promise<Float64Array> {
  for (const { first, outputStart, outputEnd } of pieces) {
    const [from, to] = [Math.max(start, outputStart), Math.min(end, outputEnd)];
    if (from >= to) continue;
    const room = into.subarray(from - start, to - start);
    const part = await read(first + from - outputStart, first + to - outputStart, room);
    if (part !== room) room.set(part);
  }
  return into;
}

/** Those that touch the range, cut to it, of the channels that are kept. */
function selectAnnotations(
  annotations: readonly Annotation[],
  indices: readonly number[],
  origin: number,
  end: number,
  isWhole: boolean,
  log: string[],
): Annotation[] {
  let [cut, orphaned] = [0, 0];
  const kept = annotations.flatMap((annotation): Annotation[] => {
    const { start, duration, channel: _channel, ...rest } = annotation;
    const [from, to] = [start - origin, start - origin + duration];
    const touches = duration > 0 ? from < end && to > 0 : from >= 0 && from < end;
    if (!isWhole && !touches) return [];
    const channel = annotation.channel === undefined ? undefined : indices.indexOf(annotation.channel);
    if (channel === -1) {
      orphaned++;
      return [];
    }
    const clipped = isWhole ? [from, to] : [Math.max(0, from), Math.min(end, to)];
    if (clipped[0] !== from || clipped[1] !== to) cut++;
    return [
      {
        ...rest,
        start: clipped[0]!,
        duration: clipped[0] === from && clipped[1] === to ? duration : clipped[1]! - clipped[0]!,
        ...(channel === undefined ? {} : { channel }),
      },
    ];
  });
  if (cut > 0) log.push(`select: ${cut} annotations reach beyond the range and were cut to it.`);
  if (orphaned > 0)
    log.push(`select: ${orphaned} annotations of channels that were not chosen were left out.`);
  return kept;
}

/** `startTime` and `startNanoseconds` of what begins `origin` seconds later. */
function shiftedStart(
  { startTime, startNanoseconds = 0 }: Recording,
  origin: number,
): Pick<Recording, 'startTime' | 'startNanoseconds'> {
  if (!startTime) return {};
  const nanoseconds = Math.round(origin * 1e9) + startNanoseconds;
  const milliseconds = Math.floor(nanoseconds / 1e6);
  const rest = nanoseconds - milliseconds * 1e6;
  return {
    startTime: new Date(startTime.getTime() + milliseconds),
    ...(rest !== 0 && { startNanoseconds: rest }),
  };
}
