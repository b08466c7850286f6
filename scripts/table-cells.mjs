/** Cells of the documents' tables: scores as the field writes them, their spread by the rule of all displays. */
import { readFileSync } from 'node:fs';

/** The rule that src/evaluate/score-spread.ts applies too; a test holds that both write the same. */
const { fewestPeople } = JSON.parse(
  readFileSync(new URL('../src/evaluate/interval-rule.json', import.meta.url), 'utf8'),
);
const maximumPoints = 5;

/** May an interval over so many people be called 95 %? */
export function hasInterval(people) {
  return people >= fewestPeople;
}

/** A Markdown table; rows are whole lines. */
export function table(header, rows) {
  return [`| ${header.join(' | ')} |`, `|${header.map(() => '---').join('|')}|`, ...rows, ''].join('\n');
}

/**
 * `.726 [.701, .750]` of enough tested people, else `.726 (.61 .70 .74 .80)`, the score of each. A difference has its sign.
 * Empty where there is no score.
 */
export function interval(score, people, isDifference = false) {
  if (!Number.isInteger(people))
    throw new Error('table-cells: interval() needs the number of tested people.');
  if (score === undefined || score.mean === null) return '';
  const write = isDifference ? signed : digits;
  return `${write(score.mean)} ${spread(score, people, write)}`.trimEnd();
}

function spread({ low, high, people: points = [], range }, people, write) {
  if (hasInterval(people)) return `[${digits(low)}, ${digits(high)}]`;
  const known = points.filter((value) => value !== null).sort((a, b) => a - b);
  if (known.length > maximumPoints) return `(${write(known[0])} to ${write(known.at(-1))})`;
  if (known.length > 0) return `(${known.map((value) => write(value)).join(' ')})`;
  return range ? `(${range.map((value) => write(value)).join(' to ')})` : '';
}

/** Of a comparison: over all windows, with the range that an older file has of few people (score-spread.ts). */
export function differenceOf({ difference, subjects: { count, typical } }) {
  const isWhole = count > 0 && count <= 5 && typical.low !== null;
  return isWhole ? { ...difference, range: [typical.low, typical.high] } : difference;
}

/** `.726`, `−.046`; empty where there is no value. */
export function digits(value, places = 3) {
  return value === null || value === undefined
    ? ''
    : value
        .toFixed(places)
        .replace(/^(-?)0\./, '$1.')
        .replace('-', '−');
}

/** `+.012`, `−.046`. */
export function signed(value) {
  return `${value > 0 ? '+' : ''}${digits(value)}`;
}

/** `.012`, `< .001`. */
export function probability(p) {
  return p < 0.001 ? '< .001' : digits(p);
}

/** `p = .012`, `p < .001`. */
export function statedProbability(p) {
  return p < 0.001 ? 'p < .001' : `p = ${digits(p)}`;
}

/** `2.5 %` of a share of 0.025. */
export function percent(share) {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** Of a benchmark's block: `all 12`, `I, II`. */
export function leadsOf({ channels }) {
  return channels.length > 3 ? `all ${channels.length}` : channels.join(', ');
}

export function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The scores of every table, in its order. */
export const scoreNames = ['balancedAccuracy', 'auroc', 'auprc'];
export const scoreTitles = { balancedAccuracy: 'balanced accuracy', auroc: 'AUROC', auprc: 'AUC-PR' };
