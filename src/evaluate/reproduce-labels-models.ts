/** The rows of a benchmark of several labels, on the channels of one block: trivial, classical, frozen, tuned. */
import { maxOf } from '../core/arrays.ts';
import { InterruptedError } from '../core/errors.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { hashTensors } from '../model/safetensors.ts';
import { modelRateHz } from '../patches/recipe.ts';
import type { SignalWindows, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { Progress } from '../train/progress.ts';
import type { FinetuneScore } from './finetune-score.ts';
import { type FoldScore, FoldScores } from './fold-scores.ts';
import type { KeptFiles } from './kept-files.ts';
import { fillMissing, leadFeatures } from './lead-features.ts';
import { type ProbeResult, runProbe } from './probe.ts';
import { type ProbedEncoder, untrainedEncoder } from './probe-features.ts';
import { type Asked, prober, trainingName, tuner } from './probe-ways.ts';
import { type LabelsRecipe, parseTunedRecipe } from './reproduce-labels-recipe.ts';
import type { LabelRow } from './reproduce-labels-result.ts';
import type { KeptTrainings } from './reproduce-tuned.ts';

/** Answers questions of one seed. */
export type Answer = (asked: Asked) => FoldScore | ProbeResult | FinetuneScore | Promise<FinetuneScore>;

export interface LabelModel {
  readonly name: string;
  readonly kind: LabelRow['kind'];
  readonly shares: readonly number[];
  /** With all labels too, seeds differ in more than who is labelled. */
  readonly seeds: readonly number[];
  readonly seeded: boolean;
  /** Everything besides data and question that its answers follow from, as plain data. */
  readonly identity: unknown;
  /** Made when the first answer is wanted. */
  ask(seed: number): Promise<Answer>;
  /** Where its trainings for a question are kept: the beginning of their names. */
  training?(asked: Asked): string;
}

export interface LabelModelOptions {
  readonly backend: Backend;
  readonly recipe: LabelsRecipe;
  readonly windows: WindowSet;
  /** The channels of the block. */
  readonly taken: SignalWindows;
  readonly tensors: FloatTensors;
  readonly tune: boolean;
  readonly kept?: KeptFiles | undefined;
  readonly trainings?: KeptTrainings | undefined;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** In the order of the table. */
export async function labelModels(options: LabelModelOptions): Promise<LabelModel[]> {
  const { recipe, tensors, tune } = options;
  const { shares, seeds, probe } = recipe;
  const own = hashTensors(tensors);
  const untrained = (seed: number) => untrainedEncoder(`untrained-${seed}`, maxOf(probe.layers), seed);
  return [
    {
      ...{ name: 'prior', kind: 'trivial', shares: [1], seeds: seeds.slice(0, 1), seeded: false },
      identity: 'prior',
      ask: async () => (asked) => tellPrior(options, asked),
    },
    {
      ...{ name: 'classical', kind: 'classical', shares, seeds, seeded: false },
      identity: recipe.classical,
      ask: once(() => askClassical(options)),
    },
    {
      ...{ name: 'ecg', kind: 'deep', shares, seeds, seeded: false },
      identity: [probe, own],
      ask: once(() => askFrozen(options, { name: 'ecg', tensors })),
    },
    {
      ...{ name: 'ecg-untrained', kind: 'deep', shares, seeds, seeded: true },
      identity: [probe, 'initial'],
      ask: latest((seed) => askFrozen(options, untrained(seed))),
    },
    ...(tune ? [tunedModel(options, 'ecg-tuned', tensors, own), tunedModel(options, 'ecg-scratch')] : []),
  ];
}

/** Whatever the seed: made once. */
function once(make: () => Promise<Answer>): LabelModel['ask'] {
  let made: Promise<Answer> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The one of the last seed is remembered: questions come seed by seed. */
function latest(make: (seed: number) => Promise<Answer>): LabelModel['ask'] {
  let last: { readonly seed: number; readonly answer: Promise<Answer> } | undefined;
  return (seed) => {
    if (last?.seed !== seed) last = { seed, answer: make(seed) };
    return last.answer;
  };
}

/** The share of each label among the training windows. */
function tellPrior({ windows, recipe }: LabelModelOptions, asked: Asked): FoldScore {
  const scores = new FoldScores({ ...asked, subject: windows.subject, samples: recipe.samples });
  const { names, values } = scores.targets;
  for (const fold of scores.folds) {
    const shares = names.map((_, k) => {
      const known = fold.train
        .map((i) => values[i * names.length + k]!)
        .filter((value) => !Number.isNaN(value));
      return known.reduce((sum, value) => sum + value, 0) / known.length;
    });
    scores.put(
      fold,
      fold.test.flatMap(() => shares),
    );
  }
  return scores.score();
}

async function askClassical({
  windows,
  taken,
  recipe,
  progress,
  signal,
}: LabelModelOptions): Promise<Answer> {
  const stage = progress.stage('measure beats', windows.count, 'windows');
  const measured = leadFeatures(taken, modelRateHz, (done) => {
    if (signal?.aborted)
      throw new InterruptedError(`reproduce: stopped after beats of ${done} of ${windows.count} windows.`);
    stage.update(done);
  });
  stage.end();
  return (asked) => {
    const training = asked.folds.flatMap(({ train }) => train);
    const features = fillMissing(measured, training);
    const { strengths } = recipe.classical;
    return runProbe({ ...asked, features, strengths, subject: windows.subject, samples: recipe.samples });
  };
}

function askFrozen(options: LabelModelOptions, encoder: ProbedEncoder): Promise<Answer> {
  const { layers, pool, crops, strengths } = options.recipe.probe;
  const { samples } = options.recipe;
  return prober(encoder, { ...options, modality: 'ecg', layers, pool, crops, strengths, samples });
}

function tunedModel(
  options: LabelModelOptions,
  name: string,
  tensors?: FloatTensors,
  weights: string | null = null,
): LabelModel {
  const { recipe, taken, trainings } = options;
  const tuned = parseTunedRecipe(recipe);
  const place = taken.channels.join('_');
  const asks = tuner(
    { name, tensors },
    {
      ...{ ...options, modality: 'ecg', recipe: tuned, samples: recipe.samples },
      keep: trainings && ((training) => trainings.keep(`${place}-${training}`)),
    },
  );
  return {
    ...{ name, kind: 'deep', shares: recipe.tuned.shares, seeds: recipe.tuned.seeds, seeded: true },
    identity: [tuned, weights],
    ask: async () => asks,
    training: ({ targets, labelShare, seed }) =>
      `${place}-${trainingName(name, targets.name, taken, labelShare, seed)}`,
  };
}
