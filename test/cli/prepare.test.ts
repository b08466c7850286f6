import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import {
  buildCli,
  type Finished,
  finetuneRecipe,
  heartmindIn,
  makeWorkspace,
  removeCli,
  subjects,
} from './workspace.ts';

let folder: string;
const heartmind = (...args: string[]) => heartmindIn(folder, args);
const cpu = ['--device', 'cpu', '--threads', '1', '--progress', 'none'];
const quiet = ['--progress', 'none'];

async function succeed(...args: string[]): Promise<Finished> {
  const finished = await heartmind(...args);
  expect(`${finished.code} ${finished.stderr}`).toMatch(/^0 /);
  return finished;
}

/** Every file below a folder, by path. */
async function contentsOf(name: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      paths
        .sort()
        .map(async (path) => [path.slice(join(folder, name).length), await readFile(path)] as const),
    ),
  );
}

/** Twelve recordings of five minutes: 4.3 MB of windows, five shards of 1 MiB. */
async function makeLong(): Promise<void> {
  await mkdir(join(folder, 'long'));
  const lines = ['file,subject,state'];
  for (let i = 0; i < 12; i++) {
    const random = Random.derive(i, 'long');
    const channels = ['Fz', 'Cz', 'ECG'].map((name) => ({
      ...{ name, unit: 'uV', rateHz: 200 },
      samples: Float64Array.from({ length: 200 * 300 }, () => 200 * (random.uniform() - 0.5)),
    }));
    await writeFile(join(folder, `long/${i}.edf`), encodeEdf({ channels }));
    lines.push(`${i}.edf,${subjects[i % subjects.length]},${i % 2 ? 'calm' : 'stress'}`);
  }
  await writeFile(join(folder, 'long/labels.csv'), `${lines.join('\n')}\n`);
}

beforeAll(async () => {
  [folder] = await Promise.all([makeWorkspace(), buildCli()]);
  await makeLong();
  await succeed(
    'prepare',
    'a/labels.csv',
    '--recipe',
    'finetune.json',
    '--out',
    'store',
    '--workers',
    '2',
    ...quiet,
  );
});
afterAll(async () => {
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

describe('prepare', () => {
  test('says what the store holds, and makes the same one again without threads', async () => {
    const args = ['prepare', 'a/labels.csv', '--recipe', 'finetune.json', '--workers', '0', ...quiet];
    const { stdout } = await succeed(...args, '--out', 'again', '--json');
    const said = JSON.parse(stdout);
    expect(said).toMatchObject({ windows: 48, trials: 12, subjects: 6, type: 'int16', dropped: [] });
    expect(said.bytes).toBeGreaterThan(48 * 2 * 3 * 400);
    expect(await contentsOf('again')).toEqual(await contentsOf('store'));
    const { stdout: second } = await succeed(...args, '--out', 'again');
    expect(second).toMatch(/^48 windows of 12 trials and 6 subjects, 0\.\d+ GB\nStore: .*again\n$/);
  });

  test('another recipe is refused, or replaces it by force', async () => {
    const args = [
      'prepare',
      'a/labels.csv',
      '--recipe',
      'pretrain.json',
      '--out',
      'forced',
      ...quiet,
      '--workers',
      '0',
    ];
    await succeed(
      'prepare',
      'a/labels.csv',
      '--recipe',
      'finetune.json',
      '--out',
      'forced',
      ...quiet,
      '--workers',
      '0',
    );
    const { code, stderr } = await heartmind(...args);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /^forced: it was begun with other settings: recipe\.signals\.eeg is \{.*Use --force to replace it/,
      ),
    });
    await succeed(...args, '--force');
    expect(existsSync(join(folder, 'forced/eeg'))).toBe(false);
  });

  test.each<[string, string[], number, RegExp]>([
    ['data that mean nothing', ['nothing', '--out', 'x'], 2, /^--data: 'nothing' is none of/],
    [
      'a recipe without windows',
      ['a/labels.csv', '--recipe', 'none.json', '--out', 'x'],
      2,
      /^none\.json: it does not say how windows are cut/,
    ],
    ['a store', ['store', '--out', 'x'], 2, /^store: this is a store already/],
    [
      'a place that cannot be written',
      ['a/labels.csv', '--out', 'a/labels.csv/x'],
      5,
      /nothing can be written to a\/labels\.csv\/x/,
    ],
  ])('%s is an error', async (_, args, code, message) => {
    await writeFile(join(folder, 'none.json'), '{"version":1}');
    const finished = await heartmind('prepare', ...args, ...quiet);
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(code);
  });

  test('killed again and again, it ends in the same bytes', async () => {
    const args = [
      'prepare',
      'long/labels.csv',
      '--recipe',
      'finetune.json',
      '--shard',
      '1',
      '--workers',
      '1',
    ];
    await succeed(...args, '--out', 'whole', ...quiet);
    const random = new Random(3);
    let kills = 0;
    for (let done = false; !done; ) {
      const { code } = await heartmindIn(
        folder,
        [...args, '--out', 'broken', '--progress', 'json'],
        (stderr, child) => {
          if (stderr.length > 0 && !child.killed && kills < 4)
            setTimeout(() => child.kill('SIGKILL'), 250 * random.uniform());
        },
      );
      done = code === 0;
      if (done) continue;
      kills++;
      const refused = await heartmind(
        'pretrain',
        '--data',
        'broken',
        '--recipe',
        'pretrain.json',
        '--out',
        'x',
        ...cpu,
      );
      if (existsSync(join(folder, 'broken/.unfinished/plan.json')))
        expect(refused.stderr).toMatch(
          /broken: this store is not finished\. Run the same 'heartmind prepare' again/,
        );
      expect(refused.code).not.toBe(0);
    }
    expect(kills).toBeGreaterThan(1);
    expect(await contentsOf('broken')).toEqual(await contentsOf('whole'));
  });

  test('Ctrl-C stops it, what is stored is kept', async () => {
    const args = [
      'prepare',
      'long/labels.csv',
      '--recipe',
      'finetune.json',
      '--shard',
      '1',
      '--out',
      'stopped',
      '--progress',
      'json',
    ];
    const { code, stderr } = await heartmindIn(folder, [...args, '--workers', '1'], (_, child) => {
      if (!child.killed) child.kill('SIGINT');
    });
    expect(stderr).toMatch(
      /own data: stopped after \d+ of 12 trials; \d+ shards are kept\. Run it again to go on\./,
    );
    expect(code).toBe(130);
    expect(existsSync(join(folder, 'stopped/zarr.json'))).toBe(false);
  });
});

describe('a store is data like any other', () => {
  test('pre-training', async () => {
    await writeFile(
      join(folder, 'both.json'),
      JSON.stringify({
        ...JSON.parse(await readFile(join(folder, 'pretrain.json'), 'utf8')),
        prepare: undefined,
      }),
    );
    const { stdout } = await succeed(
      'pretrain',
      '--data',
      'store',
      '--recipe',
      'both.json',
      '--memory',
      '1',
      '--out',
      'runs/p',
      ...cpu,
    );
    expect(stdout).toMatch(/^loss \d/);
    const result = JSON.parse(await readFile(join(folder, 'runs/p/result.json'), 'utf8'));
    expect(result.windows).toBe(48);
    expect(result.dataset.name).toBe('own data');
  });

  test('evaluation, and fine-tuning with encoders frozen or not', async () => {
    const tuned = ['--ecg', 'runs/p/encoder.safetensors', ...cpu];
    const protocol = ['--protocol', 'k-fold', '--folds', '2', '--validation-subjects', '1'];
    await succeed(
      'evaluate',
      '--data',
      'store',
      '--recipe',
      'finetune.json',
      ...tuned,
      ...protocol,
      '--out',
      'runs/e',
    );
    const { models } = JSON.parse(await readFile(join(folder, 'runs/e/result.json'), 'utf8'));
    expect(Object.keys(models)).toContain('classical-eeg+ecg');
    await writeFile(join(folder, 'all.json'), JSON.stringify({ ...finetuneRecipe, tune: 'all' }));
    for (const recipe of ['finetune.json', 'all.json']) {
      const held = ['--validation-subjects', '2', '--out', `runs/${recipe}`];
      await succeed('finetune', '--data', 'store', '--recipe', recipe, ...tuned, ...held);
    }
  });

  test('another recipe, no such target, a damaged shard are told', async () => {
    const other = await heartmind(
      'pretrain',
      '--data',
      'store',
      '--recipe',
      'pretrain.json',
      '--out',
      'x',
      ...cpu,
    );
    expect(other.stderr).toMatch(/^store: its windows were prepared with signals\.eeg \{/);
    expect(other.code).toBe(2);
    const target = ['finetune', '--data', 'store', '--recipe', 'finetune.json', '--out', 'x', ...cpu];
    const unknown = await heartmind(...target, '--target', 'mood');
    expect(unknown.stderr).toMatch(/^store: no target 'mood' with classes\. It has: state\./);
    expect(unknown.code).toBe(3);
    await succeed(
      'prepare',
      'a/labels.csv',
      '--recipe',
      'finetune.json',
      '--out',
      'cut',
      ...quiet,
      '--workers',
      '0',
    );
    await truncate(join(folder, 'cut/ecg/c.0.0.0'), 1000);
    const damaged = await heartmind(
      'finetune',
      '--data',
      'cut',
      '--recipe',
      'finetune.json',
      '--validation-subjects',
      '2',
      '--out',
      'x',
      ...cpu,
    );
    expect(damaged.stderr).toMatch(/^cut\/ecg\/c\.0\.0\.0: 1000 bytes, \d+ are due\. The copy is truncated/);
    expect(damaged.code).toBe(3);
  });
});
