/** Any recording file → Recording: sniffs the content, inflates gzip, and dispatches through one table of formats. */

import { Budget } from '../core/budget.ts';
import { type ByteSource, isGzip } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import { gunzipSource } from '../core/gunzip.ts';
import type { Recording } from '../core/recording.ts';
import { openBdf, openEdf } from './edf/edf.ts';
import { withGzipSiblings } from './gzip.ts';
import { characters, latin1, quoted } from './header-text.ts';
import type { ReadOptions } from './options.ts';
import { applyStated } from './stated.ts';
import { isWfdbPart, openWfdb, openWfdbPart } from './wfdb/wfdb.ts';

export interface Format {
  readonly name: string;
  /** Is it this format? `head`: the first bytes (up to 512); `fileName`: lower case, without `.gz`. */
  matches(head: Uint8Array, fileName: string): boolean;
  open(source: ByteSource, options: ReadOptions): Promise<Recording>;
}

const startsWith = (head: Uint8Array, text: string) => latin1(head, 0, text.length) === text;

/** First match wins: signatures before file names. */
export const formats: readonly Format[] = [
  {
    name: 'bdf',
    matches: (head) => head[0] === 0xff && latin1(head, 1, 8) === 'BIOSEMI',
    open: openBdf,
  },
  {
    name: 'edf',
    matches: (head, fileName) => /^0 {7}/.test(characters(head)) || fileName.endsWith('.edf'),
    open: openEdf,
  },
  {
    name: 'xdf',
    matches: (head) => startsWith(head, 'XDF:'),
    open: async (source, options) => (await import('./xdf/recording.ts')).openXdfRecording(source, options),
  },
  {
    name: 'gdf',
    matches: (head) => /^GDF [12]/.test(latin1(head, 0, 8)),
    open: async (source, options) => (await import('./gdf/gdf.ts')).openGdf(source, options),
  },
  {
    name: 'cnt',
    matches: (head, fileName) => /^Version 3\.\d/.test(latin1(head, 0, 12)) || fileName.endsWith('.cnt'),
    open: async (source, options) => (await import('./cnt/cnt.ts')).openCnt(source, options),
  },
  {
    name: 'brainvision',
    matches: (head, fileName) =>
      /^(\u00ef\u00bb\u00bf)?Brain ?Vision Data Exchange/i.test(latin1(head)) ||
      /\.(eeg|vhdr|vmrk)$/.test(fileName),
    open: async (source, options) =>
      (await import('./brainvision/brainvision.ts')).openBrainVision(source, options),
  },
  {
    name: 'eeglab',
    matches: (_, fileName) => fileName.endsWith('.set'),
    open: async (source, options) => (await import('./eeglab/eeglab.ts')).openEeglab(source, options),
  },
  {
    name: 'mat',
    matches: (head, fileName) =>
      fileName.endsWith('.mat') || /^MATLAB (5\.0|7\.3) MAT-file/.test(latin1(head, 0, 32)),
    open: async (source, options) => (await import('./mat/recording.ts')).openMatRecording(source, options),
  },
  {
    name: 'hdf5',
    matches: (head, fileName) =>
      characters(head.subarray(0, 8)) === '\u0089HDF\r\n\u001a\n' || /\.(h5|hdf5|hdf)$/.test(fileName),
    open: async (source, options) => (await import('./hdf5/recording.ts')).openHdf5Recording(source, options),
  },
  {
    name: 'npy',
    matches: (head) => startsWith(head, '\x93NUMPY'),
    open: async (source, options) => (await import('./numpy/npy.ts')).openNpy(source, options),
  },
  {
    name: 'npz',
    matches: (head, fileName) => fileName.endsWith('.npz') && startsWith(head, 'PK'),
    open: async (source, options) => (await import('./numpy/npy.ts')).openNpzRecording(source, options),
  },
  {
    name: 'parquet',
    matches: (head) => startsWith(head, 'PAR1'),
    open: async (source, options) => (await import('./parquet/parquet.ts')).openParquet(source, options),
  },
  {
    name: 'csv',
    matches: (head, fileName) => /\.(csv|tsv|txt|asc)$/.test(fileName) || startsWith(head, '%OpenBCI'),
    open: async (source, options) => (await import('./table/csv.ts')).openCsv(source, options),
  },
  {
    name: 'wfdb',
    matches: (head, fileName) =>
      fileName.endsWith('.hea') || /^(\s*#[^\n]*\n)*[\w./-]+ \d+( \d|\r?\n|$)/.test(characters(head)),
    open: openWfdb,
  },
];

/**
 * Open a recording of any known format. FormatError where it is none or damaged, UnsupportedError where the format is
 * known but cannot be read, ConfigError where what is stated contradicts the file (stated.ts). `tolerant` opens truncated
 * files up to where they go.
 */
export async function openRecording(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const recording = await openAsStored(source, options);
  try {
    return applyStated(recording, options);
  } catch (error) {
    await recording.close();
    throw error;
  }
}

async function openAsStored(source: ByteSource, options: ReadOptions): Promise<Recording> {
  const budget = source.budget ?? new Budget(options);
  if (source.byteLength === 0)
    throw new FormatError(`${source.name}: the file is empty. Fetch it again.`, source.name, 0);
  const start = await source.read(0, Math.min(512, source.byteLength));
  const [cuts, notes]: [string[], string[]] = [[], []];
  const onNote = (fact: string) => notes.push(fact);
  const onCut = (fact: string) => {
    if (!options.tolerant)
      throw new FormatError(
        `${source.name}: ${fact}. Fetch the file again, or open what came out with --tolerant.`,
        source.name,
      );
    cuts.push(`truncated: ${fact}.`);
  };
  const plain = isGzip(start) ? await gunzipSource(source, { onCut, onNote }) : source;
  const head = plain === source ? start : await plain.read(0, Math.min(512, plain.byteLength));
  const fileName = (plain.name.split(/[/\\?#]/).findLast((part) => part !== '') ?? '').toLowerCase();
  const named = isWfdbPart(fileName)
    ? await openWfdbPart(withGzipSiblings(plain, budget, onNote), options)
    : undefined;
  if (named) return named;
  const format = formats.find(({ matches }) => matches(head, fileName));
  if (!format) {
    const record = await openWfdbPart(withGzipSiblings(plain, budget, onNote), options);
    if (record) return record;
    const hint = /\.(dat|mat|atr|qrs)$/.test(fileName)
      ? 'For a WFDB record, its .hea file must be beside it.'
      : `heartmind reads ${formats.map(({ name }) => name).join(', ')}; see docs/formats.md.`;
    throw new FormatError(
      `${source.name}: starts with ${quoted(latin1(head, 0, 16))}, which is no known recording. ${hint}`,
      source.name,
      0,
    );
  }
  const recording = await format.open(withGzipSiblings(plain, budget, onNote), options);
  const log = [...cuts, ...notes, ...recording.log];
  if (plain === source) return notes.length === 0 ? recording : { ...recording, log };
  return {
    ...recording,
    source: source.name,
    log,
    async close() {
      await recording.close();
      await source.close?.();
    },
  };
}
