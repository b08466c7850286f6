#!/usr/bin/env node
/**
 * Makes sample-data/ from the unpacked originals: node scripts/make-sample-data.mjs DATA
 * DATA holds `eegmat/` (EDF) and `ptbxl/` (WFDB in the official layout). Needs `npm run build` first.
 *
 * eegmat/: all 36 people, whole recordings, 19 EEG channels, A2-A1 and ECG, by our polyphase resampling to 200 Hz,
 *   in steps of 0.2 µV (EEG) and 2 µV (ECG), EDF+, gzip -9.
 * ecg12/: one record each of people of PTB-XL's folds 1–8 (human-validated, one super-class), the eight independent
 *   leads at 200 Hz in steps of 5 µV; III, aVR, aVL, aVF follow from I and II exactly. No signal twice.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { encodeEdf, openFolder, openRecordingFile, ptbxl, resample, unitFactor } from '../dist/node.js';

const [data] = process.argv.slice(2);
if (!data) {
  console.error('usage: node scripts/make-sample-data.mjs DATA   (a folder with eegmat/ and ptbxl/)');
  process.exit(2);
}
const target = fileURLToPath(new URL('../sample-data', import.meta.url));
const rateHz = 200;
const limits = { perClass: { NORM: 100, MI: 40, STTC: 40, CD: 40, HYP: 20 } };

await makeEegmat();
await makeEcg();
console.log(`${(folderBytes(target) / 1e6).toFixed(1)} MB in all`);

async function makeEegmat() {
  const from = join(data, 'eegmat');
  const to = join(target, 'eegmat');
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  copyFileSync(join(from, 'subject-info.csv'), join(to, 'subject-info.csv'));
  for (const file of readdirSync(from)
    .filter((name) => /^Subject\d\d_[12]\.edf$/.test(name))
    .sort()) {
    const recording = await openRecordingFile(join(from, file));
    const channels = [];
    for (const [i, channel] of recording.channels.entries()) {
      const name = channel.name.replace(/^(EEG|ECG) /, '').trim();
      const isEcg = /ECG/.test(channel.name);
      const unit = isEcg ? 'mV' : 'uV';
      const factor = unitFactor(channel.unit, unit);
      const x = (await recording.read(i, 0, channel.lengthSamples)).map((value) => value * factor);
      channels.push({
        name,
        unit,
        rateHz,
        samples: resample(x, channel.rateHz, rateHz),
        resolution: isEcg ? 0.002 : 0.2,
      });
    }
    await recording.close();
    // EDF fills the last record up: cut to whole seconds, so that nothing is invented.
    const seconds = Math.floor(Math.min(...channels.map(({ samples }) => samples.length)) / rateHz);
    const cut = channels.map((channel) => ({
      ...channel,
      samples: channel.samples.subarray(0, seconds * rateHz),
    }));
    writeFileSync(join(to, `${file}.gz`), gzipSync(encodeEdf({ channels: cut }), { level: 9 }));
  }
  console.log(`eegmat: ${readdirSync(to).length - 1} files, ${(folderBytes(to) / 1e6).toFixed(1)} MB`);
}

async function makeEcg() {
  const from = join(data, 'ptbxl');
  const to = join(target, 'ecg12');
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const folder = await openFolder(from);
  const rows = ['file,subject,sex,age,superclass'];
  const counts = {};
  const people = new Set();
  const hashes = new Set();
  for (const { subject, file, targets } of await ptbxl.trials(folder)) {
    const { fold, superclass, sex, age } = targets;
    if (
      !(fold <= 8) ||
      !superclass ||
      people.has(subject) ||
      (counts[superclass] ?? 0) >= limits.perClass[superclass]
    )
      continue;
    const recording = await openRecordingFile(join(from, file));
    const channels = [];
    for (const [i, channel] of recording.channels.entries()) {
      if (!/^(I|II|V[1-6])$/.test(channel.name)) continue;
      const factor = unitFactor(channel.unit, 'mV');
      const x = (await recording.read(i, 0, channel.lengthSamples)).map((value) => value * factor);
      channels.push({
        name: channel.name,
        unit: 'mV',
        rateHz,
        samples: resample(x, channel.rateHz, rateHz),
        resolution: 0.005,
      });
    }
    await recording.close();
    const plain = encodeEdf({ channels });
    const hash = createHash('sha256').update(plain).digest('hex');
    if (hashes.has(hash)) continue;
    hashes.add(hash);
    people.add(subject);
    counts[superclass] = (counts[superclass] ?? 0) + 1;
    const id = subject.replace('ptbxl ', '');
    writeFileSync(join(to, `${id}.edf.gz`), gzipSync(plain, { level: 9 }));
    rows.push(`${id}.edf.gz,${id},${sex ?? ''},${age <= 100 ? age : ''},${superclass}`);
  }
  writeFileSync(join(to, 'labels.csv'), `${rows.join('\n')}\n`);
  console.log(`ecg12: ${JSON.stringify(counts)}, ${(folderBytes(to) / 1e6).toFixed(1)} MB`);
}

function folderBytes(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
