import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeFolder, loadWindows } from '../../src/datasets/dataset.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { assertDisjoint } from '../../src/datasets/folds.ts';
import { planStore } from '../../src/datasets/prepare-store.ts';
import { ptbxl, ptbxl100 } from '../../src/datasets/ptbxl.ts';
import { scpStatements, scpSubclasses } from '../../src/datasets/scp-statements.ts';
import { memoryFolder } from './memory-folder.ts';

const database = [
  'ecg_id,patient_id,age,sex,height,weight,report,scp_codes,heart_axis,validated_by_human,burst_noise,strat_fold,filename_lr,filename_hr',
  `1,15709.0,56.0,1,,63.0,"sinus rhythm, normal","{'NORM': 100.0, 'LVOLT': 0.0, 'SR': 0.0}",MID,True,," 3",records100/00000/00001_lr,records500/00000/00001_hr`,
  `2,13243.0,19.0,0,170.0,,x,"{'IMI': 80.0, 'ASMI': 15.0}",,False,alles,2,records100/00000/00002_lr,records500/00000/00002_hr`,
  `3,13243.0,nan,0,,,x,"{'IMI': 80.0, 'LVH': 15.0, 'XYZ': 100.0}",,True,,2,a,records500/00000/00003_hr`,
  `4,1.0,19.0,,,,x,"{'SR': 0.0}",,True,,9,a,records500/00000/00004_hr`,
  `5,2.0,19.0,1,,,x,"{'NORM': 100.0}",,True,,10,a,records500/00000/absent_hr`,
].join('\n');
const folder = memoryFolder({
  'ptbxl_database.csv': database,
  ...Object.fromEntries([1, 2, 3, 4].map((n) => [`records500/00000/0000${n}_hr.hea`, ''])),
  'records100/00000/00002_lr.hea': '',
});

describe('ptbxl', () => {
  it('takes the records present, a super-class where exactly one is there', async () => {
    const trials = await ptbxl.trials(folder);
    expect(trials.map(({ id, subject }) => `${id}, ${subject}`)).toEqual([
      'ptbxl 1, ptbxl 15709',
      'ptbxl 2, ptbxl 13243',
      'ptbxl 3, ptbxl 13243',
      'ptbxl 4, ptbxl 1',
    ]);
    expect(trials[0]!.file).toBe('records500/00000/00001_hr.hea');
    expect(trials.map(({ targets }) => targets.superclass)).toEqual(['NORM', 'MI', undefined, undefined]);
    const five = trials.map(({ targets }) =>
      ['NORM', 'MI', 'STTC', 'CD', 'HYP'].map((name) => targets[name]).join(''),
    );
    expect(five).toEqual(['10000', '01000', '01001', '00000']);
  });

  it('has every statement, sub-class and likelihood, and what is known of the person', async () => {
    const [first, second, third, fourth] = (await ptbxl.trials(folder)).map(({ targets }) => targets);
    const set = (targets: typeof first) =>
      scpStatements.filter(({ code }) => targets![code] === 1).map(({ code }) => code);
    expect(set(first)).toEqual(['NORM', 'LVOLT', 'SR']);
    expect(scpStatements.every(({ code }) => [0, 1].includes(first![code] as number))).toBe(true);
    expect(first).toMatchObject({
      ...{ 'likelihood NORM': 100, 'likelihood SR': 0, validated_by_human: 1, heart_axis: 'MID' },
      ...{ age: 56, sex: 'female', weight: 63, fold: 3, report: 'sinus rhythm, normal' },
    });
    expect(first).not.toHaveProperty('height');
    expect(second).toMatchObject({
      ...{ 'subclass IMI': 1, 'subclass AMI': 1, 'subclass LMI': 0, AMI: 0, ASMI: 1 },
      ...{ sex: 'male', height: 170, validated_by_human: 0, burst_noise: 'alles' },
    });
    // A code that no table knows is no target; an age that is none is left out.
    expect(set(third)).toEqual(['IMI', 'LVH']);
    expect(Object.keys(third!).filter((name) => /XYZ|age$/.test(name))).toEqual([]);
    expect(fourth).not.toHaveProperty('sex');
  });

  it('splits by the official folds, read from the table', async () => {
    const { splits } = await describeFolder(ptbxl, folder);
    expect(assertDisjoint(splits.published!)).toEqual({
      name: 'published',
      train: ['ptbxl 15709', 'ptbxl 13243'],
      validation: ['ptbxl 1'],
      test: ['ptbxl 2'],
    });
  });

  it('has the copies at 100 Hz, of the same people', async () => {
    const trials = await ptbxl100.trials(folder);
    expect(trials.map(({ id, subject, file }) => [id, subject, file])).toEqual([
      ['ptbxl-100 2', 'ptbxl 13243', 'records100/00000/00002_lr.hea'],
    ]);
  });

  it('knows 71 statements: 44 diagnostic, 19 of form, 12 of rhythm, 23 sub-classes', () => {
    const count = (kind: string) => scpStatements.filter(({ kinds }) => kinds.includes(kind as never)).length;
    expect([scpStatements.length, count('diagnostic'), count('form'), count('rhythm')]).toEqual([
      71, 44, 19, 12,
    ]);
    expect(new Set(scpStatements.map(({ code }) => code)).size).toBe(71);
    expect(scpSubclasses.length).toBe(23);
    for (const { kinds, superclass, subclass } of scpStatements)
      expect([superclass !== undefined, subclass !== undefined]).toEqual(
        [0, 1].map(() => kinds.includes('diagnostic')),
      );
  });

  it('says which table is not there', async () => {
    await expect(ptbxl.trials(memoryFolder({}))).rejects.toThrow(
      'ptbxl_database.csv: there is no such file.',
    );
  });
});

const real = join(homedir(), '.cache/heartmind/data/ptbxl');
describe.skipIf(!existsSync(real))('ptbxl, real recordings (extra: only where they are)', () => {
  it('has all folds, every statement of the tables known, and windows', async () => {
    const folder = await openFolder(real);
    const spec = await describeFolder(ptbxl, folder);
    const trials = await spec.trials(folder);
    expect(trials.length).toBe(2792);
    const { train, validation, test } = assertDisjoint(spec.splits.published!);
    expect([train, validation, test].every((part) => part.length > 100)).toBe(true);
    expect(new Set([...train, ...validation, ...test])).toEqual(
      new Set(trials.map(({ subject }) => subject)),
    );
    // A store keeps the folds and every statement, whoever plans it.
    const { plan } = await planStore(ptbxl, folder);
    expect(plan.dataset.splits.published!.test).toEqual(test);
    expect(plan.targets.AFIB).toEqual(['0', '1']);
    const { subject } = trials[0]!;
    const windows = await loadWindows(spec, folder, spec.recipe, { target: 'SR', subjects: [subject] });
    expect(windows.count).toBeGreaterThan(0);
    expect(windows.classes).toEqual(['0', '1']);
  });
});
