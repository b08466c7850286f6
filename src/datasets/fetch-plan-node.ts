/** What a download consists of, by the publisher's list, and how much it is, by asking the server. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, DataError, InterruptedError } from '../core/errors.ts';
import { contentLength } from '../core/http-range.ts';
import type { DownloadFacts } from './facts.ts';
import { fetchFile } from './fetch-file-node.ts';
import type { HttpClient } from './fetch-http-node.ts';
import {
  baseAddress,
  type FetchFile,
  filesToFetch,
  mostListBytes,
  parseChecksumList,
  pathMatcher,
} from './fetch-list.ts';
import { inParallel } from './fetch-parallel.ts';
import type { FileOptions } from './fetch-part-node.ts';
import { safePath } from './fetch-path.ts';

interface ListOptions {
  readonly mirror?: string;
  readonly only?: string;
  readonly dryRun?: boolean;
  readonly onLog?: (text: string) => void;
}

/** So many addresses are asked for their sizes; the rest is estimated from them. */
const mostSizeRequests = 48;

/** The files of a download, those that are asked for. ConfigError where a pattern matches none. */
export async function listFiles(
  name: string,
  facts: DownloadFacts,
  folder: string,
  http: HttpClient,
  options: ListOptions,
  fileOptions: FileOptions,
): Promise<FetchFile[]> {
  const { mirror, only } = options;
  const base = baseAddress(facts, mirror);
  const listed =
    facts.checksumList === undefined
      ? []
      : await checksumList(name, base, facts.checksumList, folder, http, options, fileOptions);
  const files = filesToFetch(facts, listed, base, mirror !== undefined);
  if (files.length === 0) throw new DataError(`${name}: nothing is known to be fetched. Give its files.`);
  if (only === undefined) return files;
  const matches = pathMatcher(only);
  const chosen = files.filter(({ path }) => matches(path));
  if (chosen.length > 0) return chosen;
  const examples = files.slice(0, 3).map(({ path }) => path);
  throw new ConfigError(
    `--only: '${only}' matches none of ${files.length} files (${examples.join(', ')}, …). '*' is within a name, '**' across folders.`,
    '--only',
  );
}

/** The publisher's list, kept in the folder; the copy there serves when the server cannot be reached. */
async function checksumList(
  name: string,
  base: URL,
  list: string,
  root: string,
  http: HttpClient,
  { dryRun = false, onLog }: ListOptions,
  fileOptions: FileOptions,
) {
  const path = safePath(list, name);
  const folder = dryRun ? await mkdtemp(join(tmpdir(), 'heartmind-fetch-')) : root;
  const target = join(folder, path);
  try {
    const url = new URL(list, base).href;
    await fetchFile(http, { url, path }, target, { ...fileOptions, mostBytes: mostListBytes }).catch(
      async (error: unknown) => {
        const isThere = await stat(target).then(
          () => true,
          () => false,
        );
        if (!(error instanceof DataError) || !isThere) throw error;
        onLog?.(`${error.message} The list of the last time is used.`);
      },
    );
    return parseChecksumList(await readFile(target, 'utf8'), url, onLog);
  } finally {
    if (dryRun) await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes of files, about: as published, else as the server says of some of them; undefined where it does not. */
export async function askTotalBytes(
  files: readonly FetchFile[],
  http: HttpClient,
  jobs: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const unknown = files.filter(({ bytes }) => bytes === undefined);
  const known = files.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  if (unknown.length === 0) return known;
  const step = Math.max(1, unknown.length / mostSizeRequests);
  const asked: FetchFile[] = [];
  for (let i = 0; i < unknown.length; i += step) asked.push(unknown[Math.floor(i)]!);
  const sizes: number[] = [];
  await inParallel(asked, jobs, async ({ url }) => {
    try {
      const answer = await http.request(url, {}, { method: 'HEAD', signal });
      answer.discard();
      const length = contentLength(answer);
      if (answer.status === 200 && length !== undefined) sizes.push(length);
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
    }
  });
  if (sizes.length < asked.length) return undefined;
  return known + Math.round((sizes.reduce((sum, size) => sum + size, 0) / sizes.length) * unknown.length);
}
