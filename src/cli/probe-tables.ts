/** What `heartmind probe` prints: scores, differences between encoders, errors of reconstruction. */
import type { Targets } from '../datasets/targets.ts';
import type { FinetuneScore } from '../evaluate/finetune-score.ts';
import type { ProbeResult } from '../evaluate/probe.ts';
import { compareProbes, type ProbeComparison } from '../evaluate/probe-comparison.ts';
import type { ProbedReconstruction } from '../evaluate/probe-reconstruction.ts';
import { questions } from '../evaluate/question-families.ts';
import { explainSpread, formatScore, formatSpread, hasInterval, spreadOf } from '../evaluate/score-spread.ts';
import { renderTable } from './table.ts';

export interface ProbeRow {
  readonly encoder: string;
  readonly seed: number;
  readonly labelShare: number;
  readonly result: ProbeResult | FinetuneScore;
}

export interface Comparison extends ProbeComparison {
  readonly target: string;
  readonly score: string;
  readonly labelShare: number;
  /** Tested people, of whom the intervals are. */
  readonly people: number;
}

/** Every name against the first, by target and share of labels; draws of the folds' seeds stand beside each other. */
export function compareRows(rows: readonly ProbeRow[], targets: readonly Targets[]): Comparison[] {
  const against = rows[0]!.encoder;
  return targets.flatMap((target) => {
    const own = rows.filter(({ result }) => result.target === target.name);
    return [...new Set(own.map(({ labelShare }) => labelShare))].flatMap((labelShare) => {
      const score = Object.keys(own[0]!.result.scores)[0]!;
      const probes = own
        .filter((row) => row.labelShare === labelShare)
        .map(({ encoder, result }) => ({
          ...{ name: encoder, score: result.scores[score]!.mean ?? Number.NaN },
          draws: result.draws,
        }));
      return compareProbes(probes, { against }).map((one) => ({
        ...{ target: target.name, score, labelShare, people: own[0]!.result.subjects.test },
        ...one,
      }));
    });
  });
}

export function renderComparisons(comparisons: readonly Comparison[]): string {
  const table = renderTable(
    [
      ...['target', 'labels of', 'encoder', 'score', `against ${comparisons[0]!.against}`, 'p', 'p (Holm)'],
      'Holm over',
    ],
    comparisons.map(({ target, labelShare, name, score, difference, low, high, people, ...test }) => [
      ...[target, `${Number((100 * labelShare).toPrecision(3))} %`, name, score],
      `${signed(difference)} ${formatSpread(spreadOf({ mean: difference, low, high }, people), signed)}`.trimEnd(),
      ...(hasInterval(people) ? [format(test.p), format(test.pHolm)] : ['–', '–']),
      `${test.family}: ${questions[test.question]}`,
    ]),
  );
  const isFew = comparisons.some(({ people }) => !hasInterval(people));
  return `differences of the score over all tested windows; tested people and, of equal names, trainings drawn again${isFew ? '; no interval and no p where too few people are tested' : ''}\n${table}`;
}

export function renderReconstruction(filled: readonly ProbedReconstruction[]): string {
  const kinds = Object.keys(filled[0]!.losses);
  const row = (name: string, losses: Readonly<Record<string, number>>) => [
    ...[name, ...kinds.map((kind) => losses[kind]!.toPrecision(3))],
  ];
  const table = renderTable(
    ['encoder', ...kinds],
    [...filled.map(({ encoder, losses }) => row(encoder, losses)), row('(zero)', filled[0]!.zero)],
  );
  return `mean squared error of hidden samples, by kind of mask\n${table}`;
}

export function renderRows(rows: readonly ProbeRow[], targets: readonly Targets[]): string {
  return targets
    .map(({ name, kind }) => {
      const own = rows.filter(({ result }) => result.target === name);
      const scores = Object.keys(own[0]!.result.scores);
      const { windows, subjects, leftOut, labels } = own[0]!.result;
      const what =
        kind === 'number'
          ? ''
          : `, ${labels.length} label${labels.length === 1 ? '' : 's'}${leftOut.length > 0 ? ` (${leftOut.length} too rare)` : ''}`;
      const head = `${name}${what}: ${subjects.train} people train, ${subjects.test} test (${windows.test} windows); ${explainSpread(subjects.test)}`;
      const table = renderTable(
        ['encoder', 'labels of', 'seed', ...scores],
        own.map(({ encoder, labelShare, seed, result }) => [
          ...[encoder, `${Number((100 * labelShare).toPrecision(3))} %`, String(seed)],
          ...scores.map((score) => formatScore(result.scores[score]!, result.subjects.test, format)),
        ]),
      );
      return `${head}\n${table}`;
    })
    .join('\n\n');
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${format(Math.abs(value))}`;
}

function format(value: number | null): string {
  return value === null || !Number.isFinite(value) ? '–' : value.toFixed(3).replace(/^(-?)0\./, '$1.');
}
