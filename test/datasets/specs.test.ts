import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, DataError } from '../../src/core/errors.ts';
import { cinc2021, ludb, ptbxl } from '../../src/datasets/ecg12.ts';
import { eegmat } from '../../src/datasets/eegmat.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { assertDisjoint } from '../../src/datasets/folds.ts';
import { aamiClasses, mitdb } from '../../src/datasets/mitdb.ts';
import { datasets, findDataset } from '../../src/datasets/registry.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { memoryFolder } from './memory-folder.ts';

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
      'subject-info.csv': '',
    });
    expect(await eegmat.trials(folder)).toEqual([
      { id: 'Subject00_1', subject: 'Subject00', file: 'Subject00_1.edf', targets: { task: 'rest' } },
      {
        id: 'Subject00_2',
        subject: 'Subject00',
        file: 'Subject00_2.edf.gz',
        targets: { task: 'arithmetic' },
      },
      { id: 'Subject17_1', subject: 'Subject17', file: 'files/Subject17_1.edf', targets: { task: 'rest' } },
    ]);
  });

  it('has the published split: subjects 00–27, 28–31, 32–35', () => {
    const { train, validation, test } = assertDisjoint(eegmat.splits.published!);
    expect([train.length, train[0], train.at(-1)]).toEqual([28, 'Subject00', 'Subject27']);
    expect(validation).toEqual(['Subject28', 'Subject29', 'Subject30', 'Subject31']);
    expect(test).toEqual(['Subject32', 'Subject33', 'Subject34', 'Subject35']);
  });
});

describe('ptbxl', () => {
  const statements = [
    ',description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass',
    'NORM,normal ECG,1.0,,,NORM,NORM',
    'IMI,inferior infarction,1.0,,,MI,IMI',
    'AMI,anterior infarction,1.0,,,MI,AMI',
    'LVH,"hypertrophy, left",1.0,,,HYP,LVH',
    'SR,sinus rhythm,,,1.0,,',
  ].join('\n');
  const database = [
    'ecg_id,patient_id,age,sex,report,scp_codes,strat_fold,filename_lr,filename_hr',
    `1,15709.0,56.0,1,"sinus rhythm, normal","{'NORM': 100.0, 'SR': 0.0}",3,records100/00001_lr,records500/00000/00001_hr`,
    `2,13243.0,19.0,0,x,"{'IMI': 80.0, 'AMI': 15.0}",2,a,records500/00000/00002_hr`,
    `3,13243.0,19.0,0,x,"{'IMI': 80.0, 'LVH': 15.0}",2,a,records500/00000/00003_hr`,
    `4,1.0,19.0,,x,"{'SR': 0.0}",2,a,records500/00000/00004_hr`,
    `5,1.0,19.0,1,x,"{'NORM': 100.0}",2,a,records500/00000/absent_hr`,
  ].join('\n');
  const record = (n: number) => [`records500/00000/0000${n}_hr.hea`, ''] as const;

  it('takes super-classes from the statements, one where exactly one is there, and the records present', async () => {
    const folder = memoryFolder({
      'ptbxl_database.csv': database,
      'scp_statements.csv': statements,
      ...Object.fromEntries([1, 2, 3, 4].map(record)),
    });
    const trials = await ptbxl.trials(folder);
    expect(trials.map(({ id, subject }) => `${id}, ${subject}`)).toEqual([
      'ptbxl 1, ptbxl 15709',
      'ptbxl 2, ptbxl 13243',
      'ptbxl 3, ptbxl 13243',
      'ptbxl 4, ptbxl 1',
    ]);
    expect(trials[0]).toMatchObject({ file: 'records500/00000/00001_hr.hea' });
    expect(trials.map(({ targets }) => targets)).toEqual([
      { fold: 3, age: 56, superclass: 'NORM', NORM: 1, MI: 0, STTC: 0, CD: 0, HYP: 0, sex: 'female' },
      { fold: 2, age: 19, superclass: 'MI', NORM: 0, MI: 1, STTC: 0, CD: 0, HYP: 0, sex: 'male' },
      { fold: 2, age: 19, NORM: 0, MI: 1, STTC: 0, CD: 0, HYP: 1, sex: 'male' },
      { fold: 2, age: 19, NORM: 0, MI: 0, STTC: 0, CD: 0, HYP: 0 },
    ]);
  });

  it('says which table is not there', async () => {
    const folder = memoryFolder({ 'scp_statements.csv': statements });
    await expect(ptbxl.trials(folder)).rejects.toThrow('ptbxl_database.csv: there is no such file.');
  });
});

describe('ludb', () => {
  it('takes sex and rhythm of the records present', async () => {
    const folder = memoryFolder({
      // The table's fields hold line breaks.
      'ludb.csv':
        'ID,Sex,Age,Rhythms\n1,"F\n",51,"Sinus rhythm\n"\n2,M,64,"Atrial fibrillation"\n3,M,64,\n9,M,1,Sinus rhythm\n',
      'data/1.hea': '',
      'data/2.hea': '',
      'data/3.hea': '',
    });
    expect(await ludb.trials(folder)).toEqual([
      {
        id: 'ludb 1',
        subject: 'ludb 1',
        file: 'data/1.hea',
        targets: { sex: 'F', age: 51, rhythm: 'sinus' },
      },
      {
        id: 'ludb 2',
        subject: 'ludb 2',
        file: 'data/2.hea',
        targets: { sex: 'M', age: 64, rhythm: 'other' },
      },
      { id: 'ludb 3', subject: 'ludb 3', file: 'data/3.hea', targets: { sex: 'M', age: 64 } },
    ]);
  });
});

describe('cinc2021', () => {
  it('reads the comments of the headers, with or without a space, CRLF too', async () => {
    const folder = memoryFolder({
      'g1/A0001.hea': 'A0001 12 500 7500\n#Age: 74\n#Sex: Male\n#Dx: 59118001,426783006\n#Rx: Unknown\n',
      'g2/B.hea': 'B 12 500 5000\r\n# Age: NaN\r\n# Sex: Female\r\n# Dx: 426783006\r\n',
      'g2/B.mat': '',
    });
    expect(await cinc2021.trials(folder)).toEqual([
      {
        id: 'A0001',
        subject: 'A0001',
        file: 'g1/A0001.hea',
        targets: { diagnoses: '59118001,426783006', sex: 'Male', age: 74 },
      },
      {
        id: 'B',
        subject: 'B',
        file: 'g2/B.hea',
        targets: { diagnoses: '426783006', sex: 'Female' },
      },
    ]);
    expect(folder.stillOpen()).toBe(0);
  });

  it('takes an empty comment for no value, not the next line', async () => {
    const folder = memoryFolder({ 'A.hea': 'A 12 500 7500\n#Sex: \n#Dx: 59118001\n#Age:\n# Rx: 5\n' });
    expect((await cinc2021.trials(folder))[0]!.targets).toMatchObject({ diagnoses: '59118001' });
    expect((await cinc2021.trials(folder))[0]!.targets).not.toHaveProperty('sex');
    expect((await cinc2021.trials(folder))[0]!.targets).not.toHaveProperty('age');
  });
});

describe('mitdb', () => {
  it('knows that records 201 and 202 are of one person', async () => {
    const folder = memoryFolder({
      '100.hea': '',
      '100.dat': '',
      '201.hea': '',
      'x/202.hea': '',
      '1000.hea': '',
    });
    expect(await mitdb.trials(folder)).toEqual([
      { id: '100', subject: '100', file: '100.hea', targets: {} },
      { id: '201', subject: '201', file: '201.hea', targets: {} },
      { id: '202', subject: '201', file: 'x/202.hea', targets: {} },
    ]);
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
});

describe('registry', () => {
  it.each(Object.entries(datasets))('%s says its licence, source and citation', (name, spec) => {
    expect(spec.name).toBe(name);
    expect(spec.url).toMatch(/^https:\/\/physionet\.org\/content\//);
    expect(spec.licence).toMatch(/^(CC BY|ODC-BY)/);
    expect(spec.citation).toMatch(/\(\d{4}\)/);
    expect(spec.modalities).toEqual(Object.keys(spec.recipe.signals));
    expect(parseRecipe(spec.recipe)).toEqual(spec.recipe);
    for (const fold of Object.values(spec.splits)) assertDisjoint(fold);
  });

  it('lists the known names where one is unknown, names of Object.prototype too', () => {
    const known = 'eegmat, ptbxl, ludb, cinc2021, mitdb, sample-ecg';
    for (const name of ['eegmatt', 'constructor'])
      expect(() => findDataset(name)).toThrow(
        new ConfigError(`dataset '${name}' is unknown. Known: ${known}.`, 'dataset', known),
      );
    expect(findDataset('eegmat')).toBe(eegmat);
  });
});

describe('openFolder', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'heartmind-folder-'));
    mkdirSync(join(root, 'b/c'), { recursive: true });
    for (const file of ['z.txt', 'b/c/deep.txt', 'a.txt']) writeFileSync(join(root, file), file);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('lists all files below it, sorted, however its path is written', async () => {
    const paths = [
      root,
      `${root}/`,
      `${root}/.`,
      `${root}/b/..`,
      relative('.', root),
      `./${relative('.', root)}`,
    ];
    for (const path of paths) {
      const folder = await openFolder(path);
      expect(await folder.list(), path).toEqual(['a.txt', 'b/c/deep.txt', 'z.txt']);
      const source = await folder.open('b/c/deep.txt');
      expect(new TextDecoder().decode(await source.read(0, source.byteLength))).toBe('b/c/deep.txt');
      await source.close?.();
    }
  });

  it('says where there is no folder', async () => {
    const path = join(root, 'absent');
    await expect(openFolder(path)).rejects.toThrow(
      new DataError(`${path}: no folder that can be read. Check the path.`),
    );
  });
});
