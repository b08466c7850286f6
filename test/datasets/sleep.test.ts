import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { cap, parseRemLogic } from '../../src/datasets/cap.ts';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { hmc } from '../../src/datasets/hmc.ts';
import { capNames, slpdbNames } from '../../src/datasets/sleep-reader.ts';
import { joinEpochs, sleepStage } from '../../src/datasets/sleep-stages.ts';
import { slpdb } from '../../src/datasets/slpdb.ts';
import { TrialFiles } from '../../src/datasets/trial-files.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { memoryFolder } from './memory-folder.ts';
import { wfdbFiles, wfdbMarks } from './synthetic-wfdb.ts';

const rate = 100;
function night(
  names: readonly string[],
  seconds: number,
  options: Omit<Parameters<typeof encodeEdf>[0], 'channels'> = {},
): Uint8Array {
  return encodeEdf({
    channels: names.map((name, k) => ({
      ...{ name, unit: 'uV', rateHz: rate },
      samples: Float64Array.from({ length: rate * seconds }, (_, t) => 50 * Math.sin(t / (3 + k))),
    })),
    ...options,
  });
}

describe('sleep stages', () => {
  it.each([
    ...[
      ['W', 'W'],
      ['SLEEP-S0', 'W'],
      ['Sleep stage W', 'W'],
      ['SLEEP-S1', 'N1'],
      ['1', 'N1'],
    ],
    ...[
      ['Sleep stage N2', 'N2'],
      ['Sleep stage 2', 'N2'],
      ['3', 'N3'],
      ['SLEEP-S4', 'N3'],
      ['4', 'N3'],
    ],
    ...[
      ['SLEEP-REM', 'R'],
      ['R', 'R'],
      ['SLEEP-MT', undefined],
      ['MT', undefined],
    ],
    ...[
      ['SLEEP-UNSCORED', undefined],
      ['Sleep stage ?', undefined],
      ['constructor', undefined],
    ],
  ])('%s is %s', (text, stage) => {
    expect(sleepStage(text!)).toBe(stage);
  });

  it('joins epochs of one label that touch, and cuts what overlaps', () => {
    const epoch = (start: number, stage: string, duration = 30) => ({ start, duration, targets: { stage } });
    expect(
      joinEpochs([
        epoch(30, 'W'),
        epoch(0, 'W'),
        epoch(60, 'N1'),
        epoch(80, 'N2'),
        epoch(200, 'N2'),
        epoch(230.05, 'N2'),
        epoch(240, 'N2', 5),
      ]),
    ).toEqual([
      epoch(0, 'W', 60),
      epoch(60, 'N1', 30),
      epoch(90, 'N2', 20),
      expect.objectContaining({ start: 200, targets: { stage: 'N2' } }),
    ]);
  });
});

describe('slpdb', () => {
  const record = (name: string, eeg: string) =>
    wfdbFiles({
      ...{ name, rateHz: 250, lengthSamples: 250 * 125 },
      channels: [
        { name: 'ECG' },
        { name: 'BP', unit: 'mmHg' },
        { name: eeg, gain: 10_000 },
        { name: 'Resp (sum)', unit: 'l' },
      ],
      value: (channel, t) => (channel === 2 ? 0.04 : 1) * Math.sin(t / (7 + channel)),
    });
  const folder = memoryFolder({
    ...record('slp01a', 'EEG (C4-A1)'),
    ...record('slp67x', 'EEG (O2-A1)'),
    ...wfdbFiles({ name: 'slp02b', rateHz: 250, channels: [{ name: 'ECG' }], lengthSamples: 100 }),
    'slp01a.st': wfdbMarks([
      { sample: 1, code: 22, text: 'W' },
      { sample: 7500, code: 22, text: '4 OA' },
      { sample: 15_000, code: 22, text: '3 HA X' },
      { sample: 22_500, code: 22, text: 'MT' },
      { sample: 30_000, code: 22, text: 'R L CA' },
    ]),
    'slp67x.st': wfdbMarks([{ sample: 0, code: 22, text: '2 H' }]),
  });

  it('has stages and apnoea of every epoch, of 16 people', async () => {
    const trials = await slpdb.trials(folder);
    expect(trials.map(({ subject, start, end, targets }) => [subject, start, end, targets])).toEqual([
      ['slp01', 0.004, expect.closeTo(30.004, 6), { stage: 'W', breath: 'none' }],
      ['slp01', expect.closeTo(30.004, 6), 60, { stage: 'N3', breath: 'obstructive apnoea', events: 'OA' }],
      ['slp01', 60, 90, { stage: 'N3', breath: 'obstructive apnoea', events: 'HA X' }],
      ['slp01', 120, 150, { stage: 'R', breath: 'central apnoea', events: 'L CA' }],
      ['slp67', 0, 30, { stage: 'N2', breath: 'hypopnoea', events: 'H' }],
    ]);
  });

  it('reads the EEG, wherever it was derived, as EEG, and gives windows', async () => {
    const files = new TrialFiles(folder);
    const recording = await files.open({ file: 'slp67x.hea', reader: 'slpdb' });
    expect(recording.channels.map(({ name }) => name)).toEqual(['ECG', 'BP', 'EEG', 'Resp (sum)']);
    expect(recording.log).toContain("channels: 'EEG (O2-A1)' is EEG.");
    await files.close();
    const windows = await loadWindows(slpdb, folder, undefined, { target: 'stage' });
    expect([...windows.label!]).toEqual(expect.arrayContaining([0, 2, 3]));
    expect(folder.stillOpen()).toBe(0);
  });
});

describe('cap', () => {
  const rows = (header: string, lines: readonly string[][]) =>
    [
      'RemLogic Event Export',
      'Patient:\tN1',
      'Recording Date:\t01/01/2009',
      'Events Included:',
      'SLEEP-S0',
      '',
      header,
      ...lines.map((cells) => cells.join('\t')),
    ].join('\r\n');
  const withPosition = rows('Sleep Stage\tPosition\tTime [hh:mm:ss]\tEvent\tDuration[s]\tLocation', [
    ['W', 'Unknown Position', '23:59:00', 'SLEEP-S0', '30', 'ROC-LOC'],
    ['S2', 'Unknown Position', '23:59:30', 'SLEEP-S2', '30', 'ROC-LOC'],
    ['S2', 'Unknown Position', '23:59:41', 'MCAP-A1', '5', 'Fp2-F4'],
    ['S2', 'Unknown Position', '00:00:00', 'SLEEP-S2', '30', 'ROC-LOC'],
    ['R', 'Unknown Position', '00:00:30', 'SLEEP-REM', '30', 'ROC-LOC'],
    ['S0', 'Unknown Position', '00:01:00', 'SLEEP-UNSCORED', '30', 'ROC-LOC'],
  ]);
  const withPoints = rows('Sleep Stage\tTime [hh:mm:ss]\tEvent\tDuration [s]\tLocation', [
    ['S4', '22.15.10', 'SLEEP-S4', '30', 'C3-A2'],
    ['S4', '22.15.40', 'SLEEP-S4', '30', 'C3-A2'],
  ]);
  const folder = memoryFolder({
    'n1.edf': night(['ROC-LOC', 'C4A1', 'ECG1-ECG2'], 150, {
      startTime: new Date(Date.UTC(2009, 0, 1, 23, 58, 40)),
    }),
    'n1.txt': withPosition,
    'nfle12.edf': night(['EEG C4-A1', 'EKG'], 100, { startTime: new Date(Date.UTC(2009, 0, 1, 22, 15, 0)) }),
    'nfle12.txt': withPoints,
    'sdb1.edf': new Uint8Array(0),
    'gender-age.xlsx': '',
  });

  it('places the scoring by the clock, over midnight, in both layouts of the table', async () => {
    const trials = await cap.trials(folder);
    expect(trials.map(({ id, start, end, targets }) => [id, start, end, targets])).toEqual([
      ['cap n1 at 20 s', 20, 50, { pathology: 'healthy', stage: 'W' }],
      ['cap n1 at 50 s', 50, 110, { pathology: 'healthy', stage: 'N2' }],
      ['cap n1 at 110 s', 110, 140, { pathology: 'healthy', stage: 'R' }],
      ['cap nfle12 at 10 s', ...[10, 70, { pathology: 'nocturnal frontal lobe epilepsy', stage: 'N3' }]],
    ]);
    const windows = await loadWindows(cap, folder, undefined, { target: 'stage' });
    expect([...windows.label!]).toEqual([0, 2, 2, 4, 3, 3]);
    expect(folder.stillOpen()).toBe(0);
  });

  it('takes an epoch that begins before the recording, and names what is no scoring', () => {
    const epochs = parseRemLogic(withPosition, 23 * 3600 + 59 * 60 + 10, 'n1.txt');
    expect(epochs[0]).toEqual({ start: -10, duration: 30, targets: { stage: 'W' } });
    expect(joinEpochs(epochs)[0]).toEqual({ start: 0, duration: 20, targets: { stage: 'W' } });
    expect(() => parseRemLogic('nothing', 0, 'n1.txt')).toThrow(
      new DataError('cap: n1.txt has no header with Time and Event, so it is no scoring. Fetch it again.'),
    );
  });

  it.each([
    ...[
      ['C4A1', 'C4-A1'],
      ['EEG C4-A1', 'C4-A1'],
      ['C4-M1', 'C4-A1'],
      ['ECG1-ECG2', 'ECG'],
      ['ekg', 'ECG'],
    ],
    ...[
      ['Fp2-F4', undefined],
      ['ROC-LOC', undefined],
    ],
  ])('%s is %s', (name, wanted) => {
    expect(capNames(name!)).toBe(wanted);
  });

  it('tells EEG from other channels of MIT-BIH PSG', () => {
    expect(['EEG (C3-O1)', 'ECG', 'EMG', 'EOG (right)'].map(slpdbNames)).toEqual([
      'EEG',
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('hmc', () => {
  const names = [
    'EEG F4-M1',
    'EEG C4-M1',
    'EEG O2-M1',
    'EEG C3-M2',
    'EMG chin',
    'EOG E1-M2',
    'EOG E2-M2',
    'ECG',
  ];
  const annotations = [
    { start: 0, duration: 30, label: 'Sleep stage W' },
    { start: 12, duration: 0, label: 'Lights off@@EEG F4-A1' },
    { start: 30, duration: 30, label: 'Sleep stage N1' },
    { start: 60, duration: 30, label: 'Sleep stage N1' },
  ];
  const text = [
    'Date, Time, Recording onset, Duration, Annotation, Linked channel',
    '01.01.01, 23.30.00, 0, 30, Sleep stage W, ',
    '01.01.01, 23.30.12, 12, 0, Lights off, Body position',
    '01.01.01, 23.30.30, 30, 30, Sleep stage N1,',
    '01.01.01, 23.31.00, 60, 30, Sleep stage N1',
    '',
  ].join('\n');

  it.each(['txt', 'edf'])('reads stages from the .%s', async (kind) => {
    const scoring = kind === 'txt' ? text : night(['unused'], 90, { annotations });
    const folder = memoryFolder({
      'recordings/SN001.edf': night(names, 90),
      [`recordings/SN001_sleepscoring.${kind}`]: scoring,
      'recordings/SN002.edf': '',
    });
    const trials = await hmc.trials(folder);
    expect(trials.map(({ id, start, end, targets }) => [id, start, end, targets.stage])).toEqual([
      ['hmc SN001 at 0 s', 0, 30, 'W'],
      ['hmc SN001 at 30 s', 30, 90, 'N1'],
    ]);
    const windows = await loadWindows(hmc, folder, undefined, { target: 'stage' });
    expect([...windows.label!]).toEqual([0, 1, 1]);
    expect(folder.stillOpen()).toBe(0);
  });
});
