/** `--eeg A,B` and `A:2`: what is read, and what is refused. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readChosenEncoders } from '../../src/cli/choose-encoders.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { initialEncoder } from '../../src/model/encoder-parameters.ts';
import { encodeSafetensors } from '../../src/model/safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'heartmind-choose-'));
const path = (name: string) => join(folder, `${name}.safetensors`);

beforeAll(() => {
  const write = (name: string, seed: number, metadata: Record<string, string>) =>
    writeFileSync(
      path(name),
      encodeSafetensors(initialEncoder(encoderConfig({ layers: 2 }), seed), {
        format: 'heartmind',
        ...metadata,
      }),
    );
  write('a', 1, { dataset: 'eegmat', subjects: '["Subject00","Subject01"]' });
  write('b', 2, { dataset: 'ptbxl+eegmat', subjects: '["Subject02"]' });
  write('c', 3, { dataset: 'ptbxl', subjects: '["Subject03"]' });
});

test('several, each with the people of the benchmark that it has seen', async () => {
  const first = await readChosenEncoders(`${path('a')},${path('b')}, ${path('c')}`, { dataset: 'eegmat' });
  const all = [first, ...first.others!];
  expect(all.map(({ seen }) => seen)).toEqual([['Subject00', 'Subject01'], ['Subject02'], []]);
  expect(all.map(({ source }) => source)).toEqual(['a.safetensors', 'b.safetensors', 'c.safetensors']);
  expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(3);
});

test('one stands alone, of as many layers as are asked for', async () => {
  const whole = await readChosenEncoders(path('a'), { dataset: 'eegmat' });
  expect(whole.others).toBeUndefined();
  expect(whole.config.layers).toBe(2);
  const part = await readChosenEncoders(`${path('a')}:1`, { dataset: 'eegmat', dropout: 0 });
  expect(part.config).toMatchObject({ layers: 1, dropout: 0 });
  expect(part.source).toBe('a.safetensors, 1 of 2 layers');
  expect([...part.tensors.keys()].some((name) => name.startsWith('encoder.layers.1.'))).toBe(false);
  const preferred = await readChosenEncoders(path('a'), { dataset: 'eegmat', layers: 1 });
  expect(preferred.sha256).toBe(part.sha256);
});

test('says what it cannot do', async () => {
  const read = (given: string) => readChosenEncoders(given, { dataset: 'eegmat' });
  await expect(read(`${path('a')}:3`)).rejects.toThrow('a.safetensors:3: 3 of 2 layers. Give 1 to 2.');
  await expect(read(`${path('a')},`)).rejects.toThrow('a name is empty. Separate names by one comma.');
  await expect(read(`${path('a')},${path('a')}`)).rejects.toThrow(
    'a.safetensors and a.safetensors hold the same weights. Name each once.',
  );
  await expect(read(path('absent'))).rejects.toThrow('cannot be read');
});
