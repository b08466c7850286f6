/** Comma-separated values (RFC 4180) → rows: quotes, line breaks inside quotes, BOM, CRLF; `,`, `;` or tab. */
import { FormatError } from '../core/errors.ts';

export interface CsvRow {
  /** Line on which the row starts, from 1: for messages. */
  readonly line: number;
  readonly fields: Readonly<Record<string, string>>;
}

export interface Csv {
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/** Parse a table with a header row. FormatError with the line where a row's fields do not match the header. */
export function parseCsv(text: string, name: string): Csv {
  const body = text.replace(/^\uFEFF/, '');
  const delimiter = guessDelimiter(body);
  const records = [...csvRecords(body, delimiter, name)].filter(({ fields }) =>
    fields.some((field) => field.trim() !== ''),
  );
  const [header, ...rest] = records;
  if (!header)
    throw new FormatError(`csv: ${name} is empty. It needs a header row and one row a file.`, name, 0);
  const columns = header.fields.map((field) => field.trim());
  const rows = rest.map(({ line, fields }) => {
    if (fields.length !== columns.length) {
      throw new FormatError(
        `csv: ${name} line ${line} has ${fields.length} fields, the header has ${columns.length}. Correct the line.`,
        name,
      );
    }
    return { line, fields: Object.fromEntries(columns.map((column, i) => [column, fields[i]!.trim()])) };
  });
  return { columns, rows };
}

/** The delimiter that the header line has most of. */
function guessDelimiter(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  const count = (delimiter: string) => line.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}

/** Rows as lists of fields, one after another: for tables too large to keep. FormatError for a quote without an end. */
export function* csvRecords(
  text: string,
  delimiter: string,
  name: string,
): Generator<{ readonly line: number; readonly fields: string[] }> {
  const stop = delimiter.charCodeAt(0);
  let [at, line] = [0, 1];
  while (at <= text.length) {
    const [start, fields] = [line, [] as string[]];
    for (;;) {
      let field = '';
      if (text[at] === '"') {
        // Up to the quote that is not doubled.
        let from = at + 1;
        for (;;) {
          const to = text.indexOf('"', from);
          if (to < 0)
            throw new FormatError(
              `csv: ${name}: the quote opened in the row of line ${start} is never closed.`,
              name,
            );
          const isDoubled = text[to + 1] === '"';
          field += text.slice(from, isDoubled ? to + 1 : to);
          from = to + (isDoubled ? 2 : 1);
          if (!isDoubled) break;
        }
        for (let i = at; i < from; i++) if (text.charCodeAt(i) === 10) line++;
        at = from;
      }
      let end = at;
      for (let code = text.charCodeAt(end); end < text.length && code !== stop && code !== 10; )
        code = text.charCodeAt(++end);
      const rest = text.slice(at, end);
      fields.push(field + (rest.includes('\r') ? rest.replaceAll('\r', '') : rest));
      at = end + 1;
      if (end >= text.length || text.charCodeAt(end) === 10) break;
    }
    line++;
    yield { line: start, fields };
  }
}
