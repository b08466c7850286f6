/**
 * What fine-tuning teaches: one class of several, several labels at once, or a number. Each has its loss, what a batch
 * feeds to it, and the scores of the validation windows.
 */
import { ConfigError, DataError } from '../core/errors.ts';
import { float32, type Tensor, tensor } from '../core/tensor.ts';
import type { Targets } from '../datasets/targets.ts';
import type { Graph, Value } from '../graph/ir.ts';
import { crossEntropy, knownBinaryCrossEntropy, knownMse, type Mean } from '../graph/losses.ts';
import type { HeadConfig, ModelConfig } from '../model/config.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { WindowIndex } from '../patches/window-reader.ts';
import type { FinetuneRecipe } from './recipe.ts';
import { scoreLabels, scoreNumbers, scoreValidation } from './validation-score.ts';

export interface Goal {
  readonly output: HeadConfig['output'];
  /** Of the model's K outputs. */
  readonly names: readonly string[];
  /** Of the logits [B, K] of so many windows; adds its inputs to the graph. */
  loss(graph: Graph, logits: Value, windows: number): Mean;
  /** Those inputs for these windows. */
  feeds(indices: readonly number[]): Record<string, Tensor>;
  /** What the model says [W, K] of these windows → scores. */
  score(indices: readonly number[], outputs: Float32Array): Record<string, number>;
  readonly chosenBy: { readonly name: string; readonly mode: 'min' | 'max' };
  /** The finished model's tensors, in the unit of what is told. */
  finish(tensors: FloatTensors, config: ModelConfig): FloatTensors;
}

export interface GoalOptions {
  readonly windows: WindowIndex;
  readonly targets?: Targets | undefined;
  readonly recipe: FinetuneRecipe;
  readonly training: readonly number[];
  readonly validation: readonly number[];
}

/** The windows' own classes, or `targets`. DataError where there is nothing to tell apart, or nobody trains or validates. */
export function goalOf(options: GoalOptions): Goal {
  const { training, validation, targets } = options;
  if (training.length === 0 || validation.length === 0)
    throw new DataError(
      `finetune: ${training.length} windows train and ${validation.length} validate; both need some.`,
    );
  if (!targets || targets.kind === 'class') return classGoal(options);
  if (options.recipe.labelSmoothing > 0)
    throw new ConfigError(
      `finetune.labelSmoothing: ${targets.name} is no choice of one class. Set 0.`,
      'finetune.labelSmoothing',
      '0',
    );
  return targets.kind === 'number' ? numberGoal(targets, options) : labelsGoal(targets, options);
}

function classGoal({ windows, recipe, training }: GoalOptions): Goal {
  const { label: labels, classes } = windows;
  if (!labels) throw new DataError('finetune: the windows have no labels. Choose a dataset with a target.');
  if (new Set(training.map((i) => labels[i]!)).size < 2)
    throw new DataError('finetune: the training windows are of one class. Choose other subjects.');
  const { labelSmoothing, score, classWeights: weighing } = recipe;
  const counts = classes.map((_, k) => training.filter((i) => labels[i] === k).length);
  // W / (K · W_k), scikit-learn's `balanced`; 0 for a class without training windows.
  const classWeights = counts.map((count) => (count === 0 ? 0 : training.length / (classes.length * count)));
  return {
    output: undefined,
    names: classes,
    loss: (graph, logits, count) =>
      crossEntropy(logits, graph.input('labels', 'int64', [count]), {
        labelSmoothing,
        ...(weighing === 'balanced' && { classWeights }),
      }),
    feeds: (indices) => ({
      labels: tensor(
        'int64',
        [indices.length],
        BigInt64Array.from(indices, (i) => BigInt(labels[i]!)),
      ),
    }),
    score: (indices, outputs) => ({
      ...scoreValidation(
        Int32Array.from(indices, (i) => labels[i]!),
        outputs,
        classes.length,
      ),
    }),
    chosenBy: { name: score, mode: score === 'loss' ? 'min' : 'max' },
    finish: (tensors) => tensors,
  };
}

function labelsGoal(targets: Targets, { recipe, training }: GoalOptions): Goal {
  const { names } = targets;
  const width = names.length;
  const counts = names.map((name, k) => {
    const known = training.map((i) => targets.values[i * width + k]!).filter((value) => !Number.isNaN(value));
    const positive = known.filter((value) => value > 0).length;
    if (positive > 0 && positive < known.length) return { positive, negative: known.length - positive };
    throw new DataError(
      `finetune: '${name}' is true of ${positive} of ${known.length} training windows; some must be and some not. Choose another target.`,
    );
  });
  const weights = counts.map(({ positive, negative }) => negative / positive);
  if (recipe.score === 'balancedAccuracy')
    throw new ConfigError(
      `finetune.score: balancedAccuracy is of one class; ${targets.name} has ${width} labels. Choose auroc or loss.`,
      'finetune.score',
      'auroc, loss',
    );
  return {
    output: 'labels',
    names,
    loss: (graph, logits, count) => {
      const { truth, known } = declare(graph, count, width);
      return knownBinaryCrossEntropy(
        logits,
        truth,
        known,
        recipe.classWeights === 'balanced' ? weights : undefined,
      );
    },
    feeds: (indices) => feed(targets.values, width, indices),
    score: (indices, outputs) => scoreLabels(rows(targets.values, width, indices), outputs, width),
    chosenBy: { name: recipe.score, mode: recipe.score === 'loss' ? 'min' : 'max' },
    finish: (tensors) => tensors,
  };
}

/** Learned in standard deviations of the training windows; the finished model says the number itself. */
function numberGoal(targets: Targets, { training }: GoalOptions): Goal {
  const known = training.map((i) => targets.values[i]!).filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length);
  if (!(deviation > 0))
    throw new DataError(
      `finetune: ${targets.name} has ${known.length === 0 ? 'no value' : `only the value ${mean}`} among ${training.length} training windows. Choose another target.`,
    );
  const standardised = targets.values.map((value) => (value - mean) / deviation);
  return {
    output: 'number',
    names: targets.names,
    loss: (graph, logits, count) => {
      const { truth, known: there } = declare(graph, count, 1);
      return knownMse(logits, truth, there);
    },
    feeds: (indices) => feed(standardised, 1, indices),
    score: (indices, outputs) => {
      const told = outputs.map((value) => mean + deviation * value);
      const scores = scoreNumbers(rows(targets.values, 1, indices), told);
      return { loss: scores.loss / deviation ** 2, r2: scores.r2, mae: scores.mae };
    },
    chosenBy: { name: 'loss', mode: 'min' },
    finish: (tensors) => foldUnit(tensors, mean, deviation),
  };
}

function declare(graph: Graph, count: number, width: number): { truth: Value; known: Value } {
  return {
    truth: graph.input('targets', 'float32', [count, width]),
    known: graph.input('known', 'bool', [count, width]),
  };
}

function feed(values: Float64Array, width: number, indices: readonly number[]): Record<string, Tensor> {
  const own = rows(values, width, indices);
  const shape = [indices.length, width];
  return {
    targets: float32(
      shape,
      Float32Array.from(own, (value) => (Number.isNaN(value) ? 0 : value)),
    ),
    known: tensor(
      'bool',
      shape,
      Uint8Array.from(own, (value) => Number(!Number.isNaN(value))),
    ),
  };
}

function rows(values: Float64Array, width: number, indices: readonly number[]): Float64Array {
  const own = new Float64Array(indices.length * width);
  for (const [row, i] of indices.entries()) own.set(values.subarray(i * width, (i + 1) * width), row * width);
  return own;
}

/** The head's last layers (late fusion has two) say mean + deviation · y. */
function foldUnit(tensors: FloatTensors, mean: number, deviation: number): FloatTensors {
  const folded = new Map(tensors);
  const heads = new Map<string, number>();
  for (const name of tensors.keys()) {
    const found = /^(head\.(?:\w+\.)?)(\d+)\.weight$/.exec(name);
    if (found) heads.set(found[1]!, Math.max(heads.get(found[1]!) ?? 0, Number(found[2])));
  }
  for (const [prefix, last] of heads) {
    const [weight, bias] = [tensors.get(`${prefix}${last}.weight`)!, tensors.get(`${prefix}${last}.bias`)!];
    folded.set(`${prefix}${last}.weight`, { ...weight, data: weight.data.map((value) => value * deviation) });
    folded.set(`${prefix}${last}.bias`, {
      ...bias,
      data: bias.data.map((value) => value * deviation + mean),
    });
  }
  return folded;
}
