/**
 * Heart rate as frozen ECG embeddings tell it, one number a window: a ridge that the R-peak detector teaches on the training
 * people, instead of a head that has to find the rate among hundreds of features from the labels of a few dozen people.
 */
import type { Features } from '../train/frozen-features.ts';
import { fitLinearProbe, predictLinearProbe } from './linear-probe.ts';

/** Inverse strength of the penalty, on standardised features. */
const strength = 0.01;
/** Parts of the training people; the rows of each are read by a ridge on the others. */
const parts = 5;

/**
 * Embeddings [W, F] and rates per minute [W] (NaN where unknown) → rates read [W][1]. Training rows are read by ridges that
 * have not seen their person, so that what learns from them sees errors as large as those to come; with one training
 * person, by the same as all else. DataError where the training rows have no rates, or one only.
 */
export function readRates(
  features: Features,
  rates: ArrayLike<number>,
  subject: readonly string[],
  train: readonly number[],
): Float64Array[] {
  const known = train.map((i) => rates[i]!).filter(Number.isFinite);
  const middle = known.reduce((sum, rate) => sum + rate, 0) / known.length;
  const truth = Float64Array.from({ length: subject.length }, (_, i) => rates[i]! - middle);
  const teach = (indices: readonly number[]) =>
    fitLinearProbe(features, indices, truth, ['heart rate'], { loss: 'squares', C: strength });
  const read = predictLinearProbe(teach(train), features, [...subject.keys()]);
  const people = [...new Set(train.map((i) => subject[i]!))].sort();
  for (let part = 0; part < Math.min(parts, people.length) && people.length > 1; part++) {
    const held = new Set(people.filter((_, k) => k % parts === part));
    const own = train.filter((i) => held.has(subject[i]!));
    const probe = teach(train.filter((i) => !held.has(subject[i]!)));
    for (const [row, value] of predictLinearProbe(probe, features, own).entries()) read[own[row]!] = value;
  }
  return Array.from(read, (value) => Float64Array.of(value + middle));
}
