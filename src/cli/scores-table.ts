/** The table of a result for the terminal. */
import { comparisonsThatMatter, describeComparison, warnOfFewPeople } from '../evaluate/comparison-words.ts';
import type { Result } from '../evaluate/result.ts';
import { countTested, explainSpread, formatScore, scoreOf } from '../evaluate/score-spread.ts';
import { renderTable } from './table.ts';

/**
 * Balanced accuracy, AUROC and AUC-PR of every model with their intervals, how they were found, and a line for every
 * comparison that matters.
 */
export function renderScores(result: Result): string {
  const { models, dataset, protocol, seeds, windows } = result;
  const shown = ['balancedAccuracy', 'auroc', 'auprc'];
  const tested = countTested(result);
  const rows = Object.keys(models).map((name) => [
    name,
    ...shown.map((score) => {
      const own = scoreOf(result, name, score);
      return own ? formatScore(own, tested, (value) => value.toFixed(3)) : '–';
    }),
  ]);
  return [
    `${dataset.title}: ${dataset.classes.join(' / ')}, ${windows} windows`,
    `${protocol}; ${seeds.length} seed${seeds.length === 1 ? '' : 's'}; scores of all tested windows; ${explainSpread(tested)}`,
    '',
    renderTable(['model', 'balanced accuracy', 'AUROC', 'AUC-PR'], rows, ['left', 'right', 'right', 'right']),
    ...renderComparisons(result),
  ].join('\n');
}

function renderComparisons(result: Result): string[] {
  const comparisons = comparisonsThatMatter(result);
  if (comparisons.length === 0) return [];
  const warning = warnOfFewPeople(comparisons);
  const tested = countTested(result);
  const lines = comparisons.map((one) => describeComparison(one, tested));
  return ['', ...lines, ...(warning === undefined ? [] : ['', warning])];
}
