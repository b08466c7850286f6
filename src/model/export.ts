/**
 * Models as self-contained ONNX files that any ONNX Runtime runs, with the recipe in their metadata; the same graphs
 * serve prediction here. The batch size stays free.
 */
import type { Tensor, Tensors } from '../core/tensor.ts';
import { Graph, type Value } from '../graph/ir.ts';
import { encodeOnnx } from '../graph/onnx.ts';
import { concat } from '../graph/operators.ts';
import type { Recipe } from '../patches/recipe.ts';
import type { Modality } from '../patches/windows.ts';
import { encode, encodeStages, reconstruct } from './cbramod.ts';
import { type EncoderConfig, encoderConfig, type ModelConfig, modalitiesOf } from './config.ts';
import { buildLogits, modelParameters, outputsOf, presenceInputs } from './model.ts';
import type { TrainedModel } from './model-file.ts';
import { type FloatTensors, fitParameters } from './parameters.ts';
import { poolMean } from './pooling.ts';
import { type InferenceOptions, withPrecision } from './precision.ts';
import { fitEncoder } from './weights.ts';

/** Version of the metadata's keys. */
const metadataVersion = '1';

export interface EncoderSize {
  /** C. */
  readonly channels: number;
  /** N. */
  readonly patches: number;
}

/** Parameters as constants of a graph, each put in once, when it is used. */
export function constantParameters(graph: Graph, tensors: Tensors): (name: string) => Value {
  const values = new Map<string, Value>();
  return (name) => {
    const value = values.get(name) ?? graph.constant(tensors.get(name) as Tensor, name);
    values.set(name, value);
    return value;
  };
}

/**
 * Graph of an encoder for pre-training's other end: `patches` [B, C, N, 200] and `mask` [B, C, N] → `embedding` and
 * `reconstruction`, both [B, C, N, 200].
 */
export function buildEncoderGraph(config: EncoderConfig, tensors: FloatTensors, size: EncoderSize): Graph {
  const graph = new Graph('heartmind encoder');
  const patches = graph.input('patches', 'float32', ['B', size.channels, size.patches, config.patchSamples]);
  const mask = graph.input('mask', 'bool', ['B', size.channels, size.patches]);
  const parameter = constantParameters(graph, tensors);
  const embedding = encode({ patches, mask, parameter, config });
  graph.output('embedding', embedding);
  graph.output('reconstruction', reconstruct(embedding, parameter));
  return graph;
}

/**
 * Graph of an encoder for features: `patches` [B, C, N, 200] → `tokens` [B, C, N, D] and their mean `pooled` [B, D]. With
 * `layers`, each token is what it was after each of these layers, side by side: D times their number.
 */
export function buildFeatureGraph(
  config: EncoderConfig,
  tensors: FloatTensors,
  size: EncoderSize,
  layers: readonly number[] = [config.layers],
): Graph {
  const graph = new Graph('heartmind features');
  const patches = graph.input('patches', 'float32', ['B', size.channels, size.patches, config.patchSamples]);
  const stages = encodeStages({ patches, parameter: constantParameters(graph, tensors), config });
  const taken = layers.map((layer) => stages[layer]!);
  const tokens = taken.length === 1 ? taken[0]! : concat(taken, 3);
  graph.output('tokens', tokens);
  graph.output('pooled', poolMean(tokens));
  return graph;
}

/**
 * Inference graph of a model: `eeg` and `ecg` [B, C, N, 200], those that it has → `probabilities` [B, K]. A model that knows
 * nulls also takes `eeg.present` and `ecg.present`, bool [B]; where one is false, what its signal holds plays no part. `channels`:
 * another number of channels than the configuration's, which the model has unless its head takes every token.
 */
export function buildModelGraph(
  config: ModelConfig,
  tensors: FloatTensors,
  channels: { readonly [M in Modality]?: number } = {},
): Graph {
  const graph = new Graph('heartmind model');
  const inputs: { [M in Modality]?: Value } = {};
  for (const modality of modalitiesOf(config)) {
    const { channels: names, patches, encoder } = config.signals[modality]!;
    const count = channels[modality] ?? names.length;
    inputs[modality] = graph.input(modality, 'float32', ['B', count, patches, encoder.patchSamples]);
  }
  const present = presenceInputs(graph, config, 'B');
  const logits = buildLogits(
    config,
    { ...inputs, ...(present && { present }) },
    constantParameters(graph, tensors),
  );
  graph.output('probabilities', outputsOf(logits, config));
  return graph;
}

/**
 * An encoder as ONNX: inputs `patches`, `mask`; outputs `embedding` (before the reconstruction head),
 * `reconstruction`. FormatError that lists the keys where the tensors are not an encoder's.
 */
export function exportEncoder(
  tensors: Tensors,
  options: EncoderSize & InferenceOptions & { readonly recipe?: Recipe },
): Uint8Array {
  const { tensors: fitted, layers } = fitEncoder(tensors, 'encoder');
  const config = encoderConfig({ layers });
  return encodeOnnx(withPrecision(buildEncoderGraph(config, fitted, options), options), {
    metadata: {
      'heartmind.version': metadataVersion,
      'heartmind.kind': 'encoder',
      'heartmind.precision': options.precision ?? 'float32',
      'heartmind.config': JSON.stringify(config),
      ...(options.recipe && { 'heartmind.recipe': JSON.stringify(options.recipe) }),
    },
  });
}

/** A trained model as ONNX: inputs `eeg`, `ecg` (those that it has), output `probabilities`; recipe and classes in its metadata. */
export function exportModel(
  { config, recipe, classes, tensors }: TrainedModel,
  options: InferenceOptions = {},
): Uint8Array {
  const fitted = fitParameters(tensors, modelParameters(config), 'model');
  return encodeOnnx(withPrecision(buildModelGraph(config, fitted), options), {
    metadata: {
      'heartmind.version': metadataVersion,
      'heartmind.kind': 'model',
      'heartmind.precision': options.precision ?? 'float32',
      'heartmind.config': JSON.stringify(config),
      'heartmind.recipe': JSON.stringify(recipe),
      'heartmind.classes': JSON.stringify(classes),
    },
  });
}
