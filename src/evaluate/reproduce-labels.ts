/**
 * A benchmark of several labels at once as one table: a block for each choice of leads, rows for each model and share of
 * labels, every answer kept when done, so that a stopped run goes on; then differences between rows for new people and seeds.
 */
import { maxOf } from '../core/arrays.ts';
import { ConfigError, InterruptedError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { type DatasetSpec, loadWindows } from '../datasets/dataset.ts';
import type { Origin } from '../datasets/people.ts';
import { type Targets, targetsOf } from '../datasets/targets.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { hashTensors } from '../model/safetensors.ts';
import type { SignalWindows, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { Progress } from '../train/progress.ts';
import { checkDuplicates } from './duplicates.ts';
import { identityOf, type KeptFiles, loadUnit, saveUnit } from './kept-files.ts';
import { differenceOf } from './probe-comparison.ts';
import { takeChannels } from './probe-features.ts';
import { describeProtocol, planFolds, type WindowFold } from './protocol.ts';
import { figuresOf } from './published-figures.ts';
import { type LabelModel, labelModels } from './reproduce-labels-models.ts';
import { noteLeftOut, noteRecordings, noteSeen } from './reproduce-labels-notes.ts';
import type { LabelsRecipe } from './reproduce-labels-recipe.ts';
import { adjustBlocks, type LabelReproduction } from './reproduce-labels-result.ts';
import { type LabelUnit, readUnit, rowOf, unitOf, writeUnit } from './reproduce-labels-units.ts';
import type { KeptTrainings } from './reproduce-tuned.ts';

export interface ReproduceLabelsOptions {
  readonly backend: Backend;
  readonly spec: DatasetSpec;
  readonly folder: ByteFolder;
  readonly recipe: LabelsRecipe;
  readonly encoder: {
    readonly tensors: FloatTensors;
    /** Where it comes from. */
    readonly source: string;
    /** What its file says of whom it has seen without labels. */
    readonly origin: Origin;
  };
  /** Encoders learn too. */
  readonly tune?: boolean;
  /** Equal windows under several subjects are a note, not an error. */
  readonly allowDuplicates?: boolean | undefined;
  readonly kept?: KeptFiles | undefined;
  /** Checkpoints of trainings of `tune`. */
  readonly trainings?: KeptTrainings | undefined;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Of interest: does pre-training help a frozen encoder, does it beat what needs no encoder, does it help a tuned one. */
const pairs = [
  ['ecg', 'ecg-untrained'],
  ['ecg', 'classical'],
  ['ecg-tuned', 'ecg-scratch'],
] as const;

/** Run it, or go on with it. Errors of reading and training; InterruptedError where it was stopped. */
export async function reproduceLabels(options: ReproduceLabelsOptions): Promise<LabelReproduction> {
  const { spec, recipe, encoder, tune = false, backend } = options;
  const begun = performance.now();
  const { windows, targets, trials, folds } = await readData(options);
  const duplicates = checkDuplicates('reproduce', windows, spec, options.allowDuplicates);
  const read = performance.now();
  const blocks: { readonly channels: readonly string[]; readonly units: readonly LabelUnit[] }[] = [];
  for (const leads of recipe.leads) {
    const ecg = windows.signals.ecg!;
    const taken = leads === 'all' ? ecg : takeChannels(ecg, leads);
    blocks.push({ channels: taken.channels, units: await runBlock(options, windows, taken, targets, folds) });
  }
  const tested = folds.flatMap(({ test }) => test);
  const testedPeople = new Set(tested.map((i) => windows.subject[i]!));
  return {
    ...{ version: 1, benchmark: recipe.benchmark, created: new Date().toISOString() },
    command: options.command,
    versions: { ...options.versions, engine: backend.description },
    dataset: {
      ...{ name: spec.name, title: spec.title, licence: spec.licence, citation: spec.citation },
      hash: windows.hash,
    },
    encoders: {
      ecg: {
        source: encoder.source,
        layers: maxOf(recipe.probe.layers),
        sha256: hashTensors(encoder.tensors),
      },
    },
    tuned: tune,
    target: recipe.target,
    protocol: describeProtocol({ kind: 'published', split: recipe.split }, spec),
    tested: {
      windows: tested.length,
      subjects: testedPeople.size,
      labels: Object.fromEntries(
        targets.names.map((name, k) => [
          name,
          tested.filter((i) => targets.values[i * targets.names.length + k] === 1).length,
        ]),
      ),
    },
    blocks: adjustBlocks(
      blocks.map(({ channels, units }) => ({
        ...{ channels: [...channels], rows: rowsOf(units), comparisons: compareUnits(units) },
      })),
    ),
    published: figuresOf(recipe.benchmark, recipe.target).map((figure) => ({
      ...figure,
      scores: { ...figure.scores },
    })),
    data: {
      ...{ windows: windows.count, subjects: new Set(windows.subject).size },
      dropped: [...windows.dropped],
    },
    notes: [
      ...duplicates,
      ...noteRecordings(spec, trials.length),
      ...noteSeen(options, folds, windows),
      ...noteLeftOut(blocks.flatMap(({ units }) => units)),
    ],
    recipe,
    seconds: { read: (read - begun) / 1000, evaluate: (performance.now() - read) / 1000 },
  };
}

async function readData({ spec, folder, recipe, progress, signal }: ReproduceLabelsOptions) {
  const trials = await spec.trials(folder);
  const stage = progress.stage(`read ${spec.name}`, trials.length, 'recordings');
  const windows = await loadWindows(spec, folder, recipe.prepare ?? spec.recipe, {
    ...(signal && { signal }),
    onProgress: (done) => stage.update(done),
  });
  stage.end();
  const targets = targetsOf(spec, trials, windows, recipe.target);
  if (targets.kind !== 'multilabel')
    throw new ConfigError(
      `reproduce.target: ${spec.name}'s ${recipe.target} is of kind ${targets.kind}. Name one of several labels.`,
      'reproduce.target',
    );
  const folds = planFolds({ kind: 'published', split: recipe.split }, windows, spec, recipe.seeds[0]!);
  return { windows, targets, trials, folds };
}

/** Every model's answers on some channels. */
async function runBlock(
  options: ReproduceLabelsOptions,
  windows: WindowSet,
  taken: SignalWindows,
  targets: Targets,
  folds: readonly WindowFold[],
): Promise<LabelUnit[]> {
  const { recipe, encoder, tune = false, kept, trainings, progress, signal } = options;
  const models = await labelModels({ ...options, windows, taken, tensors: encoder.tensors, tune });
  const values = [...targets.values].map((value) => (Number.isNaN(value) ? null : value));
  const data = await identityOf([windows.hash, taken.channels, targets.names, values, folds, recipe.samples]);
  const units: LabelUnit[] = [];
  const total = models.reduce((sum, model) => sum + questionsOf(model).length, 0);
  const stage = progress.stage(`${recipe.benchmark} on ${nameOf(taken.channels)}`, total, 'answers');
  for (const model of models)
    for (const { seed, labelShare } of questionsOf(model)) {
      const path = `scores/${taken.channels.join('_')}-${model.name}-${labelShare}-${seed}.json`;
      const identity = await identityOf([data, model.name, model.identity, labelShare, seed]);
      let unit = await loadUnit(kept, path, identity, readUnit);
      if (!unit) {
        if (signal?.aborted)
          throw new InterruptedError(
            `reproduce: stopped before ${model.name} on ${nameOf(taken.channels)}. What is done is kept; run again to go on.`,
          );
        const asked = { targets, folds, labelShare, seed };
        const answer = await model.ask(seed);
        unit = unitOf(model, asked, await answer(asked));
        await saveUnit(kept, path, identity, writeUnit(unit));
        if (model.training) await trainings?.forget(model.training(asked));
      }
      units.push(unit);
      stage.update(units.length);
    }
  stage.end();
  return units;
}

/** Seed by seed. All labels are the same under every seed: one is enough, unless seeds differ in more. */
function questionsOf({ seeds, shares, seeded }: LabelModel) {
  return seeds.flatMap((seed) =>
    shares
      .filter((share) => seeded || share < 1 || seed === seeds[0])
      .map((labelShare) => ({ seed, labelShare })),
  );
}

function rowsOf(units: readonly LabelUnit[]) {
  const models = [...new Set(units.map(({ model }) => model))];
  return models.flatMap((model) => {
    const own = units.filter((unit) => unit.model === model);
    const shares = [...new Set(own.map(({ labelShare }) => labelShare))].sort((a, b) => a - b);
    return shares.map((share) => rowOf(own.filter(({ labelShare }) => labelShare === share)));
  });
}

/** Differences at each share of labels, not adjusted yet. */
function compareUnits(units: readonly LabelUnit[]): LabelReproduction['blocks'][number]['comparisons'] {
  const shares = [...new Set(units.map(({ labelShare }) => labelShare))].sort((a, b) => a - b);
  return shares.flatMap((labelShare) => {
    const probes = units
      .filter((unit) => unit.labelShare === labelShare)
      .map(({ model, auroc, draws }) => ({ name: model, score: auroc, draws }));
    const has = (model: string) => probes.some(({ name }) => name === model);
    return pairs
      .filter((pair) => pair.every(has))
      .map(([model, against]) => {
        const { difference, low, high, p } = differenceOf(probes, model, against);
        return { model, against, labelShare, difference, low, high, p, pHolm: null };
      });
  });
}

/** `I, II`, `12 leads`. */
export function nameOf(channels: readonly string[]): string {
  return channels.length > 3 ? `${channels.length} leads` : channels.join(', ');
}
