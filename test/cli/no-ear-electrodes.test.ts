/** Recordings without a channel that the model can do without (A2-A1): `evaluate --model` tests them as `predict` predicts them. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { buildCli, heartmindIn, removeCli } from './workspace.ts';

const folder = join(import.meta.dirname, '../../node_modules/.cache/heartmind-no-ear', String(process.pid));
const electrodes = 'Fp1 Fp2 F3 F4 F7 F8 T3 T4 C3 C4 T5 T6 P3 P4 O1 O2 Fz Cz Pz'.split(' ');
const cpu = ['--device', 'cpu', '--threads', '1', '--progress', 'none'];
const [rateHz, seconds] = [200, 10];

function recording(seed: number, alpha: number): Uint8Array {
  const random = Random.derive(seed, 'no ear');
  const series = (of: (t: number) => number) =>
    Float64Array.from({ length: rateHz * seconds }, (_, i) => of(i / rateHz) + random.normal());
  const beat = (t: number) => 1000 * Math.exp(-((((t % 0.8) - 0.3) / 0.012) ** 2));
  return encodeEdf({
    channels: [
      ...electrodes.map((name, c) => ({
        ...{ name, unit: 'uV', rateHz },
        samples: series((t) => alpha * Math.sin(2 * Math.PI * 10 * t + c)),
      })),
      { name: 'ECG', unit: 'uV', rateHz, samples: series(beat) },
    ],
  });
}

beforeAll(async () => {
  await Promise.all([mkdir(folder, { recursive: true }), buildCli()]);
  const rows = ['file,subject,task'];
  for (const [s, subject] of ['001', '002'].entries())
    for (const [k, task] of ['rest', 'arithmetic'].entries()) {
      const name = `${subject}_${task}.edf`;
      rows.push(`${name},${subject},${task}`);
      await writeFile(join(folder, name), recording(2 * s + k, k === 0 ? 20 : 5));
    }
  await writeFile(join(folder, 'labels.csv'), rows.join('\n'));
});
afterAll(async () => {
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

test('evaluate --model tests every window that predict predicts', async () => {
  const model = ['--model', 'workload', '--data', 'labels.csv', '--target', 'task', '--out', 'run'];
  const { code, stderr } = await heartmindIn(folder, ['evaluate', ...model, ...cpu]);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  const result = JSON.parse(await readFile(join(folder, 'run/result.json'), 'utf8'));
  const files = ['001_rest.edf', '001_arithmetic.edf', '002_rest.edf', '002_arithmetic.edf'];
  const predicted = await heartmindIn(folder, ['predict', 'workload', ...files, ...cpu]);
  expect(predicted.code, predicted.stderr).toBe(0);
  const rows = predicted.stdout.trimEnd().split('\n').length - 1;
  expect(rows).toBeGreaterThan(0);
  expect(result.windows).toBe(rows);
  // The released model is older than what models say of their encoders.
  expect(result.notes.join('\n')).toContain('does not say whom its encoders had seen');
});
