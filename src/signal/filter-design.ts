/**
 * Design of infinite-impulse-response filters as second-order sections: settings → Sos.
 * Butterworth: analogue prototype → band transform → bilinear transform → sections paired as in
 * `scipy.signal.butter(output='sos')`; notch: Orfanidis, Introduction to Signal Processing (1996), eq. 11.3.
 */
import { ConfigError } from '../core/errors.ts';

/** One section: H(z) = (b0 + b1/z + b2/z²) / (a0 + a1/z + a2/z²), with a0 = 1. */
export type Section = readonly [b0: number, b1: number, b2: number, a0: number, a1: number, a2: number];

/** A filter as a cascade of second-order sections. */
export type Sos = readonly Section[];

export interface Band {
  /** Lower edge (−3 dB); absent: everything from 0 Hz. */
  readonly lowHz?: number;
  /** Upper edge (−3 dB); absent: everything up to half the rate. */
  readonly highHz?: number;
  /** Remove the band between both edges rather than keep it. */
  readonly stop?: boolean;
}

type Complex = readonly [re: number, im: number];

interface ZeroPoleGain {
  readonly zeros: readonly Complex[];
  readonly poles: readonly Complex[];
  readonly gain: number;
}

/** Beyond this order the poles of usual EEG bands are too close to the unit circle for float64. */
const maxOrder = 20;

/**
 * Butterworth filter: both edges give a band-pass (or band-stop with `stop`), `lowHz` alone a high-pass, `highHz`
 * alone a low-pass. Equals `scipy.signal.butter(order, …, output='sos')`; a band-pass has twice `order` poles.
 * Where SciPy itself decides by rounding errors (a band symmetric about a quarter of the rate) sections may come in another
 * order, with the same output. ConfigError for an order or an edge out of range.
 */
export function butterworth(order: number, band: Band, rateHz: number): Sos {
  if (!Number.isInteger(order) || order < 1 || order > maxOrder) {
    throw new ConfigError(
      `butterworth: order is ${order}. Use a whole number from 1 to ${maxOrder}.`,
      'order',
      `1 to ${maxOrder}`,
    );
  }
  const { lowHz, highHz, stop = false } = band;
  if (lowHz !== undefined) checkFrequency('lowHz', lowHz, rateHz);
  if (highHz !== undefined) checkFrequency('highHz', highHz, rateHz);
  if (lowHz === undefined && highHz === undefined) {
    throw new ConfigError('butterworth: neither lowHz nor highHz is set. Set one or both.', 'lowHz');
  }
  if (lowHz !== undefined && highHz !== undefined && lowHz >= highHz) {
    throw new ConfigError(
      `butterworth: lowHz is ${lowHz}, highHz ${highHz}. lowHz must be below highHz.`,
      'lowHz',
      `above 0 and below ${highHz} Hz`,
    );
  }
  if (stop && (lowHz === undefined || highHz === undefined)) {
    throw new ConfigError('butterworth: a band-stop needs lowHz and highHz. Set both.', 'stop');
  }
  // The bilinear transform bends the frequency axis; edges are bent the other way first. 4 = 2 × its rate of 2 Hz.
  const warp = (frequencyHz: number) => 4 * Math.tan((Math.PI * frequencyHz) / rateHz);
  const prototype = butterworthPrototype(order);
  let analogue: ZeroPoleGain;
  if (lowHz !== undefined && highHz !== undefined) {
    const [low, high] = [warp(lowHz), warp(highHz)];
    analogue = toBand(prototype, Math.sqrt(low * high), high - low, stop);
  } else if (highHz !== undefined) {
    const edge = warp(highHz);
    analogue = {
      zeros: [],
      poles: prototype.map((p) => scale(p, edge)),
      gain: edge ** order,
    };
  } else {
    const edge = warp(lowHz!);
    analogue = {
      zeros: prototype.map(() => [0, 0]),
      poles: prototype.map((p) => divide([edge, 0], p)),
      gain: 1,
    };
  }
  return pairSections(toDigital(analogue));
}

/**
 * Notch at `frequencyHz` whose −3 dB width is `frequencyHz / quality`, as one section. Equals
 * `scipy.signal.tf2sos(*scipy.signal.iirnotch(frequencyHz, quality, rateHz))`. ConfigError for values out of range.
 */
export function notch(frequencyHz: number, quality: number, rateHz: number): Sos {
  checkFrequency('notchHz', frequencyHz, rateHz);
  if (!(quality > 0) || !Number.isFinite(quality)) {
    throw new ConfigError(
      `notch: quality is ${quality}. Use a number above 0, 30 is usual.`,
      'quality',
      'above 0',
    );
  }
  const omega = (2 * Math.PI * frequencyHz) / rateHz;
  const halfWidth = omega / quality / 2;
  if (halfWidth >= Math.PI / 2) {
    throw new ConfigError(
      `notch: quality ${quality} makes the notch wider than half of ${rateHz} Hz. Use a larger quality.`,
      'quality',
      `above ${(2 * frequencyHz) / rateHz}`,
    );
  }
  const gain = 1 / (1 + Math.tan(halfWidth));
  const middle = -2 * gain * Math.cos(omega);
  return [[gain, middle, gain, 1, middle, 2 * gain - 1]];
}

/** ConfigError unless 0 < frequency < rate / 2. */
export function checkFrequency(key: string, frequencyHz: number, rateHz: number): void {
  if (!(rateHz > 0) || !Number.isFinite(rateHz)) {
    throw new ConfigError(`filter: the rate is ${rateHz} Hz. It must be above 0.`, 'rateHz', 'above 0');
  }
  if (!(frequencyHz > 0 && frequencyHz < rateHz / 2)) {
    const allowed = `above 0 and below ${rateHz / 2} Hz (half of the rate of ${rateHz} Hz)`;
    throw new ConfigError(`filter: ${key} is ${frequencyHz}. Use a frequency ${allowed}.`, key, allowed);
  }
}

/** Poles of the low-pass with edge 1 rad/s: evenly spaced on the left half of the unit circle. */
function butterworthPrototype(order: number): Complex[] {
  return Array.from({ length: order }, (_, i): Complex => {
    const angle = (Math.PI * (2 * i - order + 1)) / (2 * order);
    return [-Math.cos(angle), 2 * i + 1 === order ? 0 : -Math.sin(angle)];
  });
}

/** Low-pass prototype → band-pass or band-stop: every pole p becomes s ± √(s² − centre²), s = p·width/2 or width/2/p. */
function toBand(prototype: readonly Complex[], centre: number, width: number, stop: boolean): ZeroPoleGain {
  const order = prototype.length;
  const moved = prototype.map((p) => (stop ? divide([width / 2, 0], p) : scale(p, width / 2)));
  const offsets = moved.map((s) => squareRoot(subtract(multiply(s, s), [centre * centre, 0])));
  const poles = [
    ...moved.map((s, i) => add(s, offsets[i]!)),
    ...moved.map((s, i) => subtract(s, offsets[i]!)),
  ];
  if (!stop) return { zeros: prototype.map(() => [0, 0]), poles, gain: width ** order };
  const zeros = prototype.flatMap((): Complex[] => [
    [0, centre],
    [0, -centre],
  ]);
  return { zeros, poles, gain: 1 };
}

/** Bilinear transform at 2 Hz: s → (4 + s) / (4 − s); zeros at infinity land on −1. */
function toDigital({ zeros, poles, gain }: ZeroPoleGain): ZeroPoleGain {
  const map = (s: Complex) => divide(add([4, 0], s), subtract([4, 0], s));
  const product = (roots: readonly Complex[]) =>
    roots.reduce<Complex>((total, s) => multiply(total, subtract([4, 0], s)), [1, 0]);
  const atInfinity = Array.from({ length: poles.length - zeros.length }, (): Complex => [-1, 0]);
  return {
    zeros: [...zeros.map(map), ...atInfinity],
    poles: poles.map(map),
    gain: gain * divide(product(zeros), product(poles))[0],
  };
}

/**
 * Zeros and poles → sections: the pole closest to the unit circle takes the closest zero and forms the last section,
 * and so on towards the first, which carries the gain (SciPy's pairing 'nearest').
 */
function pairSections({ zeros, poles, gain }: ZeroPoleGain): Sos {
  const padding: Complex[] = poles.length % 2 === 1 ? [[0, 0]] : [];
  const restZeros = oneOfEachPair([...zeros, ...padding]);
  const restPoles = oneOfEachPair([...poles, ...padding]);
  const sections: Section[] = [];
  while (restPoles.length > 0) {
    const first = takeLowest(restPoles, unitCircleDistance);
    if (isReal(first)) {
      const second = takeLowest(restPoles, unitCircleDistance, isReal);
      sections.unshift(section(takeZeros(restZeros, first), [first, second]));
      continue;
    }
    // One real zero and one real pole left must stay for each other.
    const keepReal = restZeros.filter(isReal).length === 1 && restPoles.filter(isReal).length === 1;
    sections.unshift(section(takeZeros(restZeros, first, keepReal), [first, conjugate(first)]));
  }
  const [b0, b1, b2, ...a] = sections[0]!;
  sections[0] = [b0 * gain, b1 * gain, b2 * gain, ...a];
  return sections;
}

function takeZeros(zeros: Complex[], pole: Complex, onlyComplex = false): [Complex, Complex] {
  const distance = (z: Complex) => Math.hypot(z[0] - pole[0], z[1] - pole[1]);
  const first = takeLowest(zeros, distance, onlyComplex ? (z) => !isReal(z) : undefined);
  return [first, isReal(first) ? takeLowest(zeros, distance, isReal) : conjugate(first)];
}

function section([z1, z2]: [Complex, Complex], [p1, p2]: [Complex, Complex]): Section {
  return [1, -(z1[0] + z2[0]), multiply(z1, z2)[0], 1, -(p1[0] + p2[0]), multiply(p1, p2)[0]];
}

/** Real roots, and of each conjugate pair the one above the axis; complex first, each sorted by real part. */
function oneOfEachPair(roots: readonly Complex[]): Complex[] {
  // As SciPy: an imaginary part below 100 rounding errors is none.
  const real = (z: Complex) => Math.abs(z[1]) <= 100 * Number.EPSILON * Math.hypot(z[0], z[1]);
  const byRealPart = (a: Complex, b: Complex) => a[0] - b[0] || a[1] - b[1];
  return [
    ...roots.filter((z) => !real(z) && z[1] > 0).sort(byRealPart),
    ...roots
      .filter(real)
      .map((z): Complex => [z[0], 0])
      .sort(byRealPart),
  ];
}

function takeLowest(
  roots: Complex[],
  cost: (z: Complex) => number,
  allowed?: (z: Complex) => boolean,
): Complex {
  let best = -1;
  for (let i = 0; i < roots.length; i++) {
    if (allowed && !allowed(roots[i]!)) continue;
    if (best < 0 || cost(roots[i]!) < cost(roots[best]!)) best = i;
  }
  return roots.splice(best, 1)[0]!;
}

const isReal = (z: Complex) => z[1] === 0;
const unitCircleDistance = (z: Complex) => Math.abs(1 - Math.hypot(z[0], z[1]));
const conjugate = (z: Complex): Complex => [z[0], -z[1]];
const scale = (z: Complex, by: number): Complex => [z[0] * by, z[1] * by];
const add = (a: Complex, b: Complex): Complex => [a[0] + b[0], a[1] + b[1]];
const subtract = (a: Complex, b: Complex): Complex => [a[0] - b[0], a[1] - b[1]];
const multiply = (a: Complex, b: Complex): Complex => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];

function divide(a: Complex, b: Complex): Complex {
  const size = b[0] * b[0] + b[1] * b[1];
  return [(a[0] * b[0] + a[1] * b[1]) / size, (a[1] * b[0] - a[0] * b[1]) / size];
}

function squareRoot(z: Complex): Complex {
  const size = Math.hypot(z[0], z[1]);
  if (size === 0) return [0, 0];
  // The larger part by a sum without cancellation, the other from re·im = z.im / 2.
  const larger = Math.sqrt((size + Math.abs(z[0])) / 2);
  const smaller = Math.abs(z[1]) / (2 * larger);
  const sign = z[1] < 0 ? -1 : 1;
  return z[0] >= 0 ? [larger, sign * smaller] : [smaller, sign * larger];
}
