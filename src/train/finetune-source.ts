/**
 * Where fine-tuning's samples come from: cached features of frozen encoders, or the windows themselves. Each builds its
 * training loss, draws its batches, and predicts while training.
 */
import { float32, type Tensor, tensor } from '../core/tensor.ts';
import { Graph, type Value } from '../graph/ir.ts';
import { reshape, split } from '../graph/operators.ts';
import { type ModelConfig, modalitiesOf, takesTokens } from '../model/config.ts';
import { DropoutSites } from '../model/dropout.ts';
import type { Present } from '../model/fusion.ts';
import type { Lora } from '../model/lora.ts';
import {
  buildDecision,
  buildLogits,
  dropoutInputs,
  type ModelInputs,
  modelDropouts,
  outputsOf,
  presenceInputs,
  presenceName,
} from '../model/model.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { ParameterSource } from '../model/tokens.ts';
import type { WindowReader } from '../patches/window-reader.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { cutBatch } from './batch-parts.ts';
import type { Draws } from './draws.ts';
import { embeddingSizes, type Features } from './frozen-features.ts';
import type { Goal } from './goal.ts';
import type { FinetuneRecipe } from './recipe.ts';
import type { Batch } from './step.ts';
import { type BuildLoss, names, type TrainedParameter } from './step-graphs.ts';
import type { TrainingWindows } from './training-windows.ts';

export interface SourceOptions {
  readonly backend: Backend;
  readonly config: ModelConfig;
  readonly recipe: FinetuneRecipe;
  readonly windows: WindowReader;
  /** Windows to train on, in the order of training. */
  readonly training: TrainingWindows;
  readonly goal: Goal;
  /** All parameters of the loss. */
  readonly specs: readonly TrainedParameter[];
  readonly lora?: Lora | undefined;
}

export interface SampleSource {
  /** In a window. */
  readonly tokens: number;
  /** The loss of so many windows at once. */
  build(windows: number): BuildLoss;
  /** The batch of these windows; `draws` decides which modalities are dropped. */
  draw(indices: readonly number[], draws: Draws): Promise<Batch>;
  /** What the model says [W, K] of these windows under the parameters. */
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
  options: { readonly training: boolean; readonly present: Present | undefined },
) => { readonly logits: Value; readonly dropouts: ReturnType<typeof dropoutInputs> };

/** Windows through the whole model. */
export function signalSource(options: SourceOptions): SampleSource {
  const { config, windows, training: samples, lora } = options;
  const modalities = modalitiesOf(config);
  const streams = modalities.map((modality) => {
    const { channels, patches, patchSamples } = windows.signals[modality]!;
    return { name: modality, shape: [channels.length, patches, patchSamples] };
  });
  const build: Logits = (graph, inputs, parameter, { training, present }) => {
    const dropouts = training ? modelDropouts(graph, config) : {};
    const given = { ...inputs, ...(present && { present }) } as ModelInputs;
    const logits = buildLogits(config, given, parameter, dropouts, lora);
    return { logits, dropouts: dropoutInputs(dropouts) };
  };
  const read: ReadRows = (indices) => windows.read(indices, modalities);
  return createSource(options, streams, build, read, (indices) => samples.read(indices));
}

/** Cached features through what follows the encoders. */
export function featureSource(options: SourceOptions, { data, size }: Features): SampleSource {
  const { config } = options;
  const sizes = embeddingSizes(config);
  const build: Logits = (graph, { features }, parameter, { training, present }) => {
    const dropout = training ? new DropoutSites(graph, config.head.dropout, 'head.dropout') : undefined;
    const parts = sizes.length === 1 ? [features!] : split(features!, 1, sizes);
    const embeddings = parts.map((part, i) => {
      if (!takesTokens(config)) return part;
      const { channels, patches, encoder } = config.signals[modalitiesOf(config)[i]!]!;
      return reshape(part, [part.shape[0]!, channels.length, patches, encoder.dim]);
    });
    const logits = buildDecision(config, embeddings, parameter, { present, dropout });
    return { logits, dropouts: dropout?.inputs.slice() ?? [] };
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
  const { backend, config, recipe, goal } = options;
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
  /** Which of so many windows have each modality: all, or while training all but what is drawn. */
  const presence = (count: number, draws?: Draws): Record<string, Tensor> =>
    config.nullEmbeddings ? drawPresence(config, recipe.modalityDropout, count, draws) : {};
  let program: Promise<Program> | undefined;
  return {
    tokens,
    build: (size) => (graph, parameter) => {
      const present = presenceInputs(graph, config, size);
      const { logits, dropouts } = build(graph, declare(graph, size), parameter, { training: true, present });
      return { loss: goal.loss(graph, logits, size), dropouts };
    },
    async draw(indices, draws) {
      const samples = indices.length;
      const feeds = { ...(await feed(indices, readTraining)), ...presence(samples, draws) };
      return { kind: 'all', samples, feeds: { ...feeds, ...goal.feeds(indices) } };
    },
    async probabilities(parameters, indices) {
      program ??= backend.compile(inferenceGraph(options, (graph) => declare(graph, 'B'), build));
      const ready = await program;
      const fixed = Object.fromEntries(
        [...parameters]
          .map(([name, value]) => [names.parameter(name), value] as const)
          .filter(([name]) => ready.inputNames.includes(name)),
      );
      const result = new Float32Array(indices.length * classes);
      for (let start = 0; start < indices.length; start += part) {
        const rows = indices.slice(start, start + part);
        const feeds = { ...(await feed(rows, read)), ...presence(rows.length) };
        const { probabilities } = await ready.run({ ...feeds, ...fixed });
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

/** One modality of a window is missing with the chance `dropout`; each as often. */
function drawPresence(
  config: ModelConfig,
  dropout: number,
  count: number,
  draws: Draws | undefined,
): Record<string, Tensor> {
  const modalities = modalitiesOf(config);
  const missing = Array.from({ length: count }, (_, i) => {
    const random = draws?.sample('modality', i);
    return random && random.uniform() < dropout ? random.integer(modalities.length) : -1;
  });
  return Object.fromEntries(
    modalities.map((modality, m) => [
      presenceName(modality),
      tensor(
        'bool',
        [count],
        Uint8Array.from(missing, (dropped) => Number(dropped !== m)),
      ),
    ]),
  );
}

function inferenceGraph(
  { config, specs }: SourceOptions,
  declare: (graph: Graph) => Readonly<Record<string, Value>>,
  build: Logits,
): Graph {
  const graph = new Graph('inference');
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  const values = new Map<string, Value>();
  const parameter = (name: string): Value => {
    const value = values.get(name) ?? graph.input(names.parameter(name), 'float32', shapes.get(name)!);
    values.set(name, value);
    return value;
  };
  const present = presenceInputs(graph, config, 'B');
  const { logits } = build(graph, declare(graph), parameter, { training: false, present });
  graph.output('probabilities', outputsOf(logits, config));
  return graph;
}

/** Rows of an array [W, size]. */
function takeRows(data: Float32Array, size: number, indices: readonly number[]): Float32Array {
  const rows = new Float32Array(indices.length * size);
  for (const [i, index] of indices.entries())
    rows.set(data.subarray(index * size, (index + 1) * size), i * size);
  return rows;
}
