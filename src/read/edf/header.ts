/**
 * EDF/EDF+ and BDF/BDF+ header: 256 bytes + 256 per signal → typed fields. Fields are read with the leniency that real
 * files need (commas, NULs, Latin-1); nothing is allocated before the source is known to hold it.
 * Source: Kemp et al. 1992 and "EDF+ specification", edfplus.info; BioSemi's "Which file format does BioSemi use".
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { decimal, isTime, latin1, quoted, utcDate } from '../header-text.ts';

/** BDF is EDF's layout with samples of three bytes instead of two. */
export type EdfFormat = 'edf' | 'bdf';

/** Bytes of one stored sample. */
export type SampleBytes = 2 | 3;

export interface EdfSignal {
  readonly label: string;
  readonly transducer: string;
  readonly unit: string;
  readonly physicalMin: number;
  readonly physicalMax: number;
  readonly digitalMin: number;
  readonly digitalMax: number;
  readonly prefilter: string;
  readonly samplesPerRecord: number;
  /** Where the signal starts within a record, in bytes. */
  readonly recordOffset: number;
  readonly isAnnotations: boolean;
}

export interface EdfHeader {
  readonly format: EdfFormat;
  readonly patient: string;
  readonly recording: string;
  readonly startTime?: Date;
  /** `EDF+C`, `EDF+D`, `BDF+C`, `24BIT`, or what else stands there. */
  readonly reserved: string;
  readonly headerBytes: number;
  /** As promised; −1 is unknown. */
  readonly recordCount: number;
  readonly recordSeconds: number;
  readonly recordBytes: number;
  readonly sampleBytes: SampleBytes;
  readonly signals: readonly EdfSignal[];
}

/** Read and check the header. FormatError names the field, what stands there, and its byte offset. */
export async function readEdfHeader(
  source: ByteSource,
  log: string[],
  format: EdfFormat = 'edf',
): Promise<EdfHeader> {
  const sampleBytes = format === 'edf' ? 2 : 3;
  const fail = (fact: string, offset: number): never => {
    throw new FormatError(`${format}: ${source.name} ${fact}`, source.name, offset);
  };
  if (source.byteLength < 256)
    fail(`has ${source.byteLength} bytes, a header has at least 256. Fetch the file again.`, 0);
  const main = await source.read(0, 256);
  const start = latin1(main, 0, 8);
  if (format === 'edf' && start !== '0')
    fail(`starts with ${quoted(start)}, EDF starts with '0'. It is not an EDF file.`, 0);
  if (format === 'bdf' && start !== '\xffBIOSEMI')
    fail(`starts with ${quoted(start)}, BDF starts with '\xffBIOSEMI'. It is not a BDF file.`, 0);

  const number = (bytes: Uint8Array, start: number, width: number, base: number, field: string): number => {
    const text = latin1(bytes, start, start + width);
    return (
      decimal(text) ??
      fail(`has ${quoted(text)} as ${field}, a number is needed. The header is damaged.`, base + start)
    );
  };
  const headerField = number(main, 184, 8, 0, 'header size');
  const recordCount = number(main, 236, 8, 0, 'number of records');
  const recordSeconds = number(main, 244, 8, 0, 'record duration');
  const count = number(main, 252, 4, 0, 'number of signals');
  if (!Number.isInteger(count) || count < 1) fail(`has ${count} signals, at least 1 is needed.`, 252);
  if (!Number.isInteger(recordCount) || recordCount < -1)
    fail(`promises ${recordCount} records, −1 (unknown) or more is needed.`, 236);
  if (recordSeconds < 0 || !isTime(recordSeconds)) fail(`has records of ${recordSeconds} seconds.`, 244);
  const headerBytes = 256 * (count + 1);
  if (headerBytes > source.byteLength)
    fail(
      `ends at byte ${source.byteLength}, its header of ${count} signals has ${headerBytes}. The copy is truncated; fetch it again.`,
      source.byteLength,
    );
  if (headerField !== headerBytes)
    log.push(
      `${format}: the header size is given as ${headerField}; ${count} signals make ${headerBytes}, which was used.`,
    );

  budgetOf(source).spend(`${format}: ${source.name}`, 'signals', heavyElement * count);
  const bytes = await source.read(256, headerBytes);
  const signals: EdfSignal[] = [];
  let recordOffset = 0;
  // Fields are stored field by field: all labels (16 characters each), then all transducers (80), …
  for (let i = 0; i < count; i++) {
    const text = (before: number, width: number) =>
      latin1(bytes, count * before + i * width, count * before + (i + 1) * width);
    const label = text(0, 16);
    const value = (before: number, field: string) =>
      number(bytes, count * before + i * 8, 8, 256, `${field} of signal ${i + 1} (${quoted(label)})`);
    const isAnnotations = label === 'EDF Annotations' || label === 'BDF Annotations';
    const samplesPerRecord = value(216, 'samples per record');
    if (!Number.isInteger(samplesPerRecord) || samplesPerRecord < 0)
      fail(`has ${samplesPerRecord} samples per record in signal ${i + 1}.`, 256 + count * 216 + i * 8);
    signals.push({
      label,
      transducer: text(16, 80),
      unit: text(96, 8),
      physicalMin: isAnnotations ? -1 : value(104, 'physical minimum'),
      physicalMax: isAnnotations ? 1 : value(112, 'physical maximum'),
      digitalMin: isAnnotations ? -32768 : value(120, 'digital minimum'),
      digitalMax: isAnnotations ? 32767 : value(128, 'digital maximum'),
      prefilter: text(136, 80),
      samplesPerRecord,
      recordOffset,
      isAnnotations,
    });
    recordOffset += samplesPerRecord * sampleBytes;
  }
  if (recordOffset === 0) fail('has no samples in its records.', 256 + count * 216);
  const recording = latin1(main, 88, 168);
  const isUnknown = /^Startdate X\b/.test(recording) && latin1(main, 168, 184) === unknownStart;
  const startTime = isUnknown
    ? undefined
    : startOf(latin1(main, 168, 176), latin1(main, 176, 184), recording);
  if (!startTime && !isUnknown)
    log.push(
      `${format}: the start ${quoted(latin1(main, 168, 184))} is not a date and time; it is left out.`,
    );
  return {
    format,
    patient: latin1(main, 8, 88),
    recording,
    ...(startTime && { startTime }),
    reserved: latin1(main, 192, 236),
    headerBytes,
    recordCount,
    recordSeconds,
    recordBytes: recordOffset,
    sampleBytes,
    signals,
  };
}

/** What stands for a start that is not known, beside `Startdate X` (EDF+ specification §2.1.3.3). */
const unknownStart = '01.01.8500.00.00';

export const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** `dd.mm.yy` and `hh.mm.ss` (two-digit years are 1985–2084); EDF+'s `Startdate dd-MMM-yyyy` wins where there. */
function startOf(dateText: string, timeText: string, recording: string): Date | undefined {
  const date = /^(\d{1,2})\D(\d{1,2})\D(\d{2})$/.exec(dateText);
  const time = /^(\d{1,2})\D(\d{1,2})\D(\d{1,2})$/.exec(timeText);
  const plus = /^Startdate (\d{2})-([A-Za-z]{3})-(\d{4})\b/.exec(recording);
  if (!time) return undefined;
  let [day, month, year] = [Number(date?.[1]), Number(date?.[2]), Number(date?.[3])];
  year += year >= 85 ? 1900 : 2000;
  const plusMonth = plus ? months.indexOf(plus[2]!.toUpperCase()) + 1 : 0;
  if (plus && plusMonth > 0) [day, month, year] = [Number(plus[1]), plusMonth, Number(plus[3])];
  const [hour, minute, second] = [Number(time[1]), Number(time[2]), Number(time[3])];
  return utcDate(year, month, day, hour, minute, second);
}
