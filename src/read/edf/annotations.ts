/**
 * EDF+ annotations: the bytes of one annotation signal in one record → time-stamped annotations lists (TALs).
 * `+onset[␕duration]␔text␔text␔␀…`; the first list of a record keeps its time and has an empty first text.
 * Source: EDF+ specification §2.2.
 */
import { decimal, isTime } from '../header-text.ts';

export interface TimedTexts {
  /** Seconds from the file's start time. */
  readonly onset: number;
  /** Seconds; 0 where not given. */
  readonly duration: number;
  /** Non-empty texts are annotations. */
  readonly texts: readonly string[];
}

export interface ParsedLists {
  readonly lists: readonly TimedTexts[];
  /** Lists that could not be read. */
  readonly broken: number;
}

const decoder = new TextDecoder('utf-8');

/** Parse one record's annotation bytes. Never throws: what cannot be read is counted in `broken`. */
export function parseAnnotationLists(bytes: Uint8Array): ParsedLists {
  const lists: TimedTexts[] = [];
  let broken = 0;
  let start = 0;
  while (start < bytes.length) {
    const zero = bytes.indexOf(0, start);
    const end = zero < 0 ? bytes.length : zero;
    if (end > start) {
      const list = parseList(bytes.subarray(start, end));
      if (list) lists.push(list);
      else broken++;
    }
    start = end + 1;
  }
  return { lists, broken };
}

function parseList(bytes: Uint8Array): TimedTexts | undefined {
  const [stamp, ...texts] = decoder.decode(bytes).split('\x14');
  const [onsetText, durationText] = stamp!.split('\x15');
  const onset = decimal(onsetText!);
  const duration = durationText ? decimal(durationText) : 0;
  if (onset === undefined || duration === undefined || texts.length === 0) return undefined;
  if (!isTime(onset) || !isTime(duration)) return undefined;
  return { onset, duration: Math.max(0, duration), texts: texts.slice(0, -1) };
}
