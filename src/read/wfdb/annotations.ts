/**
 * WFDB annotation files (.atr, .qrs): beats, rhythms, notes → annotations in seconds. MIT format: 16-bit words of a
 * 6-bit code and a 10-bit time step. AHA format: 16 bytes an annotation.
 * Source: annot(5) and ecgcodes.h of the WFDB Applications Guide, physionet.org.
 */
import { budgetOf } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { Annotation } from '../../core/recording.ts';
import { isRate } from '../header-text.ts';
import { isAha, parseAha } from './aha.ts';
import { mnemonicOf, noChannel, noteCode, pseudoCodes } from './annotation-codes.ts';

export interface WfdbAnnotation extends Annotation {
  /** What the annotator meant by it: of `~`, which signals are noisy. Where it is not 0. */
  readonly subtype?: number;
  /** The annotator's number, where it is not 0: holds until the next one, as the file says. */
  readonly number?: number;
}

/** How heartmind writes that a note lasts: behind its text. */
export const durationPattern = /^(.*); duration (\d+(?:\.\d+)?(?:e-\d+)?) s$/s;

/** An annotation as it is stored; times count samples. */
export interface StoredAnnotation {
  readonly sample: number;
  /** Of MIT's codes, 1–49. */
  readonly code: number;
  /** Its mnemonic, where the file's kind gives it. */
  readonly mnemonic?: string;
  channel?: number | undefined;
  subtype?: number;
  number?: number;
  text: string;
}

/**
 * Read all annotations. Labels are the mnemonics (`N`, `V`), with the auxiliary text after a space where there is one
 * (`+ (AFIB`). `rateHz`: frames per second of the record, unless the file states its own time resolution. Ventricular
 * flutter lasts from its `[` to the next `]`; all else is an instant. `channelCount`: channels beyond are left out.
 * FormatError where the bytes end within an annotation; `tolerant` keeps those before it.
 */
export async function readWfdbAnnotations(
  source: ByteSource,
  rateHz: number,
  log: string[] = [],
  tolerant = false,
  channelCount = Number.POSITIVE_INFINITY,
): Promise<WfdbAnnotation[]> {
  const bytes = await source.read(0, source.byteLength);
  const parse = isAha(bytes) ? parseAha : parseMit;
  const budget = budgetOf(source);
  const { stored, isEnded, cutAt } = parse(bytes, () => budget.spend(`wfdb: ${source.name}`, 'annotations'));
  await budget.breathe();
  if (cutAt !== undefined && !tolerant)
    throw new FormatError(
      `wfdb: ${source.name} ends at byte ${bytes.length}, within an annotation that ends at ${cutAt}. The copy is truncated; fetch it again, or open it with --tolerant.`,
      source.name,
      bytes.length,
    );
  if (!isEnded)
    log.push(
      `wfdb: ${source.name} lacks its end mark; it may be truncated${cutAt === undefined ? '' : `: ${stored.length} whole annotations are read`}.`,
    );
  const { kept, custom, rate } = takeDefinitions(stored, rateHz);
  const channels = kept.filter(({ channel = 0 }) => channel >= channelCount).length;
  if (channels > 0)
    log.push(
      `wfdb: ${channels} annotations of ${source.name} name a channel that is not there; they stand without.`,
    );
  const ends = flutterEnds(kept);
  return kept.map(({ sample, code, mnemonic, channel, subtype, number, text }, i) => {
    const symbol = custom.get(code) ?? mnemonic ?? mnemonicOf(code);
    const timed = code === noteCode ? durationPattern.exec(text) : null;
    const words = timed ? timed[1]! : text;
    return {
      start: sample / rate,
      duration: timed ? Number(timed[2]) : ((ends.get(i) ?? sample) - sample) / rate,
      label: words === '' ? symbol : `${symbol} ${words}`,
      ...(channel !== undefined && channel < channelCount && { channel }),
      ...(subtype && { subtype }),
      ...(number && { number }),
    };
  });
}

/** The file's own definitions stand as notes at time 0: its time resolution, and mnemonics of codes. */
function takeDefinitions(stored: readonly StoredAnnotation[], rateHz: number) {
  const custom = new Map<number, string>();
  let rate = rateHz;
  let isDefinition = false;
  const kept = stored.filter(({ sample, code, text }) => {
    if (sample !== 0 || code !== noteCode) return true;
    const resolution = /^## time resolution: ([\d.]+(?:e[+-]?\d+)?)/i.exec(text);
    if (resolution && isRate(Number(resolution[1]))) rate = Number(resolution[1]);
    const defined = isDefinition && /^(\d+) (\S+)/.exec(text);
    if (defined) custom.set(Number(defined[1]), defined[2]!);
    if (text.startsWith('## annotation type definitions')) isDefinition = true;
    else if (text.startsWith('## end of definitions')) isDefinition = false;
    else if (!resolution && !defined) return true;
    return false;
  });
  return { kept, custom, rate };
}

/** Of each beginning of flutter, the sample of its end. */
function flutterEnds(stored: readonly StoredAnnotation[]): Map<number, number> {
  const ends = new Map<number, number>();
  let begun: number | undefined;
  for (const [i, { code, sample }] of stored.entries()) {
    if (code === 32) begun = i;
    if (code === 33 && begun !== undefined) {
      if (sample >= stored[begun]!.sample) ends.set(begun, sample);
      begun = undefined;
    }
  }
  return ends;
}

export interface ParsedAnnotations {
  readonly stored: StoredAnnotation[];
  /** Does the end mark stand behind the last one? */
  readonly isEnded: boolean;
  /** Where the annotation within which the bytes end would end. */
  readonly cutAt?: number;
}

/** Words of MIT format → annotations. */
function parseMit(bytes: Uint8Array, onFound: () => void): ParsedAnnotations {
  const stored: StoredAnnotation[] = [];
  let sample = 0;
  let channel: number | undefined;
  let number: number | undefined;
  let at = 0;
  const wordAt = (place: number) => bytes[place]! | (bytes[place + 1]! << 8);
  while (at < bytes.length) {
    if (at + 2 > bytes.length) return { stored, isEnded: false, cutAt: at + 2 };
    const value = wordAt(at);
    at += 2;
    if (value === 0) return { stored, isEnded: true };
    const [code, step] = [value >> 10, value & 1023];
    const current = stored.at(-1);
    if (code === pseudoCodes.skip) {
      if (at + 4 > bytes.length) return { stored, isEnded: false, cutAt: at + 4 };
      // A signed 32-bit step, high word first.
      sample += (wordAt(at) << 16) | wordAt(at + 2);
      at += 4;
    } else if (code === pseudoCodes.text) {
      const length = step & 0xff;
      if (at + length > bytes.length) return { stored, isEnded: false, cutAt: at + length };
      let end = at + length;
      while (end > at && bytes[end - 1] === 0) end--;
      if (current) current.text = decoder.decode(bytes.subarray(at, end));
      at += length + (length & 1);
    } else if (code === pseudoCodes.channel) {
      // Of this annotation, and all that follow.
      channel = step & 0xff;
      if (channel === noChannel) channel = undefined;
      if (current) current.channel = channel;
    } else if (code === pseudoCodes.number) {
      number = (step << 24) >> 24;
      if (current) current.number = number;
    } else if (code === pseudoCodes.subtype) {
      if (current) current.subtype = (step << 24) >> 24;
    } else {
      sample += step;
      // Code 0 with a step only moves the time.
      if (code === 0) continue;
      onFound();
      stored.push({
        sample,
        code,
        text: '',
        ...(channel !== undefined && { channel }),
        ...(number !== undefined && { number }),
      });
    }
  }
  return { stored, isEnded: false };
}

// A text may begin with what a file would have for a byte order mark.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
