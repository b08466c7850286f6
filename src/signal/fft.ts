/**
 * Discrete Fourier transform of any length, float64: x [n] → X [n], X[k] = Σ x[t]·exp(−2πi·k·t/n); inverse with 1/n.
 * Lengths whose prime factors are small: mixed-radix Stockham stages (no reordering pass). Others: Bluestein (1970),
 * which turns the transform into a convolution of a power-of-two length. Plans (factors, roots of unity) are cached.
 */
import { ShapeError } from '../core/errors.ts';
import { planReal, planTransform, transform } from './fft-plan.ts';
import { withWorkspace } from './kernel.ts';

/** Complex numbers as two arrays of one length. */
export interface ComplexArray {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** Forward transform of n complex numbers. `im` absent: real input. ShapeError if the lengths differ. */
export function fft(re: Float64Array, im?: Float64Array): ComplexArray {
  const n = re.length;
  if (im && im.length !== n) {
    throw new ShapeError(
      `fft: re has ${n} values, im has ${im.length}. Both must have one length.`,
      'fft',
      `[${n}]`,
      `[${im.length}]`,
    );
  }
  return withWorkspace((workspace) => {
    const plan = planTransform(workspace, n);
    const [a, b] = [workspace.allocate(2 * n), workspace.allocate(2 * n)];
    const input = workspace.floats(a, 2 * n);
    for (let i = 0; i < n; i++) {
      input[2 * i] = re[i]!;
      input[2 * i + 1] = im ? im[i]! : 0;
    }
    const z = workspace.floats(transform(workspace, plan, a, b), 2 * n);
    const result = { re: new Float64Array(n), im: new Float64Array(n) };
    for (let k = 0; k < n; k++) {
      result.re[k] = z[2 * k]!;
      result.im[k] = z[2 * k + 1]!;
    }
    return result;
  });
}

/** Inverse transform with the factor 1/n: `ifft(fft(x)) = x`. */
export function ifft(re: Float64Array, im: Float64Array): ComplexArray {
  // Swapping real and imaginary parts before and after conjugates the roots.
  const swapped = fft(im, re);
  const n = re.length;
  for (let k = 0; k < n; k++) {
    swapped.re[k] = swapped.re[k]! / n;
    swapped.im[k] = swapped.im[k]! / n;
  }
  return { re: swapped.im, im: swapped.re };
}

/** Forward transform of n real numbers: the first ⌊n/2⌋ + 1 values, the others being their conjugates. */
export function rfft(x: Float64Array): ComplexArray {
  const n = x.length;
  if (n % 2 === 1 || n === 0) {
    const { re, im } = fft(x);
    return { re: re.slice(0, Math.ceil(n / 2)), im: im.slice(0, Math.ceil(n / 2)) };
  }
  // Even and odd samples as real and imaginary part of a transform of half the length.
  const half = n / 2;
  return withWorkspace((workspace) => {
    const { plan, roots } = planReal(workspace, n);
    const a = workspace.put(x);
    const b = workspace.allocate(n);
    const [re, im] = [workspace.allocate(half + 1), workspace.allocate(half + 1)];
    workspace.run.unpackReal(transform(workspace, plan, a, b), half, roots, re, im);
    return { re: workspace.floats(re, half + 1).slice(), im: workspace.floats(im, half + 1).slice() };
  });
}

/**
 * Real signal of n samples from the first ⌊n/2⌋ + 1 values of its transform: `irfft(rfft(x), x.length) = x`.
 * ShapeError for another number of values. The imaginary part at 0 (and, for even n, at n/2) is ignored.
 */
export function irfft(spectrum: ComplexArray, n: number): Float64Array {
  const bins = n === 0 ? 0 : Math.floor(n / 2) + 1;
  if (spectrum.re.length !== bins || spectrum.im.length !== bins) {
    throw new ShapeError(
      `irfft: the spectrum has ${spectrum.re.length} values, a signal of ${n} samples has ${bins}. Give the right n.`,
      'irfft',
      `[${bins}]`,
      `[${spectrum.re.length}]`,
    );
  }
  if (n === 0) return new Float64Array(0);
  if (n % 2 === 1) return irfftOdd(spectrum, n);
  return withWorkspace((workspace) => {
    const { plan, roots } = planReal(workspace, n);
    const [re, im] = [workspace.put(spectrum.re), workspace.put(spectrum.im)];
    const [a, b] = [workspace.allocate(n), workspace.allocate(n)];
    workspace.run.packReal(re, im, n / 2, roots, a);
    const z = transform(workspace, plan, a, b);
    workspace.run.swapScale(z, n / 2, 1 / n);
    return workspace.floats(z, n).slice();
  });
}

/**
 * Σ |rfft((segment − its mean) · window)|² over all whole segments of x [T] that start every `step` samples and are as
 * long as `window`: [⌊length/2⌋ + 1].
 */
export function sumPowers(x: Float64Array, window: Float64Array, step: number): Float64Array {
  const length = window.length;
  // Of an odd length, every number is one of the transform; of an even one, every pair is.
  const isOdd = length % 2 === 1;
  const bins = Math.floor(length / 2) + 1;
  return withWorkspace((workspace) => {
    const { run } = workspace;
    const { plan, roots } = isOdd
      ? { plan: planTransform(workspace, length), roots: 0 }
      : planReal(workspace, length);
    const [signal, shape] = [workspace.put(x), workspace.put(window)];
    const [a, b] = [workspace.allocate(2 * length), workspace.allocate(2 * length)];
    const power = workspace.allocate(bins);
    workspace.floats(power, bins).fill(0);
    for (let start = 0; start + length <= x.length; start += step) {
      run.taper(signal + 8 * start, shape, length, a, isOdd ? 2 : 1);
      const z = transform(workspace, plan, a, b);
      if (isOdd) run.addPower(z, bins, power);
      else run.addPowerReal(z, length / 2, roots, power);
    }
    const sums = workspace.floats(power, bins).slice();
    return isOdd ? sums : sums.map((sum) => sum / 4); // addPowerReal leaves out the halves
  });
}

function irfftOdd(spectrum: ComplexArray, n: number): Float64Array {
  const whole = { re: new Float64Array(n), im: new Float64Array(n) };
  whole.re.set(spectrum.re);
  whole.im.set(spectrum.im.subarray(1), 1);
  for (let k = 1; k < spectrum.re.length; k++) {
    whole.re[n - k] = spectrum.re[k]!;
    whole.im[n - k] = -spectrum.im[k]!;
  }
  return ifft(whole.re, whole.im).re;
}
