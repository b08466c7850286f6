import { execFileSync, spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InterruptedError, StorageError } from '../../src/core/errors.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { folderStore } from '../../src/train/checkpoint-node.ts';
import { train } from '../../src/train/loop.ts';
import { eventsName, folderMetricsLog, metricsName, readMetrics } from '../../src/train/metrics-log-node.ts';
import { encodeFileHeader, encodeScalars } from '../../src/train/tensorboard.ts';
import golden from '../golden/train/event-records.json' with { type: 'json' };
import { toyOptimization, toyTask } from './fixtures/toy.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-metrics-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** CRC-32C bit by bit, as RFC 3720 defines it. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

/** TFRecord's mask: rotated right by 15, plus a constant. */
function mask(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Records of a TFRecord file; throws where a length or a checksum is wrong or bytes are left over. */
function readRecords(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const end = at + 12 + length;
    if (bytes.readUInt32LE(at + 8) !== mask(crc32c(bytes.subarray(at, at + 8))))
      throw new Error('length CRC');
    if (bytes.readUInt32LE(end) !== mask(crc32c(bytes.subarray(at + 12, end)))) throw new Error('data CRC');
    records.push(bytes.subarray(at + 12, end));
    at = end + 4;
  }
  return records;
}

/** Fields of a protobuf message: number → values (bytes of the wire type, varints as bigint). */
function readFields(bytes: Buffer): Map<number, (Buffer | bigint)[]> {
  const fields = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const add = (key: number, value: Buffer | bigint) =>
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value]);
  while (at < bytes.length) {
    const key = Number(varint());
    const type = key % 8;
    if (type === 0) {
      add(key, varint());
      continue;
    }
    const size = type === 1 ? 8 : type === 5 ? 4 : Number(varint());
    add(key, bytes.subarray(at, at + size));
    at += size;
  }
  return fields;
}

interface ReadEvent {
  time: number;
  version?: string;
  step?: number;
  values: Record<string, number>;
}

function readEvents(bytes: Buffer): ReadEvent[] {
  return readRecords(bytes).map((record) => {
    const fields = readFields(record);
    const [time, step, version, summary] = [1, 2, 3, 5].map((n) => fields.get(n)?.[0]);
    const values = summary ? (readFields(summary as Buffer).get(1) ?? []) : [];
    return {
      time: (time as Buffer).readDoubleLE(),
      ...(version === undefined ? {} : { version: String(version) }),
      ...(step === undefined ? {} : { step: Number(step) }),
      values: Object.fromEntries(
        values.map((value) => {
          const scalar = readFields(value as Buffer);
          return [String(scalar.get(1)![0]), (scalar.get(2)![0] as Buffer).readFloatLE()];
        }),
      ),
    };
  });
}

const eventsOf = async () => readEvents(await readFile(join(folder, eventsName)));
const stepsOf = async () => (await eventsOf()).flatMap(({ step }) => step ?? []);

/** Both files hold the same figures: those of `metrics.jsonl`, as float32, without what is not finite. */
async function expectSameFigures(): Promise<void> {
  const lines = await readMetrics(folder);
  const [header, ...events] = await eventsOf();
  expect(header).toMatchObject({ version: 'brain.Event:2', values: {} });
  expect(events).toEqual(
    lines.map(({ time, step, values }) => ({
      time,
      step,
      values: Object.fromEntries(
        Object.entries(values).flatMap(([tag, value]) => (value === null ? [] : [[tag, Math.fround(value)]])),
      ),
    })),
  );
}

describe('event records', () => {
  test('the checksum of the reader here is CRC-32C', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  test('are bytes as TensorBoard writes them', () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    expect(hex(encodeFileHeader(golden.header.wallTime))).toBe(golden.header.record);
    expect(golden.events).toHaveLength(4);
    for (const { wallTime, step, values, record } of golden.events)
      expect(hex(encodeScalars({ wallTime, step, values: values as Record<string, number> }))).toBe(record);
  });

  test('are read back with their step, time, tags and values', () => {
    const event = { wallTime: 1.5, step: 2 ** 40, values: { 'a/b': 0.1, c: -0 } };
    expect(readEvents(Buffer.from(encodeScalars(event)))).toEqual([
      { time: 1.5, step: 2 ** 40, values: { 'a/b': Math.fround(0.1), c: -0 } },
    ]);
  });
});

describe('the figures of a run', () => {
  test('stand in both files alike; what is not finite is null in one and absent from the other', async () => {
    const log = folderMetricsLog(folder);
    const before = Date.now() / 1000;
    await log.record(1, { 'train/loss': 0.1, 'train/gradientNorm': Number.POSITIVE_INFINITY });
    await log.record(2, { 'train/loss': Number.NaN });
    await log.record(2, { 'validation/loss': 3 });
    await log.flush();
    const text = await readFile(join(folder, metricsName), 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { time: expect.any(Number), step: 1, 'train/loss': 0.1, 'train/gradientNorm': null },
      { time: expect.any(Number), step: 2, 'train/loss': null },
      { time: expect.any(Number), step: 2, 'validation/loss': 3 },
    ]);
    for (const { time } of lines) expect(time - before).toBeLessThan(60);
    for (const { time } of lines) expect(time).toBeGreaterThanOrEqual(before);
    await expectSameFigures();
  });

  test('are written after a hundred lines even without a flush', async () => {
    const log = folderMetricsLog(folder);
    for (let step = 1; step <= 150; step++) await log.record(step, { loss: step });
    expect(await stepsOf()).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    await log.flush();
    expect(await stepsOf()).toHaveLength(150);
    await expectSameFigures();
  });

  test('from a step after the checkpoint are dropped from both files when the run resumes', async () => {
    const first = folderMetricsLog(folder);
    for (let step = 1; step <= 9; step++) await first.record(step, { loss: step });
    await first.flush();
    const kept = (await readMetrics(folder)).slice(0, 5);
    const resumed = folderMetricsLog(folder); // from a checkpoint after update 5
    await resumed.record(6, { loss: 60 });
    await resumed.flush();
    const lines = await readMetrics(folder);
    expect(lines.map(({ step, values }) => [step, values.loss])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
      [5, 5],
      [6, 60],
    ]);
    expect(lines.slice(0, 5)).toEqual(kept);
    await expectSameFigures();
  });

  test('a last line that a crash cut off is dropped, and an event file cut off is made whole', async () => {
    const first = folderMetricsLog(folder);
    for (let step = 1; step <= 3; step++) await first.record(step, { loss: step });
    await first.flush();
    await appendFile(join(folder, metricsName), '{"time":5,"step":4,"lo');
    await truncate(join(folder, eventsName), (await readFile(join(folder, eventsName))).length - 5);
    await expect(eventsOf()).rejects.toThrow();
    expect((await readMetrics(folder)).map(({ step }) => step)).toEqual([1, 2, 3]);
    const resumed = folderMetricsLog(folder);
    await resumed.record(4, { loss: 4 });
    await resumed.flush();
    expect(await stepsOf()).toEqual([1, 2, 3, 4]);
    await expectSameFigures();
  });

  test('a new run in the same folder begins both files anew', async () => {
    await writeFile(
      join(folder, metricsName),
      '{"time":1,"step":1,"loss":1}\n{"time":2,"step":2,"loss":1}\n',
    );
    const log = folderMetricsLog(folder);
    await log.record(1, { loss: 7 });
    await log.flush();
    expect((await readMetrics(folder)).map(({ values }) => values.loss)).toEqual([7]);
    await expectSameFigures();
  });

  test('a folder without figures has none, and one that cannot be made is a StorageError', async () => {
    expect(await readMetrics(folder)).toEqual([]);
    await writeFile(join(folder, 'file'), '');
    const path = join(folder, 'file', 'run');
    const error = await Promise.resolve(folderMetricsLog(path).record(1, { loss: 1 })).catch(
      (caught) => caught,
    );
    expect(error).toBeInstanceOf(StorageError);
    expect(error.path).toBe(join(path, metricsName));
  });

  test('figures that can no longer be appended are a StorageError that says how to go on', async () => {
    const log = folderMetricsLog(folder);
    await log.record(1, { loss: 1 });
    await rm(folder, { recursive: true });
    const error = await Promise.resolve(log.flush()).catch((caught) => caught);
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toMatch(
      /^.*metrics\.jsonl: the figures could not be written \(its folder went away meanwhile\)\. The run can be resumed from its checkpoint\. Run it again\.$/,
    );
  });
});

/** A training run, interrupted and resumed, whose figures are in the folder. */
async function trainInFolder(): Promise<void> {
  const backend = await createNodeBackend({ device: 'cpu', threads: 1 });
  const optimization = toyOptimization({ checkpointSeconds: 1000 });
  const run = (signal?: AbortSignal, stopAt?: () => void) => {
    const log = folderMetricsLog(folder);
    return train(toyTask(), {
      backend,
      optimization,
      seed: 3,
      identity: {},
      store: folderStore(folder),
      log: {
        async record(step, values) {
          await log.record(step, values);
          if (step === 6) stopAt?.();
        },
        flush: () => log.flush(),
      },
      ...(signal && { signal }),
    });
  };
  const controller = new AbortController();
  await expect(run(controller.signal, () => controller.abort())).rejects.toThrow(InterruptedError);
  // Figures that a run wrote after its last checkpoint, before it was killed.
  await appendFile(join(folder, metricsName), '{"time":1,"step":7,"train/loss":99}\n{"time":1,"st');
  await run();
}

test('a run that was interrupted and resumed has one line for every update and every validation', async () => {
  await trainInFolder();
  const lines = await readMetrics(folder);
  const steps = (tag: string) => lines.flatMap(({ step, values }) => (tag in values ? [step] : []));
  expect(steps('train/loss')).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  expect(steps('validation/loss')).toEqual([4, 8, 12]);
  expect(lines.some(({ values }) => values['train/loss'] === 99)).toBe(false);
  await expectSameFigures();
});

/** A Python that has TensorBoard. */
const python = [process.env.HEARTMIND_PYTHON, 'python3'].find(
  (program) => program && spawnSync(program, ['-c', 'import tensorboard']).status === 0,
);
const script = join(import.meta.dirname, '../../scripts/check-tensorboard.py');

describe.skipIf(!python)(
  `the real TensorBoard${python ? '' : ' (skipped: neither python3 nor HEARTMIND_PYTHON has tensorboard)'}`,
  () => {
    test('reads every figure of a run as metrics.jsonl has it', async () => {
      await trainInFolder();
      const printed = execFileSync(python!, [script, folder], { encoding: 'utf8' });
      expect(printed).toMatch(/^learningRate\/all: 12 values, largest difference \S+, ok$/m);
      expect(printed).toMatch(/^train\/loss: 12 values, largest difference \S+, ok$/m);
      expect(printed).toMatch(/^validation\/loss: 3 values, largest difference \S+, ok$/m);
      expect(printed).toMatch(/^4 tags, largest difference \S+: all agree$/m);
    });

    test('is found to disagree where a figure was changed', async () => {
      const log = folderMetricsLog(folder);
      await log.record(1, { loss: 1 });
      await log.record(2, { loss: 2 });
      await log.flush();
      const text = await readFile(join(folder, metricsName), 'utf8');
      await writeFile(join(folder, metricsName), text.replace('"loss":2', '"loss":2.5'));
      const { status, stdout } = spawnSync(python!, [script, folder], { encoding: 'utf8' });
      expect(stdout).toContain('loss: 2 values, largest difference 0.5, MISMATCH');
      expect(status).toBe(1);
    });
  },
);
