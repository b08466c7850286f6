/**
 * Encoders under the same probe, compared: those of one name are trainings that differ by their seed alone. People and
 * seeds are both drawn again, so that an interval holds for new people and a new training.
 */
import { Random } from '../core/random.ts';
import { type Interval, intervalOf } from '../metrics/bootstrap.ts';
import { adjustFamilies, type Question } from './question-families.ts';

export interface ComparedProbe {
  /** Of the encoder; equal for trainings that differ by their seed. */
  readonly name: string;
  readonly score: number;
  /** The score on resamples of the tested people, the same resamples for every encoder. */
  readonly draws: ArrayLike<number>;
}

export interface ProbeComparison {
  readonly name: string;
  readonly against: string;
  /** How many encoders of each name. */
  readonly encoders: readonly [number, number];
  /** Mean score of `name` minus that of `against`, 95 % percentile interval. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided: twice the smaller share of resamples on one side of zero, at least 2 / (samples + 1). */
  readonly p: number;
  /** Adjusted over the `family` comparisons of the list that answer the same `question` (Holm). */
  readonly pHolm: number;
  readonly question: Question;
  readonly family: number;
}

export interface CompareProbesOptions {
  /** The first by default. */
  readonly against?: string;
  readonly seed?: number;
  /** What comparing a name asks; names that answer the same question are adjusted together. One question by default. */
  readonly questionOf?: (name: string) => Question;
}

/** Every name against one; empty for one name. */
export function compareProbes(
  probes: readonly ComparedProbe[],
  { against = probes[0]?.name ?? '', seed = 0, questionOf = () => 'encoders' }: CompareProbesOptions = {},
): ProbeComparison[] {
  const names = [...new Set(probes.map(({ name }) => name))].filter((name) => name !== against);
  if (!probes.some(({ name }) => name === against)) return [];
  const found = names.map((name) => differenceOf(probes, name, against, seed));
  const adjusted = adjustFamilies(found, { p: ({ p }) => p, familyOf: ({ name }) => questionOf(name) });
  return found.map((one, i) => ({
    ...one,
    ...{ pHolm: adjusted[i]!.adjusted!, question: questionOf(one.name), family: adjusted[i]!.size },
  }));
}

/** Of what is drawn again: people as they were drawn for both, seeds of each. The two names must be among the probes. */
export function differenceOf(
  probes: readonly ComparedProbe[],
  name: string,
  against: string,
  seed = 0,
): Omit<ProbeComparison, 'pHolm' | 'question' | 'family'> {
  const [own, reference] = [name, against].map((one) => probes.filter((probe) => probe.name === one)) as [
    ComparedProbe[],
    ComparedProbe[],
  ];
  const random = Random.derive(seed, 'probes', name);
  const draws = Float64Array.from(reference[0]!.draws, (_, sample) => {
    const drawn = drawMean(own, sample, random);
    return drawn - drawMean(reference, sample, random);
  });
  const difference = mean(own.map(({ score }) => score)) - mean(reference.map(({ score }) => score));
  const { low, high } = intervalOf(difference, draws);
  const encoders = [own.length, reference.length] as const;
  return { ...{ name, against, encoders, difference, low, high }, p: twoSided(draws) };
}

/** Mean score over trainings that differ by their seed; 95 % interval for new people and new trainings. */
export function meanOfSeeds(group: readonly Omit<ComparedProbe, 'name'>[], seed = 0): Interval {
  const random = Random.derive(seed, 'seeds');
  const draws = Float64Array.from(group[0]!.draws, (_, sample) => drawMean(group, sample, random));
  return intervalOf(mean(group.map(({ score }) => score)), draws);
}

/** As many encoders as there are, drawn with replacement. */
function drawMean(group: readonly Pick<ComparedProbe, 'draws'>[], sample: number, random: Random): number {
  return mean(group.map(() => group[random.integer(group.length)]!.draws[sample]!));
}

function twoSided(draws: Float64Array): number {
  const known = draws.filter((value) => !Number.isNaN(value));
  const above = known.filter((value) => value > 0).length;
  const below = known.filter((value) => value < 0).length;
  return Math.min(1, (2 * (Math.min(known.length - above, known.length - below) + 1)) / (known.length + 1));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
