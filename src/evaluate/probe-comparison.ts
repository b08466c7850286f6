/**
 * Encoders under the same probe, compared: those of one name are trainings that differ by their seed alone. People and
 * seeds are both drawn again, so that an interval holds for new people and a new training.
 */
import { Random } from '../core/random.ts';
import { intervalOf } from '../metrics/bootstrap.ts';
import { holm } from '../metrics/holm.ts';

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
  /** The same for the whole list (Holm). */
  readonly pHolm: number;
}

/** Every name against `against` (the first by default); empty for one name. */
export function compareProbes(
  probes: readonly ComparedProbe[],
  { against = probes[0]?.name ?? '', seed = 0 }: { readonly against?: string; readonly seed?: number } = {},
): ProbeComparison[] {
  const groups = new Map<string, ComparedProbe[]>();
  for (const probe of probes) groups.set(probe.name, [...(groups.get(probe.name) ?? []), probe]);
  const reference = groups.get(against);
  if (!reference) return [];
  const compared = [...groups].filter(([name]) => name !== against);
  const found = compared.map(([name, own]) => {
    const random = Random.derive(seed, 'probes', name);
    const draws = Float64Array.from(reference[0]!.draws, (_, sample) => {
      const drawn = drawMean(own, sample, random);
      return drawn - drawMean(reference, sample, random);
    });
    const difference = mean(own.map(({ score }) => score)) - mean(reference.map(({ score }) => score));
    const { low, high } = intervalOf(difference, draws);
    const encoders = [own.length, reference.length] as const;
    return { ...{ name, against, encoders, difference, low, high }, p: twoSided(draws) };
  });
  const adjusted = holm(found.map(({ p }) => p));
  return found.map((one, i) => ({ ...one, pHolm: adjusted[i]! }));
}

/** As many encoders as there are, drawn with replacement. */
function drawMean(group: readonly ComparedProbe[], sample: number, random: Random): number {
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
