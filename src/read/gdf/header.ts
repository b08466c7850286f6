/**
 * GDF headers of versions 1 and 2: 256 bytes + 256 per channel, field by field → typed fields.
 * Source: Schlögl, "GDF - A general dataformat for biosignals", arXiv cs/0608052 (versions 1.25 to 2.x).
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';
import { isRate, latin1, quoted } from '../header-text.ts';
import { type NumberType, numberBytes } from '../stored-numbers.ts';

export interface GdfChannel {
  readonly label: string;
  readonly transducer: string;
  readonly unit: string;
  readonly physicalMin: number;
  readonly physicalMax: number;
  readonly digitalMin: number;
  readonly digitalMax: number;
  readonly note: string;
  readonly samplesPerRecord: number;
  readonly type: NumberType;
  /** Where the channel starts within a record, in bytes. */
  readonly recordOffset: number;
}

export interface GdfHeader {
  readonly version: number;
  readonly patient: string;
  readonly recording: string;
  readonly sex?: string;
  readonly birthdate?: Date;
  /** Nanoseconds since 1970. */
  readonly start?: bigint;
  readonly headerBytes: number;
  /** As promised; −1 is unknown. */
  readonly recordCount: number;
  readonly recordSeconds: number;
  readonly recordBytes: number;
  readonly channels: readonly GdfChannel[];
}

const types: ReadonlyMap<number, NumberType> = new Map([
  ...([
    [1, 'int8'],
    [2, 'uint8'],
    [3, 'int16'],
    [4, 'uint16'],
    [5, 'int32'],
    [6, 'uint32'],
  ] as const),
  ...([
    [7, 'int64'],
    [8, 'uint64'],
    [16, 'float32'],
    [17, 'float64'],
    [279, 'int24'],
    [535, 'uint24'],
  ] as const),
]);

/** Read and check the header. FormatError names the field and its byte; UnsupportedError a number type. */
export async function readGdfHeader(source: ByteSource, log: string[]): Promise<GdfHeader> {
  const fail = (fact: string, at: number): never => {
    throw new FormatError(`gdf: ${source.name} ${fact}`, source.name, at);
  };
  if (source.byteLength < 256)
    fail(`has ${source.byteLength} bytes, a header has at least 256. Fetch the file again.`, 0);
  const main = await source.read(0, 256);
  const view = new DataView(main.buffer, main.byteOffset, 256);
  const version = Number(/^GDF (\d\.\d+)$/.exec(latin1(main, 0, 8))?.[1] ?? Number.NaN);
  if (!(version >= 1))
    fail(`starts with ${quoted(latin1(main, 0, 8))}, GDF starts with 'GDF 1' or 'GDF 2'.`, 0);
  const isOld = version < 1.9;
  const count = isOld ? view.getUint32(252, true) : view.getUint16(252, true);
  const headerBytes = isOld ? Number(view.getBigInt64(184, true)) : view.getUint16(184, true) * 256;
  if (count < 1) fail('has no channels.', 252);
  const least = 256 * (count + 1);
  if (least > source.byteLength)
    fail(
      `ends at byte ${source.byteLength}, its header of ${count} channels has ${least}. The copy is truncated; fetch it again.`,
      source.byteLength,
    );
  budgetOf(source).spend(`gdf: ${source.name}`, 'channels', heavyElement * count);
  if (headerBytes < least || headerBytes > source.byteLength)
    fail(
      `gives its header ${headerBytes} bytes; ${count} channels need ${least}, the file has ${source.byteLength}.`,
      184,
    );
  const recordCount = Number(view.getBigInt64(236, true));
  if (recordCount < -1) fail(`promises ${recordCount} records, −1 (unknown) or more is needed.`, 236);
  const [numerator, denominator] = [view.getUint32(244, true), view.getUint32(248, true)];
  const recordSeconds = numerator / denominator;
  const bytes = await source.read(256, least);
  const { channels, recordBytes } = channelsOf(source.name, bytes, count, isOld, log);
  if (recordBytes === 0) fail('has no samples in its records.', 256);
  for (const { samplesPerRecord, label } of channels)
    if (samplesPerRecord > 0 && !isRate(samplesPerRecord / recordSeconds))
      fail(
        `has records of ${numerator}/${denominator} seconds with ${samplesPerRecord} samples of ${quoted(label)}, which is no rate. The header is damaged.`,
        244,
      );
  const sex = isOld ? undefined : ([undefined, 'M', 'F'] as const)[main[87]! & 3];
  const birth = isOld ? undefined : gdfTime(view.getBigUint64(176, true));
  const start = isOld ? textTime(latin1(main, 168, 184)) : gdfTime(view.getBigUint64(168, true));
  return {
    ...{ version, headerBytes, recordCount, recordSeconds, recordBytes, channels },
    patient: isOld ? latin1(main, 8, 88) : latin1(main, 8, 74),
    recording: isOld ? latin1(main, 88, 168) : latin1(main, 88, 152),
    ...(sex && { sex }),
    ...(birth !== undefined && { birthdate: new Date(Number(birth / 1_000_000n)) }),
    ...(start !== undefined && { start }),
  };
}

function channelsOf(source: string, bytes: Uint8Array, count: number, isOld: boolean, log: string[]) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const channels: GdfChannel[] = [];
  let recordOffset = 0;
  let [sparse, unknownUnits] = [0, 0];
  for (let i = 0; i < count; i++) {
    /** Byte of channel i in a column of `width` bytes, behind columns of `before` bytes a channel. */
    const at = (before: number, width: number) => count * before + i * width;
    const text = (before: number, width: number) =>
      latin1(bytes, at(before, width), at(before, width) + width);
    const real = (before: number) => view.getFloat64(at(before, 8), true);
    const whole = (before: number) => Number(view.getBigInt64(at(before, 8), true));
    const code = isOld ? 0 : view.getUint16(at(102, 2), true);
    const [unit, isKnown] = isOld ? [text(96, 8), true] : unitOf(code, text(96, 6));
    if (!isKnown) unknownUnits++;
    const typeCode = view.getUint32(at(220, 4), true);
    const type = types.get(typeCode);
    const samplesPerRecord = view.getUint32(at(216, 4), true);
    const label = text(0, 16);
    if (samplesPerRecord === 0) sparse++;
    else if (!type)
      throw new UnsupportedError(
        `gdf: ${source} stores ${quoted(label)} as number type ${typeCode}, which heartmind does not read. Convert it to float32 (type 16).`,
        `gdf type ${typeCode}`,
      );
    channels.push({
      ...{ label, unit, samplesPerRecord, recordOffset, type: type ?? 'int16' },
      transducer: text(16, 80),
      physicalMin: real(104),
      physicalMax: real(112),
      digitalMin: isOld ? whole(120) : real(120),
      digitalMax: isOld ? whole(128) : real(128),
      note: isOld ? text(136, 80) : filtersOf(view, at),
    });
    recordOffset += samplesPerRecord * (type ? numberBytes[type] : 0);
  }
  if (sparse > 0) log.push(`gdf: ${sparse} channels without samples in the records were left out.`);
  if (unknownUnits > 0)
    log.push(`gdf: the unit codes of ${unknownUnits} channels are not known; the file's texts were taken.`);
  return {
    channels: channels.filter(({ samplesPerRecord }) => samplesPerRecord > 0),
    recordBytes: recordOffset,
  };
}

/** Low-pass, high-pass and notch in hertz; NaN, 0 and negative ones are none. */
function filtersOf(view: DataView, at: (before: number, width: number) => number): string {
  const filters = [
    ['LP', 204],
    ['HP', 208],
    ['N', 212],
  ] as const;
  return filters
    .map(([name, before]) => [name, view.getFloat32(at(before, 4), true)] as const)
    .filter(([, hertz]) => hertz > 0 && Number.isFinite(hertz))
    .map(([name, hertz]) => `${name}:${Number(hertz.toPrecision(6))}Hz`)
    .join(' ');
}

/** Units by code, without their prefix (the lower five bits); ISO/IEEE 11073-10101. */
const units: ReadonlyMap<number, string> = new Map([
  ...([
    [512, ''],
    [544, '%'],
    [4256, 'V'],
    [4288, 'Ohm'],
    [6048, 'degC'],
    [3872, 'mmHg'],
    [2496, 'Hz'],
  ] as const),
]);
const prefixes: ReadonlyMap<number, string> = new Map([
  ...([
    [0, ''],
    [3, 'k'],
    [4, 'M'],
    [5, 'G'],
    [16, 'd'],
    [17, 'c'],
    [18, 'm'],
    [19, 'u'],
    [20, 'n'],
    [21, 'p'],
  ] as const),
]);

function unitOf(code: number, text: string): [unit: string, isKnown: boolean] {
  const [unit, prefix] = [units.get(code & ~31), prefixes.get(code & 31)];
  if (code === 0) return [text, true];
  return unit === undefined || prefix === undefined ? [text, false] : [prefix + unit, true];
}

/** Days since the year 0 in 2⁻³² days, 20 µs each → nanoseconds since 1970; a whole millisecond next to it is meant. */
function gdfTime(stamp: bigint): bigint | undefined {
  if (stamp === 0n) return undefined;
  const nanoseconds = ((stamp - (719_529n << 32n)) * 86_400_000_000_000n) >> 32n;
  const nearest = ((nanoseconds + 500_000n) / 1_000_000n) * 1_000_000n;
  const distance = nearest > nanoseconds ? nearest - nanoseconds : nanoseconds - nearest;
  return distance <= 20_200n ? nearest : nanoseconds;
}

/** `YYYYMMDDhhmmsscc`, cc hundredths of a second, → nanoseconds since 1970. */
function textTime(text: string): bigint | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?$/.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    ...[number, number, number, number, number, number],
  ];
  const time = Date.UTC(year, month - 1, day, hour, minute, second, Number(match[7] ?? 0) * 10);
  const isDate =
    month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60;
  return isDate ? BigInt(time) * 1_000_000n : undefined;
}
