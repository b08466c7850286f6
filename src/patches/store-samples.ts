/** Samples in model units ↔ as stored: int16 steps or float16. Both are 16 bits, so a stored window is a Uint16Array. */
import { int16StepsPerUnit, type SampleType } from './store-format.ts';

/** Microvolt in one stored step, for signals whose model unit is so many microvolt. */
export function scaleFactorOf(type: SampleType, scaleMicrovolts: number): number {
  return type === 'int16' ? scaleMicrovolts / int16StepsPerUnit : scaleMicrovolts;
}

/** The largest value that a type holds, in model units. */
export const largestUnits: Readonly<Record<SampleType, number>> = {
  int16: 32767 / int16StepsPerUnit,
  float16: 65504,
};

/** Model units → bits; undefined where a value is beyond what the type holds. `peak` is the largest |value|. */
export function encodeSamples(
  values: Float32Array,
  type: SampleType,
): { readonly bits: Uint16Array; readonly peak: number } | undefined {
  let peak = 0;
  for (const value of values) peak = Math.max(peak, Math.abs(value));
  if (!(peak <= largestUnits[type])) return undefined;
  const bits = new Uint16Array(values.length);
  if (type === 'int16')
    for (let i = 0; i < values.length; i++) bits[i] = Math.round(values[i]! * int16StepsPerUnit);
  else for (let i = 0; i < values.length; i++) bits[i] = halfBits(values[i]!);
  return { bits, peak };
}

/** Bits → model units, into `target` from `offset`. */
export function decodeSamples(
  bits: Uint16Array,
  type: SampleType,
  target: Float32Array = new Float32Array(bits.length),
  offset = 0,
): Float32Array {
  const values = valuesOf(type);
  const own = target.subarray(offset, offset + bits.length);
  for (let i = 0; i < own.length; i++) own[i] = values[bits[i]!]!;
  return target;
}

/** The value of every bit pattern: looking up costs less than a division. */
const tables = new Map<SampleType, Float32Array>();

function valuesOf(type: SampleType): Float32Array {
  let values = tables.get(type);
  if (!values) {
    const steps = Int16Array.from({ length: 65_536 }, (_, bits) => bits);
    values =
      type === 'int16'
        ? Float32Array.from(steps, (step) => step / int16StepsPerUnit)
        : Float32Array.from(steps, (_, bits) => halfValue(bits));
    tables.set(type, values);
  }
  return values;
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest half-precision number, ties to even; |value| is at most 65504. */
function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // Steps of 2⁻²⁴ below 2⁻¹⁴; above, 1024 steps in every power of two.
  const exponent = size < 2 ** -14 ? 0 : Math.floor(Math.log2(size)) + 15;
  const power = exponent === 0 ? 1 : Math.min(30, exponent);
  const steps = roundToEven(size / 2 ** (power - 25));
  // With its leading one included, a fraction that overflows carries into the exponent by itself.
  return sign | (exponent === 0 ? steps : ((power - 1) << 10) + steps);
}

function roundToEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
