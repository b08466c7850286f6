/** Arrays in memory → a Recording: stretches one after another with a gap between, as containers of trials hold them. */
import type { Channel, Recording } from '../core/recording.ts';
import { checkSamples, roomFor } from '../read/header-text.ts';
import type { NumericArray } from '../read/mat/values.ts';
import { takeStrided } from '../read/strided.ts';

export interface Stretch {
  /** Becomes an annotation over it. */
  readonly label: string;
  readonly seconds: number;
  /** A row a channel; at least `seconds` long, what is beyond is left out. */
  readonly rows: readonly Float64Array[];
}

export interface StretchContent {
  readonly source: string;
  readonly format: string;
  readonly channels: readonly Pick<Channel, 'name' | 'unit' | 'rateHz'>[];
  readonly stretches: readonly Stretch[];
  /** Between two stretches: nothing is filtered across it. */
  readonly gapSeconds: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly log?: readonly string[];
}

/** Sample t of a row is at offset + t · step; a view where they lie side by side as float64. */
export function rowAt(values: NumericArray, offset: number, step: number, length: number): Float64Array {
  if (step === 1 && values instanceof Float64Array) return values.subarray(offset, offset + length);
  const row = new Float64Array(length);
  takeStrided(values, offset, step, row);
  return row;
}

/** Empty stretches are left out. */
export function stretchRecording(content: StretchContent): Recording {
  const { source, format, gapSeconds, metadata = {}, log = [] } = content;
  const stretches = content.stretches.filter(({ seconds }) => seconds > 0);
  let start = 0;
  const spans = stretches.map(({ seconds }) => {
    const span = { start, duration: seconds };
    start += seconds + gapSeconds;
    return span;
  });
  const counts = content.channels.map(({ rateHz }) =>
    stretches.map(({ seconds }) => Math.round(seconds * rateHz)),
  );
  const channels = content.channels.map((channel, c) => ({
    ...channel,
    lengthSamples: counts[c]!.reduce((sum, count) => sum + count, 0),
  }));
  const last = spans.at(-1);
  return {
    ...{ source, format, channels, spans, metadata, log },
    duration: last ? last.start + last.duration : 0,
    annotations: spans.map((span, i) => ({ ...span, label: stretches[i]!.label })),
    async read(channel, from, to, into) {
      checkSamples(`${format}: ${source}`, source, channels, channel, from, to);
      const result = roomFor(to - from, into);
      let before = 0;
      for (const [i, { rows }] of stretches.entries()) {
        const count = counts[channel]![i]!;
        const [begin, end] = [Math.max(from, before), Math.min(to, before + count)];
        if (begin < end) result.set(rows[channel]!.subarray(begin - before, end - before), begin - from);
        before += count;
      }
      return result;
    },
    close: async () => undefined,
  };
}
