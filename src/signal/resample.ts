/**
 * Change of sampling rate: x [T] → y [T·up/down], float64.
 * Polyphase: one windowed-sinc low-pass evaluated only where an output sample lies (`scipy.signal.resample_poly`).
 * Fourier: cut or extend the spectrum, for signals that may be taken as periodic (`scipy.signal.resample`).
 * A NaN spoils the output within ten input or output periods (polyphase) or all of it (Fourier).
 */
import { ConfigError } from '../core/errors.ts';
import { type ComplexArray, irfft, rfft } from './fft.ts';
import { type Workspace, withWorkspace } from './kernel.ts';

/** Kaiser window's shape: SciPy's default for resample_poly. */
const kaiserBeta = 5;
/** Half the low-pass's length, in samples of the lower of both rates: SciPy's default. */
export const halfLengthPeriods = 10;
/** Larger ratios mean rates given with too many digits; the filter has 20 taps for each unit of it. */
const maxFactor = 100_000;

/** Addresses in the kernel's memory. */
interface PolyphaseFilter {
  /** Taps of each phase, last first, without zeros at both ends; all phases one after another. */
  readonly taps: number;
  /** Where phase p's taps start; one more entry than phases. */
  readonly start: number;
  /** For phase p, what to add to ⌊(position of the output)/up⌋ for the input sample of its first tap. */
  readonly offset: number;
}

/**
 * Resample by the ratio up/down: ⌈T·up/down⌉ samples, the first at the first's time, zeros assumed beyond both ends.
 * ConfigError unless both are whole numbers from 1 to 100,000.
 */
export function resamplePolyphase(x: Float64Array, up: number, down: number): Float64Array {
  for (const [key, value] of [
    ['up', up],
    ['down', down],
  ] as const) {
    if (!Number.isInteger(value) || value < 1 || value > maxFactor) {
      throw new ConfigError(
        `resample: ${key} is ${value}. Use a whole number from 1 to ${maxFactor}.`,
        key,
        `1 to ${maxFactor}`,
      );
    }
  }
  const divisor = greatestCommonDivisor(up, down);
  const [u, d] = [up / divisor, down / divisor];
  if (u === d) return x.slice();
  const length = Math.ceil((x.length * u) / d);
  return withWorkspace((workspace) => {
    const { taps, start, offset } = workspace.plan(`polyphase ${u}/${d}`, () =>
      designPolyphase(workspace, u, d),
    );
    const input = workspace.put(x);
    const y = workspace.allocate(length);
    // y[i] = Σ_k h[i·down − k·up + half]·x[k]: only taps that meet an input sample, phase by phase.
    workspace.run.polyphase(input, x.length, taps, start, offset, u, d, y, length);
    return workspace.floats(y, length).slice();
  });
}

/**
 * Resample from one rate to another by the smallest whole ratio (500 → 200 Hz is 2/5).
 * ConfigError if a rate is not above 0 or no ratio of whole numbers up to 100,000 fits it to 1e-9.
 */
export function resample(x: Float64Array, fromHz: number, toHz: number): Float64Array {
  const [up, down] = rateRatio(fromHz, toHz);
  return resamplePolyphase(x, up, down);
}

/** The whole numbers [up, down] in lowest terms with fromHz·up/down = toHz. ConfigError as for `resample`. */
export function rateRatio(fromHz: number, toHz: number): [up: number, down: number] {
  for (const [key, value] of [
    ['fromHz', fromHz],
    ['toHz', toHz],
  ] as const) {
    if (!(value > 0) || !Number.isFinite(value)) {
      throw new ConfigError(`resample: ${key} is ${value}. A rate must be above 0 Hz.`, key, 'above 0');
    }
  }
  // Continued fraction of the ratio: its convergents are the best approximations for their size.
  const ratio = toHz / fromHz;
  let [up, down, previousUp, previousDown] = [Math.floor(ratio), 1, 1, 0];
  let rest = ratio - up;
  while (Math.abs(up / down - ratio) > 1e-9 * ratio) {
    const whole = Math.floor(1 / rest);
    rest = 1 / rest - whole;
    [up, previousUp] = [whole * up + previousUp, up];
    [down, previousDown] = [whole * down + previousDown, down];
    if (up > maxFactor || down > maxFactor) {
      throw new ConfigError(
        `resample: no ratio of whole numbers up to ${maxFactor} leads from ${fromHz} to ${toHz} Hz. Round the rate.`,
        'toHz',
      );
    }
  }
  return [up, down];
}

/** Resample to `length` samples over the same time. ConfigError unless x has samples and `length` is a whole number above 0. */
export function resampleFourier(x: Float64Array, length: number): Float64Array {
  if (!Number.isInteger(length) || length < 1) {
    throw new ConfigError(
      `resampleFourier: length is ${length}. Use a whole number above 0.`,
      'length',
      'above 0',
    );
  }
  if (x.length === 0)
    throw new ConfigError('resampleFourier: the signal is empty. Give at least one sample.', 'x');
  const input = rfft(x);
  const bins = Math.floor(length / 2) + 1;
  const output: ComplexArray = { re: new Float64Array(bins), im: new Float64Array(bins) };
  const shorter = Math.min(x.length, length);
  const kept = Math.floor(shorter / 2) + 1;
  output.re.set(input.re.subarray(0, kept));
  output.im.set(input.im.subarray(0, kept));
  if (shorter % 2 === 0 && length !== x.length) {
    // The value at half the lower rate stands for a pair: both halves fold together going down, part going up.
    const factor = length < x.length ? 2 : 0.5;
    output.re[shorter / 2]! *= factor;
    output.im[shorter / 2]! *= factor;
  }
  const y = irfft(output, length);
  for (let i = 0; i < length; i++) y[i] = (y[i]! * length) / x.length;
  return y;
}

function designPolyphase(workspace: Workspace, up: number, down: number): PolyphaseFilter {
  const half = halfLengthPeriods * Math.max(up, down);
  const lowpass = designLowpass(half, 1 / Math.max(up, down));
  const phases = Array.from({ length: up }, (_, phase) => {
    // Taps h[phase + half − j·up] belong to input sample ⌊position/up⌋ + j.
    const ahead = Math.floor((phase + half) / up);
    const behind = -Math.floor((half - phase) / up);
    const taps: number[] = [];
    for (let j = behind; j <= ahead; j++) taps.push(lowpass[phase + half - j * up]! * up);
    const firstTap = taps.findIndex((tap) => tap !== 0);
    const lastTap = taps.findLastIndex((tap) => tap !== 0);
    return { offset: behind + firstTap, taps: taps.slice(firstTap, lastTap + 1) };
  });
  const start = new Int32Array(up + 1);
  for (const [p, { taps }] of phases.entries()) start[p + 1] = start[p]! + taps.length;
  const taps = new Float64Array(start[up]!);
  for (const [p, phase] of phases.entries()) taps.set(phase.taps, start[p]!);
  const offset = Int32Array.from(phases, (phase) => phase.offset);
  return { taps: workspace.put(taps), start: workspace.put(start), offset: workspace.put(offset) };
}

/** Low-pass of 2·half + 1 taps with unit gain at 0 Hz (`scipy.signal.firwin`, Kaiser window); cutoff relative to Nyquist. */
function designLowpass(half: number, cutoff: number): Float64Array {
  const taps = new Float64Array(2 * half + 1);
  let sum = 0;
  for (let i = 0; i <= 2 * half; i++) {
    const t = i - half;
    const angle = Math.PI * cutoff * t;
    const window = besselI0(kaiserBeta * Math.sqrt(1 - (t / half) ** 2)) / besselI0(kaiserBeta);
    const value = (t === 0 ? 1 : Math.sin(angle) / angle) * window * cutoff;
    // The sinc's zeros come out as rounding errors of 1e-17; as true zeros they need not be multiplied.
    taps[i] = Math.abs(value) < 1e-15 * cutoff ? 0 : value;
    sum += value;
  }
  for (let i = 0; i < taps.length; i++) taps[i]! /= sum;
  return taps;
}

/** Modified Bessel function of the first kind, order 0: Σ ((x/2)^k / k!)². */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-18 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
