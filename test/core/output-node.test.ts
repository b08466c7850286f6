/** Outputs: what is refused, what is written through, what stays of the file that is replaced, what is swept. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, StorageError } from '../../src/core/errors.ts';
import { noteInputPath, watchInputs } from '../../src/core/input-files-node.ts';
import { appendOutput, beginOutput, checkOutput, writeFileAtomically } from '../../src/core/output-node.ts';
import { placeOfProcess } from '../../src/core/process-node.ts';

const isPosix = process.platform !== 'win32';
const isRoot = process.getuid?.() === 0;
const bytes = (text: string) => new TextEncoder().encode(text);
const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error) => error,
  );

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-output-'));
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true, force: true });
});

/** A process number of which no process lives any more. */
function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('an input of the command', () => {
  let end: () => void;
  beforeEach(() => {
    end = watchInputs();
  });
  afterEach(() => end());

  test('is refused under its own name, a hard link, a symbolic link; a copy is not', async () => {
    await writeFile(at('in.edf.gz'), 'recording');
    await link(at('in.edf.gz'), at('hard'));
    await symlink('in.edf.gz', at('soft'));
    await writeFile(at('copy'), 'recording');
    noteInputPath(at('in.edf.gz'));
    for (const name of ['in.edf.gz', 'hard', 'soft']) {
      for (const work of [writeFileAtomically, checkOutput] as const)
        expect((await reasonOf(work(at(name), bytes('new'))))?.message).toContain('this file is being read');
      expect(await readFile(at(name), 'utf8')).toBe('recording');
    }
    await writeFileAtomically(at('copy'), bytes('new'));
    expect(await readFile(at('copy'), 'utf8')).toBe('new');
  });

  test('is refused where it was opened after its output was begun', async () => {
    await writeFile(at('signal.dat'), 'samples');
    const output = await beginOutput(at('signal.dat'));
    await output.write(bytes('new'));
    noteInputPath(at('signal.dat'));
    await output.finish();
    await expect(output.place()).rejects.toThrow(ConfigError);
    expect(await readFile(at('signal.dat'), 'utf8')).toBe('samples');
    expect(await readdir(folder)).toEqual(['signal.dat']);
  });
});

describe.skipIf(!isPosix)('what is not a plain file (POSIX)', () => {
  test('a link stays, and the file that it leads to is replaced in its own folder', async () => {
    await mkdir(at('far'));
    await writeFile(at('far/target'), 'old');
    await symlink('far/target', at('link'));
    await writeFileAtomically(at('link'), bytes('new'));
    expect(await readlink(at('link'))).toBe('far/target');
    expect(await readFile(at('far/target'), 'utf8')).toBe('new');
    expect((await readdir(folder)).sort()).toEqual(['far', 'link']);
  });

  test('a link to nothing yet makes the file that it names', async () => {
    await mkdir(at('far'));
    await symlink('far/../far/new', at('link'));
    await writeFileAtomically(at('link'), bytes('new'));
    expect((await lstat(at('link'))).isSymbolicLink()).toBe(true);
    expect(await readFile(at('far/new'), 'utf8')).toBe('new');
  });

  test('links in a circle are a StorageError', async () => {
    await symlink('b', at('a'));
    await symlink('a', at('b'));
    await expect(writeFileAtomically(at('a'), bytes('x'))).rejects.toThrow(/its links lead in a circle/);
  });

  test('a pipe gets the bytes and stays a pipe, also where its reader comes later', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const large = new Uint8Array(300_000).fill(65);
    const written = writeFileAtomically(at('pipe'), large);
    await new Promise((resolve) => setTimeout(resolve, 120));
    const reader = await open(at('pipe'), 'r');
    const [, read] = await Promise.all([written, reader.readFile().finally(() => reader.close())]);
    expect(read.length).toBe(large.length);
    expect((await stat(at('pipe'))).isFIFO()).toBe(true);
  });

  test('/dev/null takes everything and is still there', async () => {
    await writeFileAtomically('/dev/null', bytes('x'));
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  test.skipIf(process.platform !== 'linux')('/dev/full is a StorageError (Linux)', async () => {
    const error = await reasonOf(writeFileAtomically('/dev/full', bytes('x')));
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toBe(
      '/dev/full: cannot be written after 0 bytes (the disk is full). Make room, then run it again.',
    );
    expect((await stat('/dev/full')).isCharacterDevice()).toBe(true);
  });
});

describe('outputs that grow', () => {
  const append = async (path: string, text: string) => {
    const output = await appendOutput(path);
    try {
      let done = 0;
      while (done < text.length) done += await output.append(bytes(text).subarray(done));
    } finally {
      await output.close();
    }
  };

  test('go on at the end of the file behind a link, which stays; missing folders are made', async () => {
    await append(at('new', 'a'), 'one ');
    await symlink(at('new', 'a'), at('to-a'));
    await append(at('to-a'), 'two');
    expect(await readFile(at('new', 'a'), 'utf8')).toBe('one two');
    expect((await lstat(at('to-a'))).isSymbolicLink()).toBe(true);
  });

  test('are no input of the command', async () => {
    const endWatch = watchInputs();
    try {
      await writeFile(at('read'), 'kept');
      noteInputPath(at('read'));
      await expect(appendOutput(at('read'))).rejects.toThrow(
        /read: this file is being read\. Write to another/,
      );
    } finally {
      endWatch();
    }
  });

  test.skipIf(!isPosix)('may be a pipe, whose reader comes later', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const written = append(at('pipe'), 'line');
    await new Promise((resolve) => setTimeout(resolve, 120));
    const reader = await open(at('pipe'), 'r');
    const [, read] = await Promise.all([written, reader.readFile('utf8').finally(() => reader.close())]);
    expect(read).toBe('line');
  });

  test('say in plain words why they cannot be opened', async () => {
    await writeFile(at('file'), '');
    await expect(appendOutput(at('file', 'a'))).rejects.toThrow(
      /a: cannot be written \(a part of the path is a file, not a folder\)\. Check the path\./,
    );
  });
});

describe('what cannot be written', () => {
  test.each<[string, () => Promise<string>, typeof ConfigError | typeof StorageError, RegExp]>([
    ['a folder', async () => folder, ConfigError, /this is a folder\. Name a file in it/],
    ['a folder to be', async () => at('new/'), ConfigError, /this is a folder/],
    ['no name', async () => '', ConfigError, /the output's name is empty/],
    [
      'a file as a folder',
      async () => {
        await writeFile(at('file'), '');
        return at('file/x.csv');
      },
      StorageError,
      /a part of the path is a file, not a folder/,
    ],
    ['a name too long', async () => at('x'.repeat(300)), StorageError, /the name is too long/],
  ])('%s', async (_, path, kind, message) => {
    const where = await path();
    const before = await readdir(folder);
    for (const work of [writeFileAtomically, checkOutput] as const) {
      const error = await reasonOf(work(where, bytes('x')));
      expect(error).toBeInstanceOf(kind);
      expect(error.message).toMatch(message);
    }
    expect(await readdir(folder)).toEqual(before);
  });

  test.skipIf(!isPosix || isRoot)('a folder that may not be written (not root)', async () => {
    await writeFile(at('there'), 'old');
    await chmod(folder, 0o500);
    for (const name of ['there', 'new'])
      await expect(writeFileAtomically(at(name), bytes('x'))).rejects.toThrow(/no permission to write there/);
    expect(await readFile(at('there'), 'utf8')).toBe('old');
  });

  test.skipIf(!isPosix || isRoot)('a file that may not be changed (not root)', async () => {
    await writeFile(at('kept'), 'old', { mode: 0o444 });
    await expect(writeFileAtomically(at('kept'), bytes('x'))).rejects.toThrow(/may not be changed/);
    expect(await readFile(at('kept'), 'utf8')).toBe('old');
  });
});

describe('a replaced file', () => {
  test('has a name as long as names may be', async () => {
    const name = 'x'.repeat(255);
    await writeFileAtomically(at(name), bytes('x'));
    expect(await readdir(folder)).toEqual([name]);
  });

  test.skipIf(!isPosix)('keeps its mode (POSIX)', async () => {
    await writeFile(at('secret'), 'old');
    await chmod(at('secret'), 0o640);
    await writeFileAtomically(at('secret'), bytes('new'));
    expect((await stat(at('secret'))).mode & 0o7777).toBe(0o640);
  });

  test.skipIf(!isPosix || !isRoot)('keeps its owner (root)', async () => {
    await writeFile(at('theirs'), 'old');
    await chown(at('theirs'), 1234, 2345);
    await writeFileAtomically(at('theirs'), bytes('new'));
    expect(await stat(at('theirs'))).toMatchObject({ uid: 1234, gid: 2345 });
  });

  test('is one of those that were written, however many write at once', async () => {
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
    await Promise.all(texts.map((text) => writeFileAtomically(at('same'), bytes(text))));
    expect(texts).toContain(await readFile(at('same'), 'utf8'));
    expect(await readdir(folder)).toEqual(['same']);
  });
});

test('whoever reads while it is written sees a whole file', async () => {
  const text = (i: number) => JSON.stringify({ i, padding: String(i).repeat(50_000) });
  await writeFileAtomically(at('result.json'), bytes(text(0)));
  let isDone = false;
  const written = (async () => {
    for (let i = 1; i <= 60; i++) await writeFileAtomically(at('result.json'), bytes(text(i)));
    isDone = true;
  })();
  let reads = 0;
  for (; !isDone; reads++) {
    const read = await readFile(at('result.json'), 'utf8');
    expect(read).toBe(text(JSON.parse(read).i));
  }
  await written;
  expect(reads).toBeGreaterThan(0);
});

describe('what processes left', () => {
  const nameOf = (place: string, pid: number) => `.heartmind-${place}-${pid}-0123456789ab.tmp`;

  test('is swept where they are dead, and nothing else', async () => {
    const dead = nameOf(placeOfProcess(), deadProcess());
    const alive = nameOf(placeOfProcess(), process.ppid);
    const elsewhere = nameOf('00000000', 1);
    const old = nameOf('00000001', 1);
    for (const name of [dead, alive, elsewhere, old, '.other.tmp']) await writeFile(at(name), 'x');
    await utimes(at(old), new Date(0), new Date(0));
    await writeFileAtomically(at('out'), bytes('x'));
    expect((await readdir(folder)).sort()).toEqual([alive, elsewhere, '.other.tmp', 'out'].sort());
  });

  test('checkOutput leaves what is there as it is, and nothing beside it', async () => {
    await writeFile(at('there'), 'old');
    const before = await stat(at('there'));
    await checkOutput(at('there'));
    await checkOutput(at('not'));
    await checkOutput(undefined);
    expect(await readdir(folder)).toEqual(['there']);
    expect((await stat(at('there'))).mtimeMs).toBe(before.mtimeMs);
  });
});

test('a disk that takes half of each piece still gets all, in order', async () => {
  const slow: typeof open = async (...parameters) => {
    const file = await open(...parameters);
    const write = file.write.bind(file) as (b: Uint8Array, from: number, length: number) => unknown;
    file.write = ((b: Uint8Array, from: number, length: number) =>
      write(b, from, Math.ceil(length / 2))) as unknown as typeof file.write;
    return file;
  };
  await writeFileAtomically(at('out'), bytes('0123456789'), { open: slow, rename });
  expect(await readFile(at('out'), 'utf8')).toBe('0123456789');
});
