/** What a page of traces shows of a recording: numbers only, read in bounded memory. */
import { HeartmindError } from '../core/errors.ts';
import type { Annotation, Channel, Recording, Span } from '../core/recording.ts';
import { microvolts } from '../core/units.ts';
import { detectBeatsAndContrast } from '../signal/beats.ts';
import { canonicalName, parseChannelName } from '../signal/channel-names.ts';
import { variability } from '../signal/heart.ts';
import { bridgeMissing } from '../signal/missing.ts';
import { checkQuality, type Quality } from '../signal/quality.ts';
import { welch } from '../signal/spectrum.ts';
import { type Envelope, type Envelopes, measureEnvelopes } from './traces-envelope.ts';

/** Seconds from the beginning of every channel that are read for quality and spectrum; enough to see a loose electrode. */
export const qualitySeconds = 300;
/** Seconds that are drawn in full. */
export const excerptSeconds = 10;
/** Seconds of a segment of the spectrum: steps of 0.5 Hz. */
const segmentSeconds = 2;
/** Detection looks at more than is drawn: what a usual beat is, neighbours tell. */
const beatMarginSeconds = 10;
const clearContrast = 8;

export interface ChannelTraces extends Channel {
  readonly kind: 'eeg' | 'ecg' | 'other';
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly quality: Quality | undefined;
  readonly envelope: Envelope;
  /** Samples of the excerpt; NaN where they are missing. */
  readonly excerpt: Float64Array;
  readonly spectrum: { readonly frequencyHz: Float64Array; readonly density: Float64Array } | undefined;
  /** Seconds from the excerpt's start, of a channel with a clear ECG. */
  readonly beats: Float64Array;
  /** Per minute, around the excerpt. */
  readonly heartRate: number | undefined;
}

export interface Traces {
  readonly source: string;
  readonly format: string;
  readonly startTime: Date | undefined;
  readonly duration: number;
  readonly spans: readonly Span[];
  readonly annotations: readonly Annotation[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly log: readonly string[];
  readonly excerpt: Span;
  readonly envelopes: Envelopes;
  readonly channels: readonly ChannelTraces[];
}

export interface TracesOptions {
  /** Bins of the overview. */
  readonly bins?: number;
  readonly maxSamples?: number;
  readonly onProgress?: (share: number) => void;
}

/** Read what is drawn of a recording. Errors of its reader. */
export async function readTraces(
  recording: Recording,
  { bins = 720, ...options }: TracesOptions = {},
): Promise<Traces> {
  const { source, format, startTime, duration, spans, annotations, metadata, log } = recording;
  const envelopes = await measureEnvelopes(recording, { bins, ...options });
  const excerpt = chooseExcerpt(spans);
  const channels: ChannelTraces[] = [];
  for (const [index, channel] of recording.channels.entries()) {
    const { samples, ...described } = await describeChannel(recording, index);
    const kind = kindOf(channel);
    channels.push({
      ...channel,
      ...described,
      kind,
      envelope: envelopes.channels[index]!,
      excerpt: await readSeconds(recording, index, excerpt.start, excerpt.start + excerpt.duration),
      spectrum: spectrumOf(samples, channel.rateHz),
      ...(kind === 'ecg' ? await beatsOf(recording, index, excerpt) : noBeats),
    });
  }
  return {
    source,
    format,
    startTime,
    duration,
    spans,
    annotations,
    metadata,
    log,
    excerpt,
    envelopes,
    channels,
  };
}

/** Mean, deviation and quality of a channel's first minutes, and their samples. */
export async function describeChannel(recording: Recording, index: number) {
  const channel = recording.channels[index]!;
  const length = Math.min(channel.lengthSamples, Math.ceil(qualitySeconds * channel.rateHz));
  const samples = await recording.read(index, 0, length);
  const unitMicrovolts = microvolts(channel.unit);
  const quality =
    length > 0
      ? checkQuality(samples, channel.rateHz, {
          ...(unitMicrovolts === undefined ? {} : { unitMicrovolts }),
          ...(channel.range ? { range: channel.range } : {}),
        })
      : undefined;
  return { ...spread(samples), quality, samples };
}

function spread(samples: Float64Array): { readonly mean: number | null; readonly deviation: number | null } {
  let [count, mean, squares] = [0, 0, 0];
  for (const x of samples) {
    if (!Number.isFinite(x)) continue;
    count++;
    const delta = x - mean;
    mean += delta / count;
    squares += delta * (x - mean);
  }
  return count === 0 ? { mean: null, deviation: null } : { mean, deviation: Math.sqrt(squares / count) };
}

/** A channel's faults in words; `ok` where there are none. */
export function describeQuality(quality: Quality | undefined): string {
  if (!quality) return 'empty';
  const faults = [
    quality.flat ? 'flat' : '',
    quality.clipped > 0.001 ? `clipped ${(100 * quality.clipped).toFixed(1)} %` : '',
    quality.outOfRange ? 'out of range' : '',
    quality.nonFinite > 0 ? `${quality.nonFinite} missing` : '',
  ].filter((fault) => fault !== '');
  return faults.length === 0 ? 'ok' : faults.join(', ');
}

const ecgNames = new Set([
  'ECG',
  'ECG2',
  'I',
  'II',
  'III',
  'AVR',
  'AVL',
  'AVF',
  'V1',
  'V2',
  'V3',
  'V4',
  'V5',
  'V6',
]);

function kindOf({ name, unit }: Channel): ChannelTraces['kind'] {
  const text = canonicalName(parseChannelName(name).electrode);
  if (ecgNames.has(text) || /\b(ECG|EKG)/i.test(name)) return 'ecg';
  return /^EEG\b/i.test(name) ||
    (microvolts(unit) !== undefined && /^(FP|AF|F[CT]?|C[P]?|T[P]?|P[O]?|O|A|M)(Z|\d{1,2})\b/.test(text))
    ? 'eeg'
    : 'other';
}

/** Ten seconds in the middle of the longest span. */
function chooseExcerpt(spans: readonly Span[]): Span {
  const longest = spans.reduce<Span>((best, span) => (span.duration > best.duration ? span : best), {
    start: 0,
    duration: 0,
  });
  const duration = Math.min(excerptSeconds, longest.duration);
  return { start: longest.start + Math.floor((longest.duration - duration) / 2), duration };
}

/** The samples of seconds [from, to), which lie in one span. */
async function readSeconds(
  recording: Recording,
  index: number,
  from: number,
  to: number,
): Promise<Float64Array> {
  const { rateHz, lengthSamples } = recording.channels[index]!;
  let stored = 0;
  for (const span of recording.spans) {
    if (from >= span.start && from < span.start + span.duration) {
      const sampleAt = (seconds: number) =>
        Math.min(lengthSamples, Math.max(0, Math.round((stored + seconds - span.start) * rateHz)));
      return recording.read(index, sampleAt(from), sampleAt(Math.min(to, span.start + span.duration)));
    }
    stored += span.duration;
  }
  return new Float64Array(0);
}

function spectrumOf(samples: Float64Array, rateHz: number): ChannelTraces['spectrum'] {
  const segmentSamples = Math.round(segmentSeconds * rateHz);
  if (segmentSamples < 8 || samples.length < segmentSamples) return undefined;
  const { values, holes } = bridgeMissing(samples);
  if (holes.some(([start, end]) => start === 0 && end === samples.length)) return undefined;
  return welch(values, rateHz, { segmentSamples });
}

const noBeats = { beats: new Float64Array(0), heartRate: undefined };

async function beatsOf(recording: Recording, index: number, excerpt: Span) {
  const { rateHz } = recording.channels[index]!;
  const [before, end] = [
    Math.min(beatMarginSeconds, excerpt.start - spanOf(recording.spans, excerpt).start),
    excerpt.start + excerpt.duration + beatMarginSeconds,
  ];
  try {
    const samples = await readSeconds(recording, index, excerpt.start - before, end);
    const { times, contrast } = detectBeatsAndContrast(samples, rateHz);
    if (contrast < clearContrast) return noBeats;
    const beats = times.map((time) => time - before).filter((time) => time >= 0 && time < excerpt.duration);
    const heartRate = variability(times).medianRatePerMinute;
    return { beats, heartRate: Number.isFinite(heartRate) ? heartRate : undefined };
  } catch (error) {
    // Too slow a rate for R peaks.
    if (error instanceof HeartmindError && error.name === 'ConfigError') return noBeats;
    throw error;
  }
}

function spanOf(spans: readonly Span[], { start }: Span): Span {
  return (
    spans.find((span) => start >= span.start && start < span.start + span.duration) ?? { start, duration: 0 }
  );
}
