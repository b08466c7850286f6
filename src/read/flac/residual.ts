/**
 * What prediction misses of a FLAC subframe, in 2^p partitions of a Rice parameter each → its samples x[order …). Decoding
 * a code waits for the one before, and so does predicting a sample: done in one loop, a processor does both at once.
 * Source: RFC 9639, section 9.2.7.
 */
import { type Bits, Failure, type FlacSamples, longCode } from './bits.ts';
import { type Predictor, predict, predictNarrow } from './prediction.ts';

/** x[0 … order) are there already. */
export function decodeResidual(reader: Bits, predictor: Predictor, x: FlacSamples): void {
  const order = predictor.coefficients.length;
  const method = reader.unsigned(2);
  if (method > 1) throw new Failure('damaged');
  const parameterBits = 4 + method;
  const escaped = 2 ** parameterBits - 1;
  const partitions = 2 ** reader.unsigned(4);
  const perPartition = x.length / partitions;
  if (!Number.isInteger(perPartition) || perPartition < order) throw new Failure('damaged');
  let isNarrow =
    x instanceof Int32Array && x.subarray(0, order).every((one) => Math.abs(one) <= predictor.limit);
  for (let partition = 0; partition < partitions; partition++) {
    const from = partition === 0 ? order : partition * perPartition;
    const to = (partition + 1) * perPartition;
    const parameter = reader.unsigned(parameterBits);
    if (parameter === escaped) {
      const bits = reader.unsigned(5);
      for (let i = from; i < to; i++) x[i] = reader.signed(bits);
      predict(predictor, x, from, to);
      isNarrow &&= x.subarray(from, to).every((one) => Math.abs(one) <= predictor.limit);
      continue;
    }
    let done = from;
    if (isNarrow) {
      const narrow = x as Int32Array;
      if (order > 8) {
        reader.rice(parameter, x, from, to);
        done = predictNarrow(predictor, narrow, from, to);
        predict(predictor, x, done, to);
        isNarrow = done === to && isWithin(narrow[to - 1]!, predictor.limit);
        continue;
      }
      done = (order > 4 ? riceEight : riceFour)(reader, parameter, predictor, narrow, from, to);
      isNarrow = done === to && (from === to || isWithin(narrow[to - 1]!, predictor.limit));
    }
    reader.rice(parameter, x, done, to);
    predict(predictor, x, done, to);
  }
}

const isWithin = (sample: number, limit: number) => Math.abs(sample) <= limit;

/** Codes and samples in one, by at most four coefficients; ends behind the first sample beyond the limit, and says where. */
function riceFour(
  reader: Bits,
  k: number,
  { coefficients, shift, limit }: Predictor,
  x: Int32Array,
  from: number,
  to: number,
): number {
  const { words, end } = reader;
  let { position } = reader;
  const a = before(coefficients, coefficients.length, 4);
  const b = before(coefficients, coefficients.length, 3);
  const c = before(coefficients, coefficients.length, 2);
  const d = before(coefficients, coefficients.length, 1);
  let p = before(x, from, 4);
  let q = before(x, from, 3);
  let r = before(x, from, 2);
  let s = before(x, from, 1);
  const taken = k + 1;
  let i = from;
  while (i < to) {
    if (position >= end) throw new Failure('short');
    const index = position >>> 5;
    const offset = position & 31;
    const word = (words[index]! << offset) | ((words[index + 1]! >>> 1) >>> (31 - offset));
    const zeros = Math.clz32(word);
    let code: number;
    if (zeros + k < 32) {
      code = (zeros << k) | ((((word << zeros) << 1) >>> 1) >>> (31 - k));
      position = position + taken + zeros;
    } else {
      code = longCode(reader, position, k);
      position = reader.position;
    }
    // The newest sample, on which all waits, is added last.
    const older = (Math.imul(a, p) + Math.imul(b, q) + Math.imul(c, r)) | 0;
    p = q;
    q = r;
    r = s;
    s = (((code >>> 1) ^ -(code & 1)) + (((older + Math.imul(d, s)) | 0) >> shift)) | 0;
    x[i++] = s;
    if ((s + limit) >>> 0 > 2 * limit) break;
  }
  if (position > end) throw new Failure('short');
  reader.position = position;
  return i;
}

/** The same by at most eight. */
function riceEight(
  reader: Bits,
  k: number,
  { coefficients, shift, limit }: Predictor,
  x: Int32Array,
  from: number,
  to: number,
): number {
  const { words, end } = reader;
  let { position } = reader;
  const order = coefficients.length;
  const a = before(coefficients, order, 8);
  const b = before(coefficients, order, 7);
  const c = before(coefficients, order, 6);
  const d = before(coefficients, order, 5);
  const e = before(coefficients, order, 4);
  const f = before(coefficients, order, 3);
  const g = before(coefficients, order, 2);
  const h = before(coefficients, order, 1);
  let p = before(x, from, 8);
  let q = before(x, from, 7);
  let r = before(x, from, 6);
  let s = before(x, from, 5);
  let t = before(x, from, 4);
  let u = before(x, from, 3);
  let v = before(x, from, 2);
  let w = before(x, from, 1);
  const taken = k + 1;
  let i = from;
  while (i < to) {
    if (position >= end) throw new Failure('short');
    const index = position >>> 5;
    const offset = position & 31;
    const word = (words[index]! << offset) | ((words[index + 1]! >>> 1) >>> (31 - offset));
    const zeros = Math.clz32(word);
    let code: number;
    if (zeros + k < 32) {
      code = (zeros << k) | ((((word << zeros) << 1) >>> 1) >>> (31 - k));
      position = position + taken + zeros;
    } else {
      code = longCode(reader, position, k);
      position = reader.position;
    }
    const oldest = (Math.imul(a, p) + Math.imul(b, q) + Math.imul(c, r) + Math.imul(d, s)) | 0;
    const older = (oldest + Math.imul(e, t) + Math.imul(f, u) + Math.imul(g, v)) | 0;
    p = q;
    q = r;
    r = s;
    s = t;
    t = u;
    u = v;
    v = w;
    w = (((code >>> 1) ^ -(code & 1)) + (((older + Math.imul(h, w)) | 0) >> shift)) | 0;
    x[i++] = w;
    if ((w + limit) >>> 0 > 2 * limit) break;
  }
  if (position > end) throw new Failure('short');
  reader.position = position;
  return i;
}

/** The value so many places before `end`; 0 before the first one. */
const before = (values: Int32Array, end: number, places: number): number =>
  end < places ? 0 : values[end - places]!;
