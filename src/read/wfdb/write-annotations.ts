/**
 * Annotations → an .atr file in MIT format. Labels that are mnemonics become their codes (`N`, `+ (AFIB`); others notes
 * with the label as text. Durations stand behind a note's text (`task; duration 2.5 s`), where the reader finds them.
 * Source: annot(5) of the WFDB Applications Guide, physionet.org.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import { codeOf, mnemonicOf, noChannel, noteCode, pseudoCodes } from './annotation-codes.ts';
import { durationPattern, type WfdbAnnotation } from './annotations.ts';

/** Codes whose text says more: in files of other formats, `N text` is a sentence and no beat. */
const textCodes = new Set(['+', '"', '~', '=', '@']);
/** For times between frames: a tick is a microsecond, or more where the times are too far for that. */
const fineRatesHz = [1e6, 1e3, 1] as const;
/** Within this of a frame, a time is the frame's. Seconds. */
const frameTolerance = 0.5e-6;
/** Ticks from the start: each 2³¹ of them take a word of six bytes to skip. */
const mostTicks = 2 ** 43;
const longestStep = 1023;
const longestSkip = 2 ** 31 - 1;
/** What the length byte of a text allows. */
const longestText = 255;

/**
 * The bytes of the file. Times count frames, or microseconds where some are between frames; milliseconds beyond 100 days,
 * seconds beyond 279 years. Texts are cut to 255 bytes. ConfigError for times beyond.
 */
export function encodeWfdbAnnotations(
  { annotations, format }: Pick<Recording, 'annotations' | 'format'>,
  frameRateHz: number,
): Uint8Array {
  const bytes: number[] = [];
  const word = (value: number) => bytes.push(value & 0xff, (value >> 8) & 0xff);
  const rate = ticksPerSecond(annotations, frameRateHz);
  let before = 0;
  const place = (sample: number, code: number) => {
    let step = sample - before;
    before = sample;
    while (step > longestStep || step < 0) {
      const skip = Math.max(-longestSkip, Math.min(longestSkip, step));
      word(pseudoCodes.skip << 10);
      word(skip >> 16);
      word(skip);
      step -= skip;
    }
    word((code << 10) | step);
  };
  const say = (text: string) => {
    const encoded = shortened(text);
    if (encoded.length === 0) return;
    word((pseudoCodes.text << 10) | encoded.length);
    for (const byte of encoded) bytes.push(byte);
    if (encoded.length % 2 === 1) bytes.push(0);
  };
  if (rate !== frameRateHz) {
    place(0, noteCode);
    say(`## time resolution: ${rate}`);
  }
  let channel: number | undefined;
  let number = 0;
  const sorted: readonly WfdbAnnotation[] = annotations.toSorted((a, b) => a.start - b.start);
  const ends = new Set(sorted.filter(({ label }) => label === ']').map(({ start }) => secondsKey(start)));
  for (const one of sorted) {
    const { code, text } = wordsOf(one, format === 'wfdb', ends);
    place(Math.round(one.start * rate), code);
    if (one.subtype) word((pseudoCodes.subtype << 10) | (one.subtype & 0xff));
    // Channel and number hold for all that follow, so that "none" must be said.
    const named = one.channel ?? (channel === undefined ? undefined : noChannel);
    if (named !== undefined && named !== channel)
      word((pseudoCodes.channel << 10) | Math.min(named, noChannel));
    channel = named;
    if ((one.number ?? 0) !== number) word((pseudoCodes.number << 10) | ((one.number ?? 0) & 0xff));
    number = one.number ?? 0;
    say(text);
  }
  word(0);
  return Uint8Array.from(bytes);
}

function ticksPerSecond(annotations: readonly WfdbAnnotation[], frameRateHz: number): number {
  const isOnFrame = ({ start }: { start: number }) =>
    Math.abs(start - Math.round(start * frameRateHz) / frameRateHz) < frameTolerance;
  const furthest = annotations.reduce((most, { start }) => Math.max(most, Math.abs(start)), 0);
  const rates = annotations.every(isOnFrame) ? [frameRateHz, ...fineRatesHz] : fineRatesHz;
  const rate = rates.find((ticks) => furthest * ticks <= mostTicks);
  if (rate !== undefined) return rate;
  throw new ConfigError(
    `wfdb: an annotation stands ${furthest} s from the start; ${mostTicks} ticks of a second are the most. Remove it, or write .npz or .parquet.`,
    'annotations',
  );
}

const secondsKey = (seconds: number) => Math.round(seconds * 1e6);

function wordsOf(
  { start, label, duration }: WfdbAnnotation,
  isWfdb: boolean,
  ends: ReadonlySet<number>,
): { code: number; text: string } {
  const [, symbol = label, words = ''] = /^(\S+) (.*)$/s.exec(label) ?? [];
  const code = codeOf(symbol);
  const isCode = code !== undefined && (words === '' || isWfdb || textCodes.has(symbol));
  // Flutter's end has a mark of its own.
  const isMarked =
    isCode && symbol === mnemonicOf(32) && [-1, 0, 1].some((k) => ends.has(secondsKey(start + duration) + k));
  const lasts = duration > 0 && !isMarked;
  // Only notes have room for a duration.
  if (isCode && code !== noteCode && !lasts) return { code, text: words };
  const text = isCode && code === noteCode ? words : label;
  // A note that ends as if it stated one states that it has none.
  const suffix = lasts || durationPattern.test(text) ? `; duration ${Math.max(0, duration)} s` : '';
  // What begins like this at time 0 would be read as a definition of the file's.
  return { code: noteCode, text: fitted(text.replace(/^(?=## )/, ' '), suffix) };
}

/** Text and suffix in what a text may be long: the text is cut. */
function fitted(text: string, suffix: string): string {
  const room = longestText - suffix.length;
  let [bytes, cut] = [0, ''];
  for (const character of text) {
    bytes += new TextEncoder().encode(character).length;
    if (bytes > room) break;
    cut += character === '\0' ? ' ' : character;
  }
  return cut + suffix;
}

function shortened(text: string): Uint8Array {
  return new TextEncoder().encode(fitted(text, ''));
}
