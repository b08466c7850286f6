/**
 * The parameters of CBraMod's encoder: official names (`state_dict` of its code), shapes and PyTorch's initial
 * distributions as that code sets them: Kaiming normal by fan-out for every linear weight, defaults for the rest.
 */
import { Random } from '../core/random.ts';
import type { EncoderConfig } from './config.ts';
import {
  type FloatTensors,
  initialParameters,
  linearParameters,
  normParameters,
  type ParameterSpec,
} from './parameters.ts';

/** Feature maps of the patch branch, and values that each has in a patch: 25 × 8 = 200. */
export const featureMaps = 25;
export const featureSteps = 8;
/** Groups of its group normalisations. */
export const featureGroups = 5;
/** First convolution: samples, stride and padding at both ends. */
export const firstKernel = { size: 49, stride: 25, pad: 24 } as const;
/** Second and third convolution. */
export const nextKernel = { size: 3, pad: 1 } as const;
/** Position convolution over (channel, patch). */
export const positionKernel = { channels: 19, patches: 7 } as const;

/** Which parts of the encoder: all for pre-training, without mask token and reconstruction as a part of a fused model. */
export type EncoderPart = 'all' | 'features';

/** Which part these tensors are: an encoder's own file has the reconstruction, a model's encoder has not. */
export function partOf(tensors: ReadonlyMap<string, unknown>): EncoderPart {
  return tensors.has('proj_out.0.weight') ? 'all' : 'features';
}

/** Every parameter in the official order. */
export function encoderParameters(config: EncoderConfig, part: EncoderPart = 'all'): ParameterSpec[] {
  const { dim, patchSamples, layers } = config;
  const all: ParameterSpec[] = [
    { name: 'patch_embedding.mask_encoding', shape: [patchSamples], initial: 'zeros', frozen: true },
    ...convolution('patch_embedding.positional_encoding.0', [
      dim,
      1,
      positionKernel.channels,
      positionKernel.patches,
    ]),
    ...convolution('patch_embedding.proj_in.0', [featureMaps, 1, 1, firstKernel.size]),
    ...normParameters('patch_embedding.proj_in.1', featureMaps),
    ...convolution('patch_embedding.proj_in.3', [featureMaps, featureMaps, 1, nextKernel.size]),
    ...normParameters('patch_embedding.proj_in.4', featureMaps),
    ...convolution('patch_embedding.proj_in.6', [featureMaps, featureMaps, 1, nextKernel.size]),
    ...normParameters('patch_embedding.proj_in.7', featureMaps),
    ...linear('patch_embedding.spectral_proj.0', patchSamples / 2 + 1, dim),
    ...Array.from({ length: layers }, (_, layer) =>
      layerParameters(`encoder.layers.${layer}`, config),
    ).flat(),
    ...linear('proj_out.0', dim, patchSamples),
  ];
  if (part === 'all') return all;
  return all.filter(({ name, frozen }) => !frozen && !name.startsWith('proj_out.'));
}

function layerParameters(name: string, { dim, feedForward }: EncoderConfig): ParameterSpec[] {
  return [
    ...attention(`${name}.self_attn_s`, dim / 2),
    ...attention(`${name}.self_attn_t`, dim / 2),
    ...linear(`${name}.linear1`, dim, feedForward),
    ...linear(`${name}.linear2`, feedForward, dim),
    ...normParameters(`${name}.norm1`, dim),
    ...normParameters(`${name}.norm2`, dim),
  ];
}

/** nn.MultiheadAttention: Xavier uniform for the joint projection, zero biases. */
function attention(name: string, dim: number): ParameterSpec[] {
  return [
    { name: `${name}.in_proj_weight`, shape: [3 * dim, dim], initial: { uniform: Math.sqrt(6 / (4 * dim)) } },
    { name: `${name}.in_proj_bias`, shape: [3 * dim], initial: 'zeros' },
    { name: `${name}.out_proj.weight`, shape: [dim, dim], initial: { normal: Math.sqrt(2 / dim) } },
    { name: `${name}.out_proj.bias`, shape: [dim], initial: 'zeros' },
  ];
}

function linear(name: string, inputs: number, outputs: number): ParameterSpec[] {
  return linearParameters(name, inputs, outputs, { normal: Math.sqrt(2 / outputs) });
}

/** nn.Conv2d: uniform within 1/√(inputs of one output). Shape [out, in, height, width]. */
function convolution(name: string, shape: readonly [number, number, number, number]): ParameterSpec[] {
  const uniform = 1 / Math.sqrt(shape[1] * shape[2] * shape[3]);
  return [
    { name: `${name}.weight`, shape, initial: { uniform } },
    { name: `${name}.bias`, shape: [shape[0]], initial: { uniform } },
  ];
}

/** An untrained encoder under official names, drawn from a seed as the official code draws it. */
export function initialEncoder(config: EncoderConfig, seed: number): FloatTensors {
  return initialParameters(encoderParameters(config), Random.derive(seed, 'initial'));
}

/** An encoder's tensors without the layers after the first `layers`; all of them where it has no more. */
export function firstLayers(tensors: FloatTensors, layers: number): FloatTensors {
  const kept = [...tensors].filter(([name]) => {
    const layer = /^encoder\.layers\.(\d+)\./.exec(name)?.[1];
    return layer === undefined || Number(layer) < layers;
  });
  return new Map(kept);
}
