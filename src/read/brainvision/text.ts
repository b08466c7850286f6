/** Samples that BrainVision stores as text: one line a sample, or one line a channel → values [channel][sample]. */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { VisionHeader } from './header.ts';

/** Numbers become eight bytes each, of about as many characters. */
const mostTextBytes = 2 ** 29;

/** Read all of it. FormatError where a field is no number or a line too short. */
export async function readVisionNumbers(source: ByteSource, header: VisionHeader): Promise<Float64Array[]> {
  const { channels, isVectorized, skipLines, skipColumns, isCommaDecimal } = header;
  const fail = (fact: string, at: number): never => {
    throw new FormatError(`brainvision: ${source.name} ${fact}`, source.name, at);
  };
  if (source.byteLength > mostTextBytes)
    fail(`has ${source.byteLength} bytes of text, more than ${mostTextBytes}. Export it as BINARY.`, 0);
  const bytes = await source.read(0, source.byteLength);
  const rows: Float64Array[] = [];
  let start = 0;
  for (let line = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(10, start);
    const end = feed < 0 ? bytes.length : feed;
    if (line >= skipLines) {
      const row = numbersOf(bytes, start, end, skipColumns, isCommaDecimal, fail);
      const isShort = !isVectorized && row.length < channels.length;
      if (row.length > 0 && isShort)
        fail(`has ${row.length} numbers for ${channels.length} channels in line ${line + 1}.`, start);
      if (row.length > 0) rows.push(isVectorized ? row : row.slice(0, channels.length));
    }
    start = end + 1;
  }
  if (isVectorized) {
    if (rows.length < channels.length)
      fail(`has ${rows.length} lines of numbers for ${channels.length} channels.`, bytes.length);
    const length = rows.reduce((least, row) => Math.min(least, row.length), Number.POSITIVE_INFINITY);
    return rows.slice(0, channels.length).map((row) => row.subarray(0, length));
  }
  return channels.map((_, c) => Float64Array.from(rows, (row) => row[c]!));
}

function numbersOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  skip: number,
  isCommaDecimal: boolean,
  fail: (fact: string, at: number) => never,
): Float64Array {
  const isGap = (byte: number) => byte <= 0x20 || byte === 0x3b || (!isCommaDecimal && byte === 0x2c);
  const found: number[] = [];
  for (let at = start, field = 0; at < end; ) {
    while (at < end && isGap(bytes[at]!)) at++;
    let text = '';
    const from = at;
    for (; at < end && !isGap(bytes[at]!); at++)
      // A number has at most some 30 characters; names of channels may be longer.
      if (at - from < 64) text += String.fromCharCode(bytes[at]! === 0x2c ? 0x2e : bytes[at]!);
    if (text === '' || field++ < skip) continue;
    const value = Number(text);
    if (Number.isNaN(value) && !/^[+-]?nan$/i.test(text)) fail(`has a field that is no number.`, from);
    found.push(value);
  }
  return Float64Array.from(found);
}
