/** `heartmind fetch` as a user runs it, against a local server. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { explainClosed } from '../../src/cli/fetch-closed.ts';
import { publishedWeights } from '../../src/datasets/published-weights.ts';
import { type FaultyServer, type ServerOptions, startServer } from '../datasets/faulty-server.ts';
import { buildCli, heartmindIn, removeCli } from './workspace.ts';

const weights = publishedWeights['cbramod-braindecode']!;
const weightsPath = `${weights.repository}/resolve/main/${weights.file}`;
const bytes = Uint8Array.from({ length: 400_000 }, (_, i) => (i * i + (i >> 8)) % 253);
const sums = `${createHash('sha256').update(bytes).digest('hex')}  Subject00_1.edf\n`;
const files = new Map([
  ['SHA256SUMS.txt', new TextEncoder().encode(sums)],
  ['Subject00_1.edf', bytes],
  [weightsPath, bytes],
]);

let folder: string;
let server: FaultyServer;
beforeAll(buildCli);
afterAll(removeCli);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-fetch-cli-'));
});
afterEach(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const serve = async (options?: ServerOptions) => {
  server = await startServer(files, options);
};
const local = () => ['--mirror', server.url];
const isRight = async (path: string) => Buffer.compare(await readFile(join(folder, path)), bytes) === 0;

test('a dataset: fetched, known the next time, said as JSON', async () => {
  await serve();
  const args = ['fetch', 'eegmat', '--to', 'mine', '--progress', 'json', ...local()];
  const first = await heartmindIn(folder, args);
  expect(`${first.code} ${first.stderr}`).toMatch(/^0 /);
  expect(first.stdout).toContain('files     1: 0 there already, 1 fetched and checked (400 kB)');
  expect(first.stdout).toContain('use it    --data eegmat=mine');
  expect(first.stderr).toContain('"stage":"fetch eegmat"');
  expect(await isRight('mine/Subject00_1.edf')).toBe(true);
  const again = await heartmindIn(folder, [...args, '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({ name: 'eegmat', folder: 'mine', present: 1, fetched: [] });
});

test('a dry run, a wrong pattern, a wrong name, a server that has it not', async () => {
  await serve();
  const dry = await heartmindIn(folder, ['fetch', 'eegmat', '--to', 'mine', '--dry-run', ...local()]);
  expect(dry.stdout).toContain('1 would be fetched');
  expect(dry.stdout).toContain(`Subject00_1.edf  ←  ${server.url}Subject00_1.edf`);
  expect(existsSync(join(folder, 'mine'))).toBe(false);
  const pattern = await heartmindIn(folder, [
    'fetch',
    'eegmat',
    '--to',
    'mine',
    '--only',
    '*.dat',
    ...local(),
  ]);
  expect([pattern.code, pattern.stderr]).toEqual([
    2,
    expect.stringContaining("--only: '*.dat' matches none"),
  ]);
  const name = await heartmindIn(folder, ['fetch', 'egmat']);
  expect([name.code, name.stderr]).toEqual([
    2,
    expect.stringMatching(/'egmat' is unknown. Known: eegmat, .*cbramod/),
  ]);
  server.faults.set('Subject00_1.edf', [{ kind: 'status', status: 404 }]);
  const gone = await heartmindIn(folder, ['fetch', 'eegmat', '--to', 'mine', ...local()]);
  expect([gone.code, gone.stderr]).toEqual([3, expect.stringContaining('the server answers 404')]);
});

describe('weights', () => {
  const fetchWeights = (...more: string[]) => [
    'fetch',
    weights.name,
    '--to',
    'w',
    '--mirror',
    server.url,
    ...more,
  ];
  const path = `w/${weights.file}`;

  test('come with the path to pass on, and what is known of them', async () => {
    await serve();
    const { code, stdout } = await heartmindIn(folder, fetchWeights());
    expect(code).toBe(0);
    expect(stdout).toContain('verified  no checksum is known: taken as the server sent it');
    expect(stdout).toContain(`use it    --eeg ${path}`);
  });

  test('of other bytes than the authors published are refused', async () => {
    server = await startServer(
      new Map([['weighting666/CBraMod/resolve/main/pretrained_weights.pth', bytes]]),
    );
    const { code, stderr } = await heartmindIn(folder, ['fetch', 'cbramod', '--to', 'w', ...local()]);
    expect([code, stderr]).toEqual([
      3,
      expect.stringContaining('instead of 0792cb808c14e6b7a2bb2ce1dff379bc'),
    ]);
    expect(existsSync(join(folder, 'w/pretrained_weights.pth'))).toBe(false);
  });

  /** Starts a slow download, and calls `act` once a part of the file is there. */
  const interrupted = async (signal: NodeJS.Signals) => {
    const part = join(folder, `${path}.part`);
    let timer: NodeJS.Timeout | undefined;
    const finished = heartmindIn(folder, fetchWeights('--progress', 'json'), (_, child) => {
      timer ??= setInterval(() => {
        stat(part).then(
          ({ size }) => {
            if (size <= 50_000 || child.killed) return;
            child.kill(signal);
          },
          () => undefined,
        );
      }, 5);
    });
    const result = await finished;
    clearInterval(timer);
    return result;
  };

  test('kill -9 in the middle leaves nothing wrong, and the next run continues', async () => {
    await serve({ bytesPerSecond: 400_000 });
    expect((await interrupted('SIGKILL')).code).toBe(null);
    expect(existsSync(join(folder, path))).toBe(false);
    const { code } = await heartmindIn(folder, fetchWeights());
    expect(code).toBe(0);
    expect(await isRight(path)).toBe(true);
    expect(server.requests.at(-1)!.headers.range).toMatch(/^bytes=[1-9]\d{4,}-$/);
    expect((await readdir(join(folder, 'w'))).sort()).toEqual(['.heartmind-fetch.jsonl', weights.file]);
  });

  test('Ctrl-C stops cleanly and says how to go on', async () => {
    await serve({ bytesPerSecond: 400_000 });
    const { code, stderr } = await interrupted('SIGINT');
    expect(code).toBe(130);
    expect(stderr).toMatch(/stopped with 0 of 1 files in w \(.* have come\)\. Run the same command again/);
    expect(await readdir(join(folder, 'w'))).not.toContain('.heartmind-fetch.lock');
  });

  test('two processes into one folder: one fetches, the other says so', async () => {
    await serve({ bytesPerSecond: 800_000 });
    const both = await Promise.all([1, 2].map(() => heartmindIn(folder, fetchWeights())));
    expect(both.map(({ code }) => code).sort()).toEqual([0, 5]);
    expect(both.map(({ stderr }) => stderr).join()).toMatch(
      /in use since .* by another process \(.*heartmind fetch\)/,
    );
    expect(await isRight(path)).toBe(true);
  });
});

describe('a closed dataset', () => {
  const spec = { title: 'Dreams', licence: 'theirs', url: 'https://d.org', citation: 'D. (2026)' };
  const facts = {
    access: 'request',
    how: 'Sign the form and send it from an address of your university.',
    applyUrl: 'https://d.org/form',
    subjects: 2,
    signals: [],
    labels: {},
    layout: [
      { path: 'Dreams.mat', what: 'everything', count: 1 },
      { path: 'video/*.avi', what: 'films' },
    ],
  } as const;

  test('that is open needs no application', async () => {
    const { text } = await explainClosed(spec, { ...facts, access: 'open' }, join(folder, 'none'));
    expect(text).toContain('access    open: anyone may have it; heartmind does not fetch it by itself');
    expect(text).toContain('fetch it  https://d.org/form');
    expect(text).not.toMatch(/apply|authors decide/);
    const own = { ...facts, access: 'open', applyUrl: undefined } as const;
    const { applyUrl: _, ...without } = own;
    expect((await explainClosed({ ...spec, url: '' }, without, 'none')).text).not.toContain('fetch it  ');
  });

  test('is explained, and a folder compared with a complete copy', async () => {
    const none = await explainClosed(spec, facts, join(folder, 'none'));
    expect(none.report).toBeUndefined();
    expect(none.text).toContain('apply     https://d.org/form');
    expect(none.text).toContain('not there');
    await mkdir(join(folder, 'video'));
    await writeFile(join(folder, 'video/1.avi'), 'x');
    await writeFile(join(folder, 'Dreams.mat'), '');
    const half = await explainClosed(spec, facts, folder);
    expect(half.report).toMatchObject({ complete: false, empty: ['Dreams.mat'] });
    expect(half.text).toMatch(/missing +Dreams\.mat +0 of 1/);
    await writeFile(join(folder, 'Dreams.mat'), 'MATLAB');
    const whole = await explainClosed(spec, facts, folder);
    expect(whole.report?.complete).toBe(true);
    expect(whole.text).toContain(': complete (7 bytes)');
  });
});
