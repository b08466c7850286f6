/** GDF files built byte by byte, versions 1.25 and 2.20. */
import { ascii, concat } from './build.ts';

export interface GdfSignal {
  readonly label: string;
  readonly perRecord: number;
  readonly type: number;
  /** Stored bytes of a record. */
  readonly bytes: (record: number) => Uint8Array;
  readonly unitCode?: number;
  readonly scale?: readonly [
    physicalMin: number,
    physicalMax: number,
    digitalMin: number,
    digitalMax: number,
  ];
}

export interface GdfParts {
  readonly signals: readonly GdfSignal[];
  readonly records: number;
  readonly version?: '1.25' | '2.20';
  readonly promised?: number;
  readonly duration?: readonly [number, number];
  readonly start?: bigint;
  readonly table?: Uint8Array;
  /** Blocks of 256 bytes behind the channels' headers. */
  readonly extraBlocks?: number;
}

/** Numbers as little-endian bytes. */
export function stored(
  values: readonly number[],
  write: (view: DataView, at: number, value: number) => void,
  size: number,
) {
  const view = new DataView(new ArrayBuffer(values.length * size));
  for (const [i, value] of values.entries()) write(view, i * size, value);
  return new Uint8Array(view.buffer);
}

export const uint16s = (values: readonly number[]) =>
  stored(values, (v, at, x) => v.setUint16(at, x, true), 2);
export const uint32s = (values: readonly number[]) =>
  stored(values, (v, at, x) => v.setUint32(at, x, true), 4);
export const float32s = (values: readonly number[]) =>
  stored(values, (v, at, x) => v.setFloat32(at, x, true), 4);
export const float64s = (values: readonly number[]) =>
  stored(values, (v, at, x) => v.setFloat64(at, x, true), 8);
export const int64s = (values: readonly number[]) =>
  stored(values, (v, at, x) => v.setBigInt64(at, BigInt(x), true), 8);

export function gdfFile({ signals, records, version = '2.20', ...parts }: GdfParts): Uint8Array {
  const isOld = version < '1.9';
  const field = (text: string, width: number) =>
    ascii(text.padEnd(width, isOld ? ' ' : '\0').slice(0, width));
  const blank = (width: number) => new Uint8Array(width);
  const n = signals.length;
  const headerBytes = 256 * (n + 1 + (parts.extraBlocks ?? 0));
  const scale = (i: number) => signals.map((s) => (s.scale ?? [-32768, 32767, -32768, 32767])[i]!);
  const common = [int64s([parts.promised ?? records]), uint32s(parts.duration ?? [1, 1])];
  const time = new DataView(new ArrayBuffer(8));
  time.setBigUint64(0, parts.start ?? 0n, true);
  const fixed = isOld
    ? [
        field('P1 name', 80),
        field('rec', 80),
        field('2021020310203025', 16),
        int64s([headerBytes]),
        blank(44),
        ...common,
        uint32s([n]),
      ]
    : [
        ...[
          field('P1 name', 66),
          blank(13),
          Uint8Array.of(1),
          field('rec', 64),
          blank(16),
          new Uint8Array(time.buffer),
          blank(8),
        ],
        ...[uint16s([headerBytes / 256]), blank(50), ...common, uint16s([n, 0])],
      ];
  const names = [...signals.map((s) => field(s.label, 16)), blank(80 * n)];
  const counts = [uint32s(signals.map((s) => s.perRecord)), uint32s(signals.map((s) => s.type))];
  const columns = isOld
    ? [
        ...signals.map(() => field('uV', 8)),
        float64s(scale(0)),
        float64s(scale(1)),
        int64s(scale(2)),
        int64s(scale(3)),
        ...signals.map(() => field('', 80)),
        ...counts,
        blank(32 * n),
      ]
    : [
        ...[blank(6 * n), uint16s(signals.map((s) => s.unitCode ?? 4275))],
        ...[float64s(scale(0)), float64s(scale(1)), float64s(scale(2)), float64s(scale(3)), blank(68 * n)],
        ...[
          float32s(signals.map(() => 40)),
          float32s(signals.map(() => 0)),
          float32s(signals.map(() => Number.NaN)),
          ...counts,
          blank(32 * n),
        ],
      ];
  // Joined one by one: a fuzzer's file has more pieces than a call has arguments.
  const pieces = Array.from({ length: records }, (_, r) => signals.map((s) => s.bytes(r))).flat();
  const data = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return concat(
    field(`GDF ${version}`, 8),
    ...fixed,
    ...names,
    ...columns,
    blank(256 * (parts.extraBlocks ?? 0)),
    data,
    parts.table ?? blank(0),
  );
}

/** The table of events of kind 3 at 10 Hz: position, type, channel, duration. */
export function eventTable(rows: readonly (readonly [number, number, number, number])[]): Uint8Array {
  const of = (k: number) => rows.map((row) => row[k]!);
  return concat(
    ...[Uint8Array.of(3, rows.length, 0, 0), float32s([10])],
    ...[uint32s(of(0)), uint16s(of(1)), uint16s(of(2)), uint32s(of(3))],
  );
}

/** A small valid file: two types, two rates, events. */
export function sampleGdf(): Record<string, Uint8Array> {
  const signals: GdfSignal[] = [
    {
      label: 'Fz',
      perRecord: 16,
      type: 3,
      bytes: (r) => uint16s(Array.from({ length: 16 }, (_, i) => r * 1000 + i * 77)),
    },
    { label: 'T', perRecord: 2, type: 16, bytes: (r) => float32s([r, r / 4]), unitCode: 6048 },
  ];
  return {
    'sample.gdf': gdfFile({
      signals,
      records: 4,
      table: eventTable([
        [1, 768, 0, 0],
        [5, 769, 1, 10],
      ]),
    }),
  };
}
