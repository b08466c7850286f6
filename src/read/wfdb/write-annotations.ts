/**
 * Annotations → an .atr file in MIT format. Labels that are mnemonics become their codes (`N`, `+ (AFIB`); others notes
 * with the label as text. Durations stand behind a note's text (`task; duration 2.5 s`), where the reader finds them.
 * Source: annot(5) of the WFDB Applications Guide, physionet.org.
 */
import type { Recording } from '../../core/recording.ts';
import { codeOf, mnemonicOf, noChannel, noteCode, pseudoCodes } from './annotation-codes.ts';
import type { WfdbAnnotation } from './annotations.ts';

/** Codes whose text says more: in files of other formats, `N text` is a sentence and no beat. */
const textCodes = new Set(['+', '"', '~', '=', '@']);
/** For times between frames: a tick is a microsecond. */
const fineRateHz = 1e6;
const longestStep = 1023;
const longestSkip = 2 ** 31 - 1;
/** What the length byte of a text allows. */
const longestText = 255;

/** The bytes of the file. Times count frames, or microseconds where some are between frames. */
export function encodeWfdbAnnotations(
  { annotations, format }: Pick<Recording, 'annotations' | 'format'>,
  frameRateHz: number,
): Uint8Array {
  const bytes: number[] = [];
  const word = (value: number) => bytes.push(value & 0xff, (value >> 8) & 0xff);
  const isOnFrame = ({ start }: { start: number }) =>
    Math.abs(start - Math.round(start * frameRateHz) / frameRateHz) < 0.5 / fineRateHz;
  const rate = annotations.every(isOnFrame) ? frameRateHz : fineRateHz;
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
  for (const one of sorted) {
    const { code, text } = wordsOf(one, format === 'wfdb');
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

function wordsOf({ label, duration }: WfdbAnnotation, isWfdb: boolean): { code: number; text: string } {
  const [, symbol = label, words = ''] = /^(\S+) (.*)$/s.exec(label) ?? [];
  const code = codeOf(symbol);
  const isCode = code !== undefined && (words === '' || isWfdb || textCodes.has(symbol));
  // Flutter's end has a mark of its own.
  const lasts = duration > 0 && !(isCode && symbol === mnemonicOf(32));
  const suffix = lasts ? `; duration ${duration} s` : '';
  if (!isCode) return { code: noteCode, text: fitted(label, suffix) };
  if (code === noteCode) return { code, text: fitted(words, suffix) };
  // Only notes have room for a duration.
  return lasts ? { code: noteCode, text: fitted(label, suffix) } : { code, text: words };
}

/** Text and suffix in what a text may be long: the text is cut. */
function fitted(text: string, suffix: string): string {
  let cut = text;
  while (new TextEncoder().encode(cut + suffix).length > longestText) cut = [...cut].slice(0, -1).join('');
  return cut + suffix;
}

function shortened(text: string): Uint8Array {
  return new TextEncoder().encode(fitted(text, ''));
}
