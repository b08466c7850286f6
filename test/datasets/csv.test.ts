import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/core/errors.ts';
import { parseCsv } from '../../src/datasets/csv.ts';

const fieldsOf = (text: string) => parseCsv(text, 'a.csv').rows.map(({ fields }) => fields);

describe('parseCsv', () => {
  it('reads plain rows with the line on which each starts', () => {
    expect(parseCsv('file,label\na.edf,1\n\nb.edf,2\n', 'a.csv')).toEqual({
      columns: ['file', 'label'],
      rows: [
        { line: 2, fields: { file: 'a.edf', label: '1' } },
        { line: 4, fields: { file: 'b.edf', label: '2' } },
      ],
    });
  });

  it('reads quotes: delimiters, doubled quotes and line breaks inside them', () => {
    const csv = parseCsv('a,b\n"x, y","say ""no"""\n"two\nlines",""\n1,2', 'a.csv');
    expect(csv.rows).toEqual([
      { line: 2, fields: { a: 'x, y', b: 'say "no"' } },
      { line: 3, fields: { a: 'two\nlines', b: '' } },
      { line: 5, fields: { a: '1', b: '2' } },
    ]);
  });

  it('reads a quote inside an unquoted field as it stands', () => {
    expect(fieldsOf('a,b\n5" long,x\n')).toEqual([{ a: '5" long', b: 'x' }]);
  });

  it.each([
    ['CRLF', 'a,b\r\n1,2\r\n'],
    ['a byte order mark', '\uFEFFa,b\n1,2\n'],
    ['both, and no line break at the end', '\uFEFFa,b\r\n1,2'],
    ['semicolons', 'a;b\n1;2\n'],
    ['tabs', 'a\tb\n1\t2\n'],
    ['spaces around the fields', ' a , b\n 1 ,2 \n'],
    ['empty lines and lines of delimiters', '\na,b\n,\n\n1,2\n  \n'],
  ])('reads a table with %s', (_, text) => {
    expect(parseCsv(text, 'a.csv').columns).toEqual(['a', 'b']);
    expect(fieldsOf(text)).toEqual([{ a: '1', b: '2' }]);
  });

  it('keeps commas in a table of semicolons', () => {
    expect(fieldsOf('file;start\na.edf;1,5\n')).toEqual([{ file: 'a.edf', start: '1,5' }]);
  });

  it('names the line where the number of fields differs from the header', () => {
    expect(() => parseCsv('a,b\n1,2\n1,2,3\n', 'a.csv')).toThrow(
      new FormatError('csv: a.csv line 3 has 3 fields, the header has 2. Correct the line.', 'a.csv'),
    );
    expect(() => parseCsv('a,b\n"x\ny",2\n1\n', 'a.csv')).toThrow('csv: a.csv line 4 has 1 fields');
  });

  it('names the line on which an open quote starts its row', () => {
    expect(() => parseCsv('a,b\n1,2\n1,"2\n3,4\n', 'a.csv')).toThrow(
      'csv: a.csv: the quote opened in the row of line 3 is never closed.',
    );
  });

  it.each(['', '\uFEFF', '\n\n', ' \r\n'])('says that %j is empty', (text) => {
    expect(() => parseCsv(text, 'a.csv')).toThrow('csv: a.csv is empty.');
  });

  it('reads back whatever is written with every field quoted', () => {
    const field = fc.string({ unit: fc.constantFrom('a', 'ß', '"', ',', ';', '\t', '\n', '0') });
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field), { maxLength: 8 }), (rows) => {
        const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const text = ['left,right', ...rows.map((row) => row.map(quote).join(','))].join('\n');
        const expected = rows
          .map(([left, right]) => ({ left: left.trim(), right: right.trim() }))
          .filter(({ left, right }) => left !== '' || right !== '');
        expect(fieldsOf(text)).toEqual(expected);
      }),
    );
  });
});
