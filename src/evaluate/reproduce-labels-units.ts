/** One answer of one model (under a share of labels and a seed), as it is kept; several seeds of it → a row. */
import type { FinetuneScore } from './finetune-score.ts';
import type { FoldScore } from './fold-scores.ts';
import type { ProbeResult } from './probe.ts';
import { meanOfSeeds } from './probe-comparison.ts';
import type { Asked } from './probe-ways.ts';
import type { LabelModel } from './reproduce-labels-models.ts';
import type { LabelRow } from './reproduce-labels-result.ts';
import { finite } from './result.ts';

export interface LabelUnit {
  readonly model: string;
  readonly kind: LabelRow['kind'];
  readonly labelShare: number;
  readonly seed: number;
  /** Training people whose labels were used. */
  readonly people: number;
  /** Macro; and on resamples of the tested people, NaN where undefined. */
  readonly auroc: number;
  readonly draws: Float64Array;
  readonly labels: readonly { readonly name: string; readonly auroc: number; readonly draws: Float64Array }[];
  /** Too rare to learn or to test. */
  readonly leftOut: readonly string[];
  readonly strengths: readonly number[];
  readonly epochs: readonly number[];
}

export function unitOf(
  { name, kind }: Pick<LabelModel, 'name' | 'kind'>,
  { labelShare, seed }: Asked,
  score: FoldScore | ProbeResult | FinetuneScore,
): LabelUnit {
  const { scores, draws, labels, labelDraws, leftOut, subjects } = score;
  return {
    ...{ model: name, kind, labelShare, seed, people: subjects.train, leftOut },
    ...{ auroc: scores.auroc!.mean!, draws },
    labels: labels.map((label, k) => ({ name: label.name, auroc: label.auroc, draws: labelDraws[k]! })),
    strengths: 'strengths' in score ? score.strengths : [],
    epochs: 'trainings' in score ? score.trainings.map(({ bestEpoch }) => bestEpoch) : [],
  };
}

/** As plain data: NaN becomes null. */
export function writeUnit(unit: LabelUnit): unknown {
  return {
    ...unit,
    draws: [...unit.draws],
    labels: unit.labels.map((one) => ({ ...one, draws: [...one.draws] })),
  };
}

/** Back, once JSON was parsed. */
export function readUnit(value: unknown): LabelUnit | undefined {
  const unit = value as LabelUnit | undefined;
  if (!unit || !Array.isArray(unit.draws) || !Array.isArray(unit.labels)) return undefined;
  const numbers = (list: ArrayLike<number | null>) => Float64Array.from(list, (one) => one ?? Number.NaN);
  return {
    ...unit,
    draws: numbers(unit.draws as unknown as (number | null)[]),
    labels: unit.labels.map((one) => ({ ...one, draws: numbers(one.draws as unknown as (number | null)[]) })),
  };
}

/** Units that differ by their seed alone: means, intervals for new people and new seeds. */
export function rowOf(units: readonly LabelUnit[]): LabelRow {
  const [{ model, kind, labelShare, people }] = units as [LabelUnit];
  const mean = (group: readonly { readonly auroc: number; readonly draws: Float64Array }[]) => {
    const found = meanOfSeeds(group.map(({ auroc, draws }) => ({ score: auroc, draws })));
    return { mean: finite(found.mean), low: finite(found.low), high: finite(found.high) };
  };
  const names = [...new Set(units.flatMap(({ labels }) => labels.map(({ name }) => name)))];
  return {
    ...{ model, kind, labelShare, people },
    seeds: units.map(({ seed }) => seed),
    auroc: mean(units),
    labels: names.map((name) => ({
      name,
      auroc: mean(units.flatMap(({ labels }) => labels.filter((label) => label.name === name))),
    })),
    strengths: units.flatMap(({ strengths }) => strengths),
    epochs: units.flatMap(({ epochs }) => epochs),
  };
}
