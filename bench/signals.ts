/** Reading and preprocessing against the Python libraries that do the same, once their results are found equal. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../src/core/random.ts';
import { eegmatChannels } from '../src/patches/recipe.ts';
import { encodeEdf } from '../src/read/edf/write.ts';
import { race } from './race.ts';
import type { Case } from './report.ts';
import type { Rivals } from './rivals.ts';

/** EEG: 19 channels, 250 Hz, 20 minutes. ECG: 12 leads, 500 Hz, 10 minutes, and 200 records of 10 seconds. */
const eeg = { channels: 19, rateHz: 250, seconds: 1200 } as const;
const ecg = { channels: 12, rateHz: 500, seconds: 600 } as const;
const short = { records: 200, seconds: 10 } as const;
const samples = { channels: 16, rateHz: 200, seconds: 600 } as const;
const recipe = {
  version: 1,
  signals: {
    eeg: { channels: eegmatChannels.slice(0, 19), scaleMicrovolts: 100, lowHz: 0.3, highHz: 75, notchHz: 50 },
  },
  window: { lengthSeconds: 10, stepSeconds: 10 },
};

export async function measureSignals(
  rivals: Rivals,
  full: boolean,
  say: (line: string) => void,
): Promise<Case[]> {
  const files = writeFiles(rivals.scratch);
  const cases: Case[] = [];
  const compare = async (
    name: string,
    job: object,
    peers: readonly string[],
    settings: { readonly amount: number; readonly unit: 'byte' | 'sample' },
    tolerance: number,
  ) => {
    say(name);
    const entries = [
      rivals.ours({ ...job }),
      ...(name.startsWith('read ') && !name.includes('records')
        ? [rivals.ours({ ...job, kept: true }, 'heartmind, into kept arrays')]
        : []),
      ...(rivals.peers ? peers.map((peer) => rivals.python(peer, peerNames[peer]!, { ...job })) : []),
    ];
    const outcomes = await race(entries, { seconds: full ? 6 : 2, rounds: 7, tolerance, say });
    cases.push({ name, settings, outcomes });
  };
  const bytes = (amount: number) => ({ amount, unit: 'byte' }) as const;
  const count = (amount: number) => ({ amount, unit: 'sample' }) as const;
  const rows = { path: files.samples, channels: samples.channels };
  const total = samples.channels * samples.rateHz * samples.seconds;
  await compare(
    'read EDF',
    { task: 'readFile', path: files.edf },
    ['mne', 'pyedflib'],
    bytes(files.edfBytes),
    1e-6,
  );
  await compare('read WFDB', { task: 'readFile', path: files.wfdb }, ['wfdb'], bytes(files.wfdbBytes), 1e-9);
  await compare(
    `read WFDB, ${short.records} records of ${short.seconds} s`,
    { task: 'readFolder', path: files.folder },
    ['wfdb'],
    bytes(files.folderBytes),
    1e-9,
  );
  await compare('filter, zero-phase', { task: 'filter', ...rows }, ['scipy'], count(total), 1e-9);
  await compare('filter, causal', { task: 'causalFilter', ...rows }, ['scipy'], count(total), 1e-9);
  for (const [up, down, rates] of [
    [4, 5, '250 → 200 Hz'],
    [2, 5, '500 → 200 Hz'],
    [25, 32, '256 → 200 Hz'],
  ] as const)
    await compare(
      `resample ${rates}`,
      { task: 'resampling', up, down, ...rows },
      ['scipy'],
      count(total),
      1e-9,
    );
  await compare('real Fourier transform', { task: 'transform', ...rows }, ['scipy'], count(total), 1e-9);
  await compare('Welch', { task: 'spectrum', ...rows }, ['scipy'], count(total), 1e-9);
  const stored = eeg.channels * eeg.rateHz * eeg.seconds;
  await compare(
    'EDF → batches',
    { task: 'prepareEdf', path: files.edf, recipe, up: 4, down: 5 },
    ['pyedflib', 'mne'],
    count(stored),
    1e-4,
  );
  return cases;
}

const peerNames: Readonly<Record<string, string>> = {
  mne: 'MNE',
  pyedflib: 'pyEDFlib',
  wfdb: 'wfdb',
  scipy: 'SciPy',
};

/** Random walks that return to zero, tens of units high: no file of anyone's is needed. */
function writeFiles(scratch: string) {
  const folder = join(scratch, 'records');
  const at = (name: string) => join(scratch, name);
  const edfBytes = 256 * (eeg.channels + 2) + eeg.seconds * (2 * eeg.channels * eeg.rateHz);
  const wfdbBytes = 2 * ecg.channels * ecg.rateHz * ecg.seconds;
  const shortBytes = 2 * ecg.channels * ecg.rateHz * short.seconds;
  const files = {
    ...{ edf: at('eeg.edf'), wfdb: at('ecg.hea'), samples: at('samples.f64'), folder },
    ...{ edfBytes, wfdbBytes, folderBytes: short.records * shortBytes },
  };
  if (existsSync(files.samples)) return files;
  const channels = eegmatChannels.slice(0, eeg.channels).map((name, i) => ({
    ...{ name: `EEG ${name}`, unit: 'uV', rateHz: eeg.rateHz, resolution: 0.05 },
    samples: wander(eeg.rateHz * eeg.seconds, i),
  }));
  writeFileSync(files.edf, encodeEdf({ channels }));
  writeRecord(scratch, 'ecg', ecg.seconds, 100);
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < short.records; i++)
    writeRecord(folder, `r${String(i).padStart(3, '0')}`, short.seconds, i);
  const rows = Array.from({ length: samples.channels }, (_, i) =>
    wander(samples.rateHz * samples.seconds, i),
  );
  writeFileSync(files.samples, Buffer.concat(rows.map((row) => Buffer.from(row.buffer))));
  return files;
}

/** A WFDB record of 12 leads in format 16, 1,000 steps a millivolt. */
function writeRecord(folder: string, name: string, seconds: number, seed: number): void {
  const length = ecg.rateHz * seconds;
  const data = new Int16Array(length * ecg.channels);
  for (let c = 0; c < ecg.channels; c++) {
    const x = wander(length, seed + c);
    for (let t = 0; t < length; t++) data[t * ecg.channels + c] = Math.round(20 * x[t]!);
  }
  writeFileSync(join(folder, `${name}.dat`), new Uint8Array(data.buffer));
  const leads = Array.from({ length: ecg.channels }, (_, c) => `${name}.dat 16 1000/mV 16 0 0 0 0 L${c + 1}`);
  writeFileSync(
    join(folder, `${name}.hea`),
    `${[`${name} ${ecg.channels} ${ecg.rateHz} ${length}`, ...leads].join('\n')}\n`,
  );
}

function wander(length: number, seed: number): Float64Array {
  const random = Random.derive(seed, 'bench', 'signal');
  const x = new Float64Array(length);
  for (let t = 1; t < length; t++) x[t] = 0.95 * x[t - 1]! + 10 * (random.uniform() - 0.5);
  return x;
}
