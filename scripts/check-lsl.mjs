/**
 * Real LSL streams, made by pylsl, read through liblsl: `node scripts/check-lsl.mjs --python PATH` (needs pylsl; build
 * first). Checks that no sample is lost or doubled and that both streams begin at the same moment.
 */
import { execFileSync, spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { lslSource } from '../dist/node.js';

const { values } = parseArgs({ options: { python: { type: 'string', default: 'python3' } } });
const library = execFileSync(values.python, ['-c', 'import pylsl.lib; print(pylsl.lib.lib._name)'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
}).trim();
const outlets = spawn(values.python, [new URL('lsl_outlets.py', import.meta.url).pathname, '12'], {
  stdio: 'ignore',
});
const source = await lslSource(['cap', 'type=ECG'], { library, idleSeconds: 2, timeoutSeconds: 20 });
console.log(source.channels.map(({ name, unit, rateHz }) => `${name} ${unit} ${rateHz} Hz`).join(', '));
const rows = source.channels.map(() => []);
const stop = new AbortController();
setTimeout(() => stop.abort(), 5000);
for await (const { samples } of source.pieces(stop.signal))
  for (const [i, x] of samples.entries()) rows[i].push(...x);
await source.close();
outlets.kill();
const steps = rows.map((row) => row.every((x, i) => i === 0 || Math.abs(x - row[i - 1]) === 1));
const apart = rows[0][0] / 250 - rows[2][0] / 130;
const isRight = steps.every(Boolean) && rows.every((row) => row.length > 300) && Math.abs(apart) < 1 / 130;
console.log(
  `${rows.map((row) => row.length).join(', ')} samples; none lost or doubled: ${steps.join(', ')}; beginnings ${(1000 * apart).toFixed(1)} ms apart`,
);
console.log(isRight ? 'PASS' : 'FAIL');
process.exit(isRight ? 0 : 1);
