/**
 * Records of EDF, BDF and GDF, in which the signals lie one after the other: ranges of a signal → samples, and a walk over
 * some signals' bytes. Whole records are read at once where they will be asked for again; a signal's own bytes only
 * where records are large.
 */

import { chunkBytes, keptBytes, type RangedBytes } from '../ranged-bytes.ts';
import type { EdfHeader, EdfSignal } from './header.ts';

/** Requests under way at once, to sources that answer after a while. */
const parallelRequests = 8;

/** Call `visit` with the bytes of each of `signals` in each record, in order. They are only valid within the call. */
export async function visitRecords(
  bytes: RangedBytes,
  header: EdfHeader,
  recordCount: number,
  signals: readonly EdfSignal[],
  visit: (part: Uint8Array, record: number, signal: number) => void,
): Promise<void> {
  const { recordBytes, headerBytes, sampleBytes } = header;
  const isLong = bytes.source.isLocal && recordCount * recordBytes > keptBytes;
  if (recordBytes > 65536 || (isLong && recordBytes > 4096)) {
    const atOnce = bytes.source.isLocal ? 1 : parallelRequests;
    for (let first = 0; first < recordCount; first += atOnce) {
      const records = Array.from({ length: Math.min(atOnce, recordCount - first) }, (_, i) => first + i);
      const parts = await Promise.all(
        records.flatMap((record) =>
          signals.map(({ recordOffset, samplesPerRecord }) => {
            const start = headerBytes + record * recordBytes + recordOffset;
            return bytes.source.read(start, start + samplesPerRecord * sampleBytes);
          }),
        ),
      );
      for (const [i, part] of parts.entries())
        visit(part, first + Math.floor(i / signals.length), i % signals.length);
    }
    return;
  }
  const perChunk = Math.max(1, Math.floor(chunkBytes / recordBytes));
  for (let first = 0; first < recordCount; first += perChunk) {
    const last = Math.min(recordCount, first + perChunk);
    await bytes.use(headerBytes + first * recordBytes, headerBytes + last * recordBytes, (chunk) => {
      for (let record = first; record < last; record++)
        for (const [i, { recordOffset, samplesPerRecord }] of signals.entries()) {
          const start = (record - first) * recordBytes + recordOffset;
          visit(chunk.subarray(start, start + samplesPerRecord * sampleBytes), record, i);
        }
    });
  }
}

/** Where a signal lies in records that follow one another from byte `headerBytes` on. */
export interface RecordPlace {
  readonly headerBytes: number;
  readonly recordBytes: number;
  /** Of the signal, within a record. */
  readonly recordOffset: number;
  readonly samplesPerRecord: number;
  readonly sampleBytes: number;
}

/** Stored samples from byte `at` on → result[from … to). */
export type DecodeSamples = (
  bytes: Uint8Array,
  at: number,
  result: Float64Array,
  from: number,
  to: number,
) => void;

/**
 * Samples [start, end) → result. Whole records are read at once, for the channels that will be asked for next; only the
 * signal's own bytes where a record, or the stretch of a local file, is too large to keep.
 */
export async function readSamples(
  bytes: RangedBytes,
  { recordBytes, headerBytes, recordOffset, samplesPerRecord: perRecord, sampleBytes }: RecordPlace,
  decode: DecodeSamples,
  start: number,
  end: number,
  result: Float64Array,
): Promise<void> {
  if (start === end) return;
  const firstRecord = Math.floor(start / perRecord);
  const lastRecord = Math.ceil(end / perRecord);
  const isSmallPart = perRecord * sampleBytes * 8 <= recordBytes;
  const isLong = (lastRecord - firstRecord) * recordBytes > keptBytes;
  if (recordBytes > chunkBytes || (bytes.source.isLocal && isLong && isSmallPart)) {
    let scratch: Uint8Array | undefined;
    for (let record = firstRecord; record < lastRecord; record++) {
      const from = Math.max(start, record * perRecord);
      const to = Math.min(end, (record + 1) * perRecord);
      const at =
        headerBytes + record * recordBytes + recordOffset + (from - record * perRecord) * sampleBytes;
      const length = (to - from) * sampleBytes;
      if (scratch?.length !== length) scratch = bytes.source.isLocal ? new Uint8Array(length) : undefined;
      const part = await bytes.source.read(at, at + length, scratch);
      decode(part, 0, result, from - start, to - start);
    }
    return;
  }
  const perChunk = Math.max(1, Math.floor(chunkBytes / recordBytes));
  for (let first = firstRecord; first < lastRecord; first += perChunk) {
    const last = Math.min(lastRecord, first + perChunk);
    await bytes.use(headerBytes + first * recordBytes, headerBytes + last * recordBytes, (chunk) => {
      for (let record = first; record < last; record++) {
        const from = Math.max(start, record * perRecord);
        const to = Math.min(end, (record + 1) * perRecord);
        const inRecord = recordOffset + (from - record * perRecord) * sampleBytes;
        decode(chunk, (record - first) * recordBytes + inRecord, result, from - start, to - start);
      }
    });
  }
}
