/**
 * A shard: windows one after another, each followed by its CRC-32C, and at the end the index, for every place (offset,
 * length) as two uint64, followed by its CRC-32C. Format: Zarr v3's `sharding_indexed`, inner codecs bytes and crc32c.
 */
import { FormatError } from '../core/errors.ts';
import { crc32c } from './store-crc32c.ts';

const checksumBytes = 4;
/** Offset and length. */
const entryBytes = 16;
/** Offset and length of a place that holds nothing: the last shard's end. */
const empty = 2n ** 64n - 1n;

/** Bytes that a window takes in a shard. */
export function chunkBytes(windowBytes: number): number {
  return windowBytes + checksumBytes;
}

/** Bytes of the index of a shard with so many places. */
export function indexBytes(places: number): number {
  return places * entryBytes + checksumBytes;
}

/** Windows [n × windowBytes] → a shard with `places` ≥ n places. */
export function encodeShard(
  windows: Uint8Array,
  windowBytes: number,
  places: number,
): Uint8Array<ArrayBuffer> {
  const count = windows.length / windowBytes;
  const stride = chunkBytes(windowBytes);
  const shard = new Uint8Array(count * stride + indexBytes(places));
  const view = new DataView(shard.buffer);
  for (let i = 0; i < count; i++) {
    const window = windows.subarray(i * windowBytes, (i + 1) * windowBytes);
    shard.set(window, i * stride);
    view.setUint32(i * stride + windowBytes, crc32c(window), true);
  }
  const index = count * stride;
  for (let i = 0; i < places; i++) {
    view.setBigUint64(index + i * entryBytes, i < count ? BigInt(i * stride) : empty, true);
    view.setBigUint64(index + i * entryBytes + 8, i < count ? BigInt(stride) : empty, true);
  }
  const end = index + places * entryBytes;
  view.setUint32(end, crc32c(shard.subarray(index, end)), true);
  return shard;
}

/** Offset of each place's window; −1 for an empty place. FormatError where the index is damaged or of another kind. */
export function decodeShardIndex(
  bytes: Uint8Array,
  { name, windowBytes, places, dataBytes }: ShardShape,
): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = places * entryBytes;
  const [expected, actual] = [view.getUint32(end, true), crc32c(bytes.subarray(0, end))];
  if (expected !== actual)
    throw new FormatError(
      `${name}: the index of its ${places} windows has the checksum ${hex(actual)}, ${hex(expected)} is due. The shard is damaged; copy or prepare it again.`,
      name,
      dataBytes,
    );
  const offsets = new Float64Array(places);
  for (let i = 0; i < places; i++) {
    const offset = view.getBigUint64(i * entryBytes, true);
    const length = view.getBigUint64(i * entryBytes + 8, true);
    if (offset === empty && length === empty) {
      offsets[i] = -1;
      continue;
    }
    if (length !== BigInt(chunkBytes(windowBytes)) || offset + length > BigInt(dataBytes))
      throw new FormatError(
        `${name}: window ${i} is at byte ${offset} with ${length} bytes; ${chunkBytes(windowBytes)} inside the first ${dataBytes} are due. The shard is of another store or damaged.`,
        name,
        dataBytes + i * entryBytes,
      );
    offsets[i] = Number(offset);
  }
  return offsets;
}

export interface ShardShape {
  /** The file, for messages. */
  readonly name: string;
  readonly windowBytes: number;
  readonly places: number;
  /** Bytes before the index. */
  readonly dataBytes: number;
}

/** The bytes of a window without their checksum. FormatError where it does not fit. */
export function checkChunk(chunk: Uint8Array, name: string, offset: number): Uint8Array {
  const end = chunk.length - checksumBytes;
  const window = chunk.subarray(0, end);
  const expected = new DataView(chunk.buffer, chunk.byteOffset + end, checksumBytes).getUint32(0, true);
  const actual = crc32c(window);
  if (expected === actual) return window;
  throw new FormatError(
    `${name}: the window at byte ${offset} has the checksum ${hex(actual)}, ${hex(expected)} is due. The shard is damaged; copy or prepare it again.`,
    name,
    offset,
  );
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
