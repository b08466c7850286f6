/**
 * Filtering by second-order sections: x [T] → y [T], float64.
 * Causal (`scipy.signal.sosfilt`, in chunks if wanted) and zero-phase (`scipy.signal.sosfiltfilt`).
 * A NaN or infinity spoils every later sample (causal) or the whole signal (zero-phase): check quality first.
 */
import { DataError, ShapeError } from '../core/errors.ts';
import { runCascade } from './cascade.ts';
import type { Sos } from './filter-design.ts';

export type { Band, Section, Sos } from './filter-design.ts';
export { butterworth, notch } from './filter-design.ts';

/** Memory of a causal filter between chunks: two numbers a section. All zero: the signal was 0 before. */
export type FilterState = Float64Array;

/** A state for a signal that was 0 before its first sample. */
export function zeroState(sos: Sos): FilterState {
  return new Float64Array(2 * sos.length);
}

/** The state after an endless signal of constant `level`: no switch-on transient. `scipy.signal.sosfilt_zi × level`. */
export function steadyState(sos: Sos, level = 1): FilterState {
  const state = zeroState(sos);
  let input = level;
  for (const [i, [b0, b1, b2, , a1, a2]] of sos.entries()) {
    const first = (b1 + b2 - (a1 + a2) * b0) / (1 + a1 + a2);
    state[2 * i] = first * input;
    state[2 * i + 1] = ((1 + a1) * first - (b1 - a1 * b0)) * input;
    input *= (b0 + b1 + b2) / (1 + a1 + a2);
  }
  return state;
}

/**
 * Causal filtering. With a `state`, it starts from there and leaves the state after the last sample in it, so that a
 * signal in chunks of any length gives exactly the same samples as the whole. ShapeError for a state of another filter.
 */
export function sosFilter(sos: Sos, x: Float64Array, state: FilterState = zeroState(sos)): Float64Array {
  if (state.length !== 2 * sos.length) {
    throw new ShapeError(
      `sosFilter: the state has ${state.length} numbers, ${sos.length} sections need ${2 * sos.length}. Make it with zeroState(sos).`,
      'sosFilter',
      `[${2 * sos.length}]`,
      `[${state.length}]`,
    );
  }
  const y = x.slice();
  runCascade(sos, y, state);
  return y;
}

/** Samples that zero-phase filtering adds at each end; the signal must be longer. SciPy's default. */
export function paddingSamples(sos: Sos): number {
  const noZero = sos.filter((section) => section[2] === 0).length;
  const noPole = sos.filter((section) => section[5] === 0).length;
  return 3 * (2 * sos.length + 1 - Math.min(noZero, noPole));
}

/**
 * Zero-phase filtering: forwards and backwards, so the gain is squared and nothing is delayed. Ends are continued by
 * a half turn about the end sample (odd padding). DataError if x is not longer than the padding.
 */
export function sosFiltFilt(sos: Sos, x: Float64Array): Float64Array {
  const edge = paddingSamples(sos);
  const length = x.length;
  if (length <= edge) {
    throw new DataError(
      `sosFiltFilt: the signal has ${length} samples, zero-phase filtering with ${sos.length} sections needs more than ${edge}. Use a longer signal or a lower order.`,
    );
  }
  const padded = new Float64Array(length + 2 * edge);
  padded.set(x, edge);
  const [first, last] = [x[0]!, x[length - 1]!];
  for (let i = 1; i <= edge; i++) {
    padded[edge - i] = 2 * first - x[i]!;
    padded[edge + length - 1 + i] = 2 * last - x[length - 1 - i]!;
  }
  runCascade(sos, padded, steadyState(sos, padded[0]));
  runCascade(sos, padded, steadyState(sos, padded.at(-1)), -1);
  return padded.slice(edge, edge + length);
}
