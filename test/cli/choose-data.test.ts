import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { chooseData, choosePeople, chooseTarget } from '../../src/cli/data.ts';
import { readEncoder } from '../../src/cli/model-source.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { findDataset } from '../../src/datasets/registry.ts';
import type { Progress } from '../../src/train/progress.ts';

const root = mkdtempSync(join(tmpdir(), 'heartmind-choose-'));
afterAll(() => rmSync(root, { recursive: true }));

it('takes the usual target of a dataset that has several, also of a store that was made of it', () => {
  const eegmat = findDataset('eegmat');
  expect(chooseTarget(eegmat, undefined)).toBe('task');
  const { defaultTarget: _, ...stored } = eegmat;
  expect(chooseTarget(stored, undefined)).toBe('task');
  expect(chooseTarget(stored, 'sex')).toBe('sex');
  expect(chooseTarget({ ...stored, name: 'constructor', targets: { a: ['0', '1'] } }, undefined)).toBe('a');
});

it('asks for one where none is usual', () => {
  expect(() => chooseTarget(findDataset('ludb'), undefined)).toThrow(ConfigError);
  expect(() => chooseTarget(findDataset('mimic-iv-ecg'), undefined)).toThrow(
    '--target: mimic-iv-ecg has none. Name one.',
  );
});

it('finds a dataset that was fetched by its name, and says how where it was not', async () => {
  const before = process.env.HEARTMIND_DATA;
  process.env.HEARTMIND_DATA = root;
  try {
    await expect(chooseData('ludb', undefined)).rejects.toThrow(
      /Run heartmind fetch ludb, or give ludb=FOLDER/,
    );
    mkdirSync(join(root, 'ludb'));
    expect((await chooseData('ludb', undefined)).folder.name).toBe(join(root, 'ludb'));
    await expect(readEncoder('cbramod')).rejects.toThrow(/Run heartmind fetch cbramod/);
    mkdirSync(join(root, 'cbramod'));
    writeFileSync(join(root, 'cbramod/pretrained_weights.pth'), 'no weights');
    await expect(readEncoder('cbramod')).rejects.toThrow(/pretrained_weights.pth/);
  } finally {
    if (before === undefined) delete process.env.HEARTMIND_DATA;
    else process.env.HEARTMIND_DATA = before;
  }
});

it('knows a dataset with what its folder tells', async () => {
  mkdirSync(join(root, 'sub-1/eeg'), { recursive: true });
  const files = {
    'dataset_description.json': '{"Name": "Toy"}',
    'participants.tsv': 'participant_id\tgroup\nsub-1\ta\nsub-2\tb\n',
    'channels.tsv': 'name\ttype\tunits\nOz\tEEG\tuV\n',
    'sub-1/eeg/sub-1_eeg.edf': '',
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  const { spec } = await chooseData(`bids=${root}`, undefined);
  expect([spec.title, spec.targets, spec.recipe.signals.eeg!.channels]).toEqual([
    'Toy',
    { group: ['a', 'b'] },
    ['Oz'],
  ]);
});

it('takes the people of a part, without those who are left out, and says how many they were', async () => {
  const said: string[] = [];
  const progress = { log: (text: string) => said.push(text) } as unknown as Progress;
  const chosen = await chooseData('sample-eegmat', undefined);
  const everybody = new Set((await chosen.spec.trials(chosen.folder)).map(({ subject }) => subject));
  expect(await choosePeople(chosen, {}, progress)).toBeUndefined();
  expect(await choosePeople(chosen, { part: 'test' }, progress)).toEqual(chosen.spec.splits.published!.test);
  const [first, ...others] = chosen.spec.splits.published!.test;
  expect(await choosePeople(chosen, { part: 'test', leaveOut: [first!] }, progress)).toEqual(others);
  expect(await choosePeople(chosen, { leaveOut: ['*3?', '.*'] }, progress)).toBeUndefined();
  const short = await choosePeople(chosen, { leaveOut: [`${first!.slice(0, -1)}*`] }, progress);
  expect(short!.length).toBeLessThan(everybody.size);
  expect(short).not.toContain(first);
  expect(said.at(-1)).toBe(`eegmat: ${everybody.size - short!.length} of ${everybody.size} people left out`);
  const unsplit = { ...chosen, spec: { ...chosen.spec, splits: {} } };
  expect(await choosePeople(unsplit, { part: 'train' }, progress)).toBeUndefined();
  expect(said.at(-1)).toBe('eegmat: no published split, all of its people are taken');
});
