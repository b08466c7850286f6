/**
 * One frame of FLAC: bytes → exact integers of every channel. Every subframe type, Rice partitions with their escape,
 * both kinds of stereo, wasted bits, 4 to 32 bits a sample. Work is bounded by the block size, which the stream states.
 * Source: RFC 9639, sections 9.2 (subframes) and 9.3 (footer).
 */
import { Bits, Failure, type FlacBytes, type FlacFailure, type FlacSamples } from './bits.ts';
import { crc16, type FlacFrameHeader } from './header.ts';
import { fixedPredictor, linearPredictor } from './prediction.ts';
import { decodeResidual } from './residual.ts';

export interface FlacBlock {
  readonly channels: readonly FlacSamples[];
  /** Byte after the frame. */
  readonly end: number;
}

/**
 * Decode the frame whose header stands at byte `at`. Its CRC-16 must be right. `rooms`: memory for the channels' samples,
 * as long as any block of the stream.
 */
export function decodeFlacFrame(
  { bytes, words }: FlacBytes,
  at: number,
  header: FlacFrameHeader,
  rooms?: readonly FlacSamples[],
): FlacBlock | FlacFailure {
  try {
    const { blockSamples, assignment } = header;
    const reader = new Bits(words, (at + header.headerBytes) * 8, bytes.length * 8);
    const channels: FlacSamples[] = [];
    for (let channel = 0; channel < header.channels; channel++) {
      const isSide = channel === (assignment === 9 ? 0 : 1) && assignment >= 8;
      const bits = header.bits + (isSide ? 1 : 0);
      const samples = rooms?.[channel]?.subarray(0, blockSamples) ?? flacRoom(header.bits, blockSamples);
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

/** Memory for samples of so many bits. */
export function flacRoom(bits: number, samples: number): FlacSamples {
  return bits > 31 ? new Float64Array(samples) : new Int32Array(samples);
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

function decodeFixed(reader: Bits, bits: number, order: number, x: FlacSamples): void {
  readWarmUp(reader, bits, order, x);
  decodeResidual(reader, fixedPredictor(order), x);
}

function decodeLinear(reader: Bits, bits: number, order: number, x: FlacSamples): void {
  readWarmUp(reader, bits, order, x);
  const precision = reader.unsigned(4) + 1;
  const shift = reader.signed(5);
  if (precision === 16 || shift < 0) throw new Failure('damaged');
  const coefficients = new Int32Array(order);
  // Stored from the newest sample on; turned, so that both are walked forwards.
  for (let j = 0; j < order; j++) coefficients[order - 1 - j] = reader.signed(precision);
  decodeResidual(reader, linearPredictor(coefficients, shift), x);
}

function readWarmUp(reader: Bits, bits: number, order: number, x: FlacSamples): void {
  if (order > x.length) throw new Failure('damaged');
  for (let i = 0; i < order; i++) x[i] = reader.signed(bits);
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
