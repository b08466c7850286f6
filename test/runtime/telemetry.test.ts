/** The engine's library reports its use to its maker unless it is told not to: nothing may be left or sent unasked. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';

// Inside the repository, so that the bundle finds node_modules.
const built = join(import.meta.dirname, '../../node_modules/.cache/heartmind-telemetry', `${process.pid}`);
const child = join(built, 'child.mjs');
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'heartmind-home-'));
  await mkdir(built, { recursive: true });
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'fixtures/engine-child.ts'),
    platform: 'node',
    external: [/^onnxruntime-/, /^node:/],
    logLevel: 'silent',
  });
  await bundle.write({ file: child, format: 'esm' });
  await bundle.close();
});
afterAll(async () => {
  await rm(built, { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
});

test("the engine leaves no file in the user's home nor in the temporary folder", async () => {
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, XDG_CACHE_HOME: home, TMPDIR: home };
  delete env.ORT_DISABLE_TELEMETRY;
  const printed = execFileSync(process.execPath, [child], { env, encoding: 'utf8' });
  expect(printed).toBe('y = 2\n');
  expect(await readdir(home)).toEqual([]);
});
