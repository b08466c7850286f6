import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, DataError, FormatError } from '../../src/core/errors.ts';
import { float32 } from '../../src/core/tensor.ts';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { eegmat } from '../../src/datasets/eegmat.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { sampleDataFolder } from '../../src/datasets/sample-node.ts';
import { evaluateModel } from '../../src/evaluate/finished-model.ts';
import { modalitiesOf } from '../../src/model/config.ts';
import { decodeModel } from '../../src/model/model-file.ts';
import { parseReleasedIndex, releasedDefaults, verifyReleased } from '../../src/model/released-weights.ts';
import { readReleased, releasedIndex } from '../../src/model/released-weights-node.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.ts';
import { binary16ToNumber, numberToBinary16 } from '../../src/model/stored-values.ts';
import { loadEncoderWeights } from '../../src/model/weights.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { createProgress } from '../../src/train/progress.ts';

const root = resolve(import.meta.dirname, '../..');

const bytes = new Uint8Array([1, 2, 3]);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const entry = {
  ...{ kind: 'encoder' as const, title: 'three bytes', modalities: ['ecg' as const], layers: 1 },
  ...{ file: 'x.safetensors', bytes: 3, sha256 },
};

test('half precision rounds to the nearest, ties to even, and comes back exactly', () => {
  const given = [
    0,
    1,
    -2.5,
    65504,
    65519,
    65520,
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    2 ** -24,
    2 ** -25,
    2 ** -14 - 2 ** -26,
    0.1,
  ];
  const due = [0, 1, -2.5, 65504, 65504, Infinity, 1, 1 + 2 ** -9, 2 ** -24, 0, 2 ** -14, 0.0999755859375];
  const tensors = new Map([['x', float32([given.length], Float32Array.from(given))]]);
  const file = encodeSafetensors(tensors, { a: 'b' }, { float16: true });
  const { tensors: read, metadata } = decodeSafetensors(file, 'x');
  expect([...(read.get('x')!.data as Float32Array)]).toEqual(due);
  expect(metadata).toEqual({ a: 'b' });
  for (let bits = 0; bits < 65536; bits++) {
    const value = binary16ToNumber(bits);
    expect(Number.isNaN(value) || numberToBinary16(value) === bits || bits === 0x8000).toBe(true);
  }
});

describe('released weights', () => {
  test('are what the index says, or refused', async () => {
    await verifyReleased('x', bytes, entry);
    await expect(verifyReleased('x', new Uint8Array([1, 2, 4]), entry)).rejects.toThrow(FormatError);
    await expect(verifyReleased('x', new Uint8Array([1, 2]), entry)).rejects.toThrow('2 bytes');
  });

  test('an index with a wrong key names it', () => {
    const text = JSON.stringify({ version: 1, weights: { x: { ...entry, sha256: 'abc' } } });
    expect(() => parseReleasedIndex(text)).toThrow(ConfigError);
    expect(parseReleasedIndex(JSON.stringify({ version: 1, weights: { x: entry } })).get('x')).toEqual(entry);
  });

  test('every one that is in the package loads, and has its card', async () => {
    const index = releasedIndex();
    expect(index.size).toBeGreaterThan(0);
    for (const [name, { kind, layers, modalities }] of index) {
      const content = await readReleased(name);
      if (kind === 'encoder') expect(loadEncoderWeights(content, name).layers).toBe(layers);
      else expect(modalitiesOf(decodeModel(content, name).config)).toEqual(modalities);
    }
    for (const name of Object.values(releasedDefaults)) expect(index.has(name), name).toBe(true);
    expect(
      execFileSync(process.execPath, ['scripts/release-weights.mjs', '--check'], { encoding: 'utf8' }),
    ).toContain('as the index says');
  });

  test('--check finds a changed byte, a card of another file and a file that is not listed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heartmind-weights-'));
    try {
      for (const part of ['scripts', 'src/evaluate/interval-rule.json', 'weights'])
        await cp(join(root, part), join(folder, part), { recursive: true });
      const check = () =>
        execFileSync('node', ['scripts/release-weights.mjs', '--check'], { cwd: folder, stdio: 'pipe' });
      expect(check().toString()).toContain('as the index says');
      const path = join(folder, 'weights/workload.safetensors');
      const content = await readFile(path);
      content[content.length - 1]! ^= 1;
      await writeFile(path, content);
      expect(check).toThrow('workload.safetensors is not what the index says');
      content[content.length - 1]! ^= 1;
      await writeFile(path, content);
      await writeFile(join(folder, 'weights/other.safetensors'), '');
      expect(check).toThrow('other.safetensors is not in the index');
      await writeFile(join(folder, 'weights/workload.md'), 'of something else');
      expect(check).toThrow('workload.md does not name the sha256');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('the model gives the tested people what its card says, each signal missing too', async () => {
    const model = decodeModel(await readReleased('workload'), 'workload');
    const people = eegmat.splits.published!.test;
    const { models, details } = await evaluateModel({
      ...{ name: 'workload', model, dataset: eegmat, target: 'task', versions: {}, testMissing: true },
      backend: await createNodeBackend({ device: 'cpu', threads: 1 }),
      windows: await loadWindows(eegmat, await openFolder(sampleDataFolder('eegmat')), model.recipe, {
        ...{ target: 'task', subjects: people },
      }),
      progress: createProgress('none', process.stderr),
    });
    const names = ['eeg+ecg', 'eeg+ecg, EEG missing', 'eeg+ecg, ECG missing'];
    expect(Object.keys(models)).toEqual(names);
    const trained = JSON.parse(await readFile(join(root, 'results/demo.json'), 'utf8'));
    for (const name of names)
      for (const score of ['balancedAccuracy', 'auroc'])
        expect(details[name]!.perSeed[0]![score]).toBeCloseTo(trained.details[name].perSeed[0][score], 2);
    const card = await readFile(join(root, 'weights/workload.md'), 'utf8');
    expect(card).toContain(`AUROC ${models['eeg+ecg']!.auroc!.mean!.toFixed(3).slice(1, 4)}`);
  });

  test('an unknown name says which there are', async () => {
    await expect(readReleased('ecg-99')).rejects.toThrow(DataError);
    await expect(readReleased('ecg-99')).rejects.toThrow([...releasedIndex().keys()][0]);
  });
});
