/** The recordings of a folder: every file that a reader takes for one, by its first bytes and its name. */
import { join } from 'node:path';
import { type ByteSource, isGzip } from '../core/bytes.ts';
import { DataError, FormatError } from '../core/errors.ts';
import { listFiles } from '../datasets/folder-node.ts';
import { fileSource } from '../read/file-node.ts';
import { latin1 } from '../read/header-text.ts';
import { formats } from '../read/open.ts';
import { readWfdbHeader } from '../read/wfdb/read-header.ts';

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
/** Files of signals and markers that a header beside them describes. */
const described = /\.(mat|dat|eeg|bin|vmrk)(\.gz)?$/i;

/** Look through a folder and those below it, in a fixed order. DataError where there is none. */
export async function findRecordings(
  folder: string,
  signal?: AbortSignal,
): Promise<{ readonly recordings: readonly FoundRecording[]; readonly otherFiles: number }> {
  let names: string[];
  try {
    const { files, dangling } = await listFiles(folder);
    names = [...files, ...dangling].filter((inside) => !/(^|\/)\./.test(inside)).sort();
  } catch (cause) {
    throw new DataError(`${folder}: no folder that can be read. Check the path.`, { cause });
  }
  const all = new Set(names);
  const hasHeader = (name: string) => {
    const stem = name.replace(described, '');
    return stem !== name && ['.hea', '.hea.gz', '.vhdr'].some((extension) => all.has(stem + extension));
  };
  const recordings: FoundRecording[] = [];
  const segmented: FoundRecording[] = [];
  for (const inside of names) {
    if (signal?.aborted) break;
    if (hasHeader(inside)) continue;
    const path = join(folder, inside);
    const { format, isSegmented } = await sniffFile(path);
    if (!format) continue;
    recordings.push({ path, inside, format });
    if (isSegmented) segmented.push(recordings.at(-1)!);
  }
  const segments = await segmentsOf(segmented);
  const whole = recordings.filter(({ inside }) => !segments.has(inside.replace(/\.hea$/i, '')));
  return { recordings: whole, otherFiles: names.length - whole.length };
}

/** Records that are part of these, and none of their own: inside the folder, without `.hea`. */
async function segmentsOf(records: readonly FoundRecording[]): Promise<ReadonlySet<string>> {
  const segments = new Set<string>();
  for (const { path, inside } of records) {
    const source = await fileSource(path);
    try {
      const header = await readWfdbHeader(source, []);
      const folder = inside.slice(0, inside.lastIndexOf('/') + 1);
      for (const { name } of header.segments ?? []) segments.add(folder + name);
    } catch (error) {
      // It is told of when it is opened.
      if (!(error instanceof FormatError)) throw error;
    } finally {
      await source.close?.();
    }
  }
  return segments;
}

/** Bytes that formats are told by; of compressed files, what they begin with. */
const headBytes = 512;
const compressedBytes = 64 * 1024;

interface Sniffed {
  readonly format: string | undefined;
  /** Does it name other records as its segments? */
  readonly isSegmented?: boolean;
}

/** The record line of a WFDB header with a number of segments: `name/3 …`. */
const segmentedRecord = /^(?:\s*#[^\n]*\n)*\s*[\w-]+\/\d+\s/;

async function sniffFile(path: string): Promise<Sniffed> {
  let source: ByteSource | undefined;
  try {
    source = await fileSource(path);
    const start = await source.read(0, Math.min(compressedBytes, source.byteLength));
    const head = isGzip(start) ? await inflateStart(start) : start.subarray(0, headBytes);
    const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1).toLowerCase();
    const format = formats.find(({ matches }) => matches(head, name.replace(/\.gz$/, '')))?.name;
    return { format, isSegmented: name.endsWith('.hea') && segmentedRecord.test(latin1(head)) };
  } catch {
    // A file that may not be read is an unreadable recording where its name says that it is one.
    return { format: formats.find(({ matches }) => matches(new Uint8Array(0), path.toLowerCase()))?.name };
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
