#!/usr/bin/env node
/**
 * Memory and time of `heartmind convert` on a long recording made up here: 64 channels at 512 Hz, 16 bits, noise.
 *   npm run build && node scripts/measure-convert.mjs [--gigabytes 2] [--folder TMP] [--cli dist/cli.js] [--out FILE]
 * Prints JSON: for every conversion, seconds, bytes written, and the largest resident memory of its process.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '2' },
    folder: { type: 'string', default: tmpdir() },
    cli: { type: 'string', default: join(import.meta.dirname, '../dist/cli.js') },
    out: { type: 'string' },
  },
});
const channels = 64;
const rateHz = 512;
const recordBytes = 2 * channels * rateHz; // of one second
const records = Math.round((Number(flags.gigabytes) * 1e9) / recordBytes);
/** Records that are drawn; the file repeats them. */
const drawn = 64;

const conversions = [
  { name: 'EDF → BDF+, all of it', args: ['long.bdf'] },
  {
    name: 'EDF → BDF+, 8 channels at 200 Hz',
    args: ['part.bdf', '--channels', '#0-7', '--rate', '200'],
  },
  { name: 'EDF → WFDB', args: ['long.hea'] },
  { name: 'EDF → EDF+, compressed, one minute', args: ['minute.edf.gz', '--start', '60', '--end', '120'] },
];

const folder = mkdtempSync(join(flags.folder, 'heartmind-convert-'));
try {
  const bytes = writeRecording(join(folder, 'in.edf'));
  const results = conversions.map(({ name, args }) => ({ name, ...convert(args) }));
  const report = {
    ...{ node: process.version, processor: `${cpus().length} × ${cpus()[0]?.model.trim()}` },
    ...{ channels, rateHz, seconds: records, bytes, results },
  };
  const text = `${JSON.stringify(report, null, 1)}\n`;
  process.stdout.write(text);
  if (flags.out) writeFileSync(flags.out, text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Plain EDF, as edfplus.info has it; its size. */
function writeRecording(path) {
  const field = (value, width) => String(value).padEnd(width);
  const column = (value, width) =>
    Array.from({ length: channels }, (_, i) =>
      field(typeof value === 'function' ? value(i) : value, width),
    ).join('');
  const header = [
    field('0', 8) + field('X', 80) + field('noise', 80) + field('01.01.20', 8) + field('00.00.00', 8),
    field(256 * (channels + 1), 8) + field('', 44) + field(records, 8) + field(1, 8) + field(channels, 4),
    column((i) => `E${i}`, 16) +
      column('', 80) +
      column('uV', 8) +
      column('-3276.8', 8) +
      column('3276.7', 8),
    column('-32768', 8) + column('32767', 8) + column('', 80) + column(rateHz, 8) + column('', 32),
  ].join('');
  let state = 1;
  const noise = Int16Array.from({ length: (drawn * recordBytes) / 2 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 20) - 2048;
  });
  const block = new Uint8Array(noise.buffer);
  const file = openSync(path, 'w');
  writeSync(file, header);
  for (let left = records; left > 0; left -= drawn)
    writeSync(file, block, 0, Math.min(left, drawn) * recordBytes);
  closeSync(file);
  return statSync(path).size;
}

/** One conversion in a process of its own, which tells its memory at the end. */
function convert(args) {
  const told = join(folder, 'memory.json');
  const wrapper = `
    import { writeFileSync } from 'node:fs';
    process.argv = [process.argv[0], ${JSON.stringify(resolve(flags.cli))}, ...JSON.parse(process.env.CONVERT)];
    process.on('exit', () => writeFileSync(${JSON.stringify(told)}, JSON.stringify(process.resourceUsage().maxRSS)));
    await import(${JSON.stringify(resolve(flags.cli))});`;
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', wrapper], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      CONVERT: JSON.stringify(['convert', 'in.edf', ...args, '--json', '--progress', 'none']),
    },
  });
  if (status !== 0) throw new Error(`convert ${args.join(' ')} ended with ${status}: ${stderr}`);
  const seconds = (performance.now() - begun) / 1000;
  const { files } = JSON.parse(stdout);
  for (const { path } of files) rmSync(join(folder, path));
  const maxRssKilobytes = JSON.parse(readFileSync(told, 'utf8'));
  return {
    seconds: Number(seconds.toFixed(1)),
    bytesWritten: files.reduce((sum, file) => sum + file.bytes, 0),
    memoryMegabytes: Math.round(maxRssKilobytes / 1024),
  };
}
