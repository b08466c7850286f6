/** What a table of text says beside its columns: a rate in its comments, in its first rows; a marker's column without a name. */
import type { TableColumn } from './table.ts';

/** A column without a name that holds whole numbers, mostly the same as in the row above. */
export function isMarker(values: Float64Array): boolean {
  let [changes, last] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value)) return false;
    if (value !== last) changes++;
    last = value;
  }
  return changes <= Math.max(2, values.length / 5);
}

/** Empatica: the first row is the time of the first sample in each column, the second the rate. */
export function embeddedRate(columns: readonly TableColumn[]): { start: number; rateHz: number } | undefined {
  const [start, rateHz] = [columns[0]?.values[0] ?? 0, columns[0]?.values[1] ?? 0];
  const isOne = columns.every(
    ({ values }) => values.length > 2 && values[0] === start && values[1] === rateHz,
  );
  return isOne &&
    start > 1e9 &&
    start < 4.2e9 &&
    rateHz > 0 &&
    rateHz <= 4096 &&
    Math.abs(columns[0]!.values[2]!) < 1e9
    ? { start, rateHz }
    : undefined;
}

/** `%Sample Rate = 250 Hz`, `# fs: 1 kHz`; AcqKnowledge's `1 msec/sample`, LabChart's `Interval= 0.001 s`. */
export function statedRate(preamble: readonly string[]): number | undefined {
  for (const line of preamble) {
    const step =
      /^([\d.]+)\s*(m?)s(?:ec)?\/sample/i.exec(line) ?? /^interval=\s*([\d.]+)\s*(m?)s\b/i.exec(line);
    const stepHz = step ? (step[2] ? 1000 : 1) / Number(step[1]) : Number.NaN;
    if (stepHz > 0 && Number.isFinite(stepHz)) return Number(stepHz.toPrecision(12));
    const match =
      /(?:sampl(?:e|ing)[ _-]*(?:rate|frequency|freq)|\bs?rate|\bfs|\bsfreq)\s*(?:[([]\s*hz\s*[)\]])?\s*[=:,;\t ]\s*([\d.]+)\s*(k?)hz?/i.exec(
        line,
      ) ??
      /(?:sampl(?:e|ing)[ _-]*(?:rate|frequency)|\bfs|\bsfreq)\s*(?:[([]\s*hz\s*[)\]])?\s*[=:,;\t ]\s*([\d.]+)()/i.exec(
        line,
      );
    const hertz = match ? Number(match[1]) * (match[2] ? 1000 : 1) : Number.NaN;
    if (hertz > 0 && Number.isFinite(hertz)) return hertz;
  }
  return undefined;
}
