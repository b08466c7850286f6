import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chapman } from '../../src/datasets/chapman.ts';
import { code15 } from '../../src/datasets/code15.ts';
import { describeFolder, loadWindows } from '../../src/datasets/dataset.ts';
import { mimicIvEcg } from '../../src/datasets/mimic-iv-ecg.ts';
import { sph } from '../../src/datasets/sph.ts';
import { TrialFiles } from '../../src/datasets/trial-files.ts';
import { memoryFolder } from './memory-folder.ts';
import { twelve, wfdbFiles } from './synthetic-wfdb.ts';

const golden = (name: string) => readFileSync(join(import.meta.dirname, '../golden/datasets', name));
const csv = (...lines: string[]) => `${lines.join('\n')}\n`;

describe('mimic-iv-ecg', () => {
  const record = (study: string, folder: string) =>
    wfdbFiles({
      name: study,
      folder,
      rateHz: 500,
      channels: twelve,
      lengthSamples: 5000,
      comments: [' 10000032'],
    });
  const folder = memoryFolder({
    ...record('40689238', 'files/p1000/p10000032/s40689238/'),
    ...record('44458630', 'files/p1000/p10000032/s44458630/'),
    'record_list.csv': csv(
      'subject_id,study_id,file_name,ecg_time,path',
      '10000032,40689238,40689238,2180-07-23 08:44:00,files/p1000/p10000032/s40689238/40689238',
      '10000032,44458630,44458630,2180-07-23 09:54:00,files/p1000/p10000032/s44458630/44458630',
      '10000117,1,1,2181-03-04 17:14:00,files/p1000/p10000117/s1/1',
    ),
    'machine_measurements.csv': csv(
      `subject_id,study_id,cart_id,ecg_time,${Array.from({ length: 18 }, (_, i) => `report_${i}`).join(',')},bandwidth,filtering,rr_interval,p_onset,p_end,qrs_onset,qrs_end,t_end,p_axis,qrs_axis,t_axis`,
      `10000032,40689238,6848296,2180-07-23 08:44:00,Sinus rhythm,"Possible right, ventricular hypertrophy",Borderline ECG${','.repeat(16)}0.005-150 Hz,60 Hz notch Baseline filter,659,40,128,170,258,518,81,77,29999`,
    ),
  });

  it('finds records by the list, with the statements and measurements of the machine', async () => {
    const trials = await mimicIvEcg.trials(folder);
    expect(trials).toEqual([
      {
        id: 'mimic-iv-ecg 40689238',
        subject: 'mimic 10000032',
        file: 'files/p1000/p10000032/s40689238/40689238.hea',
        targets: {
          report: 'Sinus rhythm; Possible right, ventricular hypertrophy; Borderline ECG',
          ...{ rr_interval: 659, p_onset: 40, p_end: 128, qrs_onset: 170, qrs_end: 258, t_end: 518 },
          ...{ p_axis: 81, qrs_axis: 77 },
        },
      },
      {
        id: 'mimic-iv-ecg 44458630',
        subject: 'mimic 10000032',
        file: 'files/p1000/p10000032/s44458630/44458630.hea',
        targets: {},
      },
    ]);
    expect((await loadWindows(mimicIvEcg, folder)).count).toBe(2);
    expect(folder.stillOpen()).toBe(0);
  });
});

describe('chapman', () => {
  it('takes diagnoses from the headers, in the names of the challenge and in its own', async () => {
    const folder = memoryFolder({
      'ConditionNames_SNOMED-CT.csv': csv(
        '\uFEFFAcronym Name,Full Name,Snomed_CT',
        'SB,Sinus Bradycardia,426177001',
        'AVB,atrioventricular block,233917008',
      ),
      ...wfdbFiles({
        ...{ name: 'JS00001', folder: 'WFDBRecords/01/010/', rateHz: 500, channels: twelve },
        lengthSamples: 5000,
        comments: ['Age: 85', 'Sex: Male', 'Dx: 426177001,164934002', 'Rx: Unknown'],
      }),
      'WFDBRecords/01/010/RECORDS': 'JS00001\n',
    });
    const trials = await chapman.trials(folder);
    expect(trials).toEqual([
      expect.objectContaining({ id: 'JS00001', file: 'WFDBRecords/01/010/JS00001.hea' }),
    ]);
    expect(trials[0]!.targets).toMatchObject({
      ...{ abbreviations: 'SB,TAb', acronyms: 'SB', SB: 1, TAb: 1, AF: 0, age: 85, sex: 'Male' },
      ...{ 'group rhythm': 1, 'group repolarisation': 1, 'group pacing': 0 },
    });
    const windows = await loadWindows(chapman, folder, undefined, { target: 'SB' });
    expect([...windows.label!]).toEqual([1]);
  });
});

describe('code15', () => {
  const folder = memoryFolder({
    'exams.csv': csv(
      'exam_id,age,is_male,nn_predicted_age,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,death,timey,normal_ecg,trace_file',
      '2873686,67,True,74.8,True,True,False,False,False,False,1632639,,,False,exams_part0.hdf5',
      '1169160,38,False,40.2,False,False,False,False,False,False,523632,False,3.5,True,exams_part0.hdf5',
      '7,38,True,40.2,False,False,False,False,False,False,1,False,3.5,True,exams_part17.hdf5',
    ),
    'exams_part0.hdf5': golden('code15.hdf5'),
  });

  it('finds the exams of the parts that are there, in the order of a file', async () => {
    const trials = await code15.trials(folder);
    expect(trials.map(({ id, subject, part }) => `${id} of ${subject}: ${part}`)).toEqual([
      'code15 1169160 of code15 523632: exam 1169160',
      'code15 2873686 of code15 1632639: exam 2873686',
    ]);
    expect(trials[1]!.targets).toEqual({
      ...{ sex: 'male', age: 67, nn_predicted_age: 74.8, normal_ecg: 0 },
      ...{ '1dAVb': 1, RBBB: 1, LBBB: 0, SB: 0, ST: 0, AF: 0 },
    });
    expect(trials[0]!.targets).toMatchObject({ sex: 'female', death: 0, timey: 3.5, normal_ecg: 1 });
  });

  it('reads tracings in millivolt, zeros at the ends taken off', async () => {
    const trials = await code15.trials(folder);
    const files = new TrialFiles(folder);
    const first = await files.open(trials[0]!);
    expect([first.channels.length, first.channels[1], first.duration]).toEqual([
      12,
      { name: 'II', unit: 'mV', rateHz: 400, lengthSamples: 2800 },
      7,
    ]);
    expect([...(await first.read(1, 0, 3))]).toEqual([2 / 64, 3 / 64, 4 / 64]);
    expect(first.log).toEqual(['code15: 1296 of 4096 samples were zeros at the ends, left out.']);
    const second = await files.open(trials[1]!);
    expect([...(await second.read(11, 3999, 4000))]).toEqual([(39 + 1 + 11 + 1) / 64]);
    await expect(files.open({ ...trials[0]!, part: 'exam 5' })).rejects.toThrow(
      "code15: exams_part0.hdf5 has no 'exam 5' in tracings of 3 × 4096 × 12.",
    );
    await files.close();
    expect((await loadWindows(code15, folder)).trial).toEqual(['code15 2873686']);
    expect(folder.opened.filter((path) => path === 'exams_part0.hdf5').length).toBe(2);
    expect(folder.stillOpen()).toBe(0);
  });
});

describe('sph', () => {
  const folder = memoryFolder({
    'metadata.csv': csv(
      'ECG_ID,AHA_Code,Patient_ID,Age,Sex,N,Date',
      'A00001,60+310;22,S00001,55,M,5000,2020-03-04',
      'A00002,1,S00002,32,F,6000,2019-09-03',
    ),
    'records/A00001.h5': golden('sph.h5'),
    'code.csv': csv('Code,Description'),
  });

  it('has a target for each primary statement of the table', async () => {
    const spec = await describeFolder(sph, folder);
    expect(spec.labels!.statements).toEqual({ kind: 'multilabel', targets: ['AHA 1', 'AHA 22', 'AHA 60'] });
    expect(await spec.trials(folder)).toEqual([
      {
        ...{ id: 'sph A00001', subject: 'sph S00001', file: 'records/A00001.h5', reader: 'sph' },
        targets: {
          ...{ 'AHA 1': 0, 'AHA 22': 1, 'AHA 60': 1, normal: 0 },
          ...{ codes: '60+310;22', sex: 'M', age: 55 },
        },
      },
    ]);
    const windows = await loadWindows(spec, folder, undefined, { target: 'AHA 22' });
    expect([...windows.label!]).toEqual([1]);
    expect(folder.stillOpen()).toBe(0);
  });

  it('reads 12 leads in millivolt', async () => {
    const files = new TrialFiles(folder);
    const recording = await files.open((await sph.trials(folder))[0]!);
    expect(
      recording.channels.map(({ name, lengthSamples }) => `${name} ${lengthSamples}`).slice(0, 2),
    ).toEqual(['I 5000', 'II 5000']);
    expect([...(await recording.read(11, 49, 51))]).toEqual([60 / 64, 11 / 64]);
    await files.close();
  });
});
