/** A benchmark's result as cells of text: what the terminal prints and the report draws. */
import type { PublishedFigure } from './published-figures.ts';
import type { Reproduction, ReproductionRow, ReproductionTable } from './reproduce-result.ts';
import type { BinaryScoreName } from './reproduce-scores.ts';
import { fewestForInterval, formatScore, type SpreadScore } from './score-spread.ts';

export const scoreTitles: Readonly<Record<BinaryScoreName, string>> = {
  balancedAccuracy: 'balanced accuracy',
  f1: 'F1',
  f1Macro: 'F1 macro',
  auroc: 'AUROC',
  auprc: 'AUC-PR',
};

/** What a row is, in words. */
const modelTitles: Readonly<Record<string, string>> = {
  eeg: 'EEG encoder',
  ecg: 'ECG encoder',
  'eeg+ecg': 'EEG + ECG, embeddings concatenated',
  'eeg×ecg': 'products of both embeddings, linear head',
  'eeg+ecg-late': 'EEG and ECG encoder, a head each',
  'ecg-rate': 'heart rate as the ECG encoder tells it',
  'eeg+ecg-rate': 'EEG encoder, and heart rate as the ECG encoder tells it, a head each',
  'eeg+classical': 'hybrid: EEG encoder, band power, heart rate, a head each',
  'ecg+classical': 'hybrid: ECG encoder, band power, heart rate, a head each',
  'eeg+ecg+classical': 'hybrid: both encoders, band power, heart rate, a head each',
  'classical-eeg+ecg-late': 'band power and heart rate, a logistic regression each',
  'classical-eeg+ecg-even': 'the same, joined at equal spread',
  'classical-eeg': 'band power, logistic regression',
  'classical-ecg': 'heart rate and variability, logistic regression',
  'classical-eeg+ecg': 'band power and heart rate, logistic regression',
  majority: 'most frequent class',
  prior: 'share of classes',
  'subject-prior': "share of classes in the person's training trials",
  'stimulus-prior': "share of classes in others' trials of the stimulus",
};

/** `eeg-standardised` → words, without the way of standardising: that is a column. */
export function titleOf(model: string): string {
  return modelTitles[model.replace(/-standardised$/, '')] ?? model;
}

/** `leave-trials-out`; says where it is leaky. */
export function protocolTitle({ protocol, leaky }: Pick<ReproductionTable, 'protocol' | 'leaky'>): string {
  return leaky ? `${protocol} (leaky, for comparison)` : protocol;
}

/** `.726 [.700, .750]`, or the scores of few tested people. */
export function formatInterval(score: SpreadScore, tested: number): string {
  return formatScore(score, tested, digits);
}

/** How many of what is drawn again were tested. Old files do not count stimuli, of which every benchmark has enough. */
export function countUnits({ drawn, tested, rows }: ReproductionTable): number {
  return drawn === 'subjects'
    ? tested.subjects
    : (rows[0]?.windows.auroc.people?.length ?? fewestForInterval);
}

export function digits(value: number | null): string {
  return value === null ? '–' : value.toFixed(3).replace(/^(-?)0\./, '$1.');
}

/** The scores that the recipe shows. */
export function shownScores({ recipe }: Reproduction): BinaryScoreName[] {
  return (recipe as { scores?: BinaryScoreName[] }).scores ?? ['balancedAccuracy', 'f1Macro', 'auroc'];
}

/** A model's rows side by side: as it stands, and standardised within people. */
export interface RowPair {
  readonly model: string;
  readonly inductive: ReproductionRow | undefined;
  readonly transductive: ReproductionRow | undefined;
}

/** In the order of the table. */
export function pairRows({ rows }: ReproductionTable): RowPair[] {
  const names = [...new Set(rows.map(({ model }) => model.replace(/-standardised$/, '')))];
  return names.map((model) => ({
    model,
    inductive: rows.find((row) => row.model === model),
    transductive: rows.find((row) => row.model === `${model}-standardised`),
  }));
}

/** Does the result hold transductive rows at all? */
export function hasTransductive({ tables }: Reproduction): boolean {
  return tables.some(({ rows }) => rows.some(({ transductive }) => transductive));
}

/** Header and rows of one target, `per` window or trial; published figures last. */
export function targetCells(result: Reproduction, target: string, per: 'windows' | 'trials' = 'windows') {
  const scores = shownScores(result);
  const both = hasTransductive(result);
  const columns = both ? (['inductive', 'transductive'] as const) : (['inductive'] as const);
  const header = [
    'protocol',
    'model',
    ...columns.flatMap((column) =>
      scores.map((score) => `${scoreTitles[score]}${column === 'transductive' ? ' (transductive)' : ''}`),
    ),
  ];
  const rows = result.tables
    .filter((table) => table.target === target)
    .flatMap((table) =>
      pairRows(table).map((pair, i) => [
        i === 0 ? protocolTitle(table) : '',
        pair.model,
        ...columns.flatMap((column) =>
          scores.map((score) =>
            pair[column] ? formatInterval(pair[column][per][score], countUnits(table)) : '',
          ),
        ),
      ]),
    );
  const published = result.published
    .filter((figure) => figure.target === target)
    .map((figure) => [
      `paper: ${figure.protocol ?? 'protocol not told'}`,
      figure.model,
      ...columns.flatMap((column) =>
        scores.map((score) => (column === 'inductive' ? publishedCell(figure, score) : '')),
      ),
    ]);
  return { header, rows: [...rows, ...published] };
}

/** A paper's F1 stands in the column of either F1, named: which one it is, is not told. */
function publishedCell({ scores }: Pick<PublishedFigure, 'scores'>, score: BinaryScoreName): string {
  const value = score === 'f1Macro' ? undefined : scores[score];
  if (value !== undefined) return digits(value);
  return score === 'f1Macro' && scores.f1 !== undefined ? `${digits(scores.f1)} (F1)` : '';
}
