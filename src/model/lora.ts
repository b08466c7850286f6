/**
 * Low-rank adaptation: a matrix W [out, in] of the encoder's layers becomes W + (alpha / rank)·U·D with D [rank, in] drawn
 * and U [out, rank] zero, and only U and D learn. Afterwards the product is merged into W: the model is a plain one.
 *
 * Source: LoRA, arXiv 2106.09685, §4.1, with the initial values of its code. The joint projection of attention (queries,
 * keys, values) is one matrix here. While training, x·Dᵀ·Uᵀ is added to x·Wᵀ: no gradient of a whole matrix is computed.
 */

import { float32 } from '../core/tensor.ts';
import type { Value } from '../graph/ir.ts';
import { gemm, split } from '../graph/operators.ts';
import type { Modality } from '../patches/windows.ts';
import { type EncoderConfig, type ModelConfig, modalitiesOf } from './config.ts';
import type { FloatTensors, ParameterSpec } from './parameters.ts';
import type { Building } from './tokens.ts';

export const loraParts = ['attention', 'feedForward'] as const;
export type LoraPart = (typeof loraParts)[number];

export interface Lora {
  readonly rank: number;
  /** The product is scaled by alpha / rank. */
  readonly alpha: number;
  /** Which matrices of every layer. */
  readonly on: readonly LoraPart[];
}

/** A matrix by its part of the layer: the name of the weight, its outputs and inputs. */
interface Matrix {
  readonly part: LoraPart;
  readonly weight: string;
  readonly outputs: number;
  readonly inputs: number;
}

/** The matrices of a layer, in the order of its parameters. */
function matricesOf({ dim, feedForward }: EncoderConfig): Matrix[] {
  const half = dim / 2;
  const attention = (name: string): Matrix[] => [
    { part: 'attention', weight: `${name}.in_proj_weight`, outputs: 3 * half, inputs: half },
    { part: 'attention', weight: `${name}.out_proj.weight`, outputs: half, inputs: half },
  ];
  return [
    ...attention('self_attn_s'),
    ...attention('self_attn_t'),
    { part: 'feedForward', weight: 'linear1.weight', outputs: feedForward, inputs: dim },
    { part: 'feedForward', weight: 'linear2.weight', outputs: dim, inputs: feedForward },
  ];
}

const factorsOf = (weight: string) => ({ down: `${weight}.lora.down`, up: `${weight}.lora.up` });

/** Every adapted weight of a model by its whole name. */
function adaptedMatrices(config: ModelConfig, { on }: Lora): Matrix[] {
  return modalitiesOf(config).flatMap((modality: Modality) => {
    const { encoder } = config.signals[modality]!;
    return Array.from({ length: encoder.layers }, (_, layer) =>
      matricesOf(encoder)
        .filter(({ part }) => on.includes(part))
        .map((matrix) => ({ ...matrix, weight: `${modality}.encoder.layers.${layer}.${matrix.weight}` })),
    ).flat();
  });
}

/** The factors of a model's encoders: `….linear1.weight.lora.down` [rank, in] and `….lora.up` [out, rank]. */
export function loraParameters(config: ModelConfig, lora: Lora): ParameterSpec[] {
  return adaptedMatrices(config, lora).flatMap(({ weight, outputs, inputs }): ParameterSpec[] => {
    const { down, up } = factorsOf(weight);
    // Kaiming uniform with a = √5
    return [
      { name: down, shape: [lora.rank, inputs], initial: { uniform: 1 / Math.sqrt(inputs) } },
      { name: up, shape: [outputs, lora.rank], initial: 'zeros' },
    ];
  });
}

/**
 * Add the low-rank product of x [M, in] to what the weight `name` made of it: `outputs` are one [M, out] or, where the
 * weight's rows are split, several beside one another. The same where the weight is not adapted.
 */
export function addLowRank(
  outputs: readonly Value[],
  x: Value,
  name: string,
  part: LoraPart,
  { lora, parameter }: Building,
): readonly Value[] {
  if (!lora?.on.includes(part)) return outputs;
  const { down, up } = factorsOf(name);
  const inner = gemm(x, parameter(down), undefined, { transB: true }); // [M, rank]
  const sizes = outputs.map(({ shape }) => Number(shape[1]));
  const ups = sizes.length === 1 ? [parameter(up)] : split(parameter(up), 0, sizes);
  return outputs.map((output, i) =>
    gemm(inner, ups[i]!, output, { transB: true, alpha: lora.alpha / lora.rank }),
  );
}

/** The same model with the products merged into its weights, and without factors. */
export function mergeLora(parameters: FloatTensors, config: ModelConfig, lora: Lora): FloatTensors {
  const merged = new Map(parameters);
  const scale = lora.alpha / lora.rank;
  for (const { weight, outputs, inputs } of adaptedMatrices(config, lora)) {
    const names = factorsOf(weight);
    const [base, down, up] = [weight, names.down, names.up].map((name) => parameters.get(name)!.data);
    const values = new Float32Array(outputs * inputs);
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++) {
        let sum = 0;
        for (let r = 0; r < lora.rank; r++) sum += up![o * lora.rank + r]! * down![r * inputs + i]!;
        values[o * inputs + i] = base![o * inputs + i]! + scale * sum;
      }
    merged.set(weight, float32([outputs, inputs], values));
    merged.delete(names.down);
    merged.delete(names.up);
  }
  return merged;
}
