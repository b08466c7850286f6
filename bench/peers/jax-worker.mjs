/** jax-js in a race: matrix products in WebAssembly. `node jax-worker.mjs FOLDER`, where the package is installed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
let run;

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  try {
    if (message.prepare) {
      const found = await load(process.argv[2]);
      if (found) say(await prepare(found, message.prepare));
      else say({ absent: 'not installed. Run `npm run bench -- --peers install`.' });
    } else if (message.run) {
      const seconds = [];
      for (let i = 0; i < message.run; i++) {
        const begun = performance.now();
        await run();
        seconds.push((performance.now() - begun) / 1000);
      }
      say({ seconds });
    } else say({ peakBytes: 1024 * process.resourceUsage().maxRSS });
  } catch (error) {
    say({ error: error.message });
  }
}

async function load(folder) {
  const home = join(folder, 'node_modules/@jax-js/jax');
  if (!existsSync(home)) return undefined;
  const { version, module } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  return { version, jax: await import(pathToFileURL(join(home, module)).href) };
}

async function prepare({ version, jax }, { rows, inner, columns }) {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
  const { numpy: np, random, jit } = jax;
  const x = random.normal(random.key(0), [rows, inner]);
  const w = random.normal(random.key(1), [inner, columns]);
  const product = jit((a, b) => np.matmul(a, b));
  run = async () => {
    const y = product(x.ref, w.ref);
    await y.blockUntilReady();
    y.dispose();
  };
  await run();
  await run();
  return {
    flops: 2 * rows * inner * columns,
    engine: { engine: `jax-js ${version}, wasm`, threads: 'its own' },
  };
}
