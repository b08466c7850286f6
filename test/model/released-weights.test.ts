import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ConfigError, DataError, FormatError } from '../../src/core/errors.ts';
import { float32 } from '../../src/core/tensor.ts';
import { parseReleasedIndex, verifyReleased } from '../../src/model/released-weights.ts';
import { readReleased, releasedIndex } from '../../src/model/released-weights-node.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.ts';
import { binary16ToNumber, numberToBinary16 } from '../../src/model/stored-values.ts';
import { loadEncoderWeights } from '../../src/model/weights.ts';

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
    for (const [name, { kind, layers }] of index) {
      const content = await readReleased(name);
      if (kind === 'encoder') expect(loadEncoderWeights(content, name).layers).toBe(layers);
    }
    expect(
      execFileSync(process.execPath, ['scripts/release-weights.mjs', '--check'], { encoding: 'utf8' }),
    ).toContain('as the index says');
  });

  test('an unknown name says which there are', async () => {
    await expect(readReleased('ecg-99')).rejects.toThrow(DataError);
    await expect(readReleased('ecg-99')).rejects.toThrow([...releasedIndex().keys()][0]);
  });
});
