/**
 * Logistic regression on embeddings, for more features than windows: fitted to the end under a penalty that the validation
 * windows choose. What `heartmind probe` does, for a benchmark's folds.
 */
import { auroc } from '../metrics/ranking.ts';
import type { Features } from '../train/frozen-features.ts';
import { commonBasis, fitLinearProbes, type LinearProbe, predictLinearProbe } from './linear-probe.ts';
import type { Rows } from './row-products.ts';

export interface LogisticHeadOptions {
  /** [W, F]. */
  readonly features: Features;
  /** 0 or 1 a window. */
  readonly labels: ArrayLike<number>;
  readonly training: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
  /** Inverse strengths of the penalty, ascending. */
  readonly strengths: readonly number[];
}

/** Found once for the folds of the same features, from all of their rows: it is no part of what is fitted. */
const bases = new WeakMap<Float32Array, Rows | undefined>();

function basisOf(features: Features): Rows | undefined {
  if (!bases.has(features.data)) {
    const rows = Array.from({ length: features.data.length / features.size }, (_, i) => i);
    bases.set(features.data, commonBasis(features, rows));
  }
  return bases.get(features.data);
}

/**
 * Probabilities of class 1 [test], as if both classes were as frequent: the odds are divided by those of the training
 * windows. DataError where training has one class only.
 */
export function runLogisticHead({
  features,
  labels,
  training,
  validation,
  test,
  strengths,
}: LogisticHeadOptions): Float64Array {
  const truth = Float64Array.from({ length: features.data.length / features.size }, (_, i) =>
    (labels[i] ?? -1) < 0 ? Number.NaN : labels[i]!,
  );
  const validTruth = Float64Array.from(validation, (i) => truth[i]!);
  let best: { readonly probe: LinearProbe; readonly score: number } | undefined;
  for (const { probe } of fitLinearProbes(features, training, truth, ['1'], {
    loss: 'logistic',
    strengths,
    basis: basisOf(features),
  })) {
    const area =
      strengths.length === 1 ? 0 : auroc(validTruth, predictLinearProbe(probe, features, validation));
    // Where validation cannot tell (one class only), the strongest penalty stays.
    const score = Number.isNaN(area) ? Number.NEGATIVE_INFINITY : area;
    if (!best || score > best.score) best = { probe, score };
  }
  const ones = training.filter((i) => labels[i] === 1).length;
  const prior = Math.log(ones / (training.length - ones));
  return predictLinearProbe(best!.probe, features, test).map((score) => 1 / (1 + Math.exp(prior - score)));
}
