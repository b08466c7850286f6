/**
 * Montage: recorded channel names → the rows that a model wants, each a weighted sum of recorded channels.
 * Names are compared by channel-names.ts. A wanted name is looked for as a recorded channel first; then `X-Y` is
 * derived as X − Y, and the limb leads III, aVR, aVL, aVF from I and II (Einthoven's triangle, Goldberger's leads).
 */
import { ChannelError } from '../core/errors.ts';
import { canonicalName, isEcgChannel, parseChannelName } from './channel-names.ts';

/** One recorded channel's share in a row. */
export interface MontageTerm {
  /** Index into the recording's channels. */
  readonly channel: number;
  readonly weight: number;
}

export interface MontageRow {
  /** As it was asked for. */
  readonly name: string;
  /** None where the channel is missing and may be. */
  readonly terms: readonly MontageTerm[];
}

export interface MontagePlan {
  /** One for each wanted name, in that order. */
  readonly rows: readonly MontageRow[];
  /** What a report should say: duplicates, derived rows, mixed references. A sentence each. */
  readonly notes: readonly string[];
}

/** Limb leads as sums of I and II: Goldberger, Am. Heart J. 23 (1942); every 12-lead recorder computes them so. */
const limbLeads: Readonly<Record<string, { readonly I: number; readonly II: number }>> = {
  III: { I: -1, II: 1 },
  AVR: { I: -0.5, II: -0.5 },
  AVL: { I: 1, II: -0.5 },
  AVF: { I: -0.5, II: 1 },
};

/**
 * Find or derive every wanted channel. ChannelError lists all that are missing and what is available; with `leaveMissing`
 * they are rows without terms instead.
 */
export function planMontage(
  available: readonly string[],
  wanted: readonly string[],
  { leaveMissing = false }: { readonly leaveMissing?: boolean } = {},
): MontagePlan {
  const names = available.map(parseChannelName);
  const notes: string[] = [];
  const noted = new Set<string>();
  const note = (sentence: string) => {
    if (!noted.has(sentence)) notes.push(sentence);
    noted.add(sentence);
  };

  /** Exact names win over aliases, names without a reference over names with one. */
  const findChannel = (name: string): number | undefined => {
    const canonical = canonicalName(name);
    const passes: readonly ((candidate: (typeof names)[number]) => boolean)[] = [
      (candidate) => candidate.name === name,
      (candidate) => canonicalName(candidate.name) === canonical,
      (candidate) => candidate.electrode === name,
      (candidate) => canonicalName(candidate.electrode) === canonical,
    ];
    for (const matches of passes) {
      const found = names.flatMap((candidate, index) => (matches(candidate) ? [index] : []));
      if (found.length === 0) continue;
      const [first] = found;
      if (found.length > 1) {
        const list = found.map((index) => `${index} '${available[index]}'`).join(', ');
        note(`montage: ${found.length} channels match '${name}' (${list}); the first is used.`);
      }
      return first;
    }
    return undefined;
  };

  const deriveDifference = (name: string, label: string): MontageTerm[] | undefined => {
    const parts = name.split('-');
    if (parts.length !== 2) return undefined;
    const [plusName, minusName] = parts as [string, string];
    const reversed = findChannel(`${minusName}-${plusName}`);
    if (reversed !== undefined) {
      note(`montage: '${label}' is '${available[reversed]}' with its sign turned.`);
      return [{ channel: reversed, weight: -1 }];
    }
    const [plus, minus] = [findChannel(plusName), findChannel(minusName)];
    if (plus === undefined || minus === undefined) return undefined;
    note(`montage: '${label}' is derived as '${available[plus]}' − '${available[minus]}'.`);
    if (names[plus]!.reference !== names[minus]!.reference) {
      note(
        `montage: '${available[plus]}' and '${available[minus]}' name different references, so '${label}' is not exact.`,
      );
    }
    return [
      { channel: plus, weight: 1 },
      { channel: minus, weight: -1 },
    ];
  };

  const deriveLimbLead = (name: string, label: string): MontageTerm[] | undefined => {
    const weights = Object.hasOwn(limbLeads, name) ? limbLeads[name] : undefined;
    const [first, second] = [findChannel('I'), findChannel('II')];
    if (!weights || first === undefined || second === undefined) return undefined;
    note(`montage: '${label}' is derived from '${available[first]}' and '${available[second]}'.`);
    return [
      { channel: first, weight: weights.I },
      { channel: second, weight: weights.II },
    ];
  };

  /**
   * Who asks for one lead, `ECG`, gets the only ECG channel there is: a limb lead or one of unknown place. Of several none
   * is chosen, and a chest lead or a second channel (`V1`, `ECG2`) does not stand for it: its beats look different.
   */
  const findLoneEcg = (name: string, label: string): MontageTerm[] | undefined => {
    if (wanted.length !== 1 || canonicalName(name) !== 'ECG') return undefined;
    const [only, ...others] = available.flatMap((channel, index) => (isEcgChannel(channel) ? [index] : []));
    if (only === undefined || others.length > 0) return undefined;
    if (/^(V|ECG)\d+R?$/.test(canonicalName(names[only]!.electrode))) return undefined;
    note(`montage: '${label}' is '${available[only]}', the only ECG channel.`);
    return [{ channel: only, weight: 1 }];
  };

  const missing: string[] = [];
  const rows: MontageRow[] = [];
  for (const label of wanted) {
    const { name } = parseChannelName(label);
    const direct = findChannel(name);
    const terms =
      direct === undefined
        ? (deriveDifference(name, label) ??
          deriveLimbLead(canonicalName(name), label) ??
          findLoneEcg(name, label))
        : [{ channel: direct, weight: 1 }];
    if (terms || leaveMissing) rows.push({ name: label, terms: terms ?? [] });
    else missing.push(label);
  }
  if (missing.length > 0) {
    throw new ChannelError(
      `montage: ${missing.length} of ${wanted.length} channels are missing: ${missing.join(', ')}. The recording has: ${available.join(', ') || 'none'}. Choose a montage from these.`,
      missing,
      available,
    );
  }
  return { rows, notes };
}

/** One row's signal: Σ weight · samples, from the recorded channels' samples [T] by index, all of one length and unit. */
export function combineTerms(
  terms: readonly MontageTerm[],
  samplesOf: (channel: number) => Float64Array,
): Float64Array {
  const [first, ...others] = terms.map(({ channel, weight }) => ({ samples: samplesOf(channel), weight }));
  if (!first) return new Float64Array(0);
  const sum = first.samples.slice();
  if (first.weight !== 1) for (let i = 0; i < sum.length; i++) sum[i]! *= first.weight;
  for (const { samples, weight } of others) {
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * samples[i]!;
  }
  return sum;
}
