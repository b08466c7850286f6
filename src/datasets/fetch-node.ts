/**
 * A download as facts say → a folder that holds it, whole and right: list, what is there already, room on the disk,
 * several files at once, archives unpacked. Whatever stops it, the same call goes on from there.
 */
import { setMaxListeners } from 'node:events';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError, FormatError, HeartmindError, InterruptedError } from '../core/errors.ts';
import { lockFolder } from '../core/folder-lock-node.ts';
import type { RetryPolicy } from '../core/http-retry.ts';
import type { DownloadFacts } from './facts.ts';
import { asStorageError } from './fetch-errors-node.ts';
import { fetchFile } from './fetch-file-node.ts';
import { HttpClient, type HttpOptions } from './fetch-http-node.ts';
import type { FetchFile } from './fetch-list.ts';
import { Manifest } from './fetch-manifest-node.ts';
import { inParallel } from './fetch-parallel.ts';
import type { FetchedFile, FileOptions } from './fetch-part-node.ts';
import { askTotalBytes, listFiles } from './fetch-plan-node.ts';
import { type FreeSpace, formatBytes, freeSpace, requireSpace } from './fetch-space-node.ts';
import { unpackArchive } from './fetch-unpack-node.ts';

export interface FetchOptions {
  /** Files at once (default 4). */
  readonly jobs?: number;
  /** Only files that match: see pathMatcher. */
  readonly only?: string;
  /** Look, and fetch nothing. */
  readonly dryRun?: boolean;
  /** Hash again what is there. */
  readonly verify?: boolean;
  /** Keep archives once they are unpacked. */
  readonly keepArchives?: boolean;
  /** Another address in place of the publisher's. */
  readonly mirror?: string;
  readonly http?: Omit<HttpOptions, 'jobs'>;
  readonly policy?: RetryPolicy;
  readonly random?: () => number;
  readonly free?: FreeSpace;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly onLog?: (text: string) => void;
}

export interface FetchProgress {
  readonly files: number;
  readonly totalFiles: number;
  /** Of the files that are missing. */
  readonly bytes: number;
  /** About; undefined where nobody says. */
  readonly totalBytes: number | undefined;
}

export interface FetchResult {
  readonly folder: string;
  /** All that were asked for. */
  readonly files: number;
  /** There and right already. */
  readonly present: number;
  /** Brought now, or with `dryRun` to be brought; archives count as one. */
  readonly fetched: readonly FetchedPath[];
  /** Files out of archives. */
  readonly unpacked: number;
  /** Bytes of the fetched ones; with `dryRun` about, undefined where nobody says. */
  readonly bytes: number | undefined;
  readonly dryRun: boolean;
}

export interface FetchedPath {
  readonly path: string;
  readonly url: string;
  readonly bytes?: number;
  readonly sha256?: string;
  readonly verified?: FetchedFile['verified'];
}

/** After so many files that could not be had, the rest is not tried. */
const mostFailures = 10;
const resume = 'Run the same command again to go on: what has come is kept.';

/**
 * Fetch into `folder`. DataError where the server does not give something, FormatError for wrong bytes and damaged
 * archives, StorageError for a full disk or a folder in use, InterruptedError when stopped. No wrong file is ever in
 * place.
 */
export async function fetchDownload(
  name: string,
  facts: DownloadFacts,
  folder: string,
  options: FetchOptions = {},
): Promise<FetchResult> {
  const { dryRun = false, jobs = 4, signal } = options;
  if (signal) setMaxListeners(0, signal);
  const http = new HttpClient({ ...options.http, jobs });
  if (!dryRun)
    await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
      throw asStorageError(folder, cause);
    });
  const unlock = dryRun ? undefined : await lockFolder(folder, 'heartmind fetch');
  const download = new Download(name, facts, folder, http, options);
  try {
    return await download.run();
  } catch (error) {
    const isAnother = error instanceof HeartmindError && !(error instanceof InterruptedError);
    throw signal?.aborted && !isAnother ? download.stopped(error) : asStorageError(folder, error);
  } finally {
    http.close();
    await unlock?.();
  }
}

class Download {
  readonly #name: string;
  readonly #facts: DownloadFacts;
  readonly #folder: string;
  readonly #http: HttpClient;
  readonly #options: FetchOptions;
  readonly #fileOptions: FileOptions;
  #bytes = 0;
  /** Files that are in place, and how many are to be; undefined before that is known. */
  #count: { readonly done: number; readonly total: number } | undefined;

  constructor(name: string, facts: DownloadFacts, folder: string, http: HttpClient, options: FetchOptions) {
    this.#name = name;
    this.#facts = facts;
    this.#folder = folder;
    this.#http = http;
    this.#options = options;
    const { signal, policy, random, onLog, free } = options;
    this.#fileOptions = {
      signal,
      ...(policy ? { policy } : {}),
      ...(random ? { random } : {}),
      ...(onLog ? { onLog } : {}),
      checkSpace: (bytes) => requireSpace(folder, bytes, `${name}: what comes next`, free ?? freeSpace),
    };
  }

  async run(): Promise<FetchResult> {
    const { dryRun = false, onLog } = this.#options;
    const files = await listFiles(
      this.#name,
      this.#facts,
      this.#folder,
      this.#http,
      this.#options,
      this.#fileOptions,
    );
    const manifest = await Manifest.open(this.#folder, { readOnly: dryRun });
    const missing = await this.#missing(files, manifest);
    const present = files.length - missing.length;
    const totalBytes = await this.#totalBytes(files, missing);
    const result = { folder: this.#folder, files: files.length, present, dryRun };
    if (dryRun) return { ...result, fetched: missing, unpacked: 0, bytes: totalBytes };
    const { free = freeSpace } = this.#options;
    if (totalBytes !== undefined)
      await requireSpace(this.#folder, totalBytes - (await this.#begunBytes(missing)), this.#name, free);
    const fetched = await this.#fetchAll(missing, manifest, totalBytes);
    const unpacked = await this.#unpackAll(files, manifest);
    const unsure = fetched.filter(({ verified }) => verified === 'none' || verified === 'size');
    if (unsure.length > 0)
      onLog?.(
        `${this.#name}: ${unsure.length} of ${fetched.length} files have no published checksum; they were taken as the server sent them.`,
      );
    return { ...result, fetched, unpacked, bytes: fetched.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) };
  }

  async #missing(files: readonly FetchFile[], manifest: Manifest): Promise<FetchFile[]> {
    const { verify = false, dryRun = false, signal } = this.#options;
    const missing = new Set<FetchFile>();
    let differing = 0;
    this.#count = { done: 0, total: files.length };
    await inParallel(files, 8, async (file) => {
      signal?.throwIfAborted();
      if (await manifest.check(file, verify, signal, dryRun)) return;
      missing.add(file);
      if (await stat(join(this.#folder, file.path)).catch(() => undefined)) differing++;
    });
    if (differing > 0)
      this.#options.onLog?.(
        `${this.#name}: ${differing} files in ${this.#folder} are not as published, and ${dryRun ? 'would be' : 'are'} replaced.`,
      );
    return files.filter((file) => missing.has(file));
  }

  /** Bytes that are missing, about: as published, or as the server says. */
  async #totalBytes(files: readonly FetchFile[], missing: readonly FetchFile[]): Promise<number | undefined> {
    const isAll = missing.length === files.length && this.#options.only === undefined;
    if (missing.length > 0 && isAll && this.#facts.bytes !== undefined) return this.#facts.bytes;
    return askTotalBytes(missing, this.#http, this.#options.jobs ?? 4, this.#options.signal);
  }

  /** Bytes of the missing files that an earlier run left on the disk. */
  async #begunBytes(missing: readonly FetchFile[]): Promise<number> {
    let bytes = 0;
    await inParallel(missing, 8, async ({ path }) => {
      const part = await stat(join(this.#folder, `${path}.part`)).catch(() => undefined);
      bytes += part?.size ?? 0;
    });
    return bytes;
  }

  async #fetchAll(
    missing: readonly FetchFile[],
    manifest: Manifest,
    totalBytes: number | undefined,
  ): Promise<FetchedPath[]> {
    const fetched: FetchedPath[] = [];
    const failed: HeartmindError[] = [];
    const report = () =>
      this.#options.onProgress?.({
        files: fetched.length,
        totalFiles: missing.length,
        bytes: this.#bytes,
        totalBytes,
      });
    const options: FileOptions = {
      ...this.#fileOptions,
      onBytes: (bytes) => {
        this.#bytes += bytes;
        report();
      },
    };
    this.#count = { done: 0, total: missing.length };
    await inParallel(missing, this.#options.jobs ?? 4, async (file) => {
      if (failed.length >= mostFailures) return;
      this.#options.signal?.throwIfAborted();
      try {
        const done = await fetchFile(this.#http, file, join(this.#folder, file.path), options);
        await manifest.add({ path: file.path, ...done });
        const { bytes, sha256, verified } = done;
        fetched.push({ path: file.path, url: file.url, bytes, sha256, verified });
        this.#count = { done: fetched.length, total: missing.length };
        report();
      } catch (error) {
        if (!(error instanceof DataError || error instanceof FormatError)) throw error;
        failed.push(error);
      }
    });
    if (failed.length === 0) return fetched;
    if (failed.length === 1 && missing.length === 1) throw failed[0]!;
    const [first] = failed as [HeartmindError];
    const text = `${this.#name}: ${failed.length} of ${missing.length} files could not be fetched, ${fetched.length} were${failed.length >= mostFailures ? ', the rest was not tried' : ''}. The first: ${first.message} ${resume}`;
    throw first instanceof FormatError
      ? new FormatError(text, first.source, undefined, { cause: first })
      : new DataError(text, { cause: first });
  }

  async #unpackAll(files: readonly FetchFile[], manifest: Manifest): Promise<number> {
    const { signal, onLog, keepArchives = false, free = freeSpace } = this.#options;
    let count = 0;
    this.#count = { done: files.length, total: files.length };
    for (const file of files) {
      const noted = manifest.entries.get(file.path);
      if (file.unpack === undefined || !noted || noted.unpacked) continue;
      const archive = join(this.#folder, file.path);
      const below = dirname(file.path) === '.' ? '' : `${dirname(file.path)}/`;
      try {
        const members = await unpackArchive(archive, file.unpack, join(this.#folder, below), {
          signal,
          ...(onLog ? { onLog } : {}),
          checkSpace: (bytes) => requireSpace(this.#folder, bytes, `${file.path}: its content`, free),
        });
        for (const member of members)
          await manifest.add({ ...member, path: below + member.path, verified: 'archive', from: file.path });
        count += members.length;
      } catch (error) {
        signal?.throwIfAborted();
        // Taken unverified, it may have come damaged: the next time it is fetched anew.
        if (error instanceof FormatError && (noted.verified === 'none' || noted.verified === 'size'))
          await rm(archive, { force: true });
        throw error;
      }
      const { modifiedMs: _, ...entry } = noted;
      await manifest.add({ ...entry, unpacked: true });
      if (!keepArchives) await rm(archive, { force: true });
    }
    return count;
  }

  /** What to say of a stop, wherever in the download it was heard. */
  stopped(cause: unknown): InterruptedError {
    const came = `${formatBytes(Math.max(0, this.#bytes))} have come`;
    const where = this.#count
      ? `with ${this.#count.done} of ${this.#count.total} files in ${this.#folder} (${came})`
      : `before all was in ${this.#folder}`;
    return new InterruptedError(`${this.#name}: stopped ${where}. ${resume}`, { cause });
  }
}
