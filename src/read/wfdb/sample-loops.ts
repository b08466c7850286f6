/**
 * Loops over stored WFDB samples: one sample every `step` bytes → physical values, (stored − baseline) / gain. Each is written
 * out: engines compile a loop for what it has seen, and one loop for all formats for none (3 × the time).
 */
import { int16View } from '../int16.ts';
import type { Calibration } from './samples.ts';

/**
 * Samples at bytes at, at + step, … → result[from], result[from + stride], … below `to`. Gives whether the lowest value of
 * the bits is among them, which means "no sample here": marking it here as well would take 2.2 × the time.
 */
export type SampleLoop = (
  bytes: Uint8Array,
  at: number,
  step: number,
  calibration: Calibration,
  result: Float64Array,
  from: number,
  to: number,
  stride: number,
) => boolean;

/** Little-endian, as a view of the bytes where memory allows, four at a time. */
export const int16: SampleLoop = (bytes, at, step, calibration, result, from, to, stride) => {
  const view = step % 2 === 0 ? int16View(bytes, at, (bytes.length - at) >> 1) : undefined;
  if (!view) return int16Bytes(bytes, at, step, calibration, result, from, to, stride);
  const { gain, baseline } = calibration;
  const words = step / 2;
  let isMissing = false;
  let i = from;
  let k = 0;
  for (; i + 3 * stride < to; i += 4 * stride, k += 4 * words) {
    const a = view[k]!;
    const b = view[k + words]!;
    const c = view[k + 2 * words]!;
    const d = view[k + 3 * words]!;
    if (a === -32768 || b === -32768 || c === -32768 || d === -32768) isMissing = true;
    result[i] = (a - baseline) / gain;
    result[i + stride] = (b - baseline) / gain;
    result[i + 2 * stride] = (c - baseline) / gain;
    result[i + 3 * stride] = (d - baseline) / gain;
  }
  for (; i < to; i += stride, k += words) {
    const stored = view[k]!;
    if (stored === -32768) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

const int16Bytes: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k]! | (bytes[k + 1]! << 8)) << 16) >> 16;
    if (stored === -32768) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const int16BigEndian: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k + 1]! | (bytes[k]! << 8)) << 16) >> 16;
    if (stored === -32768) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const int24: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k]! | (bytes[k + 1]! << 8) | (bytes[k + 2]! << 16)) << 8) >> 8;
    if (stored === -8388608) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const int32: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = bytes[k]! | (bytes[k + 1]! << 8) | (bytes[k + 2]! << 16) | (bytes[k + 3]! << 24);
    if (stored === -2147483648) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const offset8: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = bytes[k]! - 128;
    if (stored === -128) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const offset16: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = (bytes[k]! | (bytes[k + 1]! << 8)) - 32768;
    if (stored === -32768) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const first212: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k]! | (bytes[k + 1]! << 8)) << 20) >> 20;
    if (stored === -2048) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const second212: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k + 2]! | ((bytes[k + 1]! & 0xf0) << 4)) << 20) >> 20;
    if (stored === -2048) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const word310: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k]! | (bytes[k + 1]! << 8)) << 21) >> 22;
    if (stored === -512) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const word310Second: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k + 2]! | (bytes[k + 3]! << 8)) << 21) >> 22;
    if (stored === -512) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const rest310: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = (((bytes[k + 1]! >> 3) | ((bytes[k + 3]! >> 3) << 5)) << 22) >> 22;
    if (stored === -512) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const first311: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k]! | (bytes[k + 1]! << 8)) << 22) >> 22;
    if (stored === -512) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const second311: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k + 1]! | (bytes[k + 2]! << 8)) << 20) >> 22;
    if (stored === -512) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};

export const third311: SampleLoop = (bytes, at, step, { gain, baseline }, result, from, to, stride) => {
  let isMissing = false;
  for (let i = from, k = at; i < to; i += stride, k += step) {
    const stored = ((bytes[k + 2]! | (bytes[k + 3]! << 8)) << 18) >> 22;
    if (stored === -512) isMissing = true;
    result[i] = (stored - baseline) / gain;
  }
  return isMissing;
};
