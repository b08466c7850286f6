/**
 * Several channels of a recording in one pass over its file: ranges of samples → samples [range][T]. Channels lie
 * interleaved in most formats; one after the other, each would read a long file again.
 */
import type { Recording } from '../core/recording.ts';
import { checkSamples, roomFor } from './header-text.ts';

/** Stored samples [start, end) of a channel. */
export interface ChannelRange {
  readonly channel: number;
  readonly start: number;
  readonly end: number;
}

/** Ranges that exist and span about the same time → rooms, one for each and as long, in a pass of the format's own. */
export type ReadTogether = (ranges: readonly ChannelRange[], rooms: readonly Float64Array[]) => Promise<void>;

/** Kept by `read` itself: a recording that is made of another one, with a `read` of its own, does not inherit it. */
const passes = new WeakMap<Recording['read'], ReadTogether>();

/** `read` as it is, known to `readChannels` to have a pass for several channels. */
export function withPass(read: Recording['read'], together: ReadTogether): Recording['read'] {
  passes.set(read, together);
  return read;
}

/** Samples decoded in a go: their bytes stay in a processor's cache until the last channel was taken out of them. */
const blockSamples = 2 ** 19;

/** Every channel whole. */
export function wholeChannels(recording: Recording): ChannelRange[] {
  return recording.channels.map(({ lengthSamples }, channel) => ({ channel, start: 0, end: lengthSamples }));
}

/**
 * Read ranges that span about the same time (default: all channels, whole). `into`: memory for the results, one array
 * a range and as long; fresh memory costs more than everything else here. Fresh arrays are views of shared memory.
 */
export async function readChannels(
  recording: Recording,
  ranges: readonly ChannelRange[] = wholeChannels(recording),
  into: readonly Float64Array[] = [],
): Promise<Float64Array[]> {
  const { source, format, channels } = recording;
  for (const { channel, start, end } of ranges)
    checkSamples(`${format}: ${source}`, source, channels, channel, start, end);
  const results = roomsFor(ranges, into);
  const samples = results.reduce((sum, { length }) => sum + length, 0);
  const blocks = Math.max(1, Math.ceil(samples / blockSamples));
  const together = passes.get(recording.read);
  if (together && blocks > 1 && isOnePass(recording, ranges)) {
    await together(ranges, results);
    return results;
  }
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

/** Do ranges lie so near each other that a pass over all of them reads little that nobody asked for? */
function isOnePass({ channels }: Recording, ranges: readonly ChannelRange[]): boolean {
  let [first, last, longest] = [1, 0, 0];
  for (const { channel, start, end } of ranges) {
    if (start === end) continue;
    const { lengthSamples } = channels[channel]!;
    first = Math.min(first, start / lengthSamples);
    last = Math.max(last, end / lengthSamples);
    longest = Math.max(longest, (end - start) / lengthSamples);
  }
  return last - first <= 1.5 * longest;
}

/** Up to here arrays share memory: glibc's malloc keeps no larger piece for the next who asks. Bytes. */
const sharedBytes = 32 * 2 ** 20;

/**
 * Have malloc keep what is freed. glibc gives it back to the system, page by page, and takes it anew for the next recording,
 * until it has freed one piece of that size (mallopt(3), M_MMAP_THRESHOLD); nothing is ever written to this one.
 */
let isKeeping = false;
function keepFreed(): void {
  if (isKeeping) return;
  try {
    isKeeping = new ArrayBuffer(sharedBytes - 2 ** 16).byteLength > 0;
  } catch {
    isKeeping = true; // Where memory is that short there is none to keep.
  }
}

/** Memory for every range: what was given, or fresh, neighbours in one piece. */
function roomsFor(ranges: readonly ChannelRange[], into: readonly Float64Array[]): Float64Array[] {
  const rooms: Float64Array[] = [];
  const lengths = ranges.map(({ start, end }) => end - start);
  for (let first = 0; first < lengths.length; first = rooms.length) {
    if (into[first]) {
      rooms.push(roomFor(lengths[first]!, into[first]));
      continue;
    }
    let [last, total] = [first + 1, lengths[first]!];
    for (; last < lengths.length && !into[last]; last++) {
      if ((total + lengths[last]!) * 8 > sharedBytes) break;
      total += lengths[last]!;
    }
    if (total * 8 > 2 ** 20) keepFreed();
    const memory = new Float64Array(total);
    for (let at = 0; rooms.length < last; at += rooms.at(-1)!.length)
      rooms.push(memory.subarray(at, at + lengths[rooms.length]!));
  }
  return rooms;
}
