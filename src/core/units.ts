/**
 * The one place for units: what a channel's unit is worth in microvolt, in any spelling (`uV`, `µV`, `microvolts`) and
 * in any encoding that its header may have been read in (`ÂµV` is UTF-8 read as Latin-1).
 */
import { UnsupportedError } from './errors.ts';

/** Symbols and words before V or volt, in lower case: what the prefix is worth in microvolt. */
const prefixes: ReadonlyMap<string, number> = new Map([
  ...(
    [
      [1e6, ['']],
      [1e9, ['k', 'kilo']],
      [1e5, ['d', 'deci']],
      [1e4, ['c', 'centi']],
      [1e3, ['m', 'milli']],
      [1, ['u', 'mc', 'micro', 'mikro']],
      [1e-3, ['n', 'nano']],
      [1e-6, ['p', 'pico']],
    ] as const
  ).flatMap(([worth, names]) => names.map((name) => [name, worth] as const)),
]);

/** The micro sign as it looks when the bytes of one encoding are read as another, mostly as Latin-1. */
const microSigns = [
  'µ', // U+00B5: Latin-1, and the half of Shift-JIS that has single bytes
  'μ', // U+03BC, the Greek letter
  'ｵ', // byte B5 read as Shift-JIS
  'Âµ', // U+00B5 in UTF-8
  'Î¼', // U+03BC in UTF-8
  'Ã\u0082Âµ', // UTF-8 twice
  'Ã‚Âµ', // the same by way of Windows-1252
  'Ã\u008eÎ¼',
  'ÃŽÂ¼',
  'Ã\u008eÂ¼',
  '\u0083Ê', // Shift-JIS
  'ƒÊ', // the same read as Windows-1252
  'æ', // CP437, CP850
  '╡', // Latin-1 read as CP437
  '┬╡', // UTF-8 read as CP437
  '╬╝',
  'ì', // Greek: ISO 8859-7, Windows-1253
  '£', // Greek: CP737
  'ã', // Greek: CP869
  '¦Ì', // GBK, EUC-JP
  '£g', // Big5
  '¥ì', // EUC-KR, and Big5's second one
  '¢ì',
].map(fold);

/**
 * What stands where a byte or character was replaced by a program that could not show it. No prefix of volt but µ is
 * outside ASCII, so µ is what it was.
 */
const lostSigns = [
  '.',
  '?',
  '_',
  '*',
  '·',
  '¿',
  '□',
  '\u001a',
  '\ufffd',
  'ï¿½',
  '??',
  '..',
  '\ufffd\ufffd',
].map(fold);

/** How a unit came to be known. */
interface KnownVoltage {
  /** Microvolt of one unit. */
  readonly worth: number;
  /** `plain`: as it should be written. `encoding`: read in another encoding. `lost`: its sign was replaced. */
  readonly how: 'plain' | 'encoding' | 'lost';
}

function readVoltage(unit: string): KnownVoltage | undefined {
  const text = fold(unit)
    .replace(/^[[(](.*)[\])]$/, '$1')
    .replace(/[\s_-]*(volts?|voltios?|v)\.?$/, ' v')
    .trim();
  if (!/(^| )v$/.test(text)) return undefined;
  const prefix = text.replace(/ ?v$/, '').trim();
  const worth = prefixes.get(prefix);
  if (worth !== undefined) return { worth, how: 'plain' };
  if (prefix === 'μ') return { worth: 1, how: 'plain' };
  if (microSigns.includes(prefix)) return { worth: 1, how: 'encoding' };
  return lostSigns.includes(prefix) ? { worth: 1, how: 'lost' } : undefined;
}

/** Compatibility forms made plain (`㎶`, full width, µ as μ), lower case, without blanks around. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim();
}

/** Factor from `unit` to microvolt (`mV` → 1000); undefined for what is not a voltage. Any spelling and encoding. */
export function microvolts(unit: string): number | undefined {
  return readVoltage(unit)?.worth;
}

/** A unit as a reader shows it: `µV` where its micro sign was read in a wrong encoding or was replaced, else as it is. */
export function repairUnit(unit: string): { readonly unit: string; readonly how: KnownVoltage['how'] } {
  const how = readVoltage(unit)?.how ?? 'plain';
  return how === 'plain' ? { unit: unit.trim(), how } : { unit: 'µV', how };
}

/** Units of what is no voltage: their channels are left alone where a unit is stated for those that have none. */
const otherUnits =
  /^(%|bool(ean)?|trigger|[kmgt]?hz|bpm|1\/min|rpm|(deg(rees?)?|°|º)\s*[cfk]?|celsius|cel|kelvin|mm\s*hg|cm\s*h2o|[khm]?pa|bar|m?bar|[kmg]?[oω]hms?|[kmg]?ω|[mµμu]?s(ec)?|ms|min|seconds?|siemens|[mµμunk]?m|cm|[mµμun]?a|[mµμunfp]?t|[km]?g|[mk]?n|m\/s(\^?2|²)|l|ml|l\/(s|min)|ml\/(s|min)|[mµμu]?mol(\/l)?|[mµμun]v\/[a-z]+(\^?2|²)?|[mµμun]?v(\^?2|²)(\/hz)?|lux|lx|db|rad(\/s)?|dps|n\/?a \w+|index|samples?)$/;

/** Does a unit say what its numbers are? False where it is blank, `a.u.`, `n/a`, or a word that is not known. */
export function isKnownUnit(unit: string): boolean {
  const voltage = readVoltage(unit);
  return voltage === undefined ? otherUnits.test(fold(unit)) : voltage.how !== 'lost';
}

/** What streams of LSL, recordings of them in XDF, and pipes mean where they state no unit: noted wherever it is taken. */
export const customUnit = 'uV';
/** Behind the name of a stream of LSL without one. */
export const lslUnitNote =
  'states no unit for some channels; they are taken as microvolt unless a unit is stated (--input-unit, or in a recipe).';

/** A channel's unit where it is known; else the one that the user or a recipe states, else its format's custom. */
export function unitOf(
  { unit, assumedUnit }: { readonly unit: string; readonly assumedUnit?: string },
  stated: string | undefined,
): string {
  return isKnownUnit(unit) ? unit : (stated ?? assumedUnit ?? unit);
}

/** Factor by which a value in `from` is multiplied to be in `to`. UnsupportedError unless both are voltages. */
export function unitFactor(from: string, to: string): number {
  const [a, b] = [microvolts(from), microvolts(to)];
  if (a === undefined || b === undefined) {
    const unknown = a === undefined ? from : to;
    const fact =
      unknown.trim() === '' ? 'no unit is stated' : `'${unknown}' is not a voltage that heartmind knows`;
    throw new UnsupportedError(
      `units: ${fact} (nV, uV, mV, V). State it with --input-unit uV, in a recipe as signals.eeg.unit or signals.ecg.unit, or in labels as a column input_unit.`,
      `unit ${unknown}`,
    );
  }
  return a / b;
}
