import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { appendAll, joinArrays, maxOf, minOf } from '../../src/core/arrays.ts';

const million = Array.from({ length: 1_000_000 }, (_, i) => (i * 7919) % 1_000_003);

test('lists longer than the stack are joined and searched', () => {
  const list = [1];
  appendAll(list, million);
  appendAll(list, list);
  expect(list.length).toBe(2_000_002);
  expect([list[1], list[1_000_001], list[2_000_001]]).toEqual([0, 1, million.at(-1)]);
  expect([maxOf(million), minOf(million)]).toEqual([1_000_002, 0]);
});

test('the largest and smallest are those of Math.max and Math.min', () => {
  for (const values of [[], [3], [2, -1], [1, Number.NaN], [-0, 0]]) {
    expect(maxOf(values)).toBe(Math.max(...values));
    expect(minOf(values)).toBe(Math.min(...values));
    expect(maxOf(values, 2)).toBe(Math.max(2, ...values));
    expect(minOf(values, 2)).toBe(Math.min(2, ...values));
  }
});

test('arrays are joined in their order, none of them too', () => {
  const parts = [Float32Array.of(1, 2), new Float32Array(0), Float32Array.of(3)];
  expect(joinArrays(Float32Array, parts)).toEqual(Float32Array.of(1, 2, 3));
  expect(joinArrays(Uint8Array, [])).toEqual(new Uint8Array(0));
});

test('a call with a spread argument in src/ does not pass the style check', async () => {
  const root = join(import.meta.dirname, '../..');
  const { overrides } = JSON.parse(await readFile(join(root, 'biome.json'), 'utf8'));
  expect(overrides).toEqual([{ includes: ['src/**'], plugins: ['./scripts/lint/no-spread-argument.grit'] }]);
  const folder = await mkdtemp(join(tmpdir(), 'heartmind-lint-'));
  try {
    const plugins = [join(root, 'scripts/lint/no-spread-argument.grit')];
    await writeFile(join(folder, 'biome.json'), JSON.stringify({ plugins }));
    const manifest = createRequire(import.meta.url).resolve('@biomejs/biome/package.json');
    const lint = async (code: string) => {
      await writeFile(join(folder, 'example.ts'), code);
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [join(dirname(manifest), 'bin/biome'), 'lint', '--config-path', folder, join(folder, 'example.ts')],
        { encoding: 'utf8' },
      );
      return (stdout + stderr).match(/A spread argument puts/g)?.length ?? 0;
    };
    expect(await lint('list.push(...list);\nMath.max(0, ...list);\nnew Set(...list);\n')).toBe(3);
    expect(await lint('f([...list], { ...list }, (...all) => all);\n')).toBe(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
