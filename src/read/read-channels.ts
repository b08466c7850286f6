/**
 * Several channels of a recording in one pass over its file: ranges of samples → samples [range][T]. Channels lie
 * interleaved in most formats; one after the other, each would read a long file again.
 */
import type { Recording } from '../core/recording.ts';
import { roomFor } from './header-text.ts';

/** Stored samples [start, end) of a channel. */
export interface ChannelRange {
  readonly channel: number;
  readonly start: number;
  readonly end: number;
}

/** Samples decoded in a go: their bytes stay in a processor's cache until the last channel was taken out of them. */
const blockSamples = 2 ** 19;

/** Every channel whole. */
export function wholeChannels(recording: Recording): ChannelRange[] {
  return recording.channels.map(({ lengthSamples }, channel) => ({ channel, start: 0, end: lengthSamples }));
}

/**
 * Read ranges that span about the same time (default: all channels, whole). `into`: memory for the results, one array
 * a range and as long; fresh memory costs more than everything else here.
 */
export async function readChannels(
  recording: Recording,
  ranges: readonly ChannelRange[] = wholeChannels(recording),
  into: readonly Float64Array[] = [],
): Promise<Float64Array[]> {
  const results = ranges.map(({ start, end }, i) => roomFor(end - start, into[i]));
  const samples = results.reduce((sum, { length }) => sum + length, 0);
  const blocks = Math.max(1, Math.ceil(samples / blockSamples));
  for (let block = 0; block < blocks; block++) {
    for (const [i, { channel, start }] of ranges.entries()) {
      const result = results[i]!;
      const from = Math.floor((result.length * block) / blocks);
      const to = Math.floor((result.length * (block + 1)) / blocks);
      const room = result.subarray(from, to);
      const part = await recording.read(channel, start + from, start + to, room);
      if (part !== room) room.set(part);
    }
  }
  return results;
}
