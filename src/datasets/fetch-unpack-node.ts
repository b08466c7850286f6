/**
 * Archives unpacked into a folder: paths sanitised, links and devices left out and said, what it may grow to bounded,
 * every file in place by a rename. Nothing in an archive decides where it lands outside the folder.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FormatError } from '../core/errors.ts';
import type { UnpackOptions } from './fetch-archive.ts';
import { asStorageError } from './fetch-errors-node.ts';
import { SafePaths, safePath } from './fetch-path.ts';
import { readTarGz } from './fetch-tar-node.ts';
import { readZip } from './fetch-zip-node.ts';

export interface UnpackedFile {
  /** Path below the folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Empty files take no bytes of an archive, but room on the disk. */
const mostMembers = 4_000_000;

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
  const paths = new SafePaths(archive);
  const others: string[] = [];
  let count = 0;
  for await (const { path, kind: memberKind, bytes, content } of members) {
    options.signal?.throwIfAborted();
    if (memberKind === 'folder' && /^(\.\/?)*$/.test(path)) continue;
    if (++count > mostMembers)
      throw new FormatError(
        `${archive}: more than ${mostMembers} files and folders. The archive is damaged or a trap; nothing more of it was written.`,
        archive,
      );
    if (memberKind === 'other') {
      others.push(safePath(path, archive));
      continue;
    }
    const safe = memberKind === 'folder' ? paths.addFolder(path) : paths.addFile(path, true);
    if (safe === undefined) continue;
    await makeFolder(folder, memberKind === 'folder' ? safe : dirname(safe), archive);
    if (memberKind === 'folder') continue;
    files.push({ path: safe, bytes, sha256: await writeMember(join(folder, safe), content) });
  }
  if (paths.note !== undefined) options.onLog?.(paths.note);
  if (others.length > 0)
    options.onLog?.(
      `${archive}: ${others.length} links or devices were left out: ${others.slice(0, 5).join(', ')}${others.length > 5 ? ', …' : ''}.`,
    );
  return files;
}

/** Make folders one by one: none of them may be a link that leads elsewhere. */
async function makeFolder(root: string, path: string, archive: string): Promise<void> {
  await mkdir(root, { recursive: true }).catch((error: unknown) => {
    throw asStorageError(root, error);
  });
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
    await mkdir(folder).catch((error: unknown) => {
      throw asStorageError(folder, error);
    });
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
    throw asStorageError(target, error);
  }
}
