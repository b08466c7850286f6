/**
 * Other references for EEG: rows [C][T] → rows [C][T], every one less the same reference. Bipolar montages are lists of
 * differences for `planMontage`, which derives them from recorded channels. What a reference cannot do: bring back what
 * the recorder subtracted within one channel.
 */
import { ChannelError } from '../core/errors.ts';
import { canonicalName, parseChannelName } from './channel-names.ts';

export interface Rereferenced {
  readonly rows: Float64Array[];
  /** What was subtracted [T]. */
  readonly reference: Float64Array;
  /** Indices of the channels that it is the mean of. */
  readonly used: readonly number[];
}

/** Longitudinal bipolar montage, `double banana`: American Clinical Neurophysiology Society, Guideline 3 (2016), LB-18.1. */
export const doubleBanana: readonly string[] = [
  'Fp1-F7 F7-T7 T7-P7 P7-O1',
  'Fp2-F8 F8-T8 T8-P8 P8-O2',
  'Fp1-F3 F3-C3 C3-P3 P3-O1',
  'Fp2-F4 F4-C4 C4-P4 P4-O2',
  'Fz-Cz Cz-Pz',
].flatMap((chain) => chain.split(' '));

/** Transverse bipolar montage, row by row from left to right: the same guideline, TB-18.1. */
export const transverseMontage: readonly string[] = [
  'Fp1-Fp2',
  'F7-F3 F3-Fz Fz-F4 F4-F8',
  'T7-C3 C3-Cz Cz-C4 C4-T8',
  'P7-P3 P3-Pz Pz-P4 P4-P8',
  'O1-O2',
].flatMap((chain) => chain.split(' '));

/** Pairs of ears, mastoids and what lies nearest to them, in the order of preference. */
const linkedPairs = [
  ['A1', 'A2'],
  ['M1', 'M2'],
  ['TP9', 'TP10'],
] as const;

/**
 * Common average: each row less the mean over `used` (all rows by default; leave bad channels out). A sample that is NaN
 * in some channels is averaged over the others.
 */
export function averageReference(
  rows: readonly Float64Array[],
  used: readonly number[] = [...rows.keys()],
): Rereferenced {
  const length = rows[0]?.length ?? 0;
  const reference = new Float64Array(length);
  const counts = new Uint32Array(length);
  for (const i of used) {
    const row = rows[i]!;
    for (let t = 0; t < length; t++) {
      if (!Number.isFinite(row[t])) continue;
      reference[t]! += row[t]!;
      counts[t]!++;
    }
  }
  for (let t = 0; t < length; t++) reference[t]! /= counts[t]!;
  return { rows: rows.map((row) => row.map((value, t) => value - reference[t]!)), reference, used };
}

/**
 * Rows less the mean of the named channels (one or several). Names are compared as montages do. ChannelError where one
 * is missing. A sample that is NaN in any of them is NaN in all rows: half a reference is another reference.
 */
export function rereference(
  rows: readonly Float64Array[],
  names: readonly string[],
  references: readonly string[],
): Rereferenced {
  const available = names.map(comparable);
  const used = references.map((name) => available.indexOf(comparable(name)));
  const missing = references.filter((_, i) => used[i] === -1);
  if (missing.length > 0 || references.length === 0)
    throw new ChannelError(
      `rereference: ${references.length === 0 ? 'no reference is named' : `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`}. The recording has: ${names.join(', ') || 'none'}. Choose from these, or use averageReference.`,
      missing,
      names,
    );
  const reference = new Float64Array(rows[0]?.length ?? 0);
  for (const i of used)
    for (let t = 0; t < reference.length; t++) reference[t]! += rows[i]![t]! / used.length;
  return { rows: rows.map((row) => row.map((value, t) => value - reference[t]!)), reference, used };
}

/** The names of both ears, mastoids or TP9 and TP10, whichever the recording has first. ChannelError where it has no pair. */
export function linkedEars(names: readonly string[]): readonly [left: string, right: string] {
  const available = new Set(names.map(comparable));
  const pair = linkedPairs.find((both) => both.every((name) => available.has(name)));
  if (pair) return pair;
  throw new ChannelError(
    `linkedEars: none of ${linkedPairs.map((both) => both.join(' and ')).join(', ')} is there. The recording has: ${names.join(', ') || 'none'}. Use averageReference.`,
    linkedPairs.flat(),
    names,
  );
}

function comparable(name: string): string {
  return canonicalName(parseChannelName(name).electrode);
}
