/** Long tables: rows over the borders of chunks, cells of every spelling, as the engine's own numbers. */
import { describe, expect, it } from 'vitest';
import { type ByteSource, bytesSource } from '../../src/core/bytes.ts';
import { FormatError } from '../../src/core/errors.ts';
import { openCsv, readCsv } from '../../src/read/table/csv.ts';

/** What readers take for a disk: short chunks, their memory used again. */
function local(bytes: Uint8Array): ByteSource {
  return {
    ...bytesSource('x.csv', bytes),
    isLocal: true,
    async read(start, end, into) {
      const part = bytes.subarray(start, end);
      if (!into) return part.slice();
      into.set(part);
      return into;
    },
  };
}

const spellings: ((value: number, n: number) => string)[] = [
  (value) => value.toFixed(1),
  (value) => value.toFixed(6),
  (value) => String(value),
  (value) => value.toExponential(),
  (value) => value.toPrecision(17),
  (value) => ` ${Math.round(value)} `,
  (value) => `${value < 0 ? '' : '+'}${value.toFixed(3)}`,
  (_, n) => String(123456780 + (n % 20)),
  (_, n) => `-${9876543210 + (n % 20)}.5`,
  (_, n) =>
    ['-0', '.5', '5.', '-.25', '0.123456789', '0.1234567891', '007', '2147483648', '-2147483648'][n % 9]!,
  (_, n) => ['nan', '', 'NaN', '1e400', '-inf', '999999999', '0.000000001', '1E-5', '12e'][n % 9]!,
];

/** What a cell is, by the engine. */
function numberOf(cell: string): number {
  const text = cell.trim();
  return text === '' || Number.isNaN(Number(text)) ? Number.NaN : Number(text);
}

function tableText(rows: number, lineEnd: string): { text: string; cells: string[][] } {
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
  const cells = Array.from({ length: rows }, (_, row) => [
    String(row / 256),
    ...spellings.map((spell) => spell(1000 * random() ** 3, (row * 7 + (state & 255)) % 180)),
  ]);
  const names = ['time', ...spellings.map((_, i) => `s${i}`)];
  return { text: [names, ...cells].map((row) => row.join(',')).join(lineEnd), cells };
}

describe('long tables', () => {
  for (const lineEnd of ['\n', '\r\n'])
    it(`are read as the engine reads numbers, lines ending in ${JSON.stringify(lineEnd)}`, async () => {
      const { text, cells } = tableText(24_000, lineEnd);
      const bytes = new TextEncoder().encode(text);
      expect(bytes.length).toBeGreaterThan(2.2 * 2 ** 20);
      for (const source of [local(bytes), bytesSource('x.csv', bytes)]) {
        const { columns, rowCount } = await readCsv(source);
        expect([rowCount, columns.length]).toEqual([cells.length, spellings.length + 1]);
        for (const [c, { values }] of columns.entries())
          expect(
            cells.findIndex((row, i) => !Object.is(values[i], numberOf(row[c]!))),
            `column ${c}`,
          ).toBe(-1);
      }
    });

  it('may hold a text longer than a chunk', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => `${i / 250},${i % 997},ok`);
    rows[30_000] = `120,5,"${'much, '.repeat(400_000)}\n"`;
    const bytes = new TextEncoder().encode(`time,a,note\n${rows.join('\n')}\n`);
    const recording = await openCsv(local(bytes));
    expect(recording.channels[0]!.lengthSamples).toBe(60_000);
    const a = await recording.read(0, 0, 60_000);
    expect([a[29_999], a[30_000], a[30_001], a[59_999]]).toEqual([
      29_999 % 997,
      5,
      30_001 % 997,
      59_999 % 997,
    ]);
  });

  it('pass on a source that fails while a chunk is parsed', async () => {
    const { text } = tableText(16_000, '\n');
    const bytes = new TextEncoder().encode(text);
    const inner = local(bytes);
    const failing: ByteSource = {
      ...inner,
      async read(start, end, into) {
        if (start > 2 ** 20) throw new FormatError('x.csv: gone. Fetch it again.', 'x.csv', start);
        return inner.read(start, end, into);
      },
    };
    await expect(readCsv(failing)).rejects.toThrow('x.csv: gone.');
  });
});
