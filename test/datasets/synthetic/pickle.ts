/** Pickles of protocol 2 as Python 2's NumPy wrote them: dicts, lists, texts, numbers, arrays. */
import { ascii, concat } from '../../read/build.ts';

export interface PickledArray {
  readonly shape: readonly number[];
  readonly type: 'f8' | 'f4' | 'i4' | 'u1';
  readonly bytes: Uint8Array;
}
export type Pickled =
  | string
  | number
  | PickledArray
  | readonly Pickled[]
  | { readonly [key: string]: Pickled };

/** A dense array in row-major order. */
export function array(
  values: Float64Array | Float32Array | Int32Array | Uint8Array,
  ...shape: number[]
): PickledArray {
  const type = ({ Float64Array: 'f8', Float32Array: 'f4', Int32Array: 'i4', Uint8Array: 'u1' } as const)[
    values.constructor.name as 'Float64Array'
  ];
  return { shape, type, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

export function pickle(value: Pickled): Uint8Array {
  return concat(Uint8Array.of(0x80, 2), encode(value), ascii('.'));
}

function encode(value: Pickled): Uint8Array {
  if (typeof value === 'number') return int(value);
  if (typeof value === 'string') return bytes(ascii(value));
  if (Array.isArray(value)) return concat(ascii(']('), ...value.map(encode), ascii('e'));
  if (isArray(value)) return encodeArray(value);
  const entries = Object.entries(value as Record<string, Pickled>);
  return concat(ascii('}('), ...entries.flatMap(([key, one]) => [encode(key), encode(one)]), ascii('u'));
}

function isArray(value: Pickled): value is PickledArray {
  return typeof value === 'object' && 'bytes' in value && value.bytes instanceof Uint8Array;
}

function encodeArray({ shape, type, bytes: data }: PickledArray): Uint8Array {
  const dtype = concat(
    ascii('cnumpy\ndtype\n('),
    ...[bytes(ascii(type)), int(0), int(1), ascii('tR(')],
    ...[int(3), bytes(ascii(type === 'u1' ? '|' : '<')), ascii('NNN'), int(-1), int(-1), int(0), ascii('tb')],
  );
  return concat(
    ascii('cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n('),
    ...[
      int(0),
      ascii('t'),
      bytes(ascii('b')),
      ascii('tR('),
      int(1),
      ascii('('),
      ...shape.map(int),
      ascii('t'),
    ],
    ...[dtype, Uint8Array.of(0x89), bytes(data), ascii('tb')],
  );
}

function int(value: number): Uint8Array {
  const out = new DataView(new ArrayBuffer(5));
  out.setUint8(0, 'J'.charCodeAt(0));
  out.setInt32(1, value, true);
  return new Uint8Array(out.buffer);
}

function bytes(data: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(5));
  head.setUint8(0, 'T'.charCodeAt(0));
  head.setUint32(1, data.length, true);
  return concat(new Uint8Array(head.buffer), data);
}
