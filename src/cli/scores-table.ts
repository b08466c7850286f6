/** The table of a result for the terminal. */
import { comparisonsThatMatter, describeComparison, warnOfFewPeople } from '../evaluate/comparison-words.ts';
import type { Result, ScoreInterval } from '../evaluate/result.ts';
import { renderTable } from './table.ts';

/**
 * Balanced accuracy, AUROC and AUC-PR of every model with their intervals, how they were found, and a line for every
 * comparison that matters.
 */
export function renderScores(result: Result): string {
  const { models, dataset, protocol, seeds, windows } = result;
  const shown = ['balancedAccuracy', 'auroc', 'auprc'];
  const rows = Object.entries(models).map(([name, scores]) => [
    name,
    ...shown.map((score) => formatInterval(scores[score])),
  ]);
  return [
    `${dataset.title}: ${dataset.classes.join(' / ')}, ${windows} windows`,
    `${protocol}; ${seeds.length} seed${seeds.length === 1 ? '' : 's'}; intervals: 95 %, subjects drawn again`,
    '',
    renderTable(['model', 'balanced accuracy', 'AUROC', 'AUC-PR'], rows, ['left', 'right', 'right', 'right']),
    ...renderComparisons(result),
  ].join('\n');
}

function renderComparisons(result: Result): string[] {
  const comparisons = comparisonsThatMatter(result);
  if (comparisons.length === 0) return [];
  const warning = warnOfFewPeople(comparisons);
  return ['', ...comparisons.map(describeComparison), ...(warning === undefined ? [] : ['', warning])];
}

function formatInterval(interval: ScoreInterval | undefined): string {
  if (!interval || interval.mean === null) return '–';
  const digits = (x: number | null) => (x === null ? '–' : x.toFixed(3));
  return `${digits(interval.mean)} [${digits(interval.low)}, ${digits(interval.high)}]`;
}
