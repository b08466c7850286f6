/**
 * Good files → damaged ones: what transfers, disks and enemies do to recordings. Every damage is drawn from one
 * generator, so that a case is known by its number.
 */
import type { Random } from '../../src/core/random.ts';

/** A file set; the first is the one that is opened. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** Numbers at which readers break: ends of types, signs, one beside a power of two. */
const hostileIntegers = [
  0, 1, 2, 3, 7, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
  0xfffffffe, 0x00ffffff, 0x01000000, 0x40000000,
] as const;

// biome-ignore format: one line a kind reads best
const hostileTexts = [
  '', '0', '-1', '1', '2', '99999999', '-9999999', '4294967296', '2147483648', '9007199254740993', '1e9', '1e99', '1e308',
  '1e-320', 'NaN', 'Infinity', '-Infinity', '0x10', '1,5', '٣', '\0', '\n', '"', "'", '../../../../etc/passwd',
  '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '%s%n', '<script>', ';', ',', '(', ')', '/', '[', '{',
];

type Damage = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

/** Headers are where lies hurt: half of all damage falls into the first half kilobyte. */
function place(length: number, random: Random): number {
  return random.integer(Math.max(1, random.uniform() < 0.5 ? Math.min(length, 512) : length));
}

const flipBits: Damage = (bytes, random) => {
  const copy = bytes.slice();
  for (let i = random.integer(8); i >= 0 && copy.length > 0; i--)
    copy[place(copy.length, random)]! ^= 1 << random.integer(8);
  return copy;
};

const setBytes: Damage = (bytes, random) => {
  const copy = bytes.slice();
  const at = place(copy.length, random);
  const value = [0, 0xff, 0x20, 0x30, random.integer(256)][random.integer(5)]!;
  copy.fill(value, at, at + 1 + random.integer(16));
  return copy;
};

const truncate: Damage = (bytes, random) => bytes.slice(0, random.integer(bytes.length + 1));

/** A binary length, count or offset that lies, in either byte order. */
const lieBinary: Damage = (bytes, random) => {
  const copy = bytes.slice();
  const width = [1, 2, 4, 8][random.integer(4)]!;
  if (copy.length < width) return copy;
  const at = Math.min(
    copy.length - width,
    place(copy.length, random) & (random.uniform() < 0.5 ? ~(width - 1) : ~0),
  );
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  const isLittle = random.uniform() < 0.7;
  const value =
    random.uniform() < 0.3
      ? copy.length + random.integer(9) - 4
      : hostileIntegers[random.integer(hostileIntegers.length)]!;
  if (width === 1) view.setUint8(at, value);
  else if (width === 2) view.setUint16(at, value, isLittle);
  else if (width === 4) view.setUint32(at, value, isLittle);
  else view.setBigUint64(at, BigInt(value) << BigInt(32 * random.integer(2)), isLittle);
  return copy;
};

/** A number or a word written as text that lies; longer or shorter than before, or padded to its place. */
const lieText: Damage = (bytes, random) => {
  const start = place(bytes.length, random);
  const isWord = (code: number) => code > 0x20 && code < 0x7f;
  let from = start;
  while (from < bytes.length && !isWord(bytes[from]!)) from++;
  let to = from;
  while (to < bytes.length && to - from < 24 && isWord(bytes[to]!)) to++;
  const text = new TextEncoder().encode(hostileTexts[random.integer(hostileTexts.length)]!);
  if (random.uniform() < 0.5) return join(bytes.subarray(0, from), text, bytes.subarray(to));
  const copy = bytes.slice();
  copy.fill(0x20, from, to);
  copy.set(text.subarray(0, Math.max(0, copy.length - from)), from);
  return copy;
};

/** A piece of this file or another of the corpus, put in or over something. */
const splice: Damage = (bytes, random, others) => {
  const donor = random.uniform() < 0.6 ? bytes : others[random.integer(others.length)]!;
  const from = random.integer(donor.length + 1);
  const piece = donor.subarray(from, from + 1 + random.integer(Math.min(512, donor.length + 1)));
  const at = place(bytes.length, random);
  return join(bytes.subarray(0, at), piece, bytes.subarray(random.uniform() < 0.5 ? at : at + piece.length));
};

const cutOut: Damage = (bytes, random) => {
  const at = place(bytes.length, random);
  return join(bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(64)));
};

/** CR LF for every LF: a text-mode transfer. */
const mangleLines: Damage = (bytes) => {
  const result: number[] = [];
  for (const byte of bytes.subarray(0, 65536)) {
    if (byte === 10) result.push(13);
    result.push(byte);
  }
  return join(Uint8Array.from(result), bytes.subarray(65536));
};

const repeatTail: Damage = (bytes, random) => {
  const tail = bytes.subarray(random.integer(bytes.length + 1));
  return join(bytes, ...Array.from({ length: 1 + random.integer(3) }, () => tail));
};

// biome-ignore format: often the likely, seldom the crude
const damages: readonly Damage[] = [
  flipBits, flipBits, flipBits, setBytes, setBytes, truncate, truncate, lieBinary, lieBinary, lieBinary, lieText, lieText,
  splice, splice, cutOut, mangleLines, repeatTail,
];

/** One to four damages to a file set: usually to one file, now and then a sibling is lost. */
export function mutate(files: Files, random: Random, others: readonly Uint8Array[]): Files {
  const result = new Map(Object.entries(files));
  const names = [...result.keys()];
  for (let i = [0, 0, 0, 1, 1, 3][random.integer(6)]!; i >= 0; i--) {
    const name = names[random.uniform() < 0.6 ? 0 : random.integer(names.length)]!;
    const bytes = result.get(name);
    if (bytes) result.set(name, damages[random.integer(damages.length)]!(bytes, random, others));
  }
  if (names.length > 1 && random.uniform() < 0.03)
    result.delete(names[1 + random.integer(names.length - 1)]!);
  return Object.fromEntries(result);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
