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
  const records = splitRecords(body, delimiter, name).filter(({ fields }) =>
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

function splitRecords(text: string, delimiter: string, name: string): { line: number; fields: string[] }[] {
  const records: { line: number; fields: string[] }[] = [];
  let [line, start] = [1, 1];
  let fields: string[] = [];
  let field = '';
  let quoted = false;
  const endField = () => {
    fields.push(field);
    field = '';
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '\n') line++;
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[i + 1] === '"') field += text[i++];
      else quoted = false;
    } else if (character === '"' && field === '') quoted = true;
    else if (character === delimiter) endField();
    else if (character === '\n') {
      endField();
      records.push({ line: start, fields });
      fields = [];
      start = line;
    } else if (character !== '\r') field += character;
  }
  if (quoted)
    throw new FormatError(
      `csv: ${name}: the quote opened in the row of line ${start} is never closed.`,
      name,
    );
  endField();
  records.push({ line: start, fields });
  return records;
}
