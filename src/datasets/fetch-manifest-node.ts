/**
 * What a folder holds that is known to be right: one JSON line a file in `.heartmind-fetch.jsonl`, with size, time of
 * change and hash, so that a second run looks at no bytes. A line that was cut off by a crash counts as absent.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/output-node.ts';
import type { FetchFile } from './fetch-list.ts';

export const manifestName = '.heartmind-fetch.jsonl';

export interface ManifestEntry {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly sha256: string;
  readonly md5?: string;
  readonly verified: string;
  /** The archive that it came out of. */
  readonly from?: string;
  /** An archive whose content is unpacked; it may be gone itself. */
  readonly unpacked?: boolean;
}

export class Manifest {
  readonly entries: Map<string, ManifestEntry>;
  readonly #folder: string;
  /** Lines are written one after the other. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, entries: Map<string, ManifestEntry>) {
    this.#folder = folder;
    this.entries = entries;
  }

  /** Read it; an absent or damaged one knows less, that is all. */
  static async open(folder: string, { readOnly = false } = {}): Promise<Manifest> {
    const path = join(folder, manifestName);
    const text = await readFile(path, 'utf8').catch(() => '');
    const entries = new Map<string, ManifestEntry>();
    let lines = 0;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      lines++;
      const entry = parseEntry(line);
      if (entry) entries.set(entry.path, entry);
    }
    const manifest = new Manifest(folder, entries);
    const isTorn = text !== '' && !text.endsWith('\n');
    if (!readOnly && (isTorn || lines > 2 * entries.size)) await manifest.#rewrite();
    return manifest;
  }

  /** Note a file that is in its place. */
  async add(entry: Omit<ManifestEntry, 'modifiedMs'>): Promise<void> {
    const modifiedMs = entry.unpacked ? 0 : (await stat(join(this.#folder, entry.path))).mtimeMs;
    const whole: ManifestEntry = { ...entry, modifiedMs };
    this.entries.set(entry.path, whole);
    const write = () => appendFile(join(this.#folder, manifestName), `${JSON.stringify(whole)}\n`);
    this.#writing = this.#writing.then(write, write).catch((cause: Error) => {
      throw new StorageError(
        `${join(this.#folder, manifestName)}: cannot be written (${cause.message}). Make room and run again.`,
        this.#folder,
        { cause },
      );
    });
    await this.#writing;
  }

  /**
   * Is this file there and right? By size, time and hash as noted; else, or with `rehash`, by its bytes. Undefined: no
   * such file, or a wrong one.
   */
  async check(
    file: FetchFile,
    rehash = false,
    signal?: AbortSignal,
    readOnly = false,
  ): Promise<ManifestEntry | undefined> {
    const path = join(this.#folder, file.path);
    const noted = this.entries.get(file.path);
    if (noted?.unpacked && agrees(file, noted) && (await this.#areMembersThere(file.path))) return noted;
    const present = await stat(path).catch(() => undefined);
    if (!present?.isFile()) return undefined;
    const isNoted =
      noted !== undefined && noted.bytes === present.size && noted.modifiedMs === present.mtimeMs;
    if (isNoted && !rehash) return agrees(file, noted) ? noted : undefined;
    const wanted = file.sha256 ?? file.md5;
    // A file of the announced size, no hash published, and no note of ours: the user's own copy is taken as it is.
    if (wanted === undefined && !isNoted && file.bytes !== present.size) return undefined;
    if (file.bytes !== undefined && file.bytes !== present.size) return undefined;
    const hashes = await hashFile(path, file.md5 !== undefined, signal);
    const verified = file.sha256 ? 'sha256' : file.md5 ? 'md5' : isNoted ? noted.verified : 'size';
    const entry = { path: file.path, bytes: present.size, ...hashes, verified };
    if (!agrees(file, entry) || (wanted === undefined && isNoted && noted.sha256 !== entry.sha256))
      return undefined;
    if (!isNoted && !readOnly) await this.add(entry);
    return { ...entry, modifiedMs: present.mtimeMs };
  }

  async #areMembersThere(archive: string): Promise<boolean> {
    for (const entry of this.entries.values()) {
      if (entry.from !== archive) continue;
      const present = await stat(join(this.#folder, entry.path)).catch(() => undefined);
      if (present?.size !== entry.bytes || present.mtimeMs !== entry.modifiedMs) return false;
    }
    return true;
  }

  #rewrite(): Promise<void> {
    const text = [...this.entries.values()].map((entry) => `${JSON.stringify(entry)}\n`).join('');
    return writeFileAtomically(join(this.#folder, manifestName), new TextEncoder().encode(text));
  }
}

function agrees(file: FetchFile, entry: Omit<ManifestEntry, 'modifiedMs'>): boolean {
  if (file.bytes !== undefined && file.bytes !== entry.bytes) return false;
  if (file.sha256 !== undefined && file.sha256.toLowerCase() !== entry.sha256) return false;
  return file.md5 === undefined || file.md5.toLowerCase() === entry.md5;
}

function parseEntry(line: string): ManifestEntry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<ManifestEntry> | null;
    const isWhole =
      typeof entry?.path === 'string' &&
      typeof entry.bytes === 'number' &&
      typeof entry.modifiedMs === 'number' &&
      typeof entry.sha256 === 'string';
    return isWhole ? (entry as ManifestEntry) : undefined;
  } catch {
    return undefined;
  }
}

/** Hashes of a file on disk. */
export async function hashFile(
  path: string,
  withMd5 = false,
  signal?: AbortSignal,
): Promise<{ sha256: string; md5?: string }> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  for await (const chunk of createReadStream(path, {
    highWaterMark: 2 ** 20,
    ...(signal ? { signal } : {}),
  })) {
    sha256.update(chunk as Uint8Array);
    if (withMd5) md5.update(chunk as Uint8Array);
  }
  return { sha256: sha256.digest('hex'), ...(withMd5 ? { md5: md5.digest('hex') } : {}) };
}
