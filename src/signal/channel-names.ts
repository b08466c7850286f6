/**
 * How files name channels: `EEG Fp1-Ref`, `Fp1.`, `POL T3`, `EEG A2-A1`, `MLII`, `ECG ECG`, `EKG1` → comparable names.
 * The aliases are data: one line per name that means another.
 */

export interface ChannelName {
  /** Upper case, without signal type and padding, reference kept: `FP1-REF`, `A2-A1`, `II`. */
  readonly name: string;
  /** The name without a reference that says nothing of the montage: `FP1`; else the same as `name`. */
  readonly electrode: string;
  /** What was taken off: `REF`, `A1`; empty if none is named. */
  readonly reference: string;
}

/** Words before the electrode: EDF+ signal types, Nihon Kohden's `POL`, ECG files' `Lead`. */
const prefixes = ['EEG', 'ECG', 'EKG', 'POL', 'LEAD'];

/** Names of a common reference after the electrode: the recorder's, linked ears, averages. */
const commonReferences = new Set(['REF', 'REF1', 'LE', 'LER', 'AR', 'AVG', 'AVE', 'AV', 'CAR']);

/** One ear or mastoid may be a reference too, but `A2-A1` is a difference of both, not an A2 with a reference. */
const earReferences = new Set(['A1', 'A2', 'A1A2', 'M1', 'M2', 'M1M2']);

/** Other name → the one used for comparing. */
const aliases: Readonly<Record<string, string>> = {
  // 10-20 names of 1958 → those of the 10-10 system (American EEG Society 1991).
  T3: 'T7',
  T4: 'T8',
  T5: 'P7',
  T6: 'P8',
  // MIT-BIH's modified limb leads, recorded from the torso, stand for the limb leads.
  MLI: 'I',
  MLII: 'II',
  MLIII: 'III',
  ML1: 'I',
  ML2: 'II',
  ML3: 'III',
  // A single ECG lead of unknown position.
  EKG: 'ECG',
  ECG1: 'ECG',
  EKG1: 'ECG',
  EKG2: 'ECG2',
};

/** Take a file's (or recipe's) channel name apart. */
export function parseChannelName(text: string): ChannelName {
  const clean = text
    .toUpperCase()
    .replace(/[\s.]+$/, '')
    .replace(/^\s+/, '')
    .replace(/\s*[-–−]\s*/g, '-')
    .replace(/\s+/g, ' ');
  const name = withoutPrefix(clean);
  const at = name.lastIndexOf('-');
  const [electrode, reference] = [name.slice(0, at), name.slice(at + 1)];
  const isReference =
    commonReferences.has(reference) || (earReferences.has(reference) && !earReferences.has(electrode));
  return at > 0 && isReference ? { name, electrode, reference } : { name, electrode: name, reference: '' };
}

/** The name under which all aliases of a parsed name meet, on both sides of a difference: `T3-O1` → `T7-O1`. */
export function canonicalName(name: string): string {
  return name
    .split('-')
    .map((part) => (Object.hasOwn(aliases, part) ? aliases[part]! : part))
    .join('-');
}

const ecgLeads = /^(I|II|III|AV[RLF]|V[1-9]R?|ECG\d*)$/;

/** Is this the name of an ECG channel: a lead (`MLII`, `Lead I`, `V5`), or one that says so (`ECG II`, `ECG1-ECG2`)? */
export function isEcgChannel(text: string): boolean {
  return /^\s*E[CK]G(?![A-Z])/i.test(text) || ecgLeads.test(canonicalName(parseChannelName(text).electrode));
}

/** `EEG FP1` → `FP1`, `ECG LEAD II` → `II`; a type that is the whole name stays: `ECG`, `ECG 1` → `ECG1`. */
function withoutPrefix(name: string): string {
  for (const prefix of prefixes) {
    const rest = name.startsWith(prefix) ? name.slice(prefix.length).match(/^[ :_-]+(.+)$/)?.[1] : undefined;
    if (rest === undefined || commonReferences.has(rest)) continue;
    return /^\d+$/.test(rest) ? `${prefix}${rest}` : withoutPrefix(rest);
  }
  return name;
}
