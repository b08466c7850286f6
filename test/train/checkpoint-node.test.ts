import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FormatError, InterruptedError, StorageError, UnsupportedError } from '../../src/core/errors.ts';
import { type WritingFiles, writeFileAtomically } from '../../src/core/output-node.ts';
import { float32 } from '../../src/core/tensor.ts';
import { encodeSafetensors } from '../../src/model/safetensors.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { checkpointName, folderStore } from '../../src/train/checkpoint-node.ts';
import { type TrainingOptions, train } from '../../src/train/loop.ts';
import { folderMetricsLog, metricsName, readMetrics } from '../../src/train/metrics-log-node.ts';
import { countingBackend } from './fixtures/synthetic.ts';
import { toyOptimization, toyTask } from './fixtures/toy.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-checkpoint-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const bytesOf = (text: string) => new TextEncoder().encode(text);
const weightsOf = (result: Awaited<ReturnType<typeof train>>) =>
  Object.fromEntries([...result.parameters].map(([name, { data }]) => [name, [...data]]));

const optimization = toyOptimization({ epochs: 2 });
/** Train the toy task; stop after the update `stopAt`, if given. */
function run(over: Partial<TrainingOptions>, stopAt?: number) {
  const controller = new AbortController();
  const { log, ...others } = over;
  return train(toyTask(), {
    backend,
    seed: 3,
    optimization,
    identity: { recipe: { seed: 3 } },
    signal: controller.signal,
    log: {
      async record(step, values) {
        await log?.record(step, values);
        if (step === stopAt) controller.abort();
      },
      flush: () => log?.flush(),
    },
    ...others,
  });
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: made to fail`), { code });
}

/** Real calls, but for what a test changes in an opened file. */
function filesWith(change: (file: FileHandle) => void): WritingFiles {
  return {
    async open(...parameters: Parameters<typeof open>) {
      const file = await open(...parameters);
      change(file);
      return file;
    },
    rename,
  };
}

const failing: Record<string, WritingFiles> = {
  'the file cannot be opened': { open: () => Promise.reject(failure('EACCES')), rename },
  'half of it is written': filesWith((file) => {
    const write = file.write.bind(file) as (bytes: Uint8Array, from: number, length: number) => unknown;
    file.write = (async (data: Uint8Array) => {
      await write(data, 0, 3);
      throw failure('ENOSPC');
    }) as unknown as typeof file.write;
  }),
  'it cannot be made to reach the disk': filesWith((file) => {
    file.sync = () => Promise.reject(failure('EIO'));
  }),
  'it cannot be closed': filesWith((file) => {
    const close = file.close.bind(file);
    file.close = async () => {
      await close();
      throw failure('EDQUOT');
    };
  }),
  'it cannot be renamed': { open, rename: () => Promise.reject(failure('EPERM')) },
};

const facts: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EDQUOT: 'your share of the disk is used up',
};

describe('a checkpoint in a folder', () => {
  test('is replaced, and nothing else is left beside it', async () => {
    const store = folderStore(join(folder, 'not', 'yet', 'there'));
    expect(await store.load()).toBeUndefined();
    await store.save(bytesOf('first'));
    await store.save(bytesOf('second'));
    expect(await store.load()).toEqual(bytesOf('second'));
    const beside = await store.saveBeside('diverged.safetensors', bytesOf('third'));
    expect(await readFile(beside, 'utf8')).toBe('third');
    expect(await readdir(join(folder, 'not', 'yet', 'there'))).toEqual([
      checkpointName,
      'diverged.safetensors',
    ]);
  });

  test('has reached the disk under its other name before it is renamed', async () => {
    const calls: string[] = [];
    const path = join(folder, 'file');
    const files = filesWith((file) => {
      for (const call of ['write', 'sync', 'close'] as const) {
        const original = file[call].bind(file) as unknown as (...parameters: unknown[]) => Promise<never>;
        file[call] = (...parameters: unknown[]) => {
          calls.push(call);
          return original(...parameters);
        };
      }
    });
    await writeFileAtomically(path, bytesOf('new'), {
      ...files,
      async rename(from, to) {
        calls.push('rename');
        expect(to).toBe(path);
        expect(await readFile(from, 'utf8')).toBe('new');
        await rename(from, to);
      },
    });
    expect(calls).toEqual(['write', 'sync', 'close', 'rename']);
  });

  test.each(Object.entries(failing))('is intact where %s', async (_, files) => {
    await folderStore(folder).save(bytesOf('old'));
    for (const save of [
      () => folderStore(folder, files).save(bytesOf('the new one')),
      () => folderStore(folder, files).saveBeside(checkpointName, bytesOf('the new one')),
    ]) {
      const error = await save().catch((caught) => caught);
      expect(error).toBeInstanceOf(StorageError);
      expect(error.path).toBe(join(folder, checkpointName));
      expect(error.cause.message).toContain('made to fail');
      const fact = facts[error.cause.code] ?? error.cause.message;
      expect(error.message).toContain(
        `${error.path}: 11 bytes could not be written (${fact}). What was there before is intact. `,
      );
      expect(await readdir(folder)).toEqual([checkpointName]);
      expect(await folderStore(folder).load()).toEqual(bytesOf('old'));
    }
  });

  test('that cannot be read is a StorageError, not a new beginning', async () => {
    await mkdir(join(folder, checkpointName));
    await expect(folderStore(folder).load()).rejects.toThrow(StorageError);
    await expect(run({ store: folderStore(folder) })).rejects.toThrow('cannot be read');
  });

  test('stops a run that cannot write it, which goes on from the one before', async () => {
    const whole = await run({});
    await expect(run({ store: folderStore(folder) }, 3)).rejects.toThrow(InterruptedError);
    const store = folderStore(folder, failing['half of it is written']);
    await expect(run({ store })).rejects.toThrow('the disk is full');
    expect(decodeCheckpoint((await folderStore(folder).load())!).progress.step).toBe(3);
    expect(weightsOf(await run({ store: folderStore(folder) }))).toEqual(weightsOf(whole));
  });
});

test('a run whose figures can no longer be written releases what it compiled', async () => {
  const counting = countingBackend(backend);
  const log = { record() {}, flush: () => Promise.reject(new StorageError('full', 'metrics.jsonl')) };
  await expect(run({ backend: counting, log })).rejects.toThrow(StorageError);
  expect(counting.graphs.length).toBeGreaterThan(0);
  expect(counting.alive).toBe(0);
});

/** Whether a file system of a size of our choice can be mounted here: root on Linux. */
function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const at = mkdtempSync(join(tmpdir(), 'heartmind-mount-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at]);
  if (status === 0) execFileSync('umount', [at]);
  rmdirSync(at);
  return status === 0;
}
const mountable = canMount();

describe.skipIf(!mountable)(
  `a disk that is really full${mountable ? '' : ' (skipped: a small disk can be mounted by root on Linux only)'}`,
  () => {
    /** Work on a disk of 256 KiB. */
    async function onSmallDisk(work: (disk: string) => Promise<void>): Promise<void> {
      const disk = join(folder, 'disk');
      await mkdir(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
      try {
        await work(disk);
      } finally {
        execFileSync('umount', [disk]);
      }
    }

    /** Take all the room that is left. */
    async function fill(disk: string): Promise<void> {
      const file = await open(join(disk, 'filler'), 'w');
      try {
        for (;;) await file.write(new Uint8Array(4096));
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
      } finally {
        await file.close();
      }
    }

    test('keeps the old checkpoint, loadable, when a larger one does not fit', () =>
      onSmallDisk(async (disk) => {
        const store = folderStore(disk);
        await expect(run({ store }, 2)).rejects.toThrow(InterruptedError);
        const old = (await store.load())!;
        const { identity, progress } = decodeCheckpoint(old);
        const large = encodeCheckpoint({
          identity,
          progress,
          tensors: new Map([['parameter/w', float32([100_000], new Float32Array(100_000))]]),
        });
        const error = await store.save(large).catch((caught) => caught);
        expect(error).toBeInstanceOf(StorageError);
        expect(error.message).toContain(`${large.length} bytes could not be written (the disk is full)`);
        expect(await readdir(disk)).toEqual([checkpointName]);
        expect(await store.load()).toEqual(old);
        expect(decodeCheckpoint(old).progress.step).toBe(2);
      }));

    test.each([
      ['without', false],
      ['with', true],
    ])('stops a run %s figures, which resumes to the same weights once there is room', (_, figures) =>
      onSmallDisk(async (disk) => {
        const store = folderStore(disk);
        const over = () => ({ store, ...(figures && { log: folderMetricsLog(disk) }) });
        const whole = await run({});
        await expect(run(over(), 2)).rejects.toThrow(InterruptedError);
        const old = (await store.load())!;
        await fill(disk);
        const before = await readdir(disk);
        const error = await run(over()).catch((caught) => caught);
        expect(error).toBeInstanceOf(StorageError);
        expect(error.path).toBe(join(disk, figures ? metricsName : checkpointName));
        expect(error.message).toContain('the disk is full');
        expect(await readdir(disk)).toEqual(before);
        expect(await store.load()).toEqual(old);
        execFileSync('mount', ['-o', 'remount,size=1m', disk]);
        const resumed = await run(over());
        expect(weightsOf(resumed)).toEqual(weightsOf(whole));
        expect(resumed.curves).toEqual(whole.curves);
        const lines = await readMetrics(disk);
        const steps = lines.flatMap(({ step, values }) => ('train/loss' in values ? [step] : []));
        expect(steps).toEqual(figures ? [1, 2, 3, 4, 5, 6, 7, 8] : []);
      }),
    );
  },
);

describe('the bytes of a checkpoint', () => {
  const checkpoint: Checkpoint = {
    identity: { recipe: { seed: 3 }, data: 'abc' },
    progress: {
      ...{ step: 5, epoch: 1, position: 2, finished: false, lossSum: 0.5 },
      best: { score: 0.25, epoch: 1 },
      curves: [{ epoch: 1, step: 3, trainLoss: 0.5, auroc: null }],
    },
    tensors: new Map([
      ['parameter/w', float32([2, 2], [1, 2, 3, 4])],
      ['first/w', float32([2, 2], [5, 6, 7, 8])],
    ]),
  };
  const bytes = encodeCheckpoint(checkpoint);
  const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));

  test('decode to what was encoded', () => {
    expect(decodeCheckpoint(bytes)).toEqual(checkpoint);
  });

  test('cut short anywhere are a FormatError', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeCheckpoint(bytes.subarray(0, length), 'run'), `${length} bytes`).toThrow(
        FormatError,
      );
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(1000)],
    ['text', bytesOf('this is no checkpoint, but a text of some length')],
    ['a zip file', Uint8Array.from({ length: 100 }, (_, i) => [0x50, 0x4b, 3, 4][i] ?? i)],
    ['weights', encodeSafetensors(checkpoint.tensors)],
    ['weights with other metadata', encodeSafetensors(checkpoint.tensors, { checkpoint: 'no JSON' })],
    [
      'a later version',
      encodeSafetensors(checkpoint.tensors, {
        checkpoint: JSON.stringify({ version: 3, identity: {}, progress: checkpoint.progress }),
      }),
    ],
    [
      'a step below zero',
      encodeCheckpoint({ ...checkpoint, progress: { ...checkpoint.progress, step: -1 } }),
    ],
  ])('%s in their place are a FormatError that names the file', (_, foreign) => {
    const decode = () => decodeCheckpoint(foreign, 'run/checkpoint.safetensors');
    expect(decode).toThrow(FormatError);
    expect(decode).toThrow(/^run\/checkpoint\.safetensors: /);
  });

  test('with any bit of a value changed are refused: no run goes on from other weights', () => {
    for (let at = headerEnd; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << (at & 7);
      expect(() => decodeCheckpoint(damaged, 'run')).toThrow(/^run: its \d+ tensors have the sha256 /);
    }
  });

  test('with any byte of the header changed decode or are refused, and never fail otherwise', () => {
    let refused = 0;
    for (let at = 0; at < headerEnd; at++) {
      for (const change of [0x01, 0x20, 0xff]) {
        const damaged = bytes.slice();
        damaged[at]! ^= change;
        try {
          decodeCheckpoint(damaged);
        } catch (error) {
          // UnsupportedError: another number type, as far as one can tell.
          if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(headerEnd);
  });
});

describe('a checkpoint from which something is gone', () => {
  test.each(['parameter/w1', 'first/b1', 'second/w2', 'best/w1'])(
    'is refused where it lacks %s, or has it in another shape',
    async (key) => {
      const store = folderStore(folder);
      await expect(run({ store }, 5)).rejects.toThrow(InterruptedError); // an epoch has 4 updates
      const { tensors, ...rest } = decodeCheckpoint((await store.load())!);
      expect([...tensors.keys()]).toContain(key);
      const others = new Map([...tensors].filter(([name]) => name !== key));
      await store.save(encodeCheckpoint({ ...rest, tensors: others }));
      const resumed = await run({ store }).catch((caught) => caught);
      expect(resumed).toBeInstanceOf(FormatError);

      expect(resumed.message).toContain(`its tensor '${key}' is missing`);
      others.set(key, float32([3], [1, 2, 3]));
      await store.save(encodeCheckpoint({ ...rest, tensors: others }));
      await expect(run({ store })).rejects.toThrow(`its tensor '${key}' is float32 [3] instead of float32 [`);
    },
  );
});
