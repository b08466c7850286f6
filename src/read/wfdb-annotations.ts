/**
 * WFDB annotation files in MIT format (.atr, .qrs): 16-bit words of a 6-bit code and a 10-bit time step → annotations.
 * Source: annot(5) and ecgcodes.h of the WFDB Applications Guide, physionet.org.
 */
import type { ByteSource } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import type { Annotation } from '../core/recording.ts';
import { isRate } from './header-text.ts';

/** Symbol of each code 0–41, as WFDB's own tools print it. */
const symbols = [
  ' ',
  'N',
  'L',
  'R',
  'a',
  'V',
  'F',
  'J',
  'A',
  'S',
  'E',
  'j',
  '/',
  'Q',
  '~',
  '[15]',
  '|',
  '[17]',
  's',
  'T',
  '*',
  'D',
  '"',
  '=',
  'p',
  'B',
  '^',
  't',
  '+',
  'u',
  '?',
  '!',
  '[',
  ']',
  'e',
  'n',
  '@',
  'x',
  'f',
  '(',
  ')',
  'r',
];
const noteCode = 22;
const skip = 59;
const num = 60;
const sub = 61;
const chn = 62;
const aux = 63;

interface Beat {
  sample: number;
  code: number;
  channel?: number;
  text: string;
}

/**
 * Read all annotations. Labels are the symbols (`N`, `V`), with the auxiliary text after a space where there is one
 * (`+ (AFIB`). `rateHz`: frames per second of the record, unless the file states its own time resolution.
 * FormatError where the bytes end within an annotation; `tolerant` keeps those before it.
 */
export async function readWfdbAnnotations(
  source: ByteSource,
  rateHz: number,
  log: string[] = [],
  tolerant = false,
): Promise<Annotation[]> {
  const bytes = await source.read(0, source.byteLength);
  const { beats, isEnded } = parseBeats(bytes, source.name, tolerant);
  if (!isEnded) log.push(`wfdb: ${source.name} lacks its end mark; it may be truncated.`);
  const custom = new Map<number, string>();
  let rate = rateHz;
  let isDefinition = false;
  const kept = beats.filter(({ sample, code, text }) => {
    // The file's own definitions stand as notes at time 0.
    if (sample !== 0 || code !== noteCode) return true;
    const resolution = /^## time resolution: ([\d.]+)/.exec(text);
    if (resolution && isRate(Number(resolution[1]))) rate = Number(resolution[1]);
    const defined = isDefinition && /^(\d+) (\S+)/.exec(text);
    if (defined) custom.set(Number(defined[1]), defined[2]!);
    if (text.startsWith('## annotation type definitions')) isDefinition = true;
    else if (text.startsWith('## end of definitions')) isDefinition = false;
    else if (!resolution && !defined) return true;
    return false;
  });
  return kept.map(({ sample, code, channel, text }) => {
    const symbol = custom.get(code) ?? symbols[code] ?? `[${code}]`;
    return {
      start: sample / rate,
      duration: 0,
      label: text === '' ? symbol : `${symbol} ${text}`,
      ...(channel !== undefined && { channel }),
    };
  });
}

function parseBeats(bytes: Uint8Array, name: string, tolerant: boolean): { beats: Beat[]; isEnded: boolean } {
  const beats: Beat[] = [];
  let sample = 0;
  let channel: number | undefined;
  let at = 0;
  const need = (count: number) => {
    if (at + count <= bytes.length) return;
    throw new FormatError(
      `wfdb: ${name} ends at byte ${bytes.length}, within an annotation that ends at ${at + count}. The copy is truncated; fetch it again.`,
      name,
      bytes.length,
    );
  };
  const word = () => {
    need(2);
    const value = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    return value;
  };
  try {
    while (at < bytes.length) {
      const value = word();
      if (value === 0) return { beats, isEnded: true };
      const [code, step] = [value >> 10, value & 1023];
      const current = beats.at(-1);
      if (code === skip) {
        // A signed 32-bit step, high word first.
        const high = word();
        sample += (high << 16) | word();
      } else if (code === chn) {
        channel = step;
        if (current) current.channel = step;
      } else if (code === aux) {
        need(step);
        let end = at + step;
        while (end > at && bytes[end - 1] === 0) end--;
        if (current) current.text = decoder.decode(bytes.subarray(at, end));
        at += step + (step & 1);
      } else if (code !== num && code !== sub) {
        sample += step;
        // Code 0 with a step only moves the time.
        if (code !== 0) beats.push({ sample, code, text: '', ...(channel !== undefined && { channel }) });
      }
    }
  } catch (error) {
    if (!tolerant) throw error;
  }
  return { beats, isEnded: false };
}

const decoder = new TextDecoder('utf-8');
