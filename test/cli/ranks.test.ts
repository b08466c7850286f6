/** Verbs under mpirun. Skipped, and said so, where there is no OpenMPI. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseResult } from '../../src/evaluate/result.ts';
import { decodeCheckpoint } from '../../src/train/checkpoint.ts';
import {
  buildCli,
  type Finished,
  finetuneRecipe,
  heartmindIn,
  main,
  makeWorkspace,
  pretrainRecipe,
  removeCli,
} from './workspace.ts';

const version = spawnSync('mpirun', ['--version'], { encoding: 'utf8' }).stdout ?? '';
const found = version.includes('Open MPI');

const env = {
  ...process.env,
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  // More ranks than cores, and not each bound to one: the machine that tests may be small.
  OMPI_MCA_rmaps_base_oversubscribe: '1',
  OMPI_MCA_hwloc_base_binding_policy: 'none',
  OMPI_MCA_mpi_yield_when_idle: '1',
};
const cpu = ['--device', 'cpu', '--threads', '1'];

let folder: string;

/** Start a verb on ranks; `meanwhile` is called every now and then, with mpirun, until it says that it is done. */
function onRanks(
  ranks: number,
  args: readonly string[],
  meanwhile?: (mpirun: ChildProcess) => boolean,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const command = ['-n', String(ranks), process.execPath, main, ...args, ...cpu];
    const child = spawn('mpirun', command, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setInterval(() => {
      if (meanwhile === undefined || meanwhile(child)) clearInterval(timer);
    }, 10);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

async function succeed(run: Promise<Finished>): Promise<Finished> {
  const finished = await run;
  expect(`${finished.code} ${finished.stderr}`).toMatch(/^0 /);
  return finished;
}

/** The processes that another one started. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const [, , , after] = /^(\d+) (\(.*\)) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))!;
      return Number(after) === parent ? [Number(name)] : [];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

/** The loss of every update. */
async function lossesOf(run: string, training = 'pretrain'): Promise<number[]> {
  const text = await readFile(join(folder, run, 'training', training, 'metrics.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line)['train/loss'])
    .filter((loss) => loss !== undefined);
}

function expectSameLosses(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, loss] of expected.entries()) expect(Math.abs(actual[i]! - loss)).toBeLessThan(1e-6);
}

beforeAll(async () => {
  if (!found) return;
  [folder] = await Promise.all([makeWorkspace(), buildCli()]);
  const longer = { ...pretrainRecipe.optimization, epochs: 6 };
  await writeFile(join(folder, 'longer.json'), JSON.stringify({ ...pretrainRecipe, optimization: longer }));
});
afterAll(async () => {
  if (!found) return;
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(!found)('under mpirun (needs OpenMPI: apt install openmpi-bin libopenmpi-dev)', () => {
  const pretrain = ['pretrain', '--data', 'a/labels.csv', '--recipe', 'longer.json', '--out'];

  test('two ranks pre-train as one does, to 1e-6 over 50 updates; rank 0 alone writes and prints', async () => {
    await succeed(heartmindIn(folder, [...pretrain, 'runs/one', ...cpu]));
    const { stdout, stderr } = await succeed(onRanks(2, [...pretrain, 'runs/two']));
    expect(stdout.match(/Weights: /g)).toHaveLength(1);
    expect(stderr).toContain('2 ranks on 1 host, 1 thread each');
    const losses = await lossesOf('runs/one');
    expect(losses.length).toBeGreaterThanOrEqual(50);
    expectSameLosses(await lossesOf('runs/two'), losses);
    const files = await readdir(join(folder, 'runs/two'), { recursive: true });
    expect(files.sort()).toEqual((await readdir(join(folder, 'runs/one'), { recursive: true })).sort());
  });

  const checkpointOf = (run: string) => join(folder, run, 'training/pretrain/checkpoint.safetensors');

  test('a rank that is killed ends the job at once; the rerun ends in the same bits', async () => {
    const killed = await onRanks(2, [...pretrain, 'runs/killed'], (mpirun) => {
      if (!existsSync(checkpointOf('runs/killed'))) return false;
      process.kill(Math.max(...childrenOf(mpirun.pid!)), 'SIGKILL');
      return true;
    });
    expect(killed.code).not.toBe(0);
    const { progress } = decodeCheckpoint(new Uint8Array(await readFile(checkpointOf('runs/killed'))));
    expect(progress.finished).toBe(false);
    expect(progress.step).toBeGreaterThan(0);
    await succeed(onRanks(2, [...pretrain, 'runs/killed']));
    const [expected, actual] = await Promise.all(
      ['two', 'killed'].map((run) => readFile(join(folder, 'runs', run, 'encoder.safetensors'))),
    );
    expect(Buffer.compare(actual!, expected!)).toBe(0);
  });

  test.each(['SIGUSR2 to mpirun', 'SIGTERM to one rank'])('%s stops all after a checkpoint', async (how) => {
    const run = `runs/${how.slice(0, 7)}`;
    const stopped = await onRanks(2, [...pretrain, run], (mpirun) => {
      if (!existsSync(checkpointOf(run))) return false;
      if (how.startsWith('SIGUSR2')) mpirun.kill('SIGUSR2');
      else process.kill(Math.max(...childrenOf(mpirun.pid!)), 'SIGTERM');
      return true;
    });
    expect(stopped.stderr).toMatch(
      /training: stopped after \d+ of \d+ updates\. A checkpoint is written; run again to resume\./,
    );
    expect(stopped.code).toBe(130);
  });

  test('an error is said once and ends all ranks with its code', async () => {
    const { code, stderr } = await onRanks(2, [...pretrain, 'runs/no', '--initial', 'no.pth']);
    expect(code).toBeGreaterThan(0);
    expect(stderr.match(/no\.pth/g)!.length).toBeLessThanOrEqual(2);
    const uneven = await onRanks(3, [...pretrain, 'runs/uneven']);
    expect(uneven.code).toBe(2);
    expect(uneven.stderr).toContain('4 windows cannot be cut into 1 equal parts on each of 3 ranks');
  });

  const ecgAlone = { ...finetuneRecipe, encoders: { ecg: finetuneRecipe.encoders.ecg } };

  test('an evaluation deals its trainings, and comes to the same result', async () => {
    const recipe = { ...ecgAlone, optimization: { ...finetuneRecipe.optimization, epochs: 1 } };
    await writeFile(join(folder, 'short.json'), JSON.stringify(recipe));
    const evaluate = ['evaluate', '--data', 'a/labels.csv', '--recipe', 'short.json', '--protocol', 'k-fold'];
    const more = ['--folds', '2', '--validation-subjects', '1', '--seeds', '0,1', '--out'];
    await succeed(heartmindIn(folder, [...evaluate, ...more, 'runs/alone', ...cpu]));
    await succeed(onRanks(2, [...evaluate, ...more, 'runs/dealt']));
    const [alone, dealt] = await Promise.all(
      ['alone', 'dealt'].map(async (run) => {
        const text = await readFile(join(folder, 'runs', run, 'result.json'), 'utf8');
        const {
          seconds: _,
          created: __,
          ...result
        } = parseResult(JSON.parse(text), run) as ReturnType<typeof parseResult> & { created?: unknown };
        return result;
      }),
    );
    expect(dealt).toEqual(alone);
    const models = ['alone', 'dealt'].map((run) =>
      readFile(join(folder, 'runs', run, 'models/ecg.safetensors')),
    );
    const [expected, actual] = await Promise.all(models);
    expect(Buffer.compare(actual!, expected!)).toBe(0);
  });

  test('other verbs are done by rank 0 alone', async () => {
    const info = await new Promise<string>((resolve) => {
      const child = spawn('mpirun', ['-n', '2', process.execPath, main, 'info', 'a/anna-calm.edf'], {
        ...{ cwd: folder, env },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (more) => {
        text += more;
      });
      child.on('close', () => resolve(text));
    });
    expect(info.match(/Fz/g)?.length).toBe(
      (await heartmindIn(folder, ['info', 'a/anna-calm.edf'])).stdout.match(/Fz/g)!.length,
    );
  });
});
