/**
 * Fine-tuning: labelled windows of one or both modalities, and pre-trained encoders or none → a model, chosen by its
 * score on the validation windows. Encoders are frozen (run once), partly or wholly tuned.
 */
import { DataError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { sha256 } from '../core/sha256.ts';
import { sizeOf } from '../core/tensor.ts';
import type { Targets } from '../datasets/targets.ts';
import { type ModelConfig, modalitiesOf, parseModelConfig } from '../model/config.ts';
import { type Lora, loraParameters, mergeLora } from '../model/lora.ts';
import { modelParameters, placeEncoders } from '../model/model.ts';
import type { TrainedModel } from '../model/model-file.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { initialParameters } from '../model/parameters.ts';
import { Predictor } from '../model/predict.ts';
import { hashTensors } from '../model/safetensors.ts';
import { countLayers } from '../model/weights.ts';
import { asReader, readSignals, type WindowIndex, type WindowReader } from '../patches/window-reader.ts';
import type { Modality, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { cutBatch } from './batch-parts.ts';
import { spreadRows } from './distributed.ts';
import { featureSource, type SampleSource, signalSource } from './finetune-source.ts';
import {
  applyScaling,
  computeFeatures,
  type FeatureCache,
  fitScaling,
  foldScaling,
  type Scaling,
} from './frozen-features.ts';
import { type Goal, goalOf } from './goal.ts';
import { type Curves, type TrainingOptions, type TrainingTask, train } from './loop.ts';
import type { FinetuneRecipe } from './recipe.ts';
import { type TrainedParameter, trainable } from './step-graphs.ts';
import { TrainingWindows } from './training-windows.ts';

export interface FinetuneOptions
  extends Pick<TrainingOptions, 'store' | 'log' | 'progress' | 'signal' | 'ranks'> {
  readonly backend: Backend;
  /** Labelled; in memory, or read from a store while training. */
  readonly windows: WindowSet | WindowReader;
  readonly recipe: FinetuneRecipe;
  /** Name of the data, for the provenance. */
  readonly dataset?: string;
  /** Indices of windows; the caller has made sure that they are disjoint in subjects. */
  readonly training: readonly number[];
  readonly validation: readonly number[];
  /** Windows to predict with the finished model; none by default. */
  readonly test?: readonly number[];
  /** Predict the test windows also without one of two modalities. */
  readonly testMissing?: boolean;
  /** What is learned where it is not the windows' own classes: several labels at once, or a number; NaN where unknown. */
  readonly targets?: Targets;
  /** Pre-trained encoders under official names; a modality without one starts from scratch. */
  readonly encoders?: { readonly [M in Modality]?: FloatTensors };
  /** What the files of these encoders say of whom they have seen, for the model's provenance. */
  readonly origins?: { readonly [M in Modality]?: Readonly<Record<string, string>> };
  /** Embeddings of frozen encoders, shared between calls. */
  readonly cache?: FeatureCache;
}

export interface FinetuneResult {
  readonly model: TrainedModel & { readonly tensors: FloatTensors };
  readonly curves: Curves;
  /** 1-based. */
  readonly bestEpoch: number;
  /** What the model says [W, K] of the validation and the test windows: probabilities, or the number. */
  readonly validationProbabilities: Float32Array;
  readonly testProbabilities: Float32Array;
  /**
   * With `testMissing`: of the test windows without this modality, replaced by its null where the model knows one, else by
   * zeros.
   */
  readonly missingProbabilities: { readonly [M in Modality]?: Float32Array };
  /** Values that learned. */
  readonly trainedValues: number;
}

/** Windows predicted at once. */
const predictBatch = 64;

/** Fine-tune a model. DataError for windows without labels, or of one kind only; errors of the loop. */
export async function finetune(options: FinetuneOptions): Promise<FinetuneResult> {
  const { backend, recipe, training, validation, test = [], encoders = {}, ranks } = options;
  const windows = asReader(options.windows);
  const goal = goalOf({ ...options, windows });
  const config = modelConfigOf(recipe, windows, goal);
  const random = Random.derive(recipe.seed, 'initial');
  const placed = placeEncoders(initialParameters(modelParameters(config), random), config, encoders);
  const lora = loraOf(recipe);
  const factors = lora ? loraParameters(config, lora) : [];
  const initial: FloatTensors = new Map([
    ...placed,
    ...initialParameters(factors, Random.derive(recipe.seed, 'lora')),
  ]);
  const specs = [
    ...assignGroups(config, recipe),
    ...factors.map(({ name, shape }) => ({ name, shape, group: 'backbone' })),
  ];

  const { seed, optimization } = recipe;
  const modalities = modalitiesOf(config);
  const samples = new TrainingWindows({
    ...{ windows, modalities, seed, ranks, batch: optimization.batch },
    indices: training,
  });
  let scaling: Scaling | undefined;
  let source: SampleSource;
  const sourceOptions = {
    backend,
    config,
    recipe,
    windows,
    training: samples,
    goal,
    specs,
    lora,
  };
  if (recipe.tune === 'frozen') {
    const features = await computeFeatures(
      backend,
      config,
      initial,
      windows,
      options.cache,
      undefined,
      ranks,
    );
    scaling = fitScaling(features, training, config);
    applyScaling(features, scaling);
    source = featureSource(sourceOptions, features);
  } else {
    source = signalSource(sourceOptions);
  }
  const part = cutBatch(optimization, { tokens: source.tokens }).windows;
  // Features are in memory, and shuffled as such.
  const isStreamed = recipe.tune !== 'frozen';
  const task: TrainingTask = {
    ...(isStreamed && samples.order),
    specs,
    initial,
    learningRates: recipe.learningRates,
    count: training.length,
    tokens: source.tokens,
    build: (_, size) => source.build(size),
    draw: (indices, draws) =>
      source.draw(
        indices.map((i) => training[i]!),
        draws,
      ),
    validate: async (parameters) =>
      goal.score(
        validation,
        await spreadRows(ranks, validation.length, part, ({ start, end }) =>
          source.probabilities(parameters, validation.slice(start, end)),
        ),
      ),
    score: goal.chosenBy,
  };
  const identity = {
    recipe: withoutNewDefaults(recipe),
    data: windows.hash,
    ...(options.targets && { targets: await hashText(JSON.stringify([...options.targets.values])) }),
    training: await hashText(JSON.stringify(training)),
    validation: await hashText(JSON.stringify(validation)),
    encoders: await hashEncoders(encoders),
    ...(isStreamed && samples.identity),
  };
  try {
    const result = await train(task, { ...options, seed, optimization, identity });
    const merged = lora ? mergeLora(result.parameters, config, lora) : result.parameters;
    const tensors = goal.finish(scaling ? foldScaling(merged, scaling, config) : merged, config);
    const trainedValues = trainable(specs).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const model = {
      config,
      recipe: windows.recipe,
      classes: goal.names,
      tensors,
      provenance: {
        recipe: JSON.stringify(recipe),
        ...(options.dataset === undefined ? {} : { dataset: options.dataset }),
        subjects: JSON.stringify(
          [...new Set([...training, ...validation].map((i) => windows.subject[i]!))].sort(),
        ),
        ...describeCut(config, encoders),
        encoders: describeOrigins(config, options),
        data: windows.hash,
        seed: String(seed),
        bestEpoch: String(result.bestEpoch),
        trainedValues: String(trainedValues),
        engine: backend.description,
      },
    };
    const predictor = new Predictor(backend, config, tensors);
    const predict = (indices: readonly number[], missing?: Modality) =>
      spreadRows(ranks, indices.length, predictBatch, async ({ start, end }) => {
        const { classes } = config.head;
        const probabilities = new Float32Array((end - start) * classes);
        for (let at = start; at < end; at += predictBatch) {
          const rows = indices.slice(at, Math.min(end, at + predictBatch));
          const whole = await readSignals(windows, rows, modalities);
          const signals = missing ? withoutModality(whole, missing, config) : whole;
          const batch = await predictor.probabilities(signals, { batch: predictBatch });
          probabilities.set(batch, (at - start) * classes);
        }
        return probabilities;
      });
    const validationProbabilities = await predict(validation);
    const testProbabilities = await predict(test);
    const missingProbabilities: { [M in Modality]?: Float32Array } = {};
    if (options.testMissing && modalities.length === 2)
      for (const modality of modalities) missingProbabilities[modality] = await predict(test, modality);
    await predictor.dispose();
    const { curves, bestEpoch } = result;
    return {
      ...{ model, curves, bestEpoch, validationProbabilities, testProbabilities },
      ...{ missingProbabilities, trainedValues },
    };
  } finally {
    await source.dispose();
  }
}

/** The model of a recipe for these windows, which learns their classes or another goal. */
export function modelConfigOf(
  recipe: FinetuneRecipe,
  windows: WindowIndex,
  { names, output }: Pick<Goal, 'names' | 'output'> = { names: windows.classes, output: undefined },
): ModelConfig {
  const signals = (['eeg', 'ecg'] as const).flatMap((modality) => {
    const encoder = recipe.encoders[modality];
    if (!encoder) return [];
    const found = windows.signals[modality];
    if (!found)
      throw new DataError(`finetune: the windows hold no ${modality}. Add it to the recipe of preparation.`);
    return [[modality, { encoder, channels: [...found.channels], patches: found.patches }]];
  });
  return parseModelConfig({
    signals: Object.fromEntries(signals),
    ...(signals.length === 2 && { fusion: recipe.fusion, nullEmbeddings: recipe.modalityDropout > 0 }),
    head: { ...recipe.head, classes: names.length, ...(output && { output }) },
  });
}

function loraOf({ tune }: FinetuneRecipe): Lora | undefined {
  return typeof tune === 'object' && 'lora' in tune ? tune.lora : undefined;
}

/** Keys that were not there once are left out where they change nothing: runs begun before them go on. */
function withoutNewDefaults({ fusion, modalityDropout, head, ...recipe }: FinetuneRecipe): object {
  const { pool, poolHeads, ...common } = head;
  return {
    ...recipe,
    head: { ...common, ...(pool !== 'mean' && { pool, poolHeads }) },
    ...(fusion !== 'concatenate' && { fusion }),
    ...(modalityDropout > 0 && { modalityDropout }),
  };
}

/** Windows without a modality: absent where the model knows its null, else zeros in its place. */
function withoutModality(
  signals: WindowSet['signals'],
  missing: Modality,
  { nullEmbeddings }: ModelConfig,
): WindowSet['signals'] {
  const { [missing]: silent, ...rest } = signals;
  if (nullEmbeddings) return rest;
  return { ...rest, [missing]: { ...silent!, data: new Float32Array(silent!.data.length) } };
}

/** What a fine-tuned model has besides its encoders. */
const isNew = (name: string): boolean => /^(head|fusion)\./.test(name);

/** Which parameters learn, and how fast: the head always, the backbone as the recipe says. */
function assignGroups(config: ModelConfig, { tune }: FinetuneRecipe): TrainedParameter[] {
  const depth = Object.fromEntries(
    modalitiesOf(config).map((modality) => [modality, config.signals[modality]!.encoder.layers]),
  );
  const learns = (name: string): boolean => {
    if (typeof tune === 'string') return tune === 'all';
    if ('lora' in tune) return false;
    const found = /^(eeg|ecg)\.encoder\.layers\.(\d+)\./.exec(name);
    return found !== null && Number(found[2]) >= depth[found[1]!]! - tune.lastLayers;
  };
  const specs = modelParameters(config).filter(({ name }) => tune !== 'frozen' || isNew(name));
  const frozen = modelParameters(config).filter(({ name }) => tune === 'frozen' && !isNew(name));
  return [
    ...frozen.map(({ name, shape }) => ({ name, shape })),
    ...specs.map(({ name, shape }) => {
      if (isNew(name)) return { name, shape, group: 'head' };
      return learns(name) ? { name, shape, group: 'backbone' } : { name, shape };
    }),
  ];
}

/** Which encoders were deeper than the recipe asks: their first layers are used. */
function describeCut(
  config: ModelConfig,
  encoders: NonNullable<FinetuneOptions['encoders']>,
): { encoderLayers?: string } {
  const cut = modalitiesOf(config).flatMap((modality) => {
    const { layers } = config.signals[modality]!.encoder;
    const depth = countLayers(encoders[modality]?.keys() ?? []);
    return depth > layers ? [`${modality}: the first ${layers} of ${depth}`] : [];
  });
  return cut.length > 0 ? { encoderLayers: cut.join('; ') } : {};
}

/** Whom the encoders had seen: `dataset` and `subjects` of each that was pre-trained, as far as its file said them. JSON. */
function describeOrigins(
  config: ModelConfig,
  { encoders = {}, origins = {} }: Pick<FinetuneOptions, 'encoders' | 'origins'>,
): string {
  const known = modalitiesOf(config)
    .filter((modality) => encoders[modality] !== undefined)
    .map((modality) => {
      const { dataset, subjects } = origins[modality] ?? {};
      return [modality, { dataset, subjects }] as const;
    });
  return JSON.stringify(Object.fromEntries(known));
}

async function hashEncoders(
  encoders: NonNullable<FinetuneOptions['encoders']>,
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const [modality, tensors] of Object.entries(encoders)) hashes[modality] = hashTensors(tensors);
  return hashes;
}

function hashText(text: string): Promise<string> {
  return sha256(new TextEncoder().encode(text));
}
