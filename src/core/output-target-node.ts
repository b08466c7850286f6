/** Where an output goes: the file behind links, or something that is written through: a pipe, a device, a descriptor. */
import { access, constants, lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError, StorageError } from './errors.ts';
import { isInput } from './input-files-node.ts';
import { writingError } from './output-errors-node.ts';

export interface FileTarget {
  readonly kind: 'file';
  /** The file itself; links to it stay. */
  readonly path: string;
  /** What is there already. */
  readonly existing?: { readonly mode: number; readonly uid: number; readonly gid: number };
}

export interface StreamTarget {
  readonly kind: 'stream';
  readonly path: string;
  readonly isPipe: boolean;
}

/** An open descriptor of this process: `/dev/stdout`, `/dev/fd/3`. */
export interface DescriptorTarget {
  readonly kind: 'descriptor';
  readonly path: string;
  readonly descriptor: number;
}

export type OutputTarget = FileTarget | StreamTarget | DescriptorTarget;

const mostLinks = 40;

/**
 * Find where a path leads, and whether it may be written. ConfigError for a folder, a disk and an input of the command;
 * StorageError for what cannot be written: no permission, a name too long, links in a circle.
 */
export async function findTarget(path: string): Promise<OutputTarget> {
  if (path === '') throw new ConfigError("the output's name is empty. Name a file.", 'out');
  const descriptor = descriptorOf(path);
  if (descriptor !== undefined) return { kind: 'descriptor', path, descriptor };
  try {
    const there = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!there) {
      if (/[/\\]$/.test(path)) throw folderError(path);
      return { kind: 'file', path: await followLinks(path) };
    }
    if (there.isDirectory()) throw folderError(path);
    if (there.isBlockDevice())
      throw new ConfigError(`${path}: this is a disk. Name a file on it.`, 'out', 'a file');
    if (!there.isFile()) return { kind: 'stream', path, isPipe: there.isFIFO() };
    if (isInput(there)) throw inputError(path);
    await access(path, constants.W_OK).catch((cause) => {
      throw new StorageError(
        `${path}: the file is there and may not be changed. Choose another name, or change its permissions.`,
        path,
        { cause },
      );
    });
    const existing = { mode: Number(there.mode) & 0o7777, uid: Number(there.uid), gid: Number(there.gid) };
    return { kind: 'file', path: await realpath(path), existing };
  } catch (cause) {
    throw writingError(path, 'cannot be written', '', cause);
  }
}

/** ConfigError where a file has become an input of the command since its output was begun. */
export async function refuseInput(path: string): Promise<void> {
  const there = await stat(path, { bigint: true }).catch(() => undefined);
  if (there && isInput(there)) throw inputError(path);
}

function inputError(path: string): ConfigError {
  return new ConfigError(`${path}: this file is being read. Write to another name or folder.`, 'out');
}

function folderError(path: string): ConfigError {
  return new ConfigError(`${path}: this is a folder. Name a file in it.`, 'out', 'a file');
}

/** The descriptor that a path of the system stands for: opened anew, a redirected file would be begun again. */
function descriptorOf(path: string): number | undefined {
  if (process.platform === 'win32') return undefined;
  const named = { '/dev/stdout': 1, '/dev/stderr': 2 }[path];
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path)?.[1];
  return named ?? (number === undefined ? undefined : Number(number));
}

/** The file that links lead to, which need not be there. */
async function followLinks(path: string): Promise<string> {
  let place = resolve(path);
  for (let links = 0; ; links++) {
    const status = await lstat(place).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!status?.isSymbolicLink()) return place;
    if (links === mostLinks) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
    const folder = await realpath(dirname(place));
    place = resolve(join(folder, basename(place)), '..', await readlink(place));
  }
}
