/** A FLAC encoder for tests: every subframe type on request, apart from the decoder under test. Source: RFC 9639. */
import { concat } from './build.ts';

export type Subframe =
  | { readonly type: 'constant' | 'verbatim' }
  | { readonly type: 'fixed'; readonly order: number }
  | {
      readonly type: 'linear';
      readonly coefficients: readonly number[];
      readonly shift: number;
      readonly precision: number;
    };

export interface FlacParts {
  readonly bits: number;
  readonly blockSamples: number;
  readonly stereo?: 'left' | 'right' | 'mid';
  /** Of channel and block. Default: fixed prediction of order 2. */
  readonly subframe?: (channel: number, block: number) => Subframe;
  /** Rice parameter of a partition, or raw bits (an escape). Default: 4. */
  readonly rice?: (partition: number) => number | { readonly raw: number };
  readonly partitionOrder?: number;
  /** 4 bits a Rice parameter, or 5. */
  readonly method?: 0 | 1;
  readonly wasted?: number;
  readonly totalSamples?: number;
  /** Blocks numbered by their first sample. */
  readonly isVariable?: boolean;
}

class BitWriter {
  readonly #bits: number[] = [];
  put(value: number | bigint, count: number): void {
    const whole = BigInt.asUintN(count, BigInt(value));
    for (let i = count - 1; i >= 0; i--) this.#bits.push(Number((whole >> BigInt(i)) & 1n));
  }
  bytes(): Uint8Array {
    while (this.#bits.length % 8 !== 0) this.#bits.push(0);
    const bytes = new Uint8Array(this.#bits.length / 8);
    for (const [i, bit] of this.#bits.entries()) bytes[i >> 3]! |= bit << (7 - (i & 7));
    return bytes;
  }
}

function crc(bytes: Uint8Array, width: 8 | 16, polynomial: number): number {
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << (width - 8);
    for (let i = 0; i < 8; i++) value = value & (1 << (width - 1)) ? (value << 1) ^ polynomial : value << 1;
    value &= 2 ** width - 1;
  }
  return value;
}

/** UTF-8's way to code numbers. */
function coded(number: number): number[] {
  if (number < 128) return [number];
  const tail: number[] = [];
  let rest = number;
  for (let size = 2; ; size++) {
    tail.unshift(0x80 | (rest % 64));
    rest = Math.floor(rest / 64);
    if (rest < 2 ** (7 - size)) return [((0xff << (8 - size)) & 0xff) | rest, ...tail];
  }
}

const bitsCode: Readonly<Record<number, number>> = { 8: 1, 12: 2, 16: 4, 20: 5, 24: 6, 32: 7 };

/** Channels of equal length → a FLAC file. */
export function flacFile(channels: readonly (readonly number[])[], parts: FlacParts): Uint8Array {
  const { bits, blockSamples, totalSamples = channels[0]!.length } = parts;
  const info = new BitWriter();
  info.put(blockSamples, 16);
  info.put(blockSamples, 16);
  info.put(0, 48);
  info.put(500, 20);
  info.put(channels.length - 1, 3);
  info.put(bits - 1, 5);
  info.put(totalSamples, 36);
  info.put(0, 128);
  const frames: Uint8Array[] = [];
  for (let first = 0, block = 0; first < channels[0]!.length; first += blockSamples, block++)
    frames.push(
      frame(
        channels.map((x) => x.slice(first, first + blockSamples)),
        parts,
        block,
        parts.isVariable ? first : block,
      ),
    );
  return concat(
    Uint8Array.of(0x66, 0x4c, 0x61, 0x43, 0, 0, 0, 34),
    info.bytes(),
    Uint8Array.of(0x80 | 1, 0, 0, 3, 0, 0, 0), // padding
    ...frames,
  );
}

function frame(
  channels: readonly (readonly number[])[],
  parts: FlacParts,
  block: number,
  number: number,
): Uint8Array {
  const { bits, stereo, isVariable = false } = parts;
  const size = channels[0]!.length;
  const assignment = stereo ? { left: 8, right: 9, mid: 10 }[stereo] : channels.length - 1;
  const head = Uint8Array.from([
    0xff,
    isVariable ? 0xf9 : 0xf8,
    0x70,
    (assignment << 4) | ((bitsCode[bits] ?? 0) << 1),
    ...coded(number),
    (size - 1) >> 8,
    (size - 1) & 0xff,
  ]);
  const writer = new BitWriter();
  for (const byte of head) writer.put(byte, 8);
  writer.put(crc(head, 8, 0x07), 8);
  const [left, right] = channels;
  const side = stereo && left!.map((x, i) => x - right![i]!);
  const stored = !stereo
    ? channels
    : stereo === 'left'
      ? [left!, side!]
      : stereo === 'right'
        ? [side!, right!]
        : [left!.map((x, i) => Math.floor((x + right![i]!) / 2)), side!];
  for (const [channel, x] of stored.entries())
    subframe(writer, x, bits + (x === side ? 1 : 0), parts, channel, block);
  const body = writer.bytes();
  const sum = crc(body, 16, 0x8005);
  return concat(body, Uint8Array.of(sum >> 8, sum & 0xff));
}

/** Σ sign-alternating binomials: what a polynomial through the last samples predicts. */
const fixedCoefficients = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

function subframe(
  writer: BitWriter,
  samples: readonly number[],
  sampleBits: number,
  parts: FlacParts,
  channel: number,
  block: number,
): void {
  const kind = parts.subframe?.(channel, block) ?? { type: 'fixed', order: 2 };
  const wasted = parts.wasted ?? 0;
  const x = samples.map((v) => v / 2 ** wasted);
  const bits = sampleBits - wasted;
  const order = kind.type === 'fixed' ? kind.order : kind.type === 'linear' ? kind.coefficients.length : 0;
  const type = { constant: 0, verbatim: 1, fixed: 8 + order, linear: 31 + order }[kind.type];
  writer.put(0, 1);
  writer.put(type, 6);
  writer.put(wasted > 0 ? 1 : 0, 1);
  if (wasted > 0) writer.put(1, wasted);
  const plain = kind.type === 'constant' ? x.slice(0, 1) : kind.type === 'verbatim' ? x : [];
  for (const v of plain) writer.put(v, bits);
  if (plain.length > 0) return;
  for (const v of x.slice(0, order)) writer.put(v, bits);
  const coefficients: readonly number[] =
    kind.type === 'linear' ? kind.coefficients : fixedCoefficients[order]!;
  const shift = kind.type === 'linear' ? kind.shift : 0;
  if (kind.type === 'linear') {
    writer.put(kind.precision - 1, 4);
    writer.put(shift, 5);
    for (const c of coefficients) writer.put(c, kind.precision);
  }
  const residual = x.map((v, i) => {
    if (i < order) return 0;
    const sum = coefficients.reduce((total, c, j) => total + BigInt(c) * BigInt(x[i - 1 - j]!), 0n);
    return v - Number(sum >> BigInt(shift));
  });
  const { method = 0, partitionOrder = 0, rice = () => 4 } = parts;
  writer.put(method, 2);
  writer.put(partitionOrder, 4);
  const per = x.length / 2 ** partitionOrder;
  for (let partition = 0; partition < 2 ** partitionOrder; partition++) {
    const parameter = rice(partition);
    const own = residual.slice(partition === 0 ? order : partition * per, (partition + 1) * per);
    if (typeof parameter === 'object') {
      writer.put(method === 0 ? 15 : 31, 4 + method);
      writer.put(parameter.raw, 5);
      for (const r of own) writer.put(r, parameter.raw);
      continue;
    }
    writer.put(parameter, 4 + method);
    for (const r of own) {
      const code = r >= 0 ? 2 * r : -2 * r - 1;
      writer.put(1, Math.floor(code / 2 ** parameter) + 1);
      writer.put(code % 2 ** parameter, parameter);
    }
  }
}
