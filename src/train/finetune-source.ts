/**
 * Where fine-tuning's samples come from: cached features of frozen encoders, or the windows themselves. Each builds its
 * training loss, draws its batches, and predicts while training.
 */
import { float32, type Tensor, tensor } from '../core/tensor.ts';
import { Graph, type Value } from '../graph/ir.ts';
import { crossEntropy } from '../graph/losses.ts';
import { softmax } from '../graph/operators.ts';
import { type ModelConfig, modalitiesOf } from '../model/config.ts';
import { DropoutSites } from '../model/dropout.ts';
import { applyHead } from '../model/heads.ts';
import {
  buildLogits,
  dropoutInputs,
  type ModelInputs,
  modelDropouts,
  modelParameters,
} from '../model/model.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { ParameterSource } from '../model/tokens.ts';
import type { WindowSet } from '../patches/windows.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import type { Features } from './frozen-features.ts';
import type { FinetuneRecipe } from './recipe.ts';
import type { Batch } from './step.ts';
import { type BuildLoss, names } from './step-graphs.ts';

export interface SourceOptions {
  readonly backend: Backend;
  readonly config: ModelConfig;
  readonly recipe: FinetuneRecipe;
  readonly windows: WindowSet;
  readonly labels: Int32Array;
  readonly classWeights?: readonly number[] | undefined;
}

export interface SampleSource {
  /** The loss of so many windows at once. */
  build(windows: number): BuildLoss;
  /** The batch of these windows. */
  draw(indices: readonly number[]): Batch;
  /** Class probabilities [W, K] of these windows under the parameters. */
  probabilities(parameters: FloatTensors, indices: readonly number[]): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** A graph input and the array whose rows feed it. */
interface Stream {
  readonly name: string;
  /** Without the batch. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

type Logits = (
  graph: Graph,
  inputs: Readonly<Record<string, Value>>,
  parameter: ParameterSource,
  training: boolean,
) => { readonly logits: Value; readonly dropouts: ReturnType<typeof dropoutInputs> };

/** Windows through the whole model. */
export function signalSource(options: SourceOptions): SampleSource {
  const { config, windows } = options;
  const streams = modalitiesOf(config).map((modality) => {
    const { channels, patches, patchSamples, data } = windows.signals[modality]!;
    return { name: modality, shape: [channels.length, patches, patchSamples], data };
  });
  return createSource(options, streams, (graph, inputs, parameter, training) => {
    const dropouts = training ? modelDropouts(graph, config) : {};
    const logits = buildLogits(config, inputs as ModelInputs, parameter, dropouts);
    return { logits, dropouts: dropoutInputs(dropouts) };
  });
}

/** Cached features through the head alone. */
export function featureSource(options: SourceOptions, { data, size }: Features): SampleSource {
  const { config } = options;
  return createSource(
    options,
    [{ name: 'features', shape: [size], data }],
    (graph, { features }, parameter, training) => {
      const sites = training ? new DropoutSites(graph, config.head.dropout, 'head.dropout') : undefined;
      const logits = applyHead(features!, config, (name) => parameter(`head.${name}`), sites);
      return { logits, dropouts: sites?.inputs.slice() ?? [] };
    },
  );
}

function createSource(options: SourceOptions, streams: readonly Stream[], build: Logits): SampleSource {
  const { backend, config, recipe, labels, classWeights } = options;
  const { classes } = config.head;
  const { batch, accumulate } = recipe.optimization;
  const part = batch / accumulate;
  const declare = (graph: Graph, size: number | 'B') =>
    Object.fromEntries(
      streams.map(({ name, shape }) => [name, graph.input(name, 'float32', [size, ...shape])]),
    );
  const feed = (indices: readonly number[]): Record<string, Tensor> =>
    Object.fromEntries(streams.map((stream) => [stream.name, takeRows(stream, indices)]));
  let program: Promise<Program> | undefined;
  return {
    build: (size) => (graph, parameter) => {
      const { logits, dropouts } = build(graph, declare(graph, size), parameter, true);
      const truth = graph.input('labels', 'int64', [size]);
      const { labelSmoothing } = recipe;
      const loss = crossEntropy(logits, truth, { labelSmoothing, ...(classWeights && { classWeights }) });
      return { loss, dropouts };
    },
    draw(indices) {
      const truth = BigInt64Array.from(indices, (i) => BigInt(labels[i]!));
      const samples = indices.length;
      return { kind: 'all', samples, feeds: { ...feed(indices), labels: tensor('int64', [samples], truth) } };
    },
    async probabilities(parameters, indices) {
      program ??= backend.compile(inferenceGraph(config, (graph) => declare(graph, 'B'), build));
      const ready = await program;
      const fixed = Object.fromEntries(
        [...parameters]
          .map(([name, value]) => [names.parameter(name), value] as const)
          .filter(([name]) => ready.inputNames.includes(name)),
      );
      const result = new Float32Array(indices.length * classes);
      for (let start = 0; start < indices.length; start += part) {
        const rows = indices.slice(start, start + part);
        const { probabilities } = await ready.run({ ...feed(rows), ...fixed });
        result.set(probabilities!.data as Float32Array, start * classes);
      }
      return result;
    },
    async dispose() {
      await (await program)?.dispose();
      program = undefined;
    },
  };
}

function inferenceGraph(
  config: ModelConfig,
  declare: (graph: Graph) => Readonly<Record<string, Value>>,
  build: Logits,
): Graph {
  const graph = new Graph('inference');
  const shapes = new Map(modelParameters(config).map(({ name, shape }) => [name, shape]));
  const values = new Map<string, Value>();
  const parameter = (name: string): Value => {
    const value = values.get(name) ?? graph.input(names.parameter(name), 'float32', shapes.get(name)!);
    values.set(name, value);
    return value;
  };
  graph.output('probabilities', softmax(build(graph, declare(graph), parameter, false).logits));
  return graph;
}

/** Rows of an array as a batch. */
function takeRows({ shape, data }: Stream, indices: readonly number[]): Tensor<'float32'> {
  const size = shape.reduce((product, n) => product * n, 1);
  const rows = new Float32Array(indices.length * size);
  for (const [i, index] of indices.entries())
    rows.set(data.subarray(index * size, (index + 1) * size), i * size);
  return float32([indices.length, ...shape], rows);
}
