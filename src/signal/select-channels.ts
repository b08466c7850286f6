/**
 * Which channels somebody means: patterns → indices, in the order of the patterns, each channel once.
 * A pattern is a name (with the aliases of channel-names.ts), a glob (`EEG*`, `C?`), an index (`3`, `#3`, `#0-7`), or `!`
 * before one of these for all others. Names win over indices: some files name their channels 1, 2, 3.
 */
import { ChannelError, ConfigError } from '../core/errors.ts';
import { canonicalName, parseChannelName } from './channel-names.ts';

export interface ChosenChannels {
  readonly indices: readonly number[];
  /** What a user should know: several channels of one name. */
  readonly notes: readonly string[];
}

/**
 * Choose among the names of a recording's channels; all where no pattern is given. ChannelError lists what is missing
 * and what there is; ConfigError where nothing is left.
 */
export function chooseChannels(
  available: readonly string[],
  patterns: readonly (string | number)[] | undefined,
): ChosenChannels {
  const every = available.map((_, index) => index);
  if (patterns === undefined) return { indices: every, notes: [] };
  const isExclusion = (pattern: string | number) => typeof pattern === 'string' && pattern.startsWith('!');
  const wanted = patterns.filter((pattern) => !isExclusion(pattern));
  const unwanted = patterns.filter(isExclusion).map((pattern) => String(pattern).slice(1));
  const notes: string[] = [];
  const missing: string[] = [];
  const find = (pattern: string | number) => {
    const found = matchChannels(available, pattern);
    if (found.length === 0) missing.push(String(pattern));
    return found;
  };
  const chosen = new Set(wanted.length === 0 ? every : []);
  for (const pattern of wanted) {
    const found = find(pattern);
    for (const index of found) chosen.add(index);
    if (found.length > 1 && isName(pattern))
      notes.push(
        `select: ${found.length} channels are named '${pattern}' (${found.map((index) => `#${index}`).join(', ')}); all were taken.`,
      );
  }
  for (const pattern of unwanted) for (const index of find(pattern)) chosen.delete(index);
  if (missing.length > 0)
    throw new ChannelError(
      `select: ${missing.map((name) => `'${name}'`).join(', ')} ${missing.length === 1 ? 'is' : 'are'} none of the recording's channels: ${available.join(', ') || 'it has none'}. Choose from these, by name, glob or #index.`,
      missing,
      available,
    );
  if (chosen.size === 0)
    throw new ConfigError('select: no channel is left. Choose at least one.', 'channels');
  return { indices: [...chosen], notes };
}

function isName(pattern: string | number): boolean {
  return typeof pattern === 'string' && !/[*?]/.test(pattern) && !/^#/.test(pattern);
}

function matchChannels(available: readonly string[], pattern: string | number): number[] {
  if (typeof pattern === 'number') return available[pattern] === undefined ? [] : [pattern];
  const exact = indicesOf(available, (name) => name === pattern.trim());
  if (exact.length > 0) return exact;
  const numbered = /^#?(\d+)(?:-(\d+))?$/.exec(pattern);
  const names = available.map(parseChannelName);
  if (/[*?]/.test(pattern)) {
    const matches = (text: string) => matchesGlob(pattern, text);
    return indicesOf(available, (name, i) => matches(name) || matches(names[i]!.electrode));
  }
  const { name: wanted } = parseChannelName(pattern);
  const canonical = canonicalName(wanted);
  // Exact names win over aliases, names without a reference over names with one: as montages choose.
  const passes: readonly ((name: (typeof names)[number]) => boolean)[] = [
    ({ name }) => name === wanted,
    ({ name }) => canonicalName(name) === canonical,
    ({ electrode }) => electrode === wanted,
    ({ electrode }) => canonicalName(electrode) === canonical,
  ];
  for (const matches of wanted === '' ? [] : passes) {
    const found = indicesOf(available, (_, i) => matches(names[i]!));
    if (found.length > 0) return found;
  }
  if (!numbered || (numbered[2] !== undefined && !pattern.startsWith('#'))) return [];
  const first = Number(numbered[1]);
  const last = Number(numbered[2] ?? first);
  return last < available.length ? indicesOf(available, (_, i) => i >= first && i <= last) : [];
}

function indicesOf(names: readonly string[], matches: (name: string, index: number) => boolean): number[] {
  return names.flatMap((name, index) => (matches(name, index) ? [index] : []));
}

/** Does a glob (`*` any text, `?` any character, case aside) match? Quadratic at worst, unlike a regular expression. */
function matchesGlob(glob: string, text: string): boolean {
  const [pattern, subject] = [glob.toUpperCase(), text.toUpperCase()];
  let [p, s, star, retry] = [0, 0, -1, 0];
  while (s < subject.length) {
    if (pattern[p] === '*') {
      star = p++;
      retry = s;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === subject[s])) {
      p++;
      s++;
    } else if (star >= 0) {
      p = star + 1;
      s = ++retry;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
