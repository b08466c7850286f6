/**
 * Every k-th value of an array of any number type → float64. A loop of its own for each common type: one loop for all of
 * them is compiled for none (8 × the time).
 */
import type { NumericArray } from './mat/values.ts';

/** result[i] = values[at + i · step] */
export function takeStrided(values: NumericArray, at: number, step: number, result: Float64Array): void {
  if (values instanceof Float64Array) takeFloat64(values, at, step, result);
  else if (values instanceof Float32Array) takeFloat32(values, at, step, result);
  else if (values instanceof Int16Array) takeInt16(values, at, step, result);
  else if (values instanceof Int32Array) takeInt32(values, at, step, result);
  else for (let i = 0, k = at; i < result.length; i++, k += step) result[i] = Number(values[k]!);
}

function takeFloat64(values: Float64Array, at: number, step: number, result: Float64Array): void {
  if (step === 1) result.set(values.subarray(at, at + result.length));
  else for (let i = 0, k = at; i < result.length; i++, k += step) result[i] = values[k]!;
}

function takeFloat32(values: Float32Array, at: number, step: number, result: Float64Array): void {
  for (let i = 0, k = at; i < result.length; i++, k += step) result[i] = values[k]!;
}

function takeInt16(values: Int16Array, at: number, step: number, result: Float64Array): void {
  for (let i = 0, k = at; i < result.length; i++, k += step) result[i] = values[k]!;
}

function takeInt32(values: Int32Array, at: number, step: number, result: Float64Array): void {
  for (let i = 0, k = at; i < result.length; i++, k += step) result[i] = values[k]!;
}
