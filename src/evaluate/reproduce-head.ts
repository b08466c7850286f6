/**
 * A head on fixed features: rows [W, F] of some windows → the probability of class 1 of others. Standardised by the
 * training rows, trained by the one loop, its epoch chosen on validation rows.
 */
import { Random } from '../core/random.ts';
import { float32, type Tensor, tensor } from '../core/tensor.ts';
import { Graph, type Value } from '../graph/ir.ts';
import { crossEntropy } from '../graph/losses.ts';
import { gelu, softmax } from '../graph/operators.ts';
import { DropoutSites } from '../model/dropout.ts';
import { type FloatTensors, initialParameters, linearParameters } from '../model/parameters.ts';
import { linear, type ParameterSource } from '../model/tokens.ts';
import type { Backend } from '../runtime/backend.ts';
import { type Features, fitScaling } from '../train/frozen-features.ts';
import { type TrainingTask, train } from '../train/loop.ts';
import { names } from '../train/step-graphs.ts';
import { scoreValidation } from '../train/validation-score.ts';
import type { HeadRecipe } from './reproduce-recipe.ts';

const classCount = 2;
/** Rows predicted at once. */
const predictBatch = 1024;

export interface HeadOptions {
  readonly backend: Backend;
  readonly features: Features;
  /** 0 or 1 a window. */
  readonly labels: ArrayLike<number>;
  readonly training: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
  readonly recipe: HeadRecipe;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** Train and predict: probabilities of class 1 [test]. Both classes must be in training. Errors of the loop. */
export async function runHead(options: HeadOptions): Promise<Float64Array> {
  const { backend, features, labels, training, validation, test, recipe, seed, signal } = options;
  const { size } = features;
  const scaling = fitScaling(features, training);
  /** Standardised rows of these windows. */
  const rows = (indices: readonly number[]): Float32Array => {
    const result = new Float32Array(indices.length * size);
    for (const [i, index] of indices.entries())
      for (let f = 0; f < size; f++)
        result[i * size + f] = (features.data[index * size + f]! - scaling.mean[f]!) / scaling.deviation[f]!;
    return result;
  };
  const sizes = recipe.kind === 'linear' ? [size, classCount] : [size, recipe.hidden, classCount];
  const parameters = sizes
    .slice(1)
    .flatMap((width, layer) => linearParameters(`head.${layer}`, sizes[layer]!, width));
  const counts = [0, 1].map((k) => training.filter((i) => labels[i] === k).length);
  const classWeights = counts.map((count) => training.length / (classCount * count));
  const declare = (graph: Graph, batch: number | 'B') => graph.input('features', 'float32', [batch, size]);

  const predicting = new Graph('head');
  const inputs = new Map(
    parameters.map(({ name, shape }) => [name, predicting.input(names.parameter(name), 'float32', shape)]),
  );
  const logits = buildHead(declare(predicting, 'B'), sizes.length - 1, (name) => inputs.get(name)!);
  predicting.output('probabilities', softmax(logits));
  const program = await backend.compile(predicting);
  const predict = async (values: FloatTensors, indices: readonly number[]): Promise<Float32Array> => {
    const fixed: Record<string, Tensor> = {};
    for (const [name, value] of values) fixed[names.parameter(name)] = value;
    const result = new Float32Array(indices.length * classCount);
    for (let at = 0; at < indices.length; at += predictBatch) {
      const some = indices.slice(at, at + predictBatch);
      const { probabilities } = await program.run({
        ...fixed,
        features: float32([some.length, size], rows(some)),
      });
      result.set(probabilities!.data as Float32Array, at * classCount);
    }
    return result;
  };

  const truth = Int32Array.from(validation, (i) => labels[i]!);
  const task: TrainingTask = {
    specs: parameters.map(({ name, shape }) => ({ name, shape, group: 'head' })),
    initial: initialParameters(parameters, Random.derive(seed, 'head')),
    learningRates: { head: recipe.learningRate },
    count: training.length,
    tokens: 1,
    build: (_, windows) => (graph, parameter) => {
      const sites = new DropoutSites(graph, recipe.dropout, 'head.dropout');
      const scores = buildHead(declare(graph, windows), sizes.length - 1, parameter, sites);
      const given = graph.input('labels', 'int64', [windows]);
      return { loss: crossEntropy(scores, given, { classWeights }), dropouts: sites.inputs.slice() };
    },
    draw(drawn) {
      const indices = drawn.map((i) => training[i]!);
      const given = BigInt64Array.from(indices, (i) => BigInt(labels[i]!));
      const feeds = {
        features: float32([indices.length, size], rows(indices)),
        labels: tensor('int64', [indices.length], given),
      };
      return { kind: 'all', samples: indices.length, feeds };
    },
    validate: async (values) => ({
      ...scoreValidation(truth, await predict(values, validation), classCount),
    }),
    score: { name: recipe.score, mode: recipe.score === 'loss' ? 'min' : 'max' },
  };
  try {
    const { optimization } = recipe;
    const result = await train(task, {
      backend,
      seed,
      optimization,
      identity: {},
      ...(signal && { signal }),
    });
    const probabilities = await predict(result.parameters, test);
    return Float64Array.from(test, (_, i) => probabilities[i * classCount + 1]!);
  } finally {
    await program.dispose();
  }
}

/** Features [B, F] → logits [B, 2]: linear layers with GELU and dropout between. */
function buildHead(x: Value, layers: number, parameter: ParameterSource, dropout?: DropoutSites): Value {
  let y = x;
  for (let layer = 0; layer < layers; layer++) {
    y = linear(y, parameter(`head.${layer}.weight`), parameter(`head.${layer}.bias`));
    if (layer < layers - 1) y = gelu(y);
    if (layer < layers - 1 && dropout !== undefined) y = dropout.apply(y);
  }
  return y;
}
