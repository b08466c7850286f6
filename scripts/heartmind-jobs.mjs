/** Several runs of the command line side by side, for studies of many trainings. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Do every job, so many at once, in order. The first failure ends it. */
export async function doAll(jobs, atOnce, work) {
  const queue = [...jobs];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) await work(next);
    }),
  );
}

/** Run `heartmind …`; what it says is added to the file `log`, or errors go to the terminal. Tells how long it took. */
export async function heartmind(name, words, log) {
  const begun = performance.now();
  const file = log === undefined ? undefined : openSync(log, 'a');
  await new Promise((resolve, reject) => {
    const cli = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...words], {
      stdio: ['ignore', file ?? 'ignore', file ?? 'inherit'],
    });
    cli.on('error', reject);
    cli.on('exit', (code) => {
      if (file !== undefined) closeSync(file);
      if (code === 0) resolve();
      else reject(new Error(`${name}: heartmind ended with ${code}.${log ? ` See ${log}.` : ''}`));
    });
  });
  console.log(`${name}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
}
