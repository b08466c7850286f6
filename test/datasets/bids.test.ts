import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { bids, bidsEvents } from '../../src/datasets/bids.ts';
import { parseBidsName, parseTsv } from '../../src/datasets/bids-tables.ts';
import { describeFolder, loadWindows } from '../../src/datasets/dataset.ts';
import { TrialFiles } from '../../src/datasets/trial-files.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { memoryFolder } from './memory-folder.ts';

const wave = (seconds: number, k: number) =>
  Float64Array.from({ length: 200 * seconds }, (_, t) => 40 * Math.sin(t / (20 + k)));

function edf(names: readonly string[], seconds = 12): Uint8Array {
  return encodeEdf({
    channels: names.map((name, k) => ({ name, unit: 'uV', rateHz: 200, samples: wave(seconds, k) })),
  });
}

const tsv = (rows: readonly (readonly string[])[]) => rows.map((row) => row.join('\t')).join('\n');
const channels = (status = 'good') =>
  tsv([
    ['name', 'type', 'units', 'status'],
    ['Fz', 'EEG', 'uV', 'good'],
    ['Cz', 'EEG', 'uV', status],
    ['EXG1', 'ECG', 'uV', 'n/a'],
    ['VEOG', 'VEOG', 'uV', 'good'],
  ]);
const names = ['Fz', 'Cz', 'EXG1', 'VEOG'];

/** Two people, one of them with two sessions; sidecars above and beside; copies that are not raw. */
const files = {
  'dataset_description.json': JSON.stringify({
    ...{ Name: 'Toy', BIDSVersion: '1.8.0', License: 'CC0', DatasetDOI: 'doi:10.0/toy' },
    Authors: ['A. One', 'B. Two'],
  }),
  'participants.tsv': tsv([
    ['participant_id', 'age', 'sex', 'group', 'handedness'],
    ['sub-01', '21', 'F', '1', 'right'],
    ['sub-02', 'n/a', 'M', '2', 'right'],
  ]),
  'participants.json': JSON.stringify({ group: { Levels: { '1': 'patient', '2': 'control' } } }),
  'task-rest_eeg.json': JSON.stringify({ PowerLineFrequency: 60, SamplingFrequency: 200 }),
  // Concerns all recordings of rest, but for the one that has its own.
  'task-rest_channels.tsv': channels(),
  'sub-01/eeg/sub-01_task-rest_eeg.edf': edf(names),
  'sub-02/ses-a/eeg/sub-02_ses-a_task-rest_eeg.edf': edf(names),
  'sub-02/ses-a/eeg/sub-02_ses-a_task-rest_channels.tsv': channels('bad'),
  'sub-02/ses-b/eeg/sub-02_ses-b_task-rest_run-2_eeg.edf': edf(names),
  'sub-01/eeg/sub-01_task-rest_events.tsv': tsv([
    ['onset', 'duration', 'trial_type', 'value'],
    ['8.0', '4', 'closed', '2'],
    ['0.5', '4.0', 'open', '1'],
    ['n/a', '4', 'open', '1'],
    ['5', 'n/a', 'beep', 'n/a'],
    ['5', '0', 'n/a', 'n/a'],
  ]),
  'sub-01/beh/sub-01_task-rest_eeg.edf': '',
  'derivatives/clean/sub-01/eeg/sub-01_task-rest_eeg.edf': '',
  'sourcedata/sub-01/eeg/sub-01_task-rest_eeg.edf': '',
};

describe('bids', () => {
  it('finds raw recordings, with what participants.tsv and the names say', async () => {
    const trials = await bids.trials(memoryFolder(files));
    expect(trials).toEqual([
      {
        id: 'sub-01_task-rest',
        subject: 'sub-01',
        file: 'sub-01/eeg/sub-01_task-rest_eeg.edf',
        reader: 'bids',
        part: 'task-rest_channels.tsv',
        targets: { age: 21, sex: 'F', group: '1', handedness: 'right', task: 'rest' },
      },
      {
        id: 'sub-02_ses-a_task-rest',
        subject: 'sub-02',
        file: 'sub-02/ses-a/eeg/sub-02_ses-a_task-rest_eeg.edf',
        reader: 'bids',
        part: 'sub-02/ses-a/eeg/sub-02_ses-a_task-rest_channels.tsv',
        targets: { sex: 'M', group: '2', handedness: 'right', task: 'rest', session: 'a' },
      },
      expect.objectContaining({
        id: 'sub-02_ses-b_task-rest_run-2',
        part: 'task-rest_channels.tsv',
        targets: { sex: 'M', group: '2', handedness: 'right', task: 'rest', session: 'b', run: '2' },
      }),
    ]);
  });

  it('is described by its folder: classes, numbers, channels that are good in all, the notch', async () => {
    const spec = await describeFolder(bids, memoryFolder(files));
    expect(spec).toMatchObject({
      ...{ title: 'Toy', licence: 'CC0', citation: 'A. One, B. Two. Toy. doi:10.0/toy' },
      modalities: ['eeg', 'ecg'],
      labels: { age: { kind: 'number' } },
    });
    // One value is no choice; a number with levels is a class.
    expect(spec.targets).toEqual({ sex: ['F', 'M'], group: ['1', '2'], session: ['a', 'b'] });
    expect(spec.recipe.signals.eeg).toMatchObject({ channels: ['Fz'], notchHz: 60 });
    expect(spec.recipe.signals.ecg!.channels).toEqual(['ECG']);
  });

  it('finds people whom participants.tsv names with other zeros, and says so', async () => {
    const renamed = { ...files, 'participants.tsv': files['participants.tsv'].replaceAll('sub-0', 'sub-00') };
    const spec = await describeFolder(bids, memoryFolder(renamed));
    expect(spec.notes!.join()).toContain('sub-01 is sub-001');
    expect(spec.targets.sex).toEqual(['F', 'M']);
    const strange = { ...files, 'participants.tsv': files['participants.tsv'].replaceAll('sub-0', 'sub-X') };
    const { notes } = await describeFolder(bids, memoryFolder(strange));
    expect(notes!.join()).toMatch(/no row of participants\.tsv .* fits any folder/);
  });

  it('takes the units of channels.tsv, but for V that tools write of everything', async () => {
    const units = async (unit: string) => {
      const table = { 'task-rest_channels.tsv': channels().replace('Fz\tEEG\tuV', `Fz\tEEG\t${unit}`) };
      const folder = memoryFolder({ ...files, ...table });
      const opened = new TrialFiles(folder);
      const [trial] = await bids.trials(folder);
      const recording = await opened.open(trial!);
      const found = [recording.channels[0]!.unit, recording.log.join()];
      await opened.close();
      return found;
    };
    expect(await units('mV')).toEqual(['mV', expect.stringContaining("'uV' → 'mV'")]);
    expect((await units('V'))[0]).toBe('uV');
    expect((await units('n/a'))[0]).toBe('uV');
  });

  it('reads windows of both modalities', async () => {
    const folder = memoryFolder(files);
    const windows = await loadWindows(bids, folder, undefined, { target: 'group' });
    expect([...windows.label!]).toEqual([0, 1, 1]);
    expect(windows.subject).toEqual(['sub-01', 'sub-02', 'sub-02']);
    expect(Object.keys(windows.signals)).toEqual(['eeg', 'ecg']);
    expect(folder.stillOpen()).toBe(0);
  });

  it('leaves bad channels out and names ECG channels ECG, and says so', async () => {
    const folder = memoryFolder(files);
    const trialFiles = new TrialFiles(folder);
    const [first, second] = await bids.trials(folder);
    const recording = await trialFiles.open(second!);
    expect(recording.channels.map(({ name }) => name)).toEqual(['Fz', 'ECG', 'VEOG']);
    expect(recording.log).toEqual([
      "bids: 'EXG1' is ECG by sub-02/ses-a/eeg/sub-02_ses-a_task-rest_channels.tsv.",
      'bids: left out as bad by sub-02/ses-a/eeg/sub-02_ses-a_task-rest_channels.tsv: Cz.',
    ]);
    const ecg = await recording.read(1, 0, 200);
    const whole = await (await trialFiles.open(first!)).read(2, 0, 200);
    expect([...ecg]).toEqual([...whole]);
    await expect(recording.read(3, 0, 1)).rejects.toThrow();
    await trialFiles.close();
  });

  it('takes events as trials; one without a duration lasts until the next', async () => {
    const folder = memoryFolder(files);
    const spec = await describeFolder(bidsEvents, folder);
    const trials = await spec.trials(folder);
    expect(
      trials.map(({ id, start, end, targets }) => [id, start, end, targets.trial_type, targets.value]),
    ).toEqual([
      ['sub-01_task-rest event 1', 0.5, 4.5, 'open', '1'],
      ['sub-01_task-rest event 2', 5, 8, 'beep', undefined],
      ['sub-01_task-rest event 4', 8, 12, 'closed', '2'],
    ]);
    expect(spec.targets.trial_type).toEqual(['beep', 'closed', 'open']);
    expect(spec.recipe.window.lengthSeconds).toBe(4);
    const windows = await loadWindows(spec, folder, undefined, { target: 'trial_type' });
    expect([...windows.label!]).toEqual([2, 1]);
  });

  it('works without any sidecar but the description, in a folder below, by the channels’ names', async () => {
    const folder = memoryFolder({
      'ds1/dataset_description.json': '{}',
      'ds1/sub-x/eeg/sub-x_task-rest_eeg.edf': edf(['Fz', 'EKG', 'EOG']),
    });
    const spec = await describeFolder(bids, folder);
    const [trial] = await spec.trials(folder);
    expect(trial).toEqual({
      ...{ id: 'sub-x_task-rest', subject: 'sub-x', file: 'ds1/sub-x/eeg/sub-x_task-rest_eeg.edf' },
      targets: { task: 'rest' },
    });
    expect(spec.recipe.signals.eeg!.channels).toEqual(['Fz']);
    expect((await loadWindows(spec, folder)).count).toBe(1);
    expect(folder.stillOpen()).toBe(0);
  });

  it('reads BrainVision files, an ECG among them by its type', async () => {
    const samples = new Int16Array(2 * 250 * 11).map(
      (_, i) => 400 * Math.sin((i >> 1) / (i % 2 === 0 ? 9 : 30)),
    );
    const folder = memoryFolder({
      'dataset_description.json': '{"Name": "BV"}',
      'sub-9/eeg/sub-9_eeg.vhdr': [
        'Brain Vision Data Exchange Header File Version 1.0',
        '[Common Infos]',
        'Codepage=UTF-8',
        'DataFile=sub-9_eeg.eeg',
        'DataFormat=BINARY',
        'DataOrientation=MULTIPLEXED',
        'NumberOfChannels=2',
        'SamplingInterval=4000',
        '[Binary Infos]',
        'BinaryFormat=INT_16',
        '[Channel Infos]',
        'Ch1=Oz,,0.1,µV',
        'Ch2=BIP1,,0.5,µV',
      ].join('\r\n'),
      'sub-9/eeg/sub-9_eeg.eeg': new Uint8Array(samples.buffer),
      'channels.tsv': tsv([
        ['name', 'type', 'units'],
        ['Oz', 'EEG', 'µV'],
        ['BIP1', 'ECG', 'µV'],
      ]),
    });
    const windows = await loadWindows(bids, folder);
    expect([windows.count, windows.subject[0]]).toEqual([1, 'sub-9']);
    expect(windows.recipe.signals.eeg!.channels).toEqual(['Oz']);
    expect(windows.recipe.signals.ecg!.channels).toEqual(['ECG']);
    expect(folder.stillOpen()).toBe(0);
  });

  it('says what is missing or broken', async () => {
    await expect(bids.trials(memoryFolder({ 'a.edf': '' }))).rejects.toThrow(
      new DataError(
        'bids: memory has no dataset_description.json. Give the folder that holds it, or label your own files in a CSV.',
      ),
    );
    const broken = memoryFolder({ ...files, 'dataset_description.json': '{' });
    await expect(describeFolder(bids, broken)).rejects.toThrow('dataset_description.json: no JSON.');
  });
});

describe('BIDS names and tables', () => {
  it.each([
    ['sub-01/eeg/sub-01_task-rest_run-01_eeg.edf', 'sub=01 task=rest run=01', 'eeg', 'edf'],
    ['task-rest_events.tsv', 'task=rest', 'events', 'tsv'],
    ['a/channels.tsv', '', 'channels', 'tsv'],
    ['sub-01_eeg.EDF.gz', 'sub=01', 'eeg', 'edf'],
  ])('%s', (path, entities, suffix, extension) => {
    const name = parseBidsName(path)!;
    expect([...name.entities].map((pair) => pair.join('=')).join(' ')).toBe(entities);
    expect([name.suffix, name.extension]).toEqual([suffix, extension]);
  });

  it.each(['README', 'sub-01_eeg', 'sub-01_task_x_eeg.edf', '.bidsignore', 'sub-01.tsv'])(
    '%s is none',
    (path) => {
      expect(parseBidsName(path)).toBeUndefined();
    },
  );

  it('reads tables with BOM, CRLF, n/a and short rows; names like __proto__ are names', () => {
    const { columns, rows } = parseTsv('\uFEFFname\t__proto__\tx\r\na\tn/a\r\n\r\nb\tc\t N/A \r\n');
    expect(columns).toEqual(['name', '__proto__', 'x']);
    expect(rows.map((row) => [...row.values()])).toEqual([
      ['a', '', ''],
      ['b', 'c', ''],
    ]);
    expect(parseTsv('').columns).toEqual([]);
  });
});
