/** Whom released weights have seen, for every dataset of the registry and its aliases: said where it is known, and where not. */
import { describe, expect, test } from 'vitest';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { findSeenPeople, joinOrigins, namesSeen, type Origin } from '../../src/datasets/people.ts';
import { datasets } from '../../src/datasets/registry.ts';
import { sampleDataFolder } from '../../src/datasets/sample-node.ts';
import { noteSeen, noteSeenByEncoders } from '../../src/evaluate/starting-weights.ts';
import { decodeModel } from '../../src/model/model-file.ts';
import { readReleased, releasedIndex } from '../../src/model/released-weights-node.ts';
import { loadEncoderWeights } from '../../src/model/weights.ts';

const origins = new Map<string, Origin>();
for (const [name, { kind }] of releasedIndex()) {
  const bytes = await readReleased(name);
  origins.set(
    name,
    kind === 'model' ? decodeModel(bytes, name).provenance! : loadEncoderWeights(bytes, name).metadata,
  );
}

/** A person of each dataset who is in PTB-XL's, LUDB's or another part of ecg-12, and one who is not. */
const people: Readonly<Record<string, readonly [seen: string | undefined, unseen: string | undefined]>> = {
  ptbxl: ['ptbxl 10040', 'ptbxl 99999'],
  'ptbxl-100': ['ptbxl 10040', 'ptbxl 99999'],
  'sample-ecg': ['10040', '99999'],
  ludb: ['ludb 1', 'ludb 999'],
  cinc2020: ['A0689', 'A0001'],
  cinc2021: ['JS01048', 'E00001'],
  chapman: ['JS01048', 'JS00001'],
};
const unknowable = ['bids', 'bids-events', 'own data', 'a-dataset-of-2030'];

describe('the released ECG encoder', () => {
  const origin = origins.get('ecg-12')!;
  const ask = (dataset: string, ...subject: string[]) => findSeenPeople(origin, { dataset, subject });

  test.each(Object.entries(people))('%s: who is seen, who is not', (dataset, [seen, unseen]) => {
    expect(ask(dataset, seen!, unseen!)).toMatchObject({ seen: [seen], unknown: [] });
  });

  test('every other dataset: nobody, or not known where names mean nothing', () => {
    const others = Object.keys(datasets).filter((name) => !people[name] && !unknowable.includes(name));
    for (const name of others)
      expect([name, ask(name, 'x')]).toMatchObject([name, { seen: [], unknown: [] }]);
    for (const name of unknowable) expect([name, ask(name, 'x').unknown]).toEqual([name, ['x']]);
  });

  test("a record of PTB-XL by the challenge's number is not known to be a person of PTB-XL", () => {
    expect(ask('cinc2021', 'HR00001')).toMatchObject({ seen: [], unknown: ['HR00001'] });
    const byRecord = { dataset: 'cinc2021', subjects: '["HR00160"]' };
    const windows = { dataset: 'ptbxl', subject: ['ptbxl 7', 'ptbxl 8'], trial: ['ptbxl 160', 'ptbxl 161'] };
    expect(findSeenPeople(byRecord, windows)).toMatchObject({ seen: ['ptbxl 7'], unknown: [] });
  });

  test('all 240 people of the embedded ECGs were seen', async () => {
    const trials = await datasets['sample-ecg']!.trials(await openFolder(sampleDataFolder('ecg12')));
    const subject = trials.map((trial) => trial.subject);
    const { seen, tested } = findSeenPeople(origin, { dataset: 'sample-ecg', subject });
    expect(tested).toHaveLength(240);
    expect(seen).toHaveLength(seenOfSample);
    expect(noteSeen('ecg encoder', origin, { name: 'ecg-12', dataset: 'sample-ecg', subject })[0]).toMatch(
      `of ${seenOfSample} of the 240 tested subjects (transductive)`,
    );
  });
});
const seenOfSample = 240;

test('every released weight × every dataset: its own people are seen, names of others never silently none', async () => {
  for (const [weights, origin] of origins) {
    const parts = origin.dataset!.split('+');
    const subjects = JSON.parse(origin.subjects!) as string[];
    expect(subjects.length, weights).toBeGreaterThan(0);
    const found = new Set(
      parts.flatMap((dataset) => findSeenPeople(origin, { dataset, subject: subjects }).seen),
    );
    expect(found.size, weights).toBe(subjects.length);
    for (const dataset of [...Object.keys(datasets), ...unknowable]) {
      const { seen, unknown } = findSeenPeople(origin, { dataset, subject: subjects });
      const isOpen = unknowable.includes(dataset);
      expect(isOpen ? unknown.length : seen.length, `${weights} × ${dataset}`).toBe(
        isOpen ? subjects.length : expectedSeen(dataset, origin, subjects),
      );
    }
  }
});

/** By the names alone, independent of the code under test. */
function expectedSeen(dataset: string, origin: Origin, subjects: readonly string[]): number {
  const parts = origin.dataset!.split('+');
  const like = (pattern: RegExp) => subjects.filter((name) => pattern.test(name)).length;
  if (parts.includes('eegmat')) return dataset === 'eegmat' ? subjects.length : 0;
  if (dataset.startsWith('ptbxl')) return like(/^ptbxl /);
  if (dataset === 'ludb') return like(/^ludb /);
  if (dataset === 'chapman') return like(/^JS/);
  if (dataset.startsWith('cinc')) return like(/^(A|E|JS)\d/);
  return 0;
}

test('weights that do not say, or saw tables of a user, leave it unknown', () => {
  const tested = { dataset: 'eegmat', subject: ['Subject00'] };
  expect(findSeenPeople({}, tested).unknown).toEqual(['Subject00']);
  expect(findSeenPeople({ dataset: 'eegmat' }, tested).unknown).toEqual(['Subject00']);
  const own = { dataset: 'own data', subjects: '["p1"]' };
  expect(findSeenPeople(own, tested).unknown).toEqual(['Subject00']);
  expect(namesSeen(own, 'eegmat')).toBeUndefined();
});

test.each(['own data', 'bids'])('%s: equal names of two tables may be two people', (dataset) => {
  const origin = { dataset, subjects: '["p1"]' };
  const tested = { dataset, subject: ['p1', 'p2'] };
  expect(findSeenPeople(origin, tested)).toEqual({
    ...{ seen: [], unknown: ['p1', 'p2'], namesakes: ['p1'], tested: ['p1', 'p2'] },
  });
  expect(noteSeen('eeg encoder', origin, { ...tested, name: 'mine' })).toEqual([
    `The eeg encoder begins as mine, which has seen unlabelled recordings of people with the names of 1 of the 2 tested subjects. Whether they are the same people is not known; where they are, its scores are transductive.`,
  ]);
  const ofOneTable = { seen: ['p1'], unknown: [], namesakes: [] };
  expect(findSeenPeople(origin, { ...tested, sameNames: true })).toMatchObject(ofOneTable);
  // Pre-trained on the same table, from weights of before.
  const joined = joinOrigins(origin, { dataset: 'ptbxl', subjects: '["ptbxl 7"]' });
  expect(findSeenPeople(joined, { ...tested, sameNames: true })).toMatchObject(ofOneTable);
});

test('weights that began from others have seen the people of both; where either does not say, it is not known', () => {
  const own = { dataset: 'eegmat', subjects: '["Subject00"]' };
  const earlier = { dataset: 'ptbxl+ludb', subjects: '["ludb 1","ptbxl 7"]' };
  const joined = joinOrigins(own, earlier);
  expect(joined).toEqual({
    dataset: 'eegmat+ptbxl+ludb',
    subjects: '["Subject00","ludb 1","ptbxl 7"]',
  });
  const seen = (origin: Origin, dataset: string, ...subject: string[]) =>
    findSeenPeople(origin, { dataset, subject });
  expect(seen(joined, 'ludb', 'ludb 1', 'ludb 2').seen).toEqual(['ludb 1']);
  expect(seen(joined, 'eegmat', 'Subject00', 'Subject01').seen).toEqual(['Subject00']);
  for (const silent of [{}, { dataset: 'ludb' }, { subjects: '["x"]' }])
    expect(seen(joinOrigins(own, silent), 'eegmat', 'Subject01').unknown).toEqual(['Subject01']);
});

test("a finished model's encoders: seen, not seen, not said, from scratch, a model of before", () => {
  const subject = ['10040', '99999'];
  const tested = { dataset: 'sample-ecg', subject };
  const ask = (encoders: unknown) => noteSeenByEncoders({ encoders: JSON.stringify(encoders) }, tested);
  const { dataset, subjects } = origins.get('ecg-12')!;
  expect(ask({ ecg: { dataset, subjects } })).toEqual([
    "The model's ecg encoder was pre-trained on unlabelled recordings of 1 of the 2 tested subjects (transductive).",
  ]);
  expect(ask({ eeg: { dataset: 'eegmat', subjects: '["Subject00"]' } })).toEqual([
    "The model's eeg encoder has seen unlabelled recordings of 1 people of eegmat, and none of the 2 tested subjects.",
  ]);
  expect(ask({ eeg: {} })).toEqual([
    "The model's eeg encoder does not say whom it has seen: tested subjects may be among them.",
  ]);
  expect(ask({})).toEqual([]);
  for (const encoders of ['junk', '[]', '{"ecg":1}', '{"ecg":{"dataset":1}}'])
    expect(noteSeenByEncoders({ encoders }, tested)).toEqual(noteSeenByEncoders({}, tested));
  expect(noteSeenByEncoders({}, tested)).toEqual([
    'The model does not say whom its encoders had seen before they were fine-tuned: tested subjects may be among them.',
  ]);
});

test('metadata of a foreign file that are no list of names say of nobody', () => {
  for (const subjects of ['junk', '{}', '[1]', '"p1"'])
    expect(
      findSeenPeople({ dataset: 'eegmat', subjects }, { dataset: 'eegmat', subject: ['Subject00'] }),
    ).toEqual({
      seen: [],
      unknown: ['Subject00'],
      namesakes: [],
      tested: ['Subject00'],
    });
});
