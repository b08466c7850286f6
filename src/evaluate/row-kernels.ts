/**
 * The two loops of `Rows` as a WebAssembly module, written out here: 128-bit vectors of float64, rows as float32.
 * Encoding: WebAssembly core specification 2.0, https://www.w3.org/TR/wasm-core-2/, chapter 5.
 */

type Code = readonly number[];

const i32 = 0x7f;
const v128 = 0x7b;

const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const integer = (value: number): Code => [0x41, value];
const sum = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
const difference = (a: Code, b: Code): Code => [...a, ...b, 0x6b];
const isBelow = (a: Code, b: Code): Code => [...a, ...b, 0x49];
/** Body again and again while what it leaves is not zero. */
const loop = (body: Code, condition: Code): Code => [0x03, 0x40, ...body, ...condition, 0x0d, 0, 0x0b];

const vector = (opcode: number): Code => (opcode < 0x80 ? [0xfd, opcode] : [0xfd, opcode, 1]);
const zeros: Code = [...vector(0x0c), ...Array<number>(16).fill(0)];
const load = (at: Code, offset: number): Code => [...at, ...vector(0), 3, offset];
const store = (at: Code, offset: number, value: Code): Code => [...at, ...value, ...vector(0x0b), 3, offset];
/** One float64 in both places. */
const loadTwice = (at: Code, offset: number): Code => [...at, ...vector(0x0a), 3, offset];
/** Two float32 as float64. */
const loadWider = (at: Code, offset: number): Code => [...at, ...vector(0x5d), 2, offset, ...vector(0x5f)];
const add = (a: Code, b: Code): Code => [...a, ...b, ...vector(0xf0)];
const multiply = (a: Code, b: Code): Code => [...a, ...b, ...vector(0xf2)];
const lane = (value: Code, place: number): Code => [...value, ...vector(0x21), place];
const storeNumber = (at: Code, offset: number, value: Code): Code => [...at, ...value, 0x39, 3, offset];
const addNumbers = (a: Code, b: Code): Code => [...a, ...b, 0xa0];

const four = [0, 1, 2, 3];
/** Parameters of both: rows, one vector, a number for each row, rows to go, bytes of a row. */
const [rows, one, each, count, rowBytes] = [0, 1, 2, 3, 4];
/** Locals of both: the vector's end, places in it and in four rows. */
const [end, place, row] = [5, 6, 7];

const pointAtRows: Code = [
  ...set(row, get(rows)),
  ...[1, 2, 3].flatMap((k) => set(row + k, sum(get(row + k - 1), get(rowBytes)))),
  ...set(place, get(one)),
];
/** Four columns on. */
const stepColumns: Code = [
  ...four.flatMap((k) => set(row + k, sum(get(row + k), integer(16)))),
  ...set(place, sum(get(place), integer(32))),
];
/** Four rows on: where the last row ended the next begins. */
const stepRows: Code = [
  ...set(rows, get(row + 3)),
  ...set(each, sum(get(each), integer(32))),
  ...set(count, difference(get(count), integer(4))),
];
const untilEnd = isBelow(get(place), get(end));
const findEnd = set(end, sum(get(one), sum(get(rowBytes), get(rowBytes))));

function scores(): Code {
  // Two sums for each row, which need not wait for each other, and two weights.
  const [sums, weights] = [11, 19];
  const half = (h: number): Code => [
    ...set(weights, load(get(place), 16 * h)),
    ...four.flatMap((k) => {
      const local = sums + 4 * h + k;
      return set(local, add(get(local), multiply(loadWider(get(row + k), 8 * h), get(weights))));
    }),
  ];
  const body = [
    ...pointAtRows,
    ...Array.from({ length: 8 }, (_, k) => set(sums + k, zeros)).flat(),
    ...loop([...half(0), ...half(1), ...stepColumns], untilEnd),
    ...four.flatMap((k) => {
      const both = add(get(sums + k), get(sums + 4 + k));
      return storeNumber(get(each), 8 * k, addNumbers(lane(both, 0), lane(both, 1)));
    }),
    ...stepRows,
  ];
  return func([6, i32], [9, v128], [...findEnd, ...loop(body, get(count))]);
}

function products(): Code {
  const factors = 11;
  const half = (h: number): Code =>
    store(
      get(place),
      16 * h,
      four.reduce<Code>(
        (total, k) => add(total, multiply(loadWider(get(row + k), 8 * h), get(factors + k))),
        load(get(place), 16 * h),
      ),
    );
  const body = [
    ...pointAtRows,
    ...four.flatMap((k) => set(factors + k, loadTwice(get(each), 8 * k))),
    ...loop([...half(0), ...half(1), ...stepColumns], untilEnd),
    ...stepRows,
  ];
  return func([6, i32], [4, v128], [...findEnd, ...loop(body, get(count))]);
}

function func(...parts: readonly [integers: Code, vectors: Code, body: Code]): Code {
  const [integers, vectors, body] = parts;
  const all = [2, ...integers, ...vectors, ...body, 0x0b];
  return [...size(all.length), ...all];
}

/** An unsigned number in sevens of bits. */
function size(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...size(value >>> 7)];
}

function section(id: number, ...items: readonly Code[]): Code {
  const content = [items.length, ...items.flat()];
  return [id, ...size(content.length), ...content];
}

function text(value: string): Code {
  return [value.length, ...new TextEncoder().encode(value)];
}

/** A module that imports `rows.memory` and exports `scores` and `products`. */
export function buildRowKernels(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [0x60, 5, ...Array<number>(5).fill(i32), 0]),
    ...section(2, [...text('rows'), ...text('memory'), 2, 0, 1]),
    ...section(3, [0], [0]),
    ...section(7, [...text('scores'), 0, 0], [...text('products'), 0, 1]),
    ...section(10, scores(), products()),
  ]);
}
