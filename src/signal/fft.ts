/**
 * Discrete Fourier transform of any length, float64: x [n] → X [n], X[k] = Σ x[t]·exp(−2πi·k·t/n); inverse with 1/n.
 * Lengths whose prime factors are small: mixed-radix Stockham stages (no reordering pass). Others: Bluestein (1970),
 * which turns the transform into a convolution of a power-of-two length. Plans (factors, roots of unity) are cached.
 */
import { ShapeError } from '../core/errors.ts';
import { type ComplexArray, transformStages, unitRoots } from './fft-stages.ts';

export type { ComplexArray };

/** A prime factor above this costs more as a direct sum than Bluestein's three transforms. */
const largestRadix = 31;
/** Plans kept; the oldest goes first. A run meets a handful of lengths. */
const maxPlans = 24;

interface Plan {
  readonly n: number;
  /** exp(−2πi·k/n), k = 0 … n−1. */
  readonly roots: ComplexArray;
  /** Factors of n in the order of the stages; absent for Bluestein. */
  readonly radices?: readonly number[];
  readonly bluestein?: { readonly size: number; readonly chirp: ComplexArray; readonly kernel: ComplexArray };
}

const plans = new Map<number, Plan>();

/** Forward transform of n complex numbers. `im` absent: real input. ShapeError if the lengths differ. */
export function fft(re: Float64Array, im?: Float64Array): ComplexArray {
  if (im && im.length !== re.length) {
    throw new ShapeError(
      `fft: re has ${re.length} values, im has ${im.length}. Both must have one length.`,
      'fft',
      `[${re.length}]`,
      `[${im.length}]`,
    );
  }
  const data = { re: Float64Array.from(re), im: im ? Float64Array.from(im) : new Float64Array(re.length) };
  return re.length < 2 ? data : transform(planFor(re.length), data);
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
  const packed = { re: new Float64Array(half), im: new Float64Array(half) };
  for (let i = 0; i < half; i++) {
    packed.re[i] = x[2 * i]!;
    packed.im[i] = x[2 * i + 1]!;
  }
  const z = half < 2 ? packed : transform(planFor(half), packed);
  const { roots } = planFor(n);
  const result = { re: new Float64Array(half + 1), im: new Float64Array(half + 1) };
  for (let k = 0; k <= half; k++) {
    const a = k === half ? 0 : k;
    const b = k === 0 ? 0 : half - k;
    const evenRe = (z.re[a]! + z.re[b]!) / 2;
    const evenIm = (z.im[a]! - z.im[b]!) / 2;
    const oddRe = (z.im[a]! + z.im[b]!) / 2;
    const oddIm = (z.re[b]! - z.re[a]!) / 2;
    const wRe = roots.re[k]!;
    const wIm = roots.im[k]!;
    result.re[k] = evenRe + oddRe * wRe - oddIm * wIm;
    result.im[k] = evenIm + oddRe * wIm + oddIm * wRe;
  }
  return result;
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
  const whole = { re: new Float64Array(n), im: new Float64Array(n) };
  for (let k = 0; k < bins; k++) {
    whole.re[k] = spectrum.re[k]!;
    if (k === 0 || 2 * k === n) continue;
    whole.im[k] = spectrum.im[k]!;
    whole.re[n - k] = spectrum.re[k]!;
    whole.im[n - k] = -spectrum.im[k]!;
  }
  return ifft(whole.re, whole.im).re;
}

function planFor(n: number): Plan {
  const known = plans.get(n);
  if (known) return known;
  const roots = unitRoots(n);
  const radices = factorize(n);
  const plan: Plan =
    radices.at(-1)! <= largestRadix ? { n, roots, radices } : { n, roots, bluestein: planBluestein(n) };
  if (plans.size >= maxPlans) plans.delete(plans.keys().next().value!);
  plans.set(n, plan);
  return plan;
}

/** Fours first (cheapest), then 2 and the odd primes in ascending order. */
function factorize(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  for (; rest % 4 === 0; rest /= 4) factors.push(4);
  for (let f = 2; f * f <= rest; f++) for (; rest % f === 0; rest /= f) factors.push(f);
  if (rest > 1) factors.push(rest);
  return factors.length > 0 ? factors : [1];
}

/** exp(−πi·t²/n), and the transform of its conjugate laid around a circle of a power of two ≥ 2n − 1. */
function planBluestein(n: number): NonNullable<Plan['bluestein']> {
  const double = unitRoots(2 * n);
  const chirp = { re: new Float64Array(n), im: new Float64Array(n) };
  const size = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const wrapped = { re: new Float64Array(size), im: new Float64Array(size) };
  // t² mod 2n by (t+1)² = t² + 2t + 1: stays exact for any n.
  for (let t = 0, square = 0; t < n; square = (square + 2 * t + 1) % (2 * n), t++) {
    chirp.re[t] = double.re[square]!;
    chirp.im[t] = double.im[square]!;
    const other = (size - t) % size;
    wrapped.re[t] = wrapped.re[other] = chirp.re[t]!;
    wrapped.im[t] = wrapped.im[other] = -chirp.im[t]!;
  }
  return { size, chirp, kernel: transform(planFor(size), wrapped) };
}

/** Transform `data`, which is used up. */
function transform(plan: Plan, data: ComplexArray): ComplexArray {
  return plan.radices
    ? transformStages(plan.n, plan.roots, plan.radices, data)
    : transformBluestein(plan, data);
}

function transformBluestein({ n, bluestein }: Plan, data: ComplexArray): ComplexArray {
  const { size, chirp, kernel } = bluestein!;
  const a = { re: new Float64Array(size), im: new Float64Array(size) };
  multiplyInto(a, data, chirp, n);
  const spectrum = transform(planFor(size), a);
  multiplyInto(spectrum, spectrum, kernel, size);
  const convolved = ifft(spectrum.re, spectrum.im);
  multiplyInto(data, convolved, chirp, n);
  return data;
}

function multiplyInto(target: ComplexArray, a: ComplexArray, b: ComplexArray, count: number): void {
  for (let i = 0; i < count; i++) {
    const aRe = a.re[i]!;
    const aIm = a.im[i]!;
    target.re[i] = aRe * b.re[i]! - aIm * b.im[i]!;
    target.im[i] = aRe * b.im[i]! + aIm * b.re[i]!;
  }
}
