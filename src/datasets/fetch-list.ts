/**
 * What is to be fetched, as data: the publisher's checksum list or named files → files with their addresses and hashes.
 *
 * Lists: `HASH  PATH` and `HASH *PATH` (GNU coreutils; PhysioNet's SHA256SUMS.txt), `\HASH  PATH` with escapes, and
 * `SHA256 (PATH) = HASH` (BSD). The hash tells by its length what it is: 64 hexadecimal digits SHA-256, 32 MD5.
 */
import { ConfigError, FormatError } from '../core/errors.ts';
import type { DownloadFacts, DownloadFile } from './facts.ts';
import { SafePaths, safePath } from './fetch-path.ts';

/** A file to fetch: a whole address, and a path that is safe inside a folder. */
export interface FetchFile extends DownloadFile {
  readonly url: string;
  readonly path: string;
}

/** One line of a checksum list. */
export interface ListedFile {
  readonly path: string;
  readonly sha256?: string;
  readonly md5?: string;
}

/** The largest known list (MIMIC-IV-ECG) has 1.6 million lines in 180 MB. */
export const mostListBytes = 2 ** 28;
const mostListed = 4_000_000;

/**
 * Lines of a checksum list → files, in its order. FormatError for a line that is none, for a path that may not be used (see
 * fetch-path.ts), and for too many. `onNote` is told what was left out.
 */
export function parseChecksumList(
  text: string,
  source: string,
  onNote?: (text: string) => void,
): ListedFile[] {
  const files = new Map<string, ListedFile>();
  const paths = new SafePaths(source);
  let number = 0;
  for (const raw of text.replace(/^\uFEFF/, '').split('\n')) {
    number++;
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    const { hash, name } = parseLine(line) ?? failLine(source, number, line);
    const path = paths.addFile(name);
    if (path === undefined) continue;
    if (files.size >= mostListed)
      throw new FormatError(
        `${source}: more than ${mostListed} files. This is no list of a dataset; check the address.`,
        source,
      );
    const file = hash.length === 64 ? { path, sha256: hash } : { path, md5: hash };
    const known = files.get(path);
    if (known && (known.sha256 ?? file.sha256) !== (file.sha256 ?? known.sha256))
      throw new FormatError(
        `${source}: line ${number} gives '${path}' a second hash, ${hash}. The list is damaged; fetch it again.`,
        source,
      );
    files.set(path, { ...known, ...file });
  }
  if (paths.note !== undefined) onNote?.(paths.note);
  if (files.size === 0)
    throw new FormatError(`${source}: a checksum list without a file. Check the address.`, source);
  return [...files.values()];
}

function parseLine(line: string): { hash: string; name: string } | undefined {
  const bsd = /^(SHA256|MD5) \((.+)\) = ([0-9a-f]+)\s*$/i.exec(line);
  const gnu = /^(\\?)([0-9a-f]+)(?: [ *]|\t+| +)(.+)$/i.exec(line);
  const hash = (bsd?.[3] ?? gnu?.[2])?.toLowerCase();
  const length = bsd ? (bsd[1]!.toUpperCase() === 'MD5' ? [32] : [64]) : [32, 64];
  if (hash === undefined || !length.includes(hash.length)) return undefined;
  if (bsd) return { hash, name: bsd[2]! };
  // A leading backslash announces escapes in the name (GNU coreutils).
  const escapes: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\r': '\r' };
  const name = gnu![3]!.trimEnd();
  return { hash, name: gnu![1] === '' ? name : name.replace(/\\[\\nr]/g, (pair) => escapes[pair]!) };
}

function failLine(source: string, number: number, line: string): never {
  throw new FormatError(
    `${source}: line ${number} '${line.slice(0, 60)}' is no hash and path. The server sent something else than a checksum list; check the address.`,
    source,
  );
}

/** The addresses of `facts`, below a mirror where one is given. ConfigError for an address that is none. */
export function baseAddress(facts: Pick<DownloadFacts, 'baseUrl'>, mirror?: string): URL {
  const text = mirror ?? facts.baseUrl;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new ConfigError(
      `${mirror === undefined ? 'baseUrl' : '--mirror'}: '${text}' is no http(s) address without a password. Give one like https://example.org/files/.`,
      mirror === undefined ? 'baseUrl' : '--mirror',
      'an http(s) address',
    );
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** The address of a path below `base`, whatever characters the path has. */
export function addressBelow(base: URL, path: string): string {
  const url = new URL(path.split('/').map(encodeURIComponent).join('/'), base);
  url.search = base.search; // signed addresses
  return url.href;
}

/** Listed and named files → what to fetch, once each. */
export function filesToFetch(
  facts: DownloadFacts,
  listed: readonly ListedFile[],
  base: URL,
  mirrored: boolean,
): FetchFile[] {
  const files = new Map<string, FetchFile>();
  for (const file of listed) files.set(file.path, { ...file, url: addressBelow(base, file.path) });
  for (const file of facts.files ?? []) {
    const path = safePath(file.path, 'files');
    const isWhole = /^[a-z][a-z0-9+.-]*:/i.test(file.url);
    // A whole address below the publisher's base is on the mirror too.
    const relative =
      mirrored && file.url.startsWith(facts.baseUrl)
        ? file.url.slice(facts.baseUrl.length).replace(/^\//, '')
        : undefined;
    const url = relative !== undefined || !isWhole ? new URL(relative ?? file.url, base).href : file.url;
    files.set(path, { ...files.get(path), ...file, path, url });
  }
  return [...files.values()];
}

/** `*` and `?` within a name, `**` across folders, `,` between several patterns; without `/`, any file of that name. */
export function pathMatcher(pattern: string): (path: string) => boolean {
  const matchers = pattern
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const matches = compilePattern(part);
      return part.includes('/') ? matches : (path: string) => matches(path.slice(path.lastIndexOf('/') + 1));
    });
  return (path) => matchers.some((matches) => matches(path));
}

/** One pattern on whole paths. Linear in the path: a hostile name cannot make it crawl. */
export function compilePattern(pattern: string): (path: string) => boolean {
  const parts = pattern.split('/').map((part) =>
    part === '**'
      ? undefined
      : new RegExp(
          `^${part
            .replace(/\*+/g, '*')
            .replace(/[.+^${}()|[\]\\]/g, '\\$&')
            .replace(/\*/g, '[^/]*')
            .replace(/\?/g, '[^/]')}$`,
        ),
  );
  return (path) => matchParts(parts, path.split('/'));
}

/** Dynamic programming over (pattern part, path part): `**` stands for any number of folders. */
function matchParts(pattern: readonly (RegExp | undefined)[], path: readonly string[]): boolean {
  let reachable = new Set([0]);
  for (const [i, part] of pattern.entries()) {
    const next = new Set<number>();
    for (const at of reachable) {
      if (part === undefined) {
        // As the last part, `**` means everything below.
        if (i === pattern.length - 1) return at < path.length;
        for (let j = at; j <= path.length; j++) next.add(j);
      } else if (at < path.length && part.test(path[at]!)) next.add(at + 1);
    }
    reachable = next;
  }
  return reachable.has(path.length);
}
