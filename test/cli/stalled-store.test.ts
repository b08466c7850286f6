/** A store on a server that falls silent: Ctrl-C ends the training within a second or two, and its checkpoint is there. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { checkpointName } from '../../src/train/checkpoint-node.ts';
import { startIn, waitFor } from './start.ts';
import { buildCli, heartmindIn, makeWorkspace, pretrainRecipe, removeCli } from './workspace.ts';

let folder: string;
let server: Server;
/** Shards of which the server sends nothing. */
let withheld = /^\/none$/;
let silent = 0;
const people = ['anna', 'ben', 'carla'];
const secondsEach = 1800;

beforeAll(async () => {
  [folder] = await Promise.all([makeWorkspace(), buildCli()]);
  // Windows of three shards of a megabyte.
  await mkdir(join(folder, 'long'));
  const beat = (i: number) => 1000 * Math.exp(-(((((i / 200) % 0.8) - 0.3) / 0.02) ** 2));
  for (const [p, name] of people.entries()) {
    const random = Random.derive(p, 'stall');
    const samples = Float64Array.from({ length: 200 * secondsEach }, (_, i) => beat(i) + random.normal());
    const bytes = encodeEdf({ channels: [{ name: 'ECG', unit: 'uV', rateHz: 200, samples }] });
    await writeFile(join(folder, 'long', `${name}.edf`), bytes);
  }
  const rows = people.map((name) => `${name}.edf,${name},calm`);
  await writeFile(join(folder, 'long/labels.csv'), ['file,subject,state', ...rows].join('\n'));
  const optimization = { ...pretrainRecipe.optimization, epochs: 20 };
  await writeFile(join(folder, 'long.json'), JSON.stringify({ ...pretrainRecipe, optimization }));
  const prepared = [
    'prepare',
    'long/labels.csv',
    '--recipe',
    'long.json',
    '--out',
    'store',
    '--workers',
    '0',
    '--shard',
    '1',
  ];
  expect((await heartmindIn(folder, prepared)).stderr).not.toMatch(/error/i);
  server = createServer(async (request, response) => {
    if (withheld.test(request.url!)) {
      silent++;
      return;
    }
    const bytes = await readFile(join(folder, 'store', request.url!)).catch(() => undefined);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (!bytes || from === undefined) return void response.writeHead(404).end();
    const end = Math.min(Number(to) + 1, bytes.length);
    response.writeHead(206, { 'Content-Range': `bytes ${from}-${end - 1}/${bytes.length}` });
    response.end(bytes.subarray(Number(from), end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

const pretrain = (out: string) => {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const cpu = ['--device', 'cpu', '--threads', '1', '--progress', 'none'];
  return ['pretrain', '--data', url, '--recipe', 'long.json', '--out', out, ...cpu];
};

/** Milliseconds from Ctrl-C to the end of a process that waits for the server. */
async function stopStalled(out: string) {
  silent = 0;
  const started = startIn(folder, pretrain(out));
  expect(await waitFor(started, () => silent > 0)).toBe(true);
  // It waits for the server, and for nothing else: an update takes milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const begun = performance.now();
  started.child.kill('SIGINT');
  const finished = await started.finished;
  return { ...finished, milliseconds: performance.now() - begun };
}

test('while it trains: the checkpoint is saved', async () => {
  // Whose windows they are trains.
  withheld = /^\/ecg\/c\.2\./;
  const { code, stderr, milliseconds } = await stopStalled('runs/stalled');
  expect(stderr).toMatch(/training: stopped after \d+ of \d+ updates\. A checkpoint is written/);
  expect(code).toBe(130);
  expect(existsSync(join(folder, 'runs/stalled/training/pretrain', checkpointName))).toBe(true);
  expect(milliseconds).toBeLessThan(5000);
});

test('before it trains: at once', async () => {
  withheld = /^\/ecg\/c\./;
  const { code, stderr, milliseconds } = await stopStalled('runs/never');
  // Named: what was being read.
  expect(`${code} ${stderr}`).toMatch(/^130 .*\nhttp:\/\/127\.0\.0\.1:\d+\/ecg\/c\.\S+: stopped\.\n$/s);
  expect(milliseconds).toBeLessThan(5000);
});
