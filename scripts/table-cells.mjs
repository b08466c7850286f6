/** Cells of the documents' tables: scores as the field writes them. */

/** A Markdown table; rows are whole lines. */
export function table(header, rows) {
  return [`| ${header.join(' | ')} |`, `|${header.map(() => '---').join('|')}|`, ...rows, ''].join('\n');
}

/** `.726 [.701, .750]`; `signed` for differences. Empty where there is no score. */
export function interval(score, signed = false) {
  if (score === undefined || score.mean === null) return '';
  const sign = signed && score.mean > 0 ? '+' : '';
  return `${sign}${digits(score.mean)} [${digits(score.low)}, ${digits(score.high)}]`;
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
