/** One process at a time in a run's or a store's folder; whatever ends a process, the next one goes on. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lockFolder, lockName } from '../../src/core/folder-lock-node.ts';
import { Random } from '../../src/core/random.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { checkpointName } from '../../src/train/checkpoint-node.ts';
import { startIn, waitFor } from './start.ts';
import { buildCli, heartmindIn, makeWorkspace, pretrainRecipe, removeCli } from './workspace.ts';

const cpu = ['--device', 'cpu', '--threads', '1', '--progress', 'none'];
let folder: string;
const pretrain = (out: string, recipe = 'long.json') => [
  ...['pretrain', '--data', 'a/labels.csv', '--recipe', recipe, '--out', out],
  ...cpu,
];
const lockOf = (run: string) => join(folder, run, lockName);
const checkpointOf = (run: string) => join(folder, run, 'training/pretrain', checkpointName);
/** What is left of work that did not end. */
async function remainsIn(inside: string): Promise<string[]> {
  const names = await readdir(join(folder, inside), { recursive: true });
  return names.filter((name) => /\.tmp$|\.lock/.test(name));
}

beforeAll(async () => {
  [folder] = await Promise.all([makeWorkspace(), buildCli()]);
  const epochs = (count: number) =>
    JSON.stringify({ ...pretrainRecipe, optimization: { ...pretrainRecipe.optimization, epochs: count } });
  await writeFile(join(folder, 'long.json'), epochs(5000));
  await writeFile(join(folder, 'middle.json'), epochs(8));
  const samples = Float64Array.from({ length: 60_000 * 4 }, (_, i) => Math.round(100 * Math.sin(i / 9)));
  await writeFile(
    join(folder, 'long.edf'),
    encodeEdf({ channels: [{ name: 'Fz', unit: 'uV', rateHz: 100, samples, resolution: 1 }] }),
  );
});
afterAll(async () => {
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

describe('a folder that another process writes into', () => {
  const data = ['--data', 'a/labels.csv'];
  test.each<[string, string[]]>([
    ['pretrain', [...data, '--recipe', 'pretrain.json']],
    ['finetune', [...data, '--recipe', 'finetune.json']],
    ['evaluate', [...data, '--recipe', 'finetune.json', '--protocol', 'k-fold']],
    ['prepare', ['a/labels.csv', '--recipe', 'pretrain.json']],
    ['reproduce', ['eegmat']],
    ['demo', []],
  ])('is refused at once by %s, which says who holds it since when', async (verb, args) => {
    const run = `held-${verb}`;
    await mkdir(join(folder, run));
    const unlock = await lockFolder(join(folder, run), 'heartmind elsewhere');
    const { code, stdout, stderr } = await heartmindIn(folder, [verb, ...args, '--out', run]);
    await unlock();
    expect(stderr).toMatch(/in use since \d{4}-\d\d-\d\d .* by another process/);
    expect(stderr).toContain(`(process ${process.pid} on `);
    expect(stderr).toContain(', heartmind elsewhere)');
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(await readdir(join(folder, run))).toEqual([]);
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s frees the folder', async (signal) => {
  const run = `runs/${signal}`;
  const started = startIn(folder, pretrain(run));
  expect(await waitFor(started, checkpointOf(run))).toBe(true);
  expect(existsSync(lockOf(run))).toBe(true);
  started.child.kill(signal);
  const { code, stderr } = await started.finished;
  expect(`${code} ${stderr}`).toMatch(/^130 /);
  expect(await remainsIn(run)).toEqual([]);
});

test('a run killed at random moments: files are whole, the next process goes on and sweeps', {
  timeout: 240_000,
}, async () => {
  const run = 'runs/killed';
  const random = new Random(5);
  for (let kills = 0; kills < 4; kills++) {
    const started = startIn(folder, pretrain(run, 'middle.json'));
    if (!(await waitFor(started, lockOf(run)))) break;
    await delay(1500 * random.uniform());
    started.child.kill('SIGKILL');
    await started.finished;
    if (existsSync(checkpointOf(run))) {
      const bytes = await readFile(checkpointOf(run));
      const header = Number(bytes.readBigUInt64LE(0));
      expect(() => JSON.parse(bytes.toString('utf8', 8, 8 + header))).not.toThrow();
    }
    if (existsSync(join(folder, run, 'result.json')))
      JSON.parse(await readFile(join(folder, run, 'result.json'), 'utf8'));
  }
  const { code, stderr } = await heartmindIn(folder, pretrain(run, 'middle.json'));
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  expect(await remainsIn(run)).toEqual([]);
  JSON.parse(await readFile(join(folder, run, 'result.json'), 'utf8'));
});

test('a conversion killed at random moments leaves the old file or the new one, and the next sweeps', {
  timeout: 240_000,
}, async () => {
  const args = ['convert', 'long.edf', 'out/long.bdf', '--force', '--progress', 'none'];
  await mkdir(join(folder, 'out'));
  await heartmindIn(folder, args);
  const whole = await readFile(join(folder, 'out/long.bdf'));
  const old = Buffer.from('the old one');
  const random = new Random(6);
  const found: string[] = [];
  for (let kills = 0; kills < 5; kills++) {
    await writeFile(join(folder, 'out/long.bdf'), old);
    const started = startIn(folder, args);
    const begun = async () => (await remainsIn('out')).length > 0;
    // It is caught in the middle, or just after.
    while (started.child.exitCode === null && !(await begun())) await delay(2);
    await delay(60 * random.uniform());
    started.child.kill('SIGKILL');
    await started.finished;
    const after = await readFile(join(folder, 'out/long.bdf'));
    const which = after.equals(old) ? 'old' : after.equals(whole) ? 'new' : `torn: ${after.length} bytes`;
    found.push(which);
    expect(['old', 'new']).toContain(which);
  }
  await heartmindIn(folder, args);
  expect(await readdir(join(folder, 'out'))).toEqual(['long.bdf']);
  expect((await stat(join(folder, 'out/long.bdf'))).size).toBe(whole.length);
});
