/**
 * Prediction of a FLAC subframe's samples from those before: floor(Σ cⱼ·xᵢ₋ⱼ / 2^shift), by up to 32 coefficients.
 * Source: RFC 9639, sections 9.2.5 (fixed) and 9.2.6 (linear).
 */
import type { FlacSamples } from './bits.ts';

export interface Predictor {
  /** Of the samples before, the newest one's last. */
  readonly coefficients: Int32Array;
  readonly shift: number;
  /** While samples lie within ±limit, sums of their products fit 32 bits. */
  readonly limit: number;
}

export function linearPredictor(coefficients: Int32Array, shift: number): Predictor {
  const weight = coefficients.reduce((sum, c) => sum + Math.abs(c), 0);
  return { coefficients, shift, limit: Math.floor((2 ** 31 - 1) / Math.max(1, weight)) };
}

/** Polynomials through the last samples, of orders 0 to 4. */
const fixedPredictors = [[], [1], [-1, 2], [1, -3, 3], [-1, 4, -6, 4]].map((coefficients) =>
  linearPredictor(Int32Array.from(coefficients), 0),
);

export const fixedPredictor = (order: number): Predictor => fixedPredictors[order]!;

/** x[from … to) hold what prediction misses → samples, in place. */
export function predict({ coefficients, shift }: Predictor, x: FlacSamples, from: number, to: number): void {
  const order = coefficients.length;
  if (order === 0) return;
  // At most 2¹⁴ · 2³² · 32: exact in float64.
  const scale = 2 ** shift;
  for (let i = from; i < to; i++) {
    let sum = 0;
    for (let j = 0, k = i - order; j < order; j++, k++) sum += coefficients[j]! * x[k]!;
    x[i] = x[i]! + Math.floor(sum / scale);
  }
}

/** The same where sums fit 32 bits; ends behind the first sample beyond the limit, and says where. */
export function predictNarrow(
  { coefficients, shift, limit }: Predictor,
  x: Int32Array,
  from: number,
  to: number,
): number {
  const order = coefficients.length;
  for (let i = from; i < to; i++) {
    let sum = 0;
    for (let j = 0, k = i - order; j < order; j++, k++) sum = (sum + Math.imul(coefficients[j]!, x[k]!)) | 0;
    const sample = (x[i]! + (sum >> shift)) | 0;
    x[i] = sample;
    if ((sample + limit) >>> 0 > 2 * limit) return i + 1;
  }
  return to;
}
