/** Good files of every format, small, built in code: what damage begins with. */

import { readFileSync } from 'node:fs';
import { openMat } from '../../src/read/mat/mat.ts';
import { decodeNumpyPickle } from '../../src/read/numpy/numpy-pickle.ts';
import { openRecording } from '../../src/read/open.ts';
import type { ReadOptions } from '../../src/read/options.ts';
import { readWfdbAnnotations } from '../../src/read/wfdb/annotations.ts';
import { annotationFile, annotationSignal, ascii, concat, edfFile, format212, int16 } from '../read/build.ts';
import { sampleBdf } from '../read/build-bdf.ts';
import { sampleBrainVision } from '../read/build-brainvision.ts';
import { sampleCnt } from '../read/build-cnt.ts';
import { smallCsv } from '../read/build-csv.ts';
import { sampleEdf } from '../read/build-edf.ts';
import { eeglabSamples } from '../read/build-eeglab.ts';
import { sampleGdf } from '../read/build-gdf.ts';
import { matSamples } from '../read/build-mat.ts';
import { smallNpy, smallNpz } from '../read/build-npy.ts';
import { wfdbCorpus } from '../read/build-wfdb.ts';
import { smallXdf } from '../read/build-xdf.ts';
import type { Files } from './mutate.ts';
import type { Open } from './probe.ts';

export interface CorpusEntry {
  readonly name: string;
  readonly files: Files;
  readonly open: Open;
  readonly options?: ReadOptions;
}

const asRecording = (name: string, files: Files, options?: ReadOptions): CorpusEntry => ({
  name,
  files,
  open: openRecording,
  ...(options && { options }),
});

const edf = edfFile({
  signals: [
    { label: 'EEG Fp1', perRecord: 8, values: (r) => Array.from({ length: 8 }, (_, i) => r * 8 + i) },
    { label: 'ECG', perRecord: 3, unit: 'mV', values: (r) => [r, -r, 100 * r] },
    annotationSignal(['+0', '+1', '+2', '+3'], { 1: '+1.5\x150.5\x14task\x14\0' }),
  ],
  records: 4,
});

const wfdb: Files = {
  'x.hea': ascii(
    'x 3 360 6 10:20:30 03/02/2021\n' +
      'x.dat 212 200(10)/mV 12 0 0 0 0 MLII\nx.dat 212x2 100/uV 12 0 0 0 0 V1\n' +
      'y.dat 16:1+4 1000.5(-3)/mV 16 0 0 0 0 ECG\n# Age: 63\n# <sex>: F <diagnoses> none\n',
  ),
  'x.dat': format212([1, -2, 3, 4, -5, 6, 7, 8, 9, 10, -2048, 2047, 0, 0, 1, 1, 1, 1]),
  'y.dat': concat(ascii('junk'), int16([1, 2, -3, 4, 5, -32768])),
  'x.atr': annotationFile([
    [1, 10],
    [59, 70_000],
    [5, 0, '(AFIB'],
    [28, 20, 'odd'],
  ]),
};

export const readAllValues: Open = async (source, options) => {
  const file = await openMat(source, options);
  for (const { name } of file.variables) {
    await file.index(name);
    await file.read(name);
  }
  await file.close();
  return undefined;
};

const decodePickle: Open = async (source) => {
  decodeNumpyPickle(await source.read(0, source.byteLength), source.name);
  return undefined;
};
/** The tests and the command run in the repository. */
const golden = 'test/golden/read';
const goldenFile = (path: string) => new Uint8Array(readFileSync(`${golden}/${path}`));
const pickle = goldenFile('pickle/protocol-2.pkl');

/** Every format, as far as it is built in code. */
export async function buildCorpus(): Promise<readonly CorpusEntry[]> {
  return [
    asRecording('edf', { 'x.edf': edf }),
    asRecording('edf+', sampleEdf()),
    asRecording('bdf', sampleBdf()),
    asRecording('xdf', smallXdf()),
    asRecording('gdf', sampleGdf()),
    asRecording('brainvision', sampleBrainVision()),
    asRecording('cnt', sampleCnt()),
    asRecording('parquet', { 'snappy.parquet': goldenFile('tables/snappy.parquet') }),
    asRecording('eeglab', eeglabSamples()),
    asRecording('hdf5', { 'A00001.h5': goldenFile('hdf5/A00001.h5') }, { rateHz: 500 }),
    asRecording('hdf5 corpus', { 'exams_part0.hdf5': goldenFile('hdf5/exams_part0.hdf5') }, { part: '0' }),
    asRecording('eeglab 7.3', { 'raw.set': goldenFile('eeglab/raw-v73.set') }),
    { name: 'mat values 7.3', files: { 'v73.mat': goldenFile('hdf5/v73.mat') }, open: readAllValues },
    asRecording('npy', smallNpy(), { rateHz: 100 }),
    asRecording('npz', smallNpz()),
    ...(
      ['plain.csv', 'museMonitor.csv', 'OpenBCI-RAW.txt', 'polar.txt', 'labels.csv', 'gap.csv'] as const
    ).map((name) => asRecording(`csv ${name}`, smallCsv(name))),
    ...Object.entries(wfdbCorpus()).map(([name, files]) => asRecording(`wfdb ${name}`, files)),
    ...matSamples().map(
      (files, i): CorpusEntry => ({ name: `mat values ${i + 1}`, files, open: readAllValues }),
    ),
    { name: 'numpy pickle', files: { 'x.pkl': pickle }, open: decodePickle },
    asRecording('wfdb', wfdb),
    {
      name: 'wfdb annotations',
      files: { 'x.atr': wfdb['x.atr']! },
      open: async (source) => {
        await readWfdbAnnotations(source, 360);
        return undefined;
      },
    },
  ];
}
