import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { eegmat } from '../../src/datasets/eegmat.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { sampleEcg } from '../../src/datasets/sample.ts';
import { sampleDataFolder } from '../../src/datasets/sample-node.ts';

describe('sample data', () => {
  it('hold EEGMAT whole: 36 people, each at rest and in arithmetic', async () => {
    const trials = await eegmat.trials(await openFolder(sampleDataFolder('eegmat')));
    expect(trials).toHaveLength(72);
    const subjects = new Set(trials.map(({ subject }) => subject));
    const { train, validation, test } = eegmat.splits.published!;
    expect([...subjects].sort()).toEqual([...train, ...validation, ...test]);
    for (const subject of subjects) {
      const tasks = trials.filter((trial) => trial.subject === subject).map(({ targets }) => targets.task);
      expect(tasks).toEqual(['rest', 'arithmetic']);
    }
  });

  it('hold 240 ECGs, one a person, with labels that the dataset knows and a file each', async () => {
    const folder = await openFolder(sampleDataFolder('ecg12'));
    const trials = await sampleEcg.trials(folder);
    expect(trials).toHaveLength(240);
    expect(new Set(trials.map(({ subject }) => subject)).size).toBe(240);
    const files = await folder.list();
    expect(files.filter((file) => file.endsWith('.edf.gz')).sort()).toEqual(
      trials.map(({ file }) => file).sort(),
    );
    for (const [target, classes] of Object.entries(sampleEcg.targets)) {
      const values = new Set(trials.map(({ targets }) => targets[target]));
      expect([...values].sort()).toEqual([...classes].sort());
    }
  });

  it('give a 10-s window of twelve leads each, the limb leads following from I and II', async () => {
    const folder = await openFolder(sampleDataFolder('ecg12'));
    const subjects = (await sampleEcg.trials(folder)).slice(0, 3).map(({ subject }) => subject);
    const set = await loadWindows(sampleEcg, folder, undefined, { target: 'superclass', subjects });
    expect(set.count).toBe(3);
    const { channels, patches, data } = set.signals.ecg!;
    expect([channels.length, patches, data.length]).toEqual([12, 10, 3 * 12 * 2000]);
    for (let t = 0; t < 2000; t++) expect(data[2 * 2000 + t]).toBeCloseTo(data[2000 + t]! - data[t]!, 4);
  });

  it('name licence, changes and attribution of each set', () => {
    const readme = readFileSync(join(sampleDataFolder('eegmat'), '../README.md'), 'utf8');
    const notice = readFileSync(join(sampleDataFolder('eegmat'), '../../NOTICE'), 'utf8');
    for (const [folder, spec] of [
      ['eegmat', eegmat],
      ['ecg12', sampleEcg],
    ] as const) {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${folder}/\``))!;
      expect(row).toContain(spec.licence);
      expect(row).toContain(/doi:\S+/.exec(spec.citation)![0]);
      expect(row).toContain('resampled');
    }
    expect(notice).toContain('EEGMAT');
    expect(notice).toContain('PTB-XL');
  });
});
