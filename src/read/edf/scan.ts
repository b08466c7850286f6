/** A first pass over a recording that is going to be written: what its samples reach, and where some are missing. */
import type { Annotation, Channel, Recording } from '../../core/recording.ts';
import { NoiseMeter } from '../noise.ts';
import { refuseInfinite } from '../writable.ts';
import type { RecordLayout, RecordSpan } from './layout.ts';
import type { ValueRange } from './scale.ts';

export interface Scan {
  /** One a channel. */
  readonly ranges: readonly ValueRange[];
  /** `missing`, by channel and stretch. */
  readonly missing: readonly Annotation[];
}

/** Samples of all channels read at a time. */
const blockSamples = 2 ** 18;
/** Stretches told apart in one channel; the last of them reaches to the last missing sample. */
const mostStretches = 1000;

interface Found {
  low: number;
  high: number;
  /** Stretches of NaN: [start, end) in seconds. */
  readonly stretches: [start: number, end: number][];
  readonly meter: NoiseMeter;
}

/** Read all of `channels` once, in blocks of records. ConfigError where a sample is infinite. */
export async function scanRecording(
  recording: Recording,
  channels: readonly Channel[],
  { spans, perRecord }: RecordLayout,
): Promise<Scan> {
  const found = channels.map(
    (): Found => ({
      ...{ low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, stretches: [] },
      meter: new NoiseMeter(),
    }),
  );
  const perBlock = Math.max(
    1,
    Math.floor(
      blockSamples /
        Math.max(
          1,
          perRecord.reduce((a, b) => a + b, 0),
        ),
    ),
  );
  const memory = perRecord.map((count) => new Float64Array(count * perBlock));
  for (const span of spans)
    for (let first = 0; first < span.records; first += perBlock)
      for (const [i, count] of perRecord.entries()) {
        const start = Math.min(span.to[i]!, span.from[i]! + first * count);
        const end = Math.min(span.to[i]!, start + perBlock * count);
        const samples = await recording.read(i, start, end, memory[i]!.subarray(0, end - start));
        scanBlock(samples, start, span, channels[i]!, i, found[i]!);
      }
  return {
    ranges: found.map(({ low, high, stretches, meter: { noise } }) => ({
      ...{ low, high, hasMissing: stretches.length > 0 },
      ...(noise !== undefined && { noise }),
    })),
    missing: found.flatMap(({ stretches }, channel) =>
      stretches.map(([start, end]) => ({ start, duration: end - start, label: 'missing', channel })),
    ),
  };
}

function scanBlock(
  samples: Float64Array,
  start: number,
  span: RecordSpan,
  { name, rateHz }: Channel,
  channel: number,
  found: Found,
): void {
  let { low, high } = found;
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
    if (Number.isNaN(value))
      addMissing(found, span.start + (start + i - span.from[channel]!) / rateHz, rateHz);
  }
  // A channel of NaN only has low = +∞, high = −∞.
  if (low === Number.NEGATIVE_INFINITY || high === Number.POSITIVE_INFINITY)
    refuseInfinite(samples, start, name, 'edf');
  found.meter.add(samples);
  found.low = low;
  found.high = high;
}

function addMissing({ stretches }: Found, start: number, rateHz: number): void {
  const last = stretches.at(-1);
  const isNext = last !== undefined && (start - last[1]) * rateHz < 0.5;
  if (isNext || (last && stretches.length >= mostStretches)) last[1] = start + 1 / rateHz;
  else stretches.push([start, start + 1 / rateHz]);
}
