/** How far each channel reaches over a recording: samples → lowest and highest of equal stretches of time, in one pass. */
import type { Recording, Span } from '../core/recording.ts';

export interface Envelope {
  /** [bins], NaN where nothing is recorded or all is missing. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export interface Envelopes {
  /** By channel. */
  readonly channels: readonly Envelope[];
  /** Seconds of a bin. */
  readonly binSeconds: number;
  /** What part of the samples was looked at: 1 is all of them. */
  readonly share: number;
}

export interface EnvelopeOptions {
  readonly bins: number;
  /** A longer recording is looked at in part, evenly. Default: all of it. */
  readonly maxSamples?: number;
  /** Called between reads, with the part that is done. */
  readonly onProgress?: (share: number) => void;
}

/** Samples of all channels that are read in a go; they lie interleaved in most files. */
const blockSamples = 2 ** 19;
/** Seconds of a bin that are looked at in any case. */
const leastSeconds = 1;

/** Measure all channels of a recording. Errors of its reader. */
export async function measureEnvelopes(
  recording: Recording,
  { bins, maxSamples = Number.POSITIVE_INFINITY, onProgress }: EnvelopeOptions,
): Promise<Envelopes> {
  const { channels, spans, duration } = recording;
  const binSeconds = duration / bins || 1;
  const envelopes = channels.map(() => ({
    low: new Float64Array(bins).fill(Number.NaN),
    high: new Float64Array(bins).fill(Number.NaN),
  }));
  const total = channels.reduce((sum, { lengthSamples }) => sum + lengthSamples, 0);
  const wanted = Math.min(1, maxSamples / Math.max(1, total));
  const perSecond = channels.reduce((sum, { rateHz }) => sum + rateHz, 0);
  const kept = wanted < 1 ? Math.min(1, Math.max(wanted, leastSeconds / binSeconds)) : 1;
  const share = kept < 1 ? kept : 1;
  // Several bins at once where all of each is read; else the first part of each by itself.
  const binsAtOnce = share < 1 ? 1 : Math.max(1, Math.floor(blockSamples / (perSecond * binSeconds)));
  let stored = 0;
  for (const span of spans) {
    const end = span.start + span.duration;
    for (let first = Math.floor(span.start / binSeconds); first * binSeconds < end; first += binsAtOnce) {
      const from = Math.max(span.start, first * binSeconds);
      const to = Math.min(end, (first + binsAtOnce) * binSeconds);
      if (to <= from) continue;
      // A bin may be hours long: read it block by block.
      const last = share < 1 ? Math.min(to, from + binSeconds * share) : to;
      const blockSeconds = Math.max(blockSamples / Math.max(perSecond, 1), 1e-3);
      for (let at = from; at < last; at += blockSeconds) {
        const until = Math.min(last, at + blockSeconds);
        await foldIn(recording, envelopes, { span, stored, from: at, to: until, binSeconds });
      }
      onProgress?.(Math.min(1, to / Math.max(duration, 1e-9)));
    }
    stored += span.duration;
  }
  return { channels: envelopes, binSeconds, share };
}

interface Stretch {
  readonly span: Span;
  /** Seconds stored before the span. */
  readonly stored: number;
  readonly from: number;
  readonly to: number;
  readonly binSeconds: number;
}

async function foldIn(
  recording: Recording,
  envelopes: readonly Envelope[],
  { span, stored, from, to, binSeconds }: Stretch,
): Promise<void> {
  for (const [c, { rateHz, lengthSamples }] of recording.channels.entries()) {
    const base = Math.round(stored * rateHz);
    const start = Math.min(lengthSamples, base + Math.ceil((from - span.start) * rateHz - 1e-6));
    const end = Math.min(lengthSamples, base + Math.ceil((to - span.start) * rateHz - 1e-6));
    if (start >= end) continue;
    const samples = await recording.read(c, start, end);
    const { low, high } = envelopes[c]!;
    const secondsOf = (i: number) => span.start + (start + i - base) / rateHz;
    if (rateHz * binSeconds < 1) {
      // A sample of a slow channel stands for the bins up to the next.
      for (const [i, value] of samples.entries()) {
        const last = Math.min(span.start + span.duration, secondsOf(i + 1));
        const end = Math.min(low.length, Math.ceil(last / binSeconds - 1e-9));
        for (let bin = Math.floor(secondsOf(i) / binSeconds + 1e-9); bin < end; bin++) {
          if (!Number.isFinite(value)) continue;
          low[bin] = low[bin]! < value ? low[bin]! : value;
          high[bin] = high[bin]! > value ? high[bin]! : value;
        }
      }
      continue;
    }
    for (let i = 0; i < samples.length; ) {
      const bin = Math.min(low.length - 1, Math.max(0, Math.floor(secondsOf(i) / binSeconds + 1e-9)));
      const nextBin = Math.ceil(((bin + 1) * binSeconds - secondsOf(0)) * rateHz - 1e-6);
      const stop =
        bin === low.length - 1 ? samples.length : Math.min(samples.length, Math.max(i + 1, nextBin));
      let [lowest, highest] = [low[bin]!, high[bin]!];
      for (; i < stop; i++) {
        const value = samples[i]!;
        if (!Number.isFinite(value)) continue;
        // Written so that NaN, the beginning, gives way.
        if (!(value >= lowest)) lowest = value;
        if (!(value <= highest)) highest = value;
      }
      low[bin] = lowest;
      high[bin] = highest;
    }
  }
}

/**
 * The values between which a picture of an envelope is drawn: all of it but the outermost hundredth on both sides, so
 * that one artefact does not make a line of the rest. NaN where there is nothing.
 */
export function pictureRange({ low, high }: Envelope): readonly [low: number, high: number] {
  const lows = low.filter(Number.isFinite).sort();
  const highs = high.filter(Number.isFinite).sort();
  if (lows.length === 0) return [Number.NaN, Number.NaN];
  const cut = Math.floor(lows.length / 100);
  return [lows[cut]!, highs[highs.length - 1 - cut]!];
}
