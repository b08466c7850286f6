import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cinc2020, cinc2021, cincSource, cincSources } from '../../src/datasets/cinc.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { diagnoses, scoredDiagnoses2020, scoredDiagnoses2021 } from '../../src/datasets/snomed.ts';
import { memoryFolder } from './memory-folder.ts';

describe('cinc2021', () => {
  it('reads the comments of the headers, with or without a space, CRLF too', async () => {
    const folder = memoryFolder({
      'g1/A0001.hea': 'A0001 12 500 7500\n#Age: 74\n#Sex: Male\n#Dx: 59118001,426783006\n#Rx: Unknown\n',
      'g2/B.hea': 'B 12 500 5000\r\n# Age: NaN\r\n# Sex: F\r\n# Dx: 713427006, 164889003,1\r\n',
      'g2/B.mat': '',
    });
    const [first, second, ...others] = await cinc2021.trials(folder);
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      ...{ id: 'A0001', subject: 'A0001', file: 'g1/A0001.hea' },
      targets: {
        ...{ diagnoses: '59118001,426783006', abbreviations: 'RBBB,NSR', sex: 'Male', age: 74 },
        ...{ source: 'CPSC2018', RBBB: 1, NSR: 1, AF: 0, 'group conduction': 1, 'group ectopy': 0 },
      },
    });
    // A complete right bundle branch block is scored as one; an unknown code stays in the text.
    expect(second!.targets).toMatchObject({
      ...{ diagnoses: '713427006, 164889003,1', abbreviations: 'CRBBB,AF', sex: 'Female', RBBB: 1, AF: 1 },
    });
    for (const name of ['age', 'source', 'CRBBB']) expect(second!.targets).not.toHaveProperty([name]);
    expect(folder.stillOpen()).toBe(0);
  });

  it('takes an empty comment for no value, not the next line', async () => {
    const folder = memoryFolder({ 'A.hea': 'A 12 500 7500\n#Sex: \n#Dx: 59118001\n#Age:\n# Rx: 5\n' });
    const { targets } = (await cinc2021.trials(folder))[0]!;
    expect(targets).toMatchObject({ diagnoses: '59118001' });
    for (const name of ['sex', 'age']) expect(targets).not.toHaveProperty([name]);
  });

  it.each([
    ['training/cpsc_2018/g1/A0001.hea', 'CPSC2018'],
    ['A6877.hea', 'CPSC2018'],
    ['training/cpsc_2018_extra/g1/Q0001.hea', 'CPSC-Extra'],
    ['x/I0001.hea', 'INCART'],
    ['S0549.hea', 'PTB'],
    ['HR21837.hea', 'PTB-XL'],
    ['E10344.hea', 'Georgia'],
    ['JS10646.hea', 'Chapman-Shaoxing'],
    ['JS10647.hea', 'Ningbo'],
    ['training/ningbo/g1/JS10646.hea', 'Ningbo'],
    ['JS99999.hea', undefined],
    ['Z0001.hea', undefined],
  ])('%s is of %s', (path, source) => {
    expect(cincSource(path)).toBe(source);
  });

  it('has as many recordings as were published, and the sources of its year only', async () => {
    const sum = (year: number) =>
      cincSources.filter(({ since }) => since <= year).reduce((n, { recordings }) => n + recordings, 0);
    expect([sum(2020), sum(2021)]).toEqual([43_101, 88_253]);
    expect([cinc2020.facts.recordings, cinc2021.facts.recordings]).toEqual([43_101, 88_253]);
    expect(cinc2020.targets.source).not.toContain('Ningbo');
    const folder = memoryFolder({ 'JS20000.hea': '#Dx: 6374002\n' });
    const [trial] = await cinc2020.trials(folder);
    expect(trial!.targets).not.toHaveProperty('source');
    expect(trial!.targets).not.toHaveProperty('BBB');
    expect((await cinc2021.trials(folder))[0]!.targets).toMatchObject({ source: 'Ningbo', BBB: 1 });
  });
});

describe('SNOMED CT', () => {
  it('scores 30 codes as 26 labels in 2021, 27 as 24 in 2020; 133 codes are known', () => {
    expect(diagnoses.size).toBe(133);
    const scored = [...diagnoses.values()].filter((one) => one.scored !== undefined);
    expect([scored.length, scoredDiagnoses2021.length, scoredDiagnoses2020.length]).toEqual([30, 26, 24]);
    const same = scored.filter((one) => one.scored !== one.abbreviation);
    expect(same.map((one) => `${one.abbreviation}=${one.scored}`).sort()).toEqual([
      'CLBBB=LBBB',
      'CRBBB=RBBB',
      'SVPB=PAC',
      'VPB=PVC',
    ]);
    expect(new Set([...diagnoses.values()].map(({ abbreviation }) => abbreviation)).size).toBe(133);
  });
});

const real = join(homedir(), '.cache/heartmind/data/cinc2021_12lead');
describe.skipIf(!existsSync(real))('cinc2021, real recordings (extra: only where they are)', () => {
  it('knows every source and every code', async () => {
    const trials = await cinc2021.trials(await openFolder(real));
    expect(trials.length).toBe(156);
    const sources = new Set(trials.map(({ targets }) => targets.source));
    expect(sources.size).toBeGreaterThanOrEqual(3);
    expect(sources).not.toContain(undefined);
    const unknown = trials.flatMap(({ targets }) => {
      const codes = String(targets.diagnoses).split(',');
      return codes.filter((code) => code !== '' && !diagnoses.has(code.trim()));
    });
    expect(unknown).toEqual(['251238007']);
  });
});
