/**
 * The bits of a FLAC file, highest first: single numbers, and Rice codes, which nearly all of a file is made of.
 * Source: RFC 9639, sections 5 (numbers) and 9.2.7 (residuals).
 */

/** 33 bits of a side channel do not fit an Int32Array. */
export type FlacSamples = Int32Array | Float64Array;

/** `short`: the bytes end before the frame does; `damaged`: it is none. */
export type FlacFailure = 'short' | 'damaged';

export class Failure extends Error {
  constructor(readonly why: FlacFailure) {
    super(why);
  }
}

/** Bytes, and the same as 32-bit words: those hold any 32 bits in two neighbours. */
export interface FlacBytes {
  readonly bytes: Uint8Array;
  /** High byte first, zeros behind the end, two words more than the bytes need. */
  readonly words: Int32Array;
}

export function flacBytes(bytes: Uint8Array): FlacBytes {
  const whole = bytes.length >> 2;
  const words = new Int32Array(whole + 3);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < whole; i++) words[i] = view.getInt32(4 * i);
  for (let i = 4 * whole; i < bytes.length; i++) words[whole]! |= bytes[i]! << (24 - 8 * (i & 3));
  return { bytes, words };
}

/** Reads on from a position; beyond the end it fails as `short`. All counts are of bits. */
export class Bits {
  constructor(
    readonly words: Int32Array,
    public position: number,
    readonly end: number,
  ) {}

  /** The 32 bits from a position on, which is at most the end. */
  #word(position: number): number {
    const index = position >>> 5;
    const shift = position & 31;
    // Shifts are modulo 32: by 32 in two steps.
    return (this.words[index]! << shift) | ((this.words[index + 1]! >>> 1) >>> (31 - shift));
  }

  /** Up to 32 bits, unsigned. */
  unsigned(count: number): number {
    if (count === 0) return 0;
    if (this.position + count > this.end) throw new Failure('short');
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
      if (this.position >= this.end) throw new Failure('short');
      const more = Math.clz32(this.#word(this.position));
      zeros += more;
      this.position += more;
      if (more < 32) break;
    }
    if (this.position >= this.end) throw new Failure('short');
    this.position++;
    return zeros;
  }

  /** Rice codes of parameter k → result[from … to): a unary quotient and k bits, the sign in the lowest. */
  rice(k: number, result: FlacSamples, from: number, to: number): void {
    const { words, end } = this;
    let position = this.position;
    for (let i = from; i < to; i++) {
      if (position >= end) throw new Failure('short');
      const index = position >>> 5;
      const shift = position & 31;
      const word = (words[index]! << shift) | ((words[index + 1]! >>> 1) >>> (31 - shift));
      const zeros = Math.clz32(word);
      let code: number;
      if (zeros + k < 32) {
        // The one behind the zeros is shifted out; k may be 0.
        code = (zeros << k) | ((((word << zeros) << 1) >>> 1) >>> (31 - k));
        position += zeros + 1 + k;
      } else {
        code = longCode(this, position, k);
        position = this.position;
      }
      result[i] = (code >>> 1) ^ -(code & 1);
    }
    if (position > end) throw new Failure('short');
    this.position = position;
  }
}

/** A Rice code of more than 32 bits from a position on. */
export function longCode(reader: Bits, position: number, k: number): number {
  reader.position = position;
  const quotient = reader.unary();
  return (quotient << k) | reader.unsigned(k);
}
