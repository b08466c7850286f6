/**
 * Exports of a single lead, as watches write them: lines of `key,value`, then one value a line, with a decimal point or
 * comma. The keys come in the device's language, so values tell what they are: hertz, a voltage, a date, a lead.
 */
import { microvolts } from '../../core/units.ts';
import { parseTime } from './csv-time.ts';

/** A line of text without its end. */
export interface TextLine {
  readonly text: string;
  /** Byte where it begins. */
  readonly start: number;
  /** From 1. */
  readonly number: number;
}

export interface KeyedExport {
  readonly channel: string;
  readonly unit: string;
  readonly rateHz: number | undefined;
  readonly startTime: Date | undefined;
  /** What the file says, key by key. */
  readonly pairs: Readonly<Record<string, string>>;
  /** Byte between whole and fraction: 46 or 44. */
  readonly mark: number;
  readonly first: TextLine;
}

const keyedLine = /^\s*"?([^,;\t"]*\p{L}[^,;\t"]*)"?\s*[,;\t]\s*(.*?)\s*$/u;
const valueLine = /^\s*[+-]?\d+([.,]\d+)?(e[+-]?\d+)?\s*[,;]?\s*$/i;
const hertz = /^([\d.,]+)\s*(hz|hertz|hercios|hercis|ヘルツ|赫兹|赫茲|헤르츠|герц\S*|χερτζ|هرتز|हर्ट्ज़?)$/iu;
const leadName = /(?:^|\s|:)(I{1,3}|aV[RLF]|V[1-6])$/i;
/** Characters. A pattern that tries every place of a line takes the square of its length. */
const longestLine = 1000;
const fewestPairs = 3;
const fewestValues = 10;

/** Is it such an export? Undefined where it is not. `lines`: the first ones of the file, none cut. */
export function keyedExport(lines: readonly TextLine[]): KeyedExport | undefined {
  const blocks: [key: string, value: string][][] = [[]];
  let at = 0;
  for (; at < lines.length; at++) {
    const { text } = lines[at]!;
    if (text.length > longestLine) return undefined;
    const match = keyedLine.exec(text);
    if (match) blocks.at(-1)!.push([match[1]!.trim(), unquote(match[2]!)]);
    else if (/^[\s,;]*$/.test(text)) blocks.push([]);
    else break;
  }
  const values = lines.slice(at).filter(({ text }) => text.trim() !== '');
  const pairs = blocks.flat();
  const isExport =
    pairs.length >= fewestPairs &&
    values.length >= fewestValues &&
    values.every(({ text }) => valueLine.test(text));
  if (!isExport) return undefined;
  const unit = pairs.map(([, value]) => value).find((value) => microvolts(value) !== undefined);
  const rate = pairs.flatMap(([, value]) => hertz.exec(value)?.[1] ?? []).at(0);
  if (unit === undefined && rate === undefined) return undefined;
  const rateHz = rate === undefined ? Number.NaN : Number(rate.replace(',', '.'));
  const start = pairs.map(([, value]) => parseTime(value)).find((time) => time?.isDate);
  const lead = pairs.map(([, value]) => leadName.exec(value)?.[1]).findLast((name) => name !== undefined);
  return {
    // A person's name may end like a lead's, but the lead stands last, beside the unit.
    channel: lead ? `Lead ${lead}` : 'ECG',
    unit: unit ?? '',
    rateHz: rateHz > 0 && Number.isFinite(rateHz) ? rateHz : undefined,
    startTime: start && new Date(Math.round(start.seconds * 1000)),
    pairs: Object.fromEntries(pairs.filter(([, value]) => value !== '')),
    mark: values.some(({ text }) => /\d,\d/.test(text)) ? 44 : 46,
    first: values[0]!,
  };
}

const unquote = (text: string) => text.replace(/^"(.*)"$/, '$1').replaceAll('""', '"');
