/** Every format's reader against the Python tool that people use for it: the same file, all channels, in memory. */
import { race } from './race.ts';
import { type ReaderFile, shape, writeReaderFiles } from './readers-files.ts';
import type { Case } from './report.ts';
import type { Rivals } from './rivals.ts';

/** By format: the peers, and how closely values agree (float32 formats hold seven digits). */
const peersOf: Readonly<Record<string, readonly (readonly [peer: string, name: string])[]>> = {
  edf: [
    ['mne', 'MNE'],
    ['pyedflib', 'pyEDFlib'],
  ],
  bdf: [
    ['mne', 'MNE'],
    ['pyedflib', 'pyEDFlib'],
  ],
  wfdb: [['wfdb', 'wfdb']],
  brainvision: [['mne', 'MNE']],
  xdf: [['pyxdf', 'pyxdf']],
  mat: [['scipy', 'SciPy']],
  'mat-v7': [['scipy', 'SciPy']],
  csv: [['pandas', 'pandas']],
  npz: [['numpy', 'NumPy']],
  parquet: [['pyarrow', 'PyArrow']],
  hdf5: [['h5py', 'h5py']],
};
const tolerance = 1e-6;

export async function measureReaders(
  rivals: Rivals,
  full: boolean,
  say: (line: string) => void,
): Promise<Case[]> {
  const files = await writeReaderFiles(rivals.scratch);
  const cases: Case[] = [];
  for (const file of files) {
    say(`read ${file.format}`);
    const peers = rivals.peers ? peersOf[file.format]! : [];
    const job = jobOf(file);
    const entries = [
      rivals.ours(job),
      rivals.ours({ ...job, kept: true }, 'heartmind, into kept arrays'),
      ...peers.map(([peer, name]) => rivals.python(peer, name, { ...job, task: 'readFormat' })),
    ];
    const outcomes = await race(entries, { seconds: full ? 6 : 1.5, rounds: 7, tolerance, say });
    cases.push({
      name: `read ${file.format}`,
      settings: { amount: shape.channels * shape.rateHz * shape.seconds, unit: 'sample' },
      outcomes,
    });
  }
  return cases;
}

function jobOf({ format, path }: ReaderFile) {
  return { task: 'readFile', path, format };
}
