/**
 * Headers of a FLAC stream: bytes → what the stream is, and what a frame is; both of FLAC's checksums.
 * Source: RFC 9639, sections 8 (file), 9.1 (frame header), 9.3 (frame footer).
 */

export interface FlacInfo {
  readonly channels: number;
  readonly bits: number;
  /** Samples a channel; 0 where the encoder did not know. */
  readonly totalSamples: number;
  readonly minBlockSamples: number;
  readonly maxBlockSamples: number;
}

/** Sides that are stored instead of a channel: 8 left + side, 9 side + right, 10 mid + side; below, none. */
export type ChannelAssignment = number;

export interface FlacFrameHeader {
  readonly headerBytes: number;
  readonly blockSamples: number;
  readonly channels: number;
  readonly assignment: ChannelAssignment;
  readonly bits: number;
  /** Of its first sample. */
  readonly firstSample: number;
}

/** The 34 bytes of a STREAMINFO block; undefined where its numbers are impossible. */
export function parseStreamInfo(bytes: Uint8Array): FlacInfo | undefined {
  if (bytes.length < 34) return undefined;
  const info = {
    minBlockSamples: (bytes[0]! << 8) | bytes[1]!,
    maxBlockSamples: (bytes[2]! << 8) | bytes[3]!,
    channels: ((bytes[12]! >> 1) & 7) + 1,
    bits: (((bytes[12]! & 1) << 4) | (bytes[13]! >> 4)) + 1,
    totalSamples:
      (bytes[13]! & 15) * 2 ** 32 +
      (((bytes[14]! << 24) | (bytes[15]! << 16) | (bytes[16]! << 8) | bytes[17]!) >>> 0),
  };
  const isPossible =
    info.bits >= 4 && info.minBlockSamples >= 1 && info.maxBlockSamples >= info.minBlockSamples;
  return isPossible ? info : undefined;
}

/** A header needs at most this many bytes. */
export const maxFrameHeaderBytes = 16;

const bitsByCode = [undefined, 8, 12, undefined, 16, 20, 24, 32];

/**
 * The frame header at byte `at`, or undefined where there is none that fits the stream: its sync code, its fields and
 * its CRC-8 must be right, its channels, bits and block size those of the stream.
 */
export function parseFrameHeader(bytes: Uint8Array, at: number, info: FlacInfo): FlacFrameHeader | undefined {
  if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xfe) !== 0xf8) return undefined;
  const isVariable = (bytes[at + 1]! & 1) === 1;
  const [sizeCode, rateCode] = [bytes[at + 2]! >> 4, bytes[at + 2]! & 15];
  const [assignment, bitsCode] = [bytes[at + 3]! >> 4, (bytes[at + 3]! >> 1) & 7];
  const isReserved = sizeCode === 0 || rateCode === 15 || assignment > 10 || (bytes[at + 3]! & 1) === 1;
  const bits = bitsCode === 0 ? info.bits : bitsByCode[bitsCode];
  const channels = assignment < 8 ? assignment + 1 : 2;
  if (isReserved || bits !== info.bits || channels !== info.channels) return undefined;
  let next = at + 4;
  // The number is coded as UTF-8 codes characters, in up to 7 bytes of 6 bits.
  const lead = bytes[next++]!;
  const ones = Math.clz32(~(lead << 24));
  if (ones === 1 || ones === 8) return undefined;
  let number = ones === 0 ? lead : lead & ((1 << Math.max(0, 7 - ones)) - 1);
  for (let more = ones - 1; more > 0; more--) {
    if ((bytes[next]! & 0xc0) !== 0x80) return undefined;
    number = number * 64 + (bytes[next++]! & 0x3f);
  }
  let blockSamples = sizeCode === 1 ? 192 : sizeCode < 6 ? 576 << (sizeCode - 2) : 1 << sizeCode;
  if (sizeCode === 6) blockSamples = bytes[next++]! + 1;
  if (sizeCode === 7) {
    blockSamples = ((bytes[next]! << 8) | bytes[next + 1]!) + 1;
    next += 2;
  }
  next += rateCode === 12 ? 1 : rateCode > 12 ? 2 : 0;
  if (next >= bytes.length || blockSamples > info.maxBlockSamples) return undefined;
  if (crc8(bytes, at, next) !== bytes[next]) return undefined;
  return {
    headerBytes: next + 1 - at,
    blockSamples,
    channels,
    assignment,
    bits,
    firstSample: isVariable ? number : number * info.maxBlockSamples,
  };
}

/** Remainders of all bytes: polynomial x⁸ + x² + x + 1. */
const crc8Table = Uint8Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = (byte << 1) ^ (byte & 0x80 ? 0x107 : 0);
  return byte;
});

/** Remainders of all bytes: polynomial x¹⁶ + x¹⁵ + x² + 1. */
const crc16Table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 8;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value & 0x8000 ? 0x18005 : 0);
  return value;
});

export function crc8(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) crc = crc8Table[crc ^ bytes[i]!]!;
  return crc;
}

/** Of byte n from the end of eight: what it adds to the remainder behind them. */
const crc16Tables = Array.from({ length: 8 }, () => crc16Table.slice());
for (const [n, table] of crc16Tables.entries())
  for (let byte = 0; byte < 256; byte++)
    for (let more = 0; more < n; more++)
      table[byte] = ((table[byte]! & 0xff) << 8) ^ crc16Table[table[byte]! >> 8]!;
const [t0, t1, t2, t3, t4, t5, t6, t7] = crc16Tables;

/** Eight bytes a turn: one after the other, each would wait for the one before. */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    const older = t7![(crc >> 8) ^ bytes[i]!]! ^ t6![(crc & 0xff) ^ bytes[i + 1]!]! ^ t5![bytes[i + 2]!]!;
    const newer = t3![bytes[i + 4]!]! ^ t2![bytes[i + 5]!]! ^ t1![bytes[i + 6]!]! ^ t0![bytes[i + 7]!]!;
    crc = older ^ t4![bytes[i + 3]!]! ^ newer;
  }
  for (; i < end; i++) crc = ((crc & 0xff) << 8) ^ crc16Table[(crc >> 8) ^ bytes[i]!]!;
  return crc;
}
