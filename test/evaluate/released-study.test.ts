/** A study that begins with released encoders: what the demo does, on few people and one layer. */
import { beforeAll, describe, expect, test } from 'vitest';
import { readEncodersFor } from '../../src/cli/model-source.ts';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { eegmat } from '../../src/datasets/eegmat.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { sampleDataFolder } from '../../src/datasets/sample-node.ts';
import { renderReport } from '../../src/evaluate/report.ts';
import { parseResult, type Result } from '../../src/evaluate/result.ts';
import { describeWeights, noteSeenSubjects } from '../../src/evaluate/starting-weights.ts';
import { parseStudyRecipe, runStudy } from '../../src/evaluate/study.ts';
import { releasedIndex } from '../../src/model/released-weights-node.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { createProgress } from '../../src/train/progress.ts';

const plain = {
  ...{ version: 1, task: 'study', name: 'small', protocol: { kind: 'published' }, seeds: [0] },
  encoders: { eeg: 'eeg-4', ecg: 'ecg-12' },
  finetune: {
    ...{ version: 1, task: 'finetune', head: { kind: 'linear' }, tune: 'frozen', learningRates: {} },
    encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } },
    optimization: { epochs: 2, batch: 16, minimumLearningRate: 1e-5 },
  },
};
const subjects = ['Subject00', 'Subject01', 'Subject28', 'Subject32', 'Subject33'];

describe('a study from released encoders', () => {
  let result: Result;
  beforeAll(async () => {
    const recipe = parseStudyRecipe(plain);
    const folder = await openFolder(sampleDataFolder('eegmat'));
    result = await runStudy({
      ...{ recipe, dataset: eegmat, target: 'task', pretraining: {}, versions: {} },
      backend: await createNodeBackend({ device: 'cpu', threads: 1 }),
      windows: await loadWindows(eegmat, folder, undefined, { target: 'task', subjects }),
      released: await readEncodersFor(recipe.finetune, recipe.encoders),
      progress: createProgress('none', process.stderr),
    });
  });

  test('names them with their sha256, and whom they have seen', () => {
    const again = parseResult(JSON.parse(JSON.stringify(result)));
    const index = releasedIndex();
    expect(again.weights).toMatchObject({
      eeg: { name: 'eeg-4', sha256: index.get('eeg-4')!.sha256, layers: 4, dataset: 'eegmat', people: 28 },
      ecg: { name: 'ecg-12', sha256: index.get('ecg-12')!.sha256, layers: 12, people: 2594 },
    });
    expect(again.notes).toEqual([
      'The eeg encoder begins as eeg-4, which has seen unlabelled recordings of 28 people of eegmat, and none of the 2 tested subjects.',
      'The ecg encoder begins as ecg-12, which has seen unlabelled recordings of 2594 people of ptbxl+ludb+cinc2021, and none of the 2 tested subjects.',
    ]);
    expect(again.curves.map(({ name }) => name)).toEqual([
      ...['fine-tune eeg-seed0', 'fine-tune ecg-seed0', 'fine-tune eeg+ecg-seed0'],
    ]);
  });

  test('the report has them too', () => {
    const page = renderReport(result);
    expect(page).toContain(releasedIndex().get('eeg-4')!.sha256);
    expect(page).toContain('2594 people of ptbxl+ludb+cinc2021');
  });
});

test('an encoder is pre-trained or released, not both, and only one that is fine-tuned', () => {
  const pretrain = {
    ...{ version: 1, task: 'pretrain', modality: 'ecg', encoder: { layers: 1 } },
    optimization: { epochs: 1, batch: 4, minimumLearningRate: 1e-5 },
  };
  expect(() => parseStudyRecipe({ ...plain, pretrain: { ecg: pretrain } })).toThrow(
    'study.encoders.ecg: ecg-12 is named, and the encoder is pre-trained too. Leave one out.',
  );
  const { ecg } = plain.finetune.encoders;
  expect(() => parseStudyRecipe({ ...plain, finetune: { ...plain.finetune, encoders: { ecg } } })).toThrow(
    'study.encoders.eeg: eeg-4 is named, and the encoder is not fine-tuned. Leave one out.',
  );
});

test('weights without metadata are named; it is not known whom they have seen', () => {
  const weights = { eeg: { name: 'x.pth', sha256: 'ab', layers: 12 } };
  expect(describeWeights(weights, { eeg: {} })).toEqual({
    weights: { eeg: { ...weights.eeg, dataset: null, people: null } },
  });
  expect(describeWeights({}, {})).toEqual({});
  const windows = { subject: ['Subject00'], trial: ['Subject00_1'] };
  const folds = [{ test: [0] }];
  expect(noteSeenSubjects({ dataset: 'eegmat', windows, folds }, { eeg: {} }, weights)).toEqual([
    'The eeg encoder begins as x.pth, which does not say whom it has seen: tested subjects may be among them.',
  ]);
});
