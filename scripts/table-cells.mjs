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
 * `.726 [.701, .750]` of enough tested people, else `.726 (.61 .70 .74 .80)`, the score of each; `signed` for differences.
 * Empty where there is no score.
 */
export function interval(score, people, signed = false) {
  if (!Number.isInteger(people))
    throw new Error('table-cells: interval() needs the number of tested people.');
  if (score === undefined || score.mean === null) return '';
  const write = (value) => `${signed && value > 0 ? '+' : ''}${digits(value)}`;
  return `${write(score.mean)} ${spread(score, people, signed ? write : digits)}`.trimEnd();
}

function spread({ low, high, people: points = [], range }, people, write) {
  if (hasInterval(people)) return `[${digits(low)}, ${digits(high)}]`;
  const known = points.filter((value) => value !== null).sort((a, b) => a - b);
  if (known.length > maximumPoints) return `(${write(known[0])} to ${write(known.at(-1))})`;
  if (known.length > 0) return `(${known.map(write).join(' ')})`;
  return range ? `(${range.map(write).join(' to ')})` : '';
}

/** Of a comparison: over all windows, with the range that an older file has of few people (score-spread.ts). */
export function differenceOf({ difference, subjects: { count, typical } }) {
  const isWhole = count > 0 && count <= 5 && typical.low !== null;
  return isWhole ? { ...difference, range: [typical.low, typical.high] } : difference;
}

/** `.726`. */
export function digits(value) {
  return value === null || value === undefined
    ? ''
    : value
        .toFixed(3)
        .replace(/^(-?)0\./, '$1.')
        .replace('-', '−');
}
