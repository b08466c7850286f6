import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { eegmat } from '../../src/datasets/eegmat.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { assertDisjoint } from '../../src/datasets/folds.ts';
import { ludb, readLudbWaves } from '../../src/datasets/ludb.ts';
import { aamiClasses, deChazal, mitdb, mitdbBeats } from '../../src/datasets/mitdb.ts';
import { memoryFolder } from './memory-folder.ts';
import { wfdbFiles, wfdbMarks } from './synthetic-wfdb.ts';

const real = join(homedir(), '.cache/heartmind/data');
const shared = join(import.meta.dirname, '../../../shared/data/mitdb');

describe('eegmat', () => {
  it('finds rest and arithmetic by the file names, gzip-ed or not, in any folder, and nothing else', async () => {
    const folder = memoryFolder({
      'Subject00_2.edf.gz': '',
      'Subject00_1.edf': '',
      'files/Subject17_1.edf': '',
      'Subject01_3.edf': '',
      'Subject1_1.edf': '',
      'MySubject01_1.edf': '',
      'Subject01_1.edf.bak': '',
    });
    expect(await eegmat.trials(folder)).toEqual([
      {
        id: 'Subject00_1',
        subject: 'Subject00',
        file: 'Subject00_1.edf',
        targets: { task: 'rest' },
        session: { name: 'task', order: 1 },
      },
      {
        id: 'Subject00_2',
        subject: 'Subject00',
        file: 'Subject00_2.edf.gz',
        targets: { task: 'arithmetic' },
        session: { name: 'task', order: 2 },
      },
      {
        id: 'Subject17_1',
        subject: 'Subject17',
        file: 'files/Subject17_1.edf',
        targets: { task: 'rest' },
        session: { name: 'task', order: 1 },
      },
    ]);
  });

  it('takes the table of people where it is', async () => {
    const folder = memoryFolder({
      'Subject00_1.edf': '',
      'Subject01_2.edf': '',
      'subject-info.csv':
        'Subject,Age,Gender,Recording year,Number of subtractions,Count quality\nSubject00,21,F,2011,9.7,0\nSubject01,18,,2011,,1\n',
    });
    expect((await eegmat.trials(folder)).map(({ targets }) => targets)).toEqual([
      { task: 'rest', age: 21, sex: 'F', subtractions: 9.7, quality: 'bad' },
      { task: 'arithmetic', age: 18, quality: 'good' },
    ]);
  });

  it('has the published split: subjects 00–27, 28–31, 32–35', () => {
    const { train, validation, test } = assertDisjoint(eegmat.splits.published!);
    expect([train.length, train[0], train.at(-1)]).toEqual([28, 'Subject00', 'Subject27']);
    expect(validation).toEqual(['Subject28', 'Subject29', 'Subject30', 'Subject31']);
    expect(test).toEqual(['Subject32', 'Subject33', 'Subject34', 'Subject35']);
  });

  it.skipIf(!existsSync(join(real, 'eegmat')))(
    'real table (extra): 26 good, 10 bad, not 24 and 12 as its README says',
    async () => {
      const trials = await eegmat.trials(await openFolder(join(real, 'eegmat')));
      const count = (quality: string) => trials.filter(({ targets }) => targets.quality === quality).length;
      expect([trials.length, count('good'), count('bad')]).toEqual([72, 52, 20]);
    },
  );
});

describe('ludb', () => {
  const columns =
    'ID,Sex,Age,Rhythms,Electric axis of the heart,Conduction abnormalities,Extrasystolies,Hypertrophies,Cardiac pacing,Ischemia,Non-specific repolarization abnormalities,Other states';
  const folder = memoryFolder({
    // The table's fields hold line breaks.
    'ludb.csv': `${columns}
1,"F
","51
",Sinus bradycardia,Electric axis of the heart: left axis deviation,,,"Left ventricular overload
Left ventricular hypertrophy",,,,
2,M,>89,"Sinus rhythm
",,I degree av block,,,,,,Early repolarization syndrome
3,M,64,,,,,,,,,
9,M,1,Sinus rhythm,,,,,,,,
`,
    ...{ 'data/1.hea': '', 'data/2.hea': '', 'data/3.hea': '' },
    // ( p ) ( N t ): a QRS without an end, a T wave without a begin.
    'data/1.avl': wfdbMarks([
      { sample: 100, code: 39 },
      { sample: 120, code: 24 },
      { sample: 140, code: 40 },
      { sample: 160, code: 39 },
      { sample: 170, code: 1 },
      { sample: 250, code: 27 },
      { sample: 300, code: 40 },
    ]),
  });

  it('takes sex, age, rhythm and findings of the records present', async () => {
    const none = {
      conduction: 0,
      extrasystole: 0,
      hypertrophy: 0,
      pacing: 0,
      ischaemia: 0,
      repolarisation: 0,
    };
    expect(await ludb.trials(folder)).toEqual([
      {
        id: 'ludb 1',
        subject: 'ludb 1',
        file: 'data/1.hea',
        targets: {
          ...{ sex: 'F', age: 51, rhythm: 'other', rhythmText: 'Sinus bradycardia' },
          ...{ axis: 'left axis deviation', ...none, hypertrophy: 1 },
          diagnoses: 'Left ventricular overload; Left ventricular hypertrophy',
        },
      },
      {
        id: 'ludb 2',
        subject: 'ludb 2',
        file: 'data/2.hea',
        targets: {
          ...{ sex: 'M', age: 89, rhythm: 'sinus', rhythmText: 'Sinus rhythm', ...none, conduction: 1 },
          diagnoses: 'I degree av block; Early repolarization syndrome',
        },
      },
      { id: 'ludb 3', subject: 'ludb 3', file: 'data/3.hea', targets: { sex: 'M', age: 64, ...none } },
    ]);
  });

  it('reads the waves of a lead: onset, peak, offset', async () => {
    const [trial] = await ludb.trials(folder);
    expect(await readLudbWaves(folder, trial!, 'aVL')).toEqual([
      { kind: 'P', onset: 0.2, peak: 0.24, offset: 0.28 },
      { kind: 'QRS', onset: 0.32, peak: 0.34, offset: undefined },
      { kind: 'T', onset: undefined, peak: 0.5, offset: 0.6 },
    ]);
    await expect(readLudbWaves(folder, trial!, 'V6')).rejects.toThrow('data/1.v6: there is no such file.');
    expect(folder.stillOpen()).toBe(0);
  });

  it.skipIf(!existsSync(join(real, 'ludb')))(
    'real annotations (extra): as many waves as wfdb-python finds in the files',
    async () => {
      const folder = await openFolder(join(real, 'ludb'));
      const trials = await ludb.trials(folder);
      expect(trials.length).toBe(200);
      const counts = { P: 0, QRS: 0, T: 0 };
      const leads = ['i', 'ii', 'iii', 'avr', 'avl', 'avf', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6'];
      for (const trial of trials)
        for (const lead of leads)
          for (const { kind } of await readLudbWaves(folder, trial, lead)) counts[kind]++;
      expect(counts).toEqual({ P: 16_797, QRS: 21_965, T: 19_661 });
    },
  );
});

describe('mitdb', () => {
  const record = (name: string, comments: string[], seconds = 4) =>
    wfdbFiles({
      name,
      rateHz: 360,
      channels: [{ name: 'MLII' }, { name: 'V1' }],
      lengthSamples: 360 * seconds,
      comments,
    });
  const folder = memoryFolder({
    ...record('100', [' 69 M 1085 1629 x1', ' Aldomet, Inderal']),
    ...record('202', [' 68 M', ' x 12 F']),
    ...record('201', []),
    '1000.hea': '',
    // At the begin, three beats and a rhythm mark, at the end.
    '100.atr': wfdbMarks([
      { sample: 18, code: 28, text: '(N' },
      { sample: 90, code: 1 },
      { sample: 400, code: 1 },
      { sample: 720, code: 5 },
      { sample: 800, code: 14 },
      { sample: 1000, code: 8 },
      { sample: 1300, code: 1 },
    ]),
    '201.atr': wfdbMarks([]),
    '202.atr': wfdbMarks([{ sample: 720, code: 12 }]),
  });

  it('knows that records 201 and 202 are of one person, and what the headers say', async () => {
    expect(await mitdb.trials(folder)).toEqual([
      { id: '100', subject: '100', file: '100.hea', targets: { age: 69, sex: 'M' } },
      { id: '201', subject: '201', file: '201.hea', targets: {} },
      { id: '202', subject: '201', file: '202.hea', targets: { age: 68, sex: 'M' } },
    ]);
  });

  it('cuts a second around every beat that lies within the record', async () => {
    const trials = await mitdbBeats.trials(folder);
    expect(trials.map(({ id, subject, targets }) => `${id}: ${targets.beat} of ${subject}`)).toEqual([
      '100 beat 2: N of 100',
      '100 beat 3: V of 100',
      '100 beat 4: S of 100',
      '202 beat 1: Q of 201',
    ]);
    expect(trials[1]!.start).toBeCloseTo(2 - 0.4);
    expect(trials[1]!.end).toBeCloseTo(2 + 0.6);
    const windows = await loadWindows(mitdbBeats, folder, undefined, { target: 'beat' });
    expect([...windows.label!]).toEqual([0, 2, 1, 4]);
    expect(folder.stillOpen()).toBe(0);
  });

  it("splits by de Chazal's records, paced ones left out, no person in two parts", () => {
    const { ds1, ds2, paced } = deChazal;
    expect([ds1.length, ds2.length, paced.length]).toEqual([22, 22, 4]);
    expect(new Set([...ds1, ...ds2, ...paced]).size).toBe(48);
    const { train, validation, test } = assertDisjoint(mitdb.splits['inter-patient']!);
    expect([train.length, validation.length, test.length]).toEqual([18, 4, 21]);
    expect(test).not.toContain('202');
    expect(train).toContain('201');
    for (const record of paced) expect([...train, ...validation, ...test]).not.toContain(record);
  });

  it('classes beats as AAMI EC57', () => {
    const members = (wanted: string) =>
      Object.entries(aamiClasses).flatMap(([symbol, name]) => (name === wanted ? [symbol] : []));
    expect(Object.fromEntries([...'NSVFQ'].map((name) => [name, members(name).sort().join(' ')]))).toEqual({
      N: 'L N R e j',
      S: 'A J S a',
      V: 'E V',
      F: 'F',
      Q: '/ Q f',
    });
  });

  it.skipIf(!existsSync(shared))('real records (extra): 100 and 208, beats by class', async () => {
    const trials = await mitdbBeats.trials(await openFolder(shared));
    const count = (record: string, beat: string) =>
      trials.filter(({ id, targets }) => id.startsWith(record) && targets.beat === beat).length;
    // MIT-BIH's table of beats, less those within 0.4 s of the begin and 0.6 s of the end.
    expect([count('100', 'N'), count('100', 'S'), count('100', 'V')]).toEqual([2237, 33, 1]);
    expect([count('208', 'F'), count('208', 'V')]).toEqual([372, 992]);
  });
});
