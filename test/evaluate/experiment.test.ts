import { beforeAll, describe, expect, test } from 'vitest';
import { DataError, InterruptedError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import type { DatasetSpec } from '../../src/datasets/dataset.ts';
import { evaluateModel } from '../../src/evaluate/finished-model.ts';
import { parseResult, type Result } from '../../src/evaluate/result.ts';
import { parseStudyRecipe, runEvaluation, runStudy } from '../../src/evaluate/study.ts';
import type { TrainedModel } from '../../src/model/model-file.ts';
import type { FloatTensors } from '../../src/model/parameters.ts';
import { prepareRecording } from '../../src/patches/prepare.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { WindowSetBuilder } from '../../src/patches/window-set.ts';
import type { WindowSet } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import type { CheckpointStore } from '../../src/train/checkpoint.ts';
import type { PretrainResult } from '../../src/train/pretrain.ts';
import { createProgress } from '../../src/train/progress.ts';
import { parseFinetuneRecipe } from '../../src/train/recipe.ts';
import { memoryRecording } from '../patches/memory-recording.ts';

const people = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'];
const split = { name: 'published', train: ['p0', 'p1', 'p2'], validation: ['p3'], test: ['p4', 'p5'] };
const classical = ['classical-eeg', 'classical-ecg', 'classical-eeg+ecg'];
const allModels = [
  ...['eeg', 'ecg', 'eeg+ecg', 'majority', 'prior'],
  ...classical,
  ...classical.map((name) => `${name}-standardised`),
];

const prepare = parseRecipe({
  version: 1,
  signals: {
    eeg: { channels: ['Fz', 'Cz'], scaleMicrovolts: 100 },
    ecg: { channels: ['ECG'], scaleMicrovolts: 1000 },
  },
  window: { lengthSeconds: 1, stepSeconds: 1 },
});
const dataset: DatasetSpec = {
  ...{ name: 'tiny', title: 'Tiny', licence: 'none', url: '', citation: '' },
  modalities: ['eeg', 'ecg'],
  targets: { state: ['calm', 'stress'] },
  splits: { published: split },
  recipe: prepare,
  trials: async () => [],
};
const optimization = { epochs: 2, batch: 4, minimumLearningRate: 1e-5 };
const layers = { layers: 1 };
const finetune = parseFinetuneRecipe({
  ...{ version: 1, task: 'finetune', encoders: { eeg: layers, ecg: layers }, optimization },
  ...{ head: { kind: 'linear' }, tune: 'frozen', learningRates: {} },
});
const studyOf = (seeds: readonly number[] = [0]) =>
  parseStudyRecipe({
    ...{ version: 1, task: 'study', name: 'tiny', protocol: { kind: 'published' }, seeds, finetune },
    pretrain: {
      ecg: { version: 1, task: 'pretrain', modality: 'ecg', encoder: layers, optimization },
    },
  });

let backend: Backend;
let windows: WindowSet;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
  const builder = new WindowSetBuilder(prepare, ['calm', 'stress']);
  const [rateHz, seconds] = [200, 3];
  for (const [p, subject] of people.entries()) {
    for (const label of [0, 1]) {
      const random = Random.derive(10 * p + label, 'experiment');
      const samples = (hertz: number) =>
        Float64Array.from(
          { length: rateHz * seconds },
          (_, i) => 50 * Math.sin((2 * Math.PI * hertz * i) / rateHz) + 5 * random.normal(),
        );
      const channels = ['Fz', 'Cz', 'ECG'].map((name) => ({
        ...{ name, unit: 'uV', rateHz, samples: samples(label === 1 ? 20 : 8) },
      }));
      const trial = `${subject} ${label}`;
      const prepared = await prepareRecording(memoryRecording(channels), prepare, { name: trial });
      builder.add(prepared, { subject, trial, label });
    }
  }
  windows = await builder.finish();
});

class MemoryStore implements CheckpointStore {
  bytes: Uint8Array | undefined;
  async load() {
    return this.bytes;
  }
  async save(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  async saveBeside(name: string) {
    return name;
  }
}

const common = () => ({
  backend,
  dataset,
  target: 'state',
  windows,
  progress: createProgress('none', { write: () => undefined }),
  versions: { heartmind: 'test' },
});
const published = { kind: 'published', split: 'published' } as const;
const evaluate = (over: Partial<Parameters<typeof runEvaluation>[0]> = {}) =>
  runEvaluation({
    ...{ ...common(), name: 'tiny', finetune, protocol: published, seeds: [0], encoders: {} },
    ...over,
  });

/** What must be the same when the work is done again. */
const lasting = ({ created: _created, seconds: _seconds, ...result }: Result) => result;

describe('runEvaluation', () => {
  test('has exactly the deep models and the baselines, deep ones first', async () => {
    const result = await evaluate({ seeds: [0, 1] });
    for (const part of [result.models, result.trials, result.details])
      expect(Object.keys(part)).toEqual(allModels);
    expect(result.details.eeg!.perSeed).toHaveLength(2);
    expect(result.details.majority!.perSeed).toHaveLength(1);
    expect(result.models.prior!.auroc!.mean).toBe(0.5);
    // 8 against 20 Hz is what band power tells apart.
    expect(result.models['classical-eeg']!.accuracy!.mean).toBe(1);
    expect(result.curves.map(({ name }) => name)).toEqual(
      ['eeg', 'ecg', 'eeg+ecg'].flatMap((name) => [0, 1].map((seed) => `fine-tune ${name}-seed${seed}`)),
    );
    expect(result.seeds).toEqual([0, 1]);
    expect(parseResult(JSON.parse(JSON.stringify(result)))).toEqual(result);
  });

  test('tests the people of the split, and trains on nobody else than it says', async () => {
    const models = new Map<string, TrainedModel>();
    const result = await evaluate({
      onModel: async (name, model) => {
        models.set(name, model);
      },
    });
    expect(result.folds).toEqual([{ ...split, windows: { train: 18, validation: 6, test: 12 } }]);
    expect([...models.keys()]).toEqual(['eeg', 'ecg', 'eeg+ecg']);
    for (const { provenance } of models.values())
      expect(JSON.parse(provenance!.subjects!)).toEqual([...split.train, ...split.validation]);
    for (const { perSubject } of Object.values(result.details))
      expect(perSubject.map(({ subject, windows: count }) => [subject, count])).toEqual([
        ['p4', 6],
        ['p5', 6],
      ]);
  });

  test('tunes everything under k-fold, every window tested once', async () => {
    const result = await evaluate({
      finetune: { ...finetune, tune: 'all', optimization: { ...finetune.optimization, epochs: 1 } },
      protocol: { kind: 'k-fold', k: 2, validationSubjects: 1 },
    });
    expect(Object.keys(result.models)).toEqual(allModels);
    for (const fold of result.folds) {
      const everybody = [...fold.train, ...fold.validation, ...fold.test];
      expect(everybody.sort()).toEqual(people);
    }
    expect(result.folds.flatMap(({ test: tested }) => tested).sort()).toEqual(people);
    for (const { confusion } of Object.values(result.details))
      expect(confusion.flat().reduce((a, b) => a + b)).toBe(windows.count);
  });

  test('has one modality alone where the recipe has one', async () => {
    const result = await evaluate({ finetune: { ...finetune, encoders: { ecg: finetune.encoders.ecg! } } });
    expect(Object.keys(result.models).filter((name) => /^(eeg|ecg)/.test(name))).toEqual(['ecg']);
  });

  test('needs labels', async () => {
    const { label: _label, ...unlabelled } = windows;
    await expect(evaluate({ windows: unlabelled })).rejects.toThrow(DataError);
  });
});

describe('runStudy', () => {
  test("pre-trains on the training subjects alone where the data are the evaluated dataset's own", async () => {
    const seen: PretrainResult[] = [];
    const result = await runStudy({
      ...common(),
      recipe: studyOf(),
      pretraining: { ecg: { dataset: 'tiny' } },
      onEncoder: async (_modality, encoder) => {
        seen.push(encoder);
      },
    });
    expect(seen.map(({ provenance }) => JSON.parse(provenance.subjects!))).toEqual([split.train]);
    expect(result.notes).toEqual([]);
    expect(Object.keys(result.models)).toEqual(allModels);
    expect(result.curves[0]!.name).toBe('pre-train ecg');
    expect(result.reconstructions.length).toBeGreaterThan(0);
    expect(Object.keys(result.seconds)).toEqual(['pre-train ecg', 'evaluate']);
    expect(result.recipes.study).toEqual(studyOf());
  });

  test('uses the encoder that it has pre-trained', async () => {
    let encoder: FloatTensors | undefined;
    const models = new Map<string, TrainedModel>();
    await runStudy({
      ...common(),
      recipe: studyOf(),
      pretraining: { ecg: { dataset: 'tiny' } },
      onEncoder: async (_modality, { tensors }) => {
        encoder = tensors;
      },
      onModel: async (name, model) => {
        models.set(name, model);
      },
    });
    for (const name of ['ecg', 'eeg+ecg']) {
      const { tensors } = models.get(name)!;
      const own = [...tensors.keys()].filter((key) => key.startsWith('ecg.'));
      expect(own.length).toBeGreaterThan(10);
      for (const key of own)
        expect([key, tensors.get(key)!.data]).toEqual([key, encoder!.get(key.slice('ecg.'.length))!.data]);
    }
  });

  test('notes an encoder that has seen people who are tested', async () => {
    const pretraining = (name: string) => ({ ecg: { dataset: name, windows } });
    const study = (name: string) =>
      runStudy({ ...common(), recipe: studyOf(), pretraining: pretraining(name) });
    expect((await study('tiny')).notes).toEqual([
      'The ecg encoder was pre-trained on unlabelled recordings of 2 of the 2 tested subjects (transductive).',
    ]);
    // Neither name is one of a published dataset: the same people may go by other names.
    const unknown =
      'has seen unlabelled recordings of 6 people of elsewhere. Whether they are 2 of the 2 tested subjects is not known: names there and here cannot be compared.';
    expect((await study('elsewhere')).notes).toEqual([`The ecg encoder ${unknown}`]);
  });

  test('stopped at any update and gone on, it ends in the identical result', async () => {
    const recipe = studyOf();
    const options = { ...common(), recipe, pretraining: { ecg: { dataset: 'tiny' } } };
    const whole = await runStudy(options);
    const stores = new Map<string, MemoryStore>();
    let stops = 0;
    for (;;) {
      const controller = new AbortController();
      let updates = 0;
      const result = await runStudy({
        ...options,
        signal: controller.signal,
        keep: (training) => {
          const store = stores.get(training) ?? new MemoryStore();
          stores.set(training, store);
          const record = () => {
            if (++updates === 7) controller.abort();
          };
          return { store, log: { record, flush() {} } };
        },
      }).catch((error) => {
        expect(error).toBeInstanceOf(InterruptedError);
        stops++;
      });
      if (!result) continue;
      expect(lasting(result)).toEqual(lasting(whole));
      break;
    }
    expect(stops).toBeGreaterThan(3);
    expect([...stores.keys()]).toEqual(['pretrain-ecg', 'eeg-seed0', 'ecg-seed0', 'eeg+ecg-seed0']);
  });
});

describe('evaluateModel', () => {
  let model: TrainedModel & { readonly tensors: FloatTensors };
  beforeAll(async () => {
    await evaluate({
      onModel: async (name, trained) => {
        if (name === 'eeg+ecg') model = trained as typeof model;
      },
    });
  });
  const finished = (over: Partial<Parameters<typeof evaluateModel>[0]> = {}) =>
    evaluateModel({ ...common(), name: 'again', model, ...over });

  test('leaves out the people of its training, and scores the others as the evaluation did', async () => {
    const result = await finished();
    expect(result.details['eeg+ecg']!.perSubject.map(({ subject }) => subject)).toEqual(split.test);
    expect(result.notes).toEqual([
      '4 subjects were left out: the model was trained on people of the same names, who may be they.',
      'Whether the model was trained on 2 of the 2 tested subjects is not known: names in its training data and here cannot be compared.',
    ]);
    expect(result.windows).toBe(12);
    const { models, details } = await evaluate();
    expect(result.models['eeg+ecg']).toEqual(models['eeg+ecg']);
    expect(result.details['eeg+ecg']).toEqual(details['eeg+ecg']);
  });

  test('matches classes by name, in whatever order the labels have them', async () => {
    const classes = windows.classes.toReversed();
    const swapped = { ...windows, classes, label: windows.label!.map((label) => 1 - label) };
    const [asked, usual] = [await finished({ windows: swapped }), await finished()];
    expect(asked.models).toEqual(usual.models);
    expect(asked.dataset.classes).toEqual(windows.classes);
  });

  test('tests everybody of another dataset', async () => {
    const result = await finished({ dataset: { ...dataset, name: 'eegmat' } });
    // A model of data of no published name may have seen anyone.
    expect(result.notes).toHaveLength(1);
    expect(result.details['eeg+ecg']!.perSubject.map(({ subject }) => subject)).toEqual(people);
  });

  test('is a DataError where nobody is left, or where the classes are others', async () => {
    const everybody = { ...model, provenance: { ...model.provenance, subjects: JSON.stringify(people) } };
    await expect(finished({ model: everybody })).rejects.toThrow(
      'evaluate: the model was trained on people with the names of all 6 subjects of tiny. Test it on other people; where these are others, give them other names.',
    );
    await expect(finished({ model: everybody })).rejects.toThrow(DataError);
    const one = { ...windows, label: windows.label!.map(() => 1) };
    await expect(finished({ windows: one })).rejects.toThrow(
      `evaluate: all 12 windows are of class ${windows.classes[1]} (classes of the target: ${windows.classes.join(', ')}). Two classes are needed`,
    );
    await expect(evaluate({ windows: one })).rejects.toThrow(DataError);
    const others = { ...windows, classes: ['calm', 'angry'] };
    await expect(finished({ windows: others })).rejects.toThrow(
      'evaluate: the model tells calm, stress apart, the data has calm, angry.',
    );
  });
});
