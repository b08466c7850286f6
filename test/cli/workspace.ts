/** The command line as a user runs it: main.ts bundled once, child processes, and a folder with tiny recordings. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { Random } from '../../src/core/random.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';

const repository = join(import.meta.dirname, '../..');
// Inside the repository, so that the bundle finds node_modules, package.json and recipes/.
const bundleFolder = join(repository, 'node_modules/.cache/heartmind-cli-test', String(process.pid));
export const main = join(bundleFolder, 'cli.mjs');

export interface Finished {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bundle the command line. */
export async function buildCli(): Promise<void> {
  await mkdir(bundleFolder, { recursive: true });
  const bundle = await rolldown({
    input: join(repository, 'src/cli/main.ts'),
    platform: 'node',
    external: [/^onnxruntime-/, /^node:/, /^koffi/, /^h5wasm/],
    logLevel: 'silent',
  });
  await bundle.write({
    dir: bundleFolder,
    entryFileNames: 'cli.mjs',
    chunkFileNames: '[name]-[hash].mjs',
    format: 'esm',
  });
  await bundle.close();
}

export function removeCli(): Promise<void> {
  return rm(bundleFolder, { recursive: true, force: true });
}

/** Start `heartmind` in a folder; `onOutput` sees stderr as it grows. */
export function heartmindIn(
  cwd: string,
  args: readonly string[],
  onOutput?: (stderr: string, child: ChildProcess) => void,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
      onOutput?.(stderr, child);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const prepare = {
  version: 1,
  signals: {
    eeg: { channels: ['Fz', 'Cz'], scaleMicrovolts: 100 },
    ecg: { channels: ['ECG'], scaleMicrovolts: 1000 },
  },
  window: { lengthSeconds: 2, stepSeconds: 2 },
};
const optimization = { epochs: 2, batch: 4, minimumLearningRate: 1e-5 };

export const pretrainRecipe = {
  version: 1,
  task: 'pretrain',
  modality: 'ecg',
  encoder: { layers: 1 },
  prepare: { ...prepare, signals: { ecg: prepare.signals.ecg } },
  mask: { mixture: { random: 1 } },
  optimization,
};
export const finetuneRecipe = {
  version: 1,
  task: 'finetune',
  encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } },
  prepare,
  head: { kind: 'linear' },
  tune: 'frozen',
  learningRates: {},
  optimization: { ...optimization, epochs: 3 },
};

export const subjects = ['anna', 'ben', 'carla', 'dev', 'eva', 'finn'];
/** Two files a subject, one of each class. */
export const states = ['calm', 'stress'];
export const secondsPerFile = 8;

/** A temporary folder: `a/SUBJECT-STATE.edf`, `a/labels.csv`, recipes. Remove it when done. */
export async function makeWorkspace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heartmind-cli-'));
  await mkdir(join(folder, 'a'));
  const lines = ['file,subject,state'];
  for (const [s, subject] of subjects.entries()) {
    for (const [k, state] of states.entries()) {
      const name = `${subject}-${state}.edf`;
      lines.push(`${name},${subject},${state}`);
      await writeFile(join(folder, 'a', name), encodeRecording(10 * s + k, k === 1));
    }
  }
  await writeFile(join(folder, 'a/labels.csv'), `${lines.join('\n')}\n`);
  await writeFile(join(folder, 'pretrain.json'), JSON.stringify(pretrainRecipe));
  await writeFile(join(folder, 'finetune.json'), JSON.stringify(finetuneRecipe));
  const ecgAlone = { ...finetuneRecipe, encoders: { ecg: finetuneRecipe.encoders.ecg } };
  await writeFile(join(folder, 'finetune-ecg.json'), JSON.stringify(ecgAlone));
  return folder;
}

/** Stress: a faster rhythm and more beta. */
function encodeRecording(seed: number, stress: boolean): Uint8Array {
  const random = Random.derive(seed, 'cli');
  const rateHz = 200;
  const series = (of: (t: number) => number) =>
    Float64Array.from({ length: rateHz * secondsPerFile }, (_, i) => of(i / rateHz) + random.normal());
  const period = stress ? 0.6 : 0.9;
  const beat = (t: number) => Math.exp(-((((t % period) - 0.3) / 0.012) ** 2));
  const eeg = (t: number) => 20 * Math.sin(2 * Math.PI * (stress ? 20 : 10) * t);
  return encodeEdf({
    channels: [
      { name: 'Fz', unit: 'uV', rateHz, samples: series(eeg) },
      { name: 'Cz', unit: 'uV', rateHz, samples: series((t) => 0.5 * eeg(t + 0.01)) },
      { name: 'ECG', unit: 'uV', rateHz, samples: series((t) => 1000 * beat(t)) },
    ],
  });
}
