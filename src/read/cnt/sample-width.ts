/**
 * How wide the samples of a Neuroscan CNT file are, where its header does not say it: the first samples read as 16 and as
 * 32 bits → the width that looks like a signal.
 */
import type { ByteSource } from '../../core/bytes.ts';
import type { CntChannel } from './header.ts';

interface StoredSamples {
  readonly dataStart: number;
  readonly dataEnd: number;
  readonly channels: readonly CntChannel[];
}

/** Bytes that are looked at. */
const lookedAt = 65_536;
/** Of a number of 32 bits the upper half changes less than the lower one by more than this; two numbers of 16 bits do not differ so. */
const halvesRatio = 8;
/** Microvolt: no electrode moves so far from where it was a moment ago, in the middle of all samples. */
const mostMicrovolts = 1e5;

/** Guess, and say so in `log`. */
export async function guessSampleBytes(
  source: ByteSource,
  { dataStart, dataEnd, channels }: StoredSamples,
  log: string[],
): Promise<2 | 4> {
  const frame = 4 * channels.length;
  const length = Math.floor(Math.min(lookedAt, dataEnd - dataStart) / frame) * frame;
  const bytes = await source.read(dataStart, dataStart + length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const byHalves = halvesDiffer(view, channels.length) ? 4 : 2;
  const other = byHalves === 4 ? 2 : 4;
  const isDisproved = spreadOf(view, channels, byHalves) > mostMicrovolts;
  const width = isDisproved && spreadOf(view, channels, other) <= mostMicrovolts ? other : byHalves;
  log.push(
    `cnt: the header does not say how many bits samples have; they look like ${width * 8} bits and were read so. State it with --input-bits where that is wrong.`,
  );
  return width;
}

/** Do the upper halves of numbers of 32 bits change less than the lower ones, from one place to that of the same channel? */
function halvesDiffer(view: DataView, count: number): boolean {
  // Two frames of 16 bits, or one of 32.
  const lag = 4 * count;
  let [lower, upper] = [0, 0];
  for (let at = 0; at + lag + 4 <= view.byteLength; at += 4) {
    lower += Math.abs(view.getInt16(at + lag, true) - view.getInt16(at, true));
    upper += Math.abs(view.getInt16(at + lag + 2, true) - view.getInt16(at + 2, true));
  }
  return lower > halvesRatio * upper;
}

/** Microvolt: the median distance of samples from the median of their channel, over channels. */
function spreadOf(view: DataView, channels: readonly CntChannel[], width: 2 | 4): number {
  const spreads = channels.map(({ resolution }, c) => {
    const values: number[] = [];
    for (let at = c * width; at + width <= view.byteLength; at += channels.length * width)
      values.push(width === 2 ? view.getInt16(at, true) : view.getInt32(at, true));
    const middle = median(values);
    return median(values.map((value) => Math.abs(value - middle))) * Math.abs(resolution);
  });
  return median(spreads);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
