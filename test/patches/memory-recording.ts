/** Recordings in memory for tests: channels with their stored samples, spans with gaps. */
import type { Recording, Span } from '../../src/core/recording.ts';

export interface MemoryChannel {
  readonly name: string;
  readonly unit: string;
  readonly rateHz: number;
  /** Stored samples of all spans, one after another. */
  readonly samples: ArrayLike<number>;
}

/** One span without a gap unless `spans` says otherwise. */
export function memoryRecording(
  channels: readonly MemoryChannel[],
  spans: readonly Span[] = [{ start: 0, duration: channels[0]!.samples.length / channels[0]!.rateHz }],
): Recording {
  return {
    source: 'memory',
    format: 'memory',
    channels: channels.map(({ name, unit, rateHz, samples }) => ({
      name,
      unit,
      rateHz,
      lengthSamples: samples.length,
    })),
    duration: spans.at(-1)!.start + spans.at(-1)!.duration,
    spans,
    annotations: [],
    metadata: {},
    log: [],
    read: async (channel, start, end) => Float64Array.from(channels[channel]!.samples).slice(start, end),
    close: async () => {},
  };
}

/** Samples of a function of seconds. */
export function sampled(rateHz: number, seconds: number, of: (t: number) => number): Float64Array {
  return Float64Array.from({ length: Math.round(rateHz * seconds) }, (_, i) => of(i / rateHz));
}
