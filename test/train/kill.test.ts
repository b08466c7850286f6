import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';

// Inside the repository, so that the bundle finds node_modules.
const folder = join(
  import.meta.dirname,
  '../../node_modules/.cache/heartmind-kill-test',
  String(process.pid),
);
const child = join(folder, 'child.mjs');

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'fixtures/kill-child.ts'),
    platform: 'node',
    external: [/^onnxruntime-/, /^node:/],
    logLevel: 'silent',
  });
  await bundle.write({ file: child, format: 'esm' });
  await bundle.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Run the child; kill it some time after it began to train. True where it came to its end. */
function run(target: string, killAfterMilliseconds?: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, [child, target], { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    started.stderr.on('data', (text) => {
      errors += text;
    });
    started.stdout.once('data', () => {
      if (killAfterMilliseconds !== undefined)
        setTimeout(() => started.kill('SIGKILL'), killAfterMilliseconds);
    });
    started.on('exit', (code, signal) => {
      if (code === 0) resolve(true);
      else if (signal === 'SIGKILL') resolve(false);
      else reject(new Error(`child ended with ${code}: ${errors}`));
    });
  });
}

test('a run killed 30 times at random moments ends in bit-identical weights', async () => {
  const whole = join(folder, 'whole');
  expect(await run(whole)).toBe(true);
  const broken = join(folder, 'broken');
  const random = new Random(11);
  let kills = 0;
  while (kills < 30 && !existsSync(join(broken, 'final.safetensors'))) {
    if (!(await run(broken, 10 + 100 * random.uniform()))) kills++;
  }
  expect(kills).toBe(30);
  expect(await run(broken)).toBe(true);
  const [expected, actual] = await Promise.all(
    [whole, broken].map((name) => readFile(join(name, 'final.safetensors'))),
  );
  expect(Buffer.compare(actual!, expected!)).toBe(0);
});
