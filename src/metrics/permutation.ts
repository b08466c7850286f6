/**
 * The paired permutation test: if two models were equally good, the sign of every subject's difference would be a fair
 * coin. Statistic: the mean difference; two-sided.
 */
import { Random } from '../core/random.ts';

export interface PermutationTest {
  /** 1 where every difference is zero. */
  readonly p: number;
  /** The smallest p that as many differences can give, whatever they are. */
  readonly smallest: number;
  readonly method: 'exact' | 'monte carlo';
  /** Differences that are not zero: the others change no sum. */
  readonly count: number;
}

export interface PermutationOptions {
  /** Random signs where there are too many to try all. */
  readonly samples?: number;
  readonly seed?: number;
}

/** All signs of up to this many differences are tried: 2¹⁶ = 65,536. */
const maximumExact = 16;

/** The smallest two-sided p of n differences: 2 of 2ⁿ signs, or 1 of the random ones and the observed. */
export function smallestPermutationP(n: number, samples = 19_999): number {
  return n <= maximumExact ? Math.min(1, 2 ** (1 - n)) : 1 / (samples + 1);
}

/**
 * Test differences, one a subject. Above 16 that are not zero p is (b + 1) / (m + 1) of m random signs, which is never
 * 0 and never too small (Phipson & Smyth 2010).
 */
export function signFlipTest(
  differences: readonly number[],
  { samples = 19_999, seed = 0 }: PermutationOptions = {},
): PermutationTest {
  const values = Float64Array.from(differences.filter((value) => value !== 0));
  const count = values.length;
  const smallest = smallestPermutationP(count, samples);
  if (count === 0) return { p: 1, smallest, method: 'exact', count };
  // Sums that would be equal without rounding count as equal.
  const slack = 1e-12 * values.reduce((sum, value) => sum + Math.abs(value), 0);
  const observed = Math.abs(values.reduce((sum, value) => sum + value, 0)) - slack;
  if (count <= maximumExact) {
    const sums = allSums(values);
    let extreme = 0;
    for (const sum of sums) extreme += Number(Math.abs(sum) >= observed);
    return { p: extreme / sums.length, smallest, method: 'exact', count };
  }
  const random = Random.derive(seed, 'signs');
  let extreme = 0;
  for (let sample = 0; sample < samples; sample++) {
    let sum = 0;
    for (let start = 0; start < count; start += 32) {
      let bits = random.uint32();
      const end = Math.min(count, start + 32);
      for (let i = start; i < end; i++) {
        sum += bits & 1 ? values[i]! : -values[i]!;
        bits >>>= 1;
      }
    }
    extreme += Number(Math.abs(sum) >= observed);
  }
  return { p: (extreme + 1) / (samples + 1), smallest, method: 'monte carlo', count };
}

/** The sums of all signs but the first's, whose other half mirrors these: 2ⁿ⁻¹. */
function allSums(values: Float64Array): Float64Array {
  const sums = new Float64Array(2 ** (values.length - 1));
  sums[0] = values[0]!;
  for (let i = 1, size = 1; i < values.length; i++, size *= 2) {
    for (let k = 0; k < size; k++) {
      sums[size + k] = sums[k]! - values[i]!;
      sums[k]! += values[i]!;
    }
  }
  return sums;
}
