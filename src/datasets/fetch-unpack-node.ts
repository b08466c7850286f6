/**
 * Archives unpacked into a folder: paths sanitised, links and devices left out and said, what it may grow to bounded,
 * every file in place by a rename. Nothing in an archive decides where it lands outside the folder.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FormatError, StorageError } from '../core/errors.ts';
import type { UnpackOptions } from './fetch-archive.ts';
import { safePath } from './fetch-list.ts';
import { readTarGz } from './fetch-tar-node.ts';
import { readZip } from './fetch-zip-node.ts';

export interface UnpackedFile {
  /** Path below the folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Unpack `archive` into `folder`. FormatError where it is damaged, leads out of the folder or grows beyond reason;
 * StorageError where a file cannot be written.
 */
export async function unpackArchive(
  archive: string,
  kind: 'zip' | 'tar.gz',
  folder: string,
  options: UnpackOptions = {},
): Promise<UnpackedFile[]> {
  const members = (kind === 'zip' ? readZip : readTarGz)(archive, options);
  const files: UnpackedFile[] = [];
  const seen = new Map<string, string>();
  const others: string[] = [];
  for await (const { path, kind: memberKind, bytes, content } of members) {
    options.signal?.throwIfAborted();
    if (memberKind === 'folder' && /^(\.\/?)*$/.test(path)) continue;
    const safe = safePath(path, archive);
    if (memberKind === 'other') {
      others.push(safe);
      continue;
    }
    await makeFolder(folder, memberKind === 'folder' ? safe : dirname(safe), archive);
    if (memberKind === 'folder') continue;
    // `A` and `a` are one file on some systems: the second would replace the first.
    const folded = safe.toLowerCase().normalize('NFC');
    if (seen.has(folded))
      throw new FormatError(
        `${archive}: '${safe}' and '${seen.get(folded)}' have the same name. The archive is damaged; fetch it again.`,
        archive,
      );
    seen.set(folded, safe);
    files.push({ path: safe, bytes, sha256: await writeMember(join(folder, safe), content) });
  }
  if (others.length > 0)
    options.onLog?.(
      `${archive}: ${others.length} links or devices were left out: ${others.slice(0, 5).join(', ')}${others.length > 5 ? ', …' : ''}.`,
    );
  return files;
}

/** Make folders one by one: none of them may be a link that leads elsewhere. */
async function makeFolder(root: string, path: string, archive: string): Promise<void> {
  await mkdir(root, { recursive: true });
  if (path === '.') return;
  let folder = root;
  for (const part of path.split('/')) {
    folder = join(folder, part);
    const status = await lstat(folder).catch(() => undefined);
    if (status?.isDirectory()) continue;
    if (status)
      throw new FormatError(
        `${archive}: '${path}' goes through ${folder}, which is no folder. Remove it, or unpack elsewhere by --to.`,
        archive,
      );
    await mkdir(folder);
  }
}

async function writeMember(target: string, content: AsyncIterable<Uint8Array>): Promise<string> {
  const part = `${target}.part`;
  const hash = createHash('sha256');
  try {
    await rm(part, { force: true });
    const file = await open(part, 'wx');
    try {
      for await (const chunk of content) {
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(part, target);
    return hash.digest('hex');
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof FormatError || code === undefined) throw error;
    throw new StorageError(
      `${target}: cannot be written (${code === 'ENOSPC' ? 'the disk is full' : message}). Make room or choose another folder by --to, and run again.`,
      target,
      { cause: error },
    );
  }
}
