/**
 * One frame of FLAC: bytes → exact integers of every channel. Every subframe type, Rice partitions with their escape,
 * both kinds of stereo, wasted bits, 4 to 32 bits a sample. Work is bounded by the block size, which the stream states.
 * Source: RFC 9639, sections 9.2 (subframes) and 9.3 (footer).
 */
import { crc16, type FlacFrameHeader } from './header.ts';

/** 33 bits of a side channel do not fit an Int32Array. */
export type FlacSamples = Int32Array | Float64Array;

export interface FlacBlock {
  readonly channels: readonly FlacSamples[];
  /** Byte after the frame. */
  readonly end: number;
}

/** `short`: the bytes end before the frame does; `damaged`: it is none. */
export type FlacFailure = 'short' | 'damaged';

class Failure extends Error {
  constructor(readonly why: FlacFailure) {
    super(why);
  }
}

/** Decode the frame whose header stands at byte `at`. Its CRC-16 must be right. */
export function decodeFlacFrame(
  bytes: Uint8Array,
  at: number,
  header: FlacFrameHeader,
): FlacBlock | FlacFailure {
  try {
    const { blockSamples, assignment } = header;
    const reader = new Bits(bytes, at + header.headerBytes);
    const channels: FlacSamples[] = [];
    for (let channel = 0; channel < header.channels; channel++) {
      const isSide = channel === (assignment === 9 ? 0 : 1) && assignment >= 8;
      const bits = header.bits + (isSide ? 1 : 0);
      const samples = header.bits > 31 ? new Float64Array(blockSamples) : new Int32Array(blockSamples);
      decodeSubframe(reader, bits, samples);
      channels.push(samples);
    }
    decorrelate(channels, assignment);
    const footer = Math.ceil(reader.position / 8);
    if (footer + 2 > bytes.length) return 'short';
    const crc = (bytes[footer]! << 8) | bytes[footer + 1]!;
    return crc === crc16(bytes, at, footer) ? { channels, end: footer + 2 } : 'damaged';
  } catch (error) {
    if (error instanceof Failure) return error.why;
    throw error;
  }
}

/** Bits of bytes, highest first. Reading beyond the end fails as `short`. */
class Bits {
  readonly #view: DataView;
  readonly #end: number;
  position: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length * 8;
    this.position = at * 8;
  }

  /** The 32 bits from a position on; zeros behind the end. */
  #word(position: number): number {
    const view = this.#view;
    const [at, shift] = [position >>> 3, position & 7];
    if (at + 5 <= view.byteLength) {
      const word = view.getUint32(at);
      return shift === 0 ? word | 0 : (word << shift) | (view.getUint8(at + 4) >>> (8 - shift));
    }
    let word = 0;
    for (let i = 0; i < 4; i++) word = (word << 8) | (at + i < view.byteLength ? view.getUint8(at + i) : 0);
    const last = at + 4 < view.byteLength ? view.getUint8(at + 4) : 0;
    return shift === 0 ? word : (word << shift) | (last >>> (8 - shift));
  }

  /** Up to 32 bits, unsigned. */
  unsigned(count: number): number {
    if (count === 0) return 0;
    if (this.position + count > this.#end) throw new Failure('short');
    const word = this.#word(this.position);
    this.position += count;
    return word >>> (32 - count);
  }

  /** Up to 33 bits in two's complement. */
  signed(count: number): number {
    if (count === 0) return 0;
    if (count > 32) return (this.unsigned(1) === 1 ? -(2 ** 32) : 0) + this.unsigned(32);
    return (this.unsigned(count) << (32 - count)) >> (32 - count);
  }

  /** Zeros before the next one. */
  unary(): number {
    let zeros = 0;
    for (;;) {
      const more = Math.clz32(this.#word(this.position));
      zeros += more;
      this.position += more;
      if (this.position >= this.#end) throw new Failure('short');
      if (more < 32) break;
    }
    this.position++;
    return zeros;
  }

  /** Rice codes of parameter k → result[from … to): a unary quotient and k bits, the sign in the lowest. */
  rice(k: number, result: FlacSamples, from: number, to: number): void {
    const view = this.#view;
    let { position } = this;
    // Most codes are within 32 bits: one look at the bytes each.
    const safe = (view.byteLength - 5) * 8;
    let i = from;
    for (; i < to && position <= safe; i++) {
      const [at, shift] = [position >>> 3, position & 7];
      const word = (view.getUint32(at) << shift) | (view.getUint8(at + 4) >>> (8 - shift));
      const zeros = Math.clz32(word);
      if (zeros + 1 + k > 32) {
        this.position = position;
        const quotient = this.unary();
        const code = (quotient << k) | this.unsigned(k);
        result[i] = (code >>> 1) ^ -(code & 1);
        position = this.position;
      } else {
        // The one itself shifts out; shifts are modulo 32, and k may be 0.
        const low = k === 0 ? 0 : ((word << zeros) << 1) >>> (32 - k);
        const code = (zeros << k) | low;
        result[i] = (code >>> 1) ^ -(code & 1);
        position += zeros + 1 + k;
      }
    }
    this.position = position;
    for (; i < to; i++) {
      const quotient = this.unary();
      const code = (quotient << k) | this.unsigned(k);
      result[i] = (code >>> 1) ^ -(code & 1);
    }
    if (this.position > this.#end) throw new Failure('short');
  }
}

function decodeSubframe(reader: Bits, sampleBits: number, samples: FlacSamples): void {
  if (reader.unsigned(1) !== 0) throw new Failure('damaged');
  const type = reader.unsigned(6);
  const wasted = reader.unsigned(1) === 1 ? reader.unary() + 1 : 0;
  const bits = sampleBits - wasted;
  if (bits < 1) throw new Failure('damaged');
  if (type === 0) samples.fill(reader.signed(bits));
  else if (type === 1) for (let i = 0; i < samples.length; i++) samples[i] = reader.signed(bits);
  else if (type >= 8 && type <= 12) decodeFixed(reader, bits, type - 8, samples);
  else if (type >= 32) decodeLinear(reader, bits, type - 31, samples);
  else throw new Failure('damaged');
  if (wasted > 0) {
    const scale = 2 ** wasted;
    for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! * scale;
  }
}

/** Prediction by polynomials through the last samples: orders 0 to 4. */
function decodeFixed(reader: Bits, bits: number, order: number, x: FlacSamples): void {
  readWarmUp(reader, bits, order, x);
  readResidual(reader, order, x);
  const n = x.length;
  if (order === 1) for (let i = 1; i < n; i++) x[i] = x[i]! + x[i - 1]!;
  else if (order === 2) for (let i = 2; i < n; i++) x[i] = x[i]! + 2 * x[i - 1]! - x[i - 2]!;
  else if (order === 3) for (let i = 3; i < n; i++) x[i] = x[i]! + 3 * (x[i - 1]! - x[i - 2]!) + x[i - 3]!;
  else if (order === 4)
    for (let i = 4; i < n; i++) x[i] = x[i]! + 4 * (x[i - 1]! + x[i - 3]!) - 6 * x[i - 2]! - x[i - 4]!;
}

/** Prediction by up to 32 quantised coefficients: floor(Σ cⱼ·xᵢ₋ⱼ / 2^shift) + residual. */
function decodeLinear(reader: Bits, bits: number, order: number, x: FlacSamples): void {
  readWarmUp(reader, bits, order, x);
  const precision = reader.unsigned(4) + 1;
  const shift = reader.signed(5);
  if (precision === 16 || shift < 0) throw new Failure('damaged');
  const coefficients = new Int32Array(order);
  // Stored from the newest sample on; turned, so that both are walked forwards.
  for (let j = 0; j < order; j++) coefficients[order - 1 - j] = reader.signed(precision);
  readResidual(reader, order, x);
  const isNarrow = x instanceof Int32Array && bits + precision + Math.ceil(Math.log2(order)) <= 32;
  if (isNarrow) {
    if (order <= 8) predictFromEight(coefficients, shift, x);
    else predictFromMany(coefficients, shift, x);
    return;
  }
  // At most 2¹⁴ · 2³² · 32: exact in float64.
  const scale = 2 ** shift;
  for (let i = order; i < x.length; i++) {
    let sum = 0;
    for (let j = 0, k = i - order; j < order; j++, k++) sum += coefficients[j]! * x[k]!;
    x[i] = x[i]! + Math.floor(sum / scale);
  }
}

/** Sums that fit 32 bits, of at most eight samples: those are kept in registers, 1.5 × as fast. */
function predictFromEight(coefficients: Int32Array, shift: number, x: Int32Array): void {
  const order = coefficients.length;
  // The newest last, in both; before the first sample, zeros.
  const [a, b, c, d, e, f, g, h] = Array.from(
    { length: 8 },
    (_, j) => coefficients[j + order - 8] ?? 0,
  ) as Eight;
  let [p, q, r, s, t, u, v, w] = Array.from({ length: 8 }, (_, j) => x[j + order - 8] ?? 0) as Eight;
  for (let i = order; i < x.length; i++) {
    const older = Math.imul(a, p) + Math.imul(b, q) + Math.imul(c, r) + Math.imul(d, s);
    const newer = Math.imul(e, t) + Math.imul(f, u) + Math.imul(g, v) + Math.imul(h, w);
    p = q;
    q = r;
    r = s;
    s = t;
    t = u;
    u = v;
    v = w;
    w = (x[i]! + (((older | 0) + (newer | 0)) >> shift)) | 0;
    x[i] = w;
  }
}

type Eight = [number, number, number, number, number, number, number, number];

function predictFromMany(coefficients: Int32Array, shift: number, x: Int32Array): void {
  const order = coefficients.length;
  for (let i = order; i < x.length; i++) {
    let sum = 0;
    for (let j = 0, k = i - order; j < order; j++, k++) sum = (sum + Math.imul(coefficients[j]!, x[k]!)) | 0;
    x[i] = x[i]! + (sum >> shift);
  }
}

function readWarmUp(reader: Bits, bits: number, order: number, x: FlacSamples): void {
  if (order > x.length) throw new Failure('damaged');
  for (let i = 0; i < order; i++) x[i] = reader.signed(bits);
}

/** What prediction misses, in 2^p partitions of their own Rice parameter each → x[order …). */
function readResidual(reader: Bits, order: number, x: FlacSamples): void {
  const method = reader.unsigned(2);
  if (method > 1) throw new Failure('damaged');
  const parameterBits = 4 + method;
  const escaped = 2 ** parameterBits - 1;
  const partitions = 2 ** reader.unsigned(4);
  const perPartition = x.length / partitions;
  if (!Number.isInteger(perPartition) || perPartition < order) throw new Failure('damaged');
  for (let partition = 0; partition < partitions; partition++) {
    const from = partition === 0 ? order : partition * perPartition;
    const to = (partition + 1) * perPartition;
    const parameter = reader.unsigned(parameterBits);
    if (parameter !== escaped) {
      reader.rice(parameter, x, from, to);
      continue;
    }
    const bits = reader.unsigned(5);
    for (let i = from; i < to; i++) x[i] = reader.signed(bits);
  }
}

/** Left and right out of what is stored, in place. */
function decorrelate(channels: readonly FlacSamples[], assignment: number): void {
  const [a, b] = channels;
  if (assignment === 8) for (let i = 0; i < a!.length; i++) b![i] = a![i]! - b![i]!;
  else if (assignment === 9) for (let i = 0; i < a!.length; i++) a![i] = a![i]! + b![i]!;
  else if (assignment === 10)
    for (let i = 0; i < a!.length; i++) {
      // mid is the floored half of the sum, whose lowest bit is side's.
      const side = b![i]!;
      const right = a![i]! - Math.floor(side / 2);
      b![i] = right;
      a![i] = right + side;
    }
}
