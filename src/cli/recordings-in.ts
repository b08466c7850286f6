/** The recordings of a folder: every file that a reader takes for one, by its first bytes and its name. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type ByteSource, isGzip } from '../core/bytes.ts';
import { DataError } from '../core/errors.ts';
import { fileSource } from '../read/file-node.ts';
import { formats } from '../read/open.ts';

export interface FoundRecording {
  /** To be opened. */
  readonly path: string;
  /** Inside the folder, with `/`. */
  readonly inside: string;
  /** What its reader is called. */
  readonly format: string;
}

/** Tables are taken for recordings by their name alone: what cannot be read of them is no damaged recording. */
export const tableExtensions = /\.(csv|tsv|txt)(\.gz)?$/i;
/** Signal files that a header beside them describes. */
const described = /\.(mat|dat|eeg|bin)(\.gz)?$/i;

/** Look through a folder and those below it, in a fixed order. DataError where there is none. */
export async function findRecordings(
  folder: string,
  signal?: AbortSignal,
): Promise<{ readonly recordings: readonly FoundRecording[]; readonly otherFiles: number }> {
  let names: string[];
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    names = entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      .sort();
  } catch (cause) {
    throw new DataError(`${folder}: no folder that can be read. Check the path.`, { cause });
  }
  const all = new Set(names);
  const hasHeader = (name: string) => {
    const stem = name.replace(described, '');
    return stem !== name && ['.hea', '.hea.gz', '.vhdr'].some((extension) => all.has(stem + extension));
  };
  const recordings: FoundRecording[] = [];
  for (const inside of names) {
    if (signal?.aborted) break;
    if (hasHeader(inside)) continue;
    const path = join(folder, inside);
    const format = await sniffFile(path);
    if (format) recordings.push({ path, inside, format });
  }
  return { recordings, otherFiles: names.length - recordings.length };
}

/** Bytes that formats are told by; of compressed files, what they begin with. */
const headBytes = 512;
const compressedBytes = 64 * 1024;

async function sniffFile(path: string): Promise<string | undefined> {
  let source: ByteSource | undefined;
  try {
    source = await fileSource(path);
    if (source.byteLength === 0) return undefined;
    const start = await source.read(0, Math.min(compressedBytes, source.byteLength));
    const head = isGzip(start) ? await inflateStart(start) : start.subarray(0, headBytes);
    const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1).toLowerCase();
    return formats.find(({ matches }) => matches(head, name.replace(/\.gz$/, '')))?.name;
  } catch {
    // A file that may not be read is an unreadable recording where its name says that it is one.
    return formats.find(({ matches }) => matches(new Uint8Array(0), path.toLowerCase()))?.name;
  } finally {
    await source?.close?.();
  }
}

async function inflateStart(compressed: Uint8Array): Promise<Uint8Array> {
  const reader = new Blob([compressed as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
    .getReader();
  try {
    const { value } = await reader.read();
    return value?.subarray(0, headBytes) ?? new Uint8Array(0);
  } catch {
    return new Uint8Array(0);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
