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
import type { WindowReader } from '../patches/window-reader.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { cutBatch } from './batch-parts.ts';
import type { Features } from './frozen-features.ts';
import type { FinetuneRecipe } from './recipe.ts';
import type { Batch } from './step.ts';
import { type BuildLoss, names } from './step-graphs.ts';
import type { TrainingWindows } from './training-windows.ts';

export interface SourceOptions {
  readonly backend: Backend;
  readonly config: ModelConfig;
  readonly recipe: FinetuneRecipe;
  readonly windows: WindowReader;
  /** Windows to train on, in the order of training. */
  readonly training: TrainingWindows;
  readonly labels: Int32Array;
  readonly classWeights?: readonly number[] | undefined;
}

export interface SampleSource {
  /** In a window. */
  readonly tokens: number;
  /** The loss of so many windows at once. */
  build(windows: number): BuildLoss;
  /** The batch of these windows. */
  draw(indices: readonly number[]): Promise<Batch>;
  /** Class probabilities [W, K] of these windows under the parameters. */
  probabilities(parameters: FloatTensors, indices: readonly number[]): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** A graph input, and its shape without the batch. */
interface Stream {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Rows by the name of their stream. */
type ReadRows = (indices: readonly number[]) => Promise<Readonly<Record<string, Float32Array>>>;

type Logits = (
  graph: Graph,
  inputs: Readonly<Record<string, Value>>,
  parameter: ParameterSource,
  training: boolean,
) => { readonly logits: Value; readonly dropouts: ReturnType<typeof dropoutInputs> };

/** Windows through the whole model. */
export function signalSource(options: SourceOptions): SampleSource {
  const { config, windows, training: samples } = options;
  const modalities = modalitiesOf(config);
  const streams = modalities.map((modality) => {
    const { channels, patches, patchSamples } = windows.signals[modality]!;
    return { name: modality, shape: [channels.length, patches, patchSamples] };
  });
  const build: Logits = (graph, inputs, parameter, training) => {
    const dropouts = training ? modelDropouts(graph, config) : {};
    const logits = buildLogits(config, inputs as ModelInputs, parameter, dropouts);
    return { logits, dropouts: dropoutInputs(dropouts) };
  };
  const read: ReadRows = (indices) => windows.read(indices, modalities);
  return createSource(options, streams, build, read, (indices) => samples.read(indices));
}

/** Cached features through the head alone. */
export function featureSource(options: SourceOptions, { data, size }: Features): SampleSource {
  const { config } = options;
  const build: Logits = (graph, { features }, parameter, training) => {
    const sites = training ? new DropoutSites(graph, config.head.dropout, 'head.dropout') : undefined;
    const logits = applyHead(features!, config, (name) => parameter(`head.${name}`), sites);
    return { logits, dropouts: sites?.inputs.slice() ?? [] };
  };
  const read: ReadRows = async (indices) => ({ features: takeRows(data, size, indices) });
  return createSource(options, [{ name: 'features', shape: [size] }], build, read, read);
}

/** `readTraining` reads the windows of a batch, `read` any others. */
function createSource(
  options: SourceOptions,
  streams: readonly Stream[],
  build: Logits,
  read: ReadRows,
  readTraining: ReadRows,
): SampleSource {
  const { backend, config, recipe, labels, classWeights } = options;
  const { classes } = config.head;
  // A window of patches [C, N, P] has C·N tokens, one of features is one.
  const tokens = streams.reduce(
    (sum, { shape }) => sum + (shape.length === 3 ? shape[0]! * shape[1]! : 1),
    0,
  );
  const part = cutBatch(recipe.optimization, { tokens }).windows;
  const declare = (graph: Graph, size: number | 'B') =>
    Object.fromEntries(
      streams.map(({ name, shape }) => [name, graph.input(name, 'float32', [size, ...shape])]),
    );
  const feed = async (indices: readonly number[], readRows: ReadRows): Promise<Record<string, Tensor>> => {
    const rows = await readRows(indices);
    return Object.fromEntries(
      streams.map(({ name, shape }) => [name, float32([indices.length, ...shape], rows[name]!)]),
    );
  };
  let program: Promise<Program> | undefined;
  return {
    tokens,
    build: (size) => (graph, parameter) => {
      const { logits, dropouts } = build(graph, declare(graph, size), parameter, true);
      const truth = graph.input('labels', 'int64', [size]);
      const { labelSmoothing } = recipe;
      const loss = crossEntropy(logits, truth, { labelSmoothing, ...(classWeights && { classWeights }) });
      return { loss, dropouts };
    },
    async draw(indices) {
      const truth = BigInt64Array.from(indices, (i) => BigInt(labels[i]!));
      const samples = indices.length;
      const feeds = await feed(indices, readTraining);
      return { kind: 'all', samples, feeds: { ...feeds, labels: tensor('int64', [samples], truth) } };
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
        const { probabilities } = await ready.run({ ...(await feed(rows, read)), ...fixed });
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

/** Rows of an array [W, size]. */
function takeRows(data: Float32Array, size: number, indices: readonly number[]): Float32Array {
  const rows = new Float32Array(indices.length * size);
  for (const [i, index] of indices.entries())
    rows.set(data.subarray(index * size, (index + 1) * size), i * size);
  return rows;
}
