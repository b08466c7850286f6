/**
 * Any folder that follows EEG-BIDS, so that OpenNeuro's sets work unnamed: `bids` takes whole recordings with what
 * participants.tsv says of their people, `bids-events` the events of events.tsv. Derivatives and source data are left out.
 * Source: Pernet et al., EEG-BIDS, Scientific Data 6:103 (2019); bids-specification.readthedocs.io.
 */
import type { ByteFolder } from '../core/folder.ts';
import { eegRecipe } from '../patches/recipe.ts';
import type { Modality } from '../patches/windows.ts';
import { type BidsRecording, columnOf, readBidsFolder, recordingValues } from './bids-folder.ts';
import { bidsRecipe } from './bids-recipe.ts';
import { readJson, readTsv } from './bids-tables.ts';
import type { FolderFacts, Label, PublishedDataset, Trial } from './dataset.ts';
import type { DatasetFacts } from './facts.ts';
import { numberIn } from './trial-values.ts';

function trialOf(recording: BidsRecording, targets: Trial['targets'], id?: string): Trial {
  const { path } = recording.name;
  return {
    id: id ?? trialId(recording),
    subject: recording.subject,
    file: path,
    ...(recording.channels === undefined ? {} : { reader: 'bids', part: recording.channels }),
    targets,
  };
}

function trialId({ name: { path, folder } }: BidsRecording): string {
  return path.slice(folder.length).replace(/_eeg\.\w+(\.gz)?$/, '');
}

async function recordingTrials(folder: ByteFolder): Promise<Trial[]> {
  const bids = await readBidsFolder(folder);
  return bids.recordings.map((recording) => trialOf(recording, recordingValues(recording, bids)));
}

/** An event without a duration lasts until the next one. */
async function eventTrials(folder: ByteFolder): Promise<Trial[]> {
  const bids = await readBidsFolder(folder);
  const trials: Trial[] = [];
  for (const recording of bids.recordings) {
    if (recording.events === undefined) continue;
    const values = recordingValues(recording, bids);
    const events = (await readTsv(folder, recording.events)).rows
      .flatMap((row) => {
        const onset = numberIn(row.get('onset'));
        return onset === undefined ? [] : [{ row, onset, duration: numberIn(row.get('duration')) ?? 0 }];
      })
      .sort((a, b) => a.onset - b.onset);
    const ends: (number | undefined)[] = [];
    for (let i = events.length - 1; i >= 0; i--)
      ends[i] = events[i + 1]?.onset === events[i]!.onset ? ends[i + 1] : events[i + 1]?.onset;
    for (const [i, { row, onset, duration }] of events.entries()) {
      const end = duration > 0 ? onset + duration : ends[i];
      const type = row.get('trial_type') || row.get('value') || '';
      if (type === '' || (end !== undefined && end <= Math.max(0, onset))) continue;
      const value = row.get('value') ?? '';
      trials.push({
        ...trialOf(
          recording,
          { ...values, trial_type: type, ...(value === '' ? {} : { value }) },
          `${trialId(recording)} event ${i + 1}`,
        ),
        start: Math.max(0, onset),
        ...(end === undefined ? {} : { end }),
      });
    }
  }
  return trials;
}

async function describe(folder: ByteFolder, withEvents: boolean): Promise<FolderFacts> {
  const bids = await readBidsFolder(folder);
  const json = await readJson(folder, `${bids.root}dataset_description.json`);
  const text = (key: string) => (typeof json[key] === 'string' ? (json[key] as string) : '');
  const authors = Array.isArray(json.Authors) ? json.Authors.map(String).join(', ') : '';
  const trials = withEvents ? await eventTrials(folder) : await recordingTrials(folder);
  const extra = withEvents ? ['trial_type'] : ['task', 'session', 'run', 'acq'];
  const columns = [
    ...extra.map((name) =>
      columnOf(
        name,
        trials.map(({ targets }) => String(targets[name] ?? '')),
        true,
      ),
    ),
    ...bids.columns,
  ];
  const labels = Object.fromEntries(
    columns.flatMap(({ name, kind }): [string, Label][] =>
      kind === 'number' ? [[name, { kind: 'number' }]] : [],
    ),
  );
  const recipe = await bidsRecipe(folder, bids, withEvents ? trials : []);
  return {
    title: text('Name') || folder.name,
    licence: text('License') || 'not stated',
    citation: [authors, text('Name'), text('DatasetDOI')].filter((part) => part !== '').join('. '),
    modalities: Object.keys(recipe.signals) as Modality[],
    targets: Object.fromEntries(
      columns.flatMap(({ name, kind, classes }) => (kind === 'class' ? [[name, classes]] : [])),
    ),
    labels,
    recipe,
    ...(bids.notes.length > 0 && { notes: bids.notes }),
  };
}

const facts: DatasetFacts = {
  access: 'open',
  how: 'Any folder that follows EEG-BIDS, your own or from https://openneuro.org: fetch one there, then name its folder.',
  signals: [
    {
      kind: 'eeg',
      channels: [],
      ratesHz: [],
      unit: '',
      note: 'EDF, BDF, BrainVision or EEGLAB files; kinds and units by *_channels.tsv, else by the channels’ names; channels whose status is bad are left out',
    },
    {
      kind: 'ecg',
      channels: ['ECG'],
      ratesHz: [],
      unit: '',
      note: 'channels of type ECG, whatever their name',
    },
  ],
  labels: {
    'columns of participants.tsv':
      'classes, or numbers where all values are and participants.json lists no levels',
    'task, session, run, acq': 'by the files’ names (`bids`)',
    trial_type: 'of *_events.tsv, else its value (`bids-events`)',
  },
  layout: [
    { path: 'dataset_description.json', what: 'name, licence, authors', count: 1 },
    { path: 'participants.tsv', what: 'one row a person' },
    { path: 'sub-*/**/eeg/*_eeg.*', what: 'recordings: edf, bdf, vhdr, set' },
    { path: '**/*_channels.tsv', what: 'kinds, units and status of channels' },
    { path: '**/*_events.tsv', what: 'onset, duration, trial_type, value' },
    { path: '**/*_eeg.json', what: 'PowerLineFrequency gives the notch' },
  ],
  notes: [
    'Sidecars are inherited: one in a folder above concerns all recordings below whose names do not contradict it.',
    'derivatives/, sourcedata/, code/ and stimuli/ are left out.',
    'An event without a duration lasts until the next one.',
  ],
};

function spec(name: string, title: string, withEvents: boolean): PublishedDataset {
  return {
    name,
    title,
    licence: "the folder's own",
    url: '',
    citation: '',
    modalities: ['eeg'],
    targets: {},
    ...(withEvents ? { defaultTarget: 'trial_type' } : {}),
    splits: {},
    recipe: eegRecipe,
    facts,
    describe: (folder) => describe(folder, withEvents),
    trials: withEvents ? eventTrials : recordingTrials,
  };
}

export const bids = spec('bids', 'A folder that follows EEG-BIDS, whole recordings', false);
export const bidsEvents = spec('bids-events', 'A folder that follows EEG-BIDS, by its events', true);
