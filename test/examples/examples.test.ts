/** Every numbered example runs as its first line says, against the built package, and prints what it should. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'examples');
const files = readdirSync(folder).sort();
/** A line that each must print. */
const expected: Readonly<Record<string, RegExp>> = {
  '01-look-at-a-recording.mjs': /ECG .* beats\/min, RMSSD \d+ ms/,
  '02-windows-and-masks.mjs': /2 windows of 12 leads × 5 patches[\s\S]*V6 +[·x█]( [·x█]){4}/,
  '03-pretrain-an-encoder.mjs': /epoch 3: training 0\.\d+, hidden by dual 0\.\d+, whole leads 0\.\d+/,
  '04-fuse-and-evaluate.mjs': /eeg\+ecg +0\.\d+ \([01]\.\d+ to [01]\.\d+\) 0\.\d+/,
  '05-predict-a-recording.mjs': /0–5 s {2}(rest|arithmetic) {2}rest [01]\.\d\d {2}arithmetic [01]\.\d\d/,
  '06-export-to-onnx.mjs':
    /inputs patches,mask, outputs embedding,reconstruction[\s\S]*embedding \[1, 19, 10, 200\]/,
  '07-a-graph-of-your-own.mjs': /step 600: loss 0\.0\d+/,
  '08-a-store-larger-than-memory.mjs':
    /pools of 43; mean power 0\.0\d+ mV²\none epoch: hidden by dual 0\.\d+/,
  '09-heart-rate-and-bands.mjs':
    /7\d\.\d per minute, RMSSD \d+ ms[\s\S]*19 electrodes, bad: [\s\S]*: alpha \d+ % at 1\d\.\d Hz/,
  '10-live.mjs': /after 5\.6 s: the window from 0 s[\s\S]*after 11\.2 s: the window from 6 s/,
};

describe.skipIf(!existsSync(join(root, 'dist/index.js')))(
  'the examples (against dist/, `npm run setup`)',
  () => {
    test('are numbered, short, and all tested', () => {
      expect(files).toEqual(Object.keys(expected));
      for (const file of files)
        expect(readFileSync(join(folder, file), 'utf8').split('\n').length, file).toBeLessThan(60);
    });

    test.each(files)('%s runs', async (file) => {
      const { stdout } = await promisify(execFile)(process.execPath, [join(folder, file)], { cwd: root });
      expect(stdout).toMatch(expected[file]!);
    });
  },
);
