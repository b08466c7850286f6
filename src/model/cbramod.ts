/**
 * CBraMod's encoder: patches [B, C, N, P] → embedding [B, C, N, D], any number of channels and patches, any depth; and
 * the reconstruction of patches from it for pre-training.
 *
 * Source: CBraMod, arXiv 2412.07236, with the numbers of its code (wjq-learning/CBraMod). P = D = 200.
 */
import { ShapeError } from '../core/errors.ts';
import { productOf } from '../graph/dims.ts';
import type { Value } from '../graph/ir.ts';
import { reshape } from '../graph/operators.ts';
import type { EncoderConfig } from './config.ts';
import { crissCrossLayer } from './criss-cross.ts';
import type { DropoutSites } from './dropout.ts';
import type { Lora } from './lora.ts';
import { embedPatches } from './patch-embedding.ts';
import { type Building, linear, type ParameterSource, type TokenShape } from './tokens.ts';

export { type EncoderPart, encoderParameters, partOf } from './encoder-parameters.ts';
export type { ParameterSource } from './tokens.ts';

export interface EncodeOptions {
  /** [B, C, N, P] float32 in model units. */
  readonly patches: Value;
  /** [B, C, N] bool: true where the patch is hidden. */
  readonly mask?: Value;
  readonly parameter: ParameterSource;
  readonly config: EncoderConfig;
  /** While training. */
  readonly dropout?: DropoutSites | undefined;
  /** While adapting. */
  readonly lora?: Lora | undefined;
}

/** Build the encoder: the embedding [B, C, N, D]. ShapeError unless `patches` is [B, C, N, 200]. */
export function encode(options: EncodeOptions): Value {
  const { stages, shape } = buildStages(options);
  return reshape(stages.at(-1)!, [shape.batch, shape.channels, shape.patches, options.config.dim]);
}

/** The patch embedding and the output of every layer, each [B, C, N, D]: to look inside, and to check parity. */
export function encodeStages(options: EncodeOptions): Value[] {
  const { stages, shape } = buildStages(options);
  return stages.map((rows) =>
    reshape(rows, [shape.batch, shape.channels, shape.patches, options.config.dim]),
  );
}

function buildStages({ patches, mask, parameter, config, dropout, lora }: EncodeOptions): {
  stages: Value[];
  shape: TokenShape;
} {
  const shape = tokenShape(patches, mask, config);
  const building: Building = { shape, parameter, dropout, lora };
  const stages = [embedPatches(patches, mask, config, building)];
  for (let layer = 0; layer < config.layers; layer++) {
    stages.push(crissCrossLayer(stages.at(-1)!, `encoder.layers.${layer}`, config, building));
  }
  return { stages, shape };
}

/** Build the reconstruction head: embedding [B, C, N, D] → patches [B, C, N, P]. */
export function reconstruct(embedding: Value, parameter: ParameterSource): Value {
  const weight = parameter('proj_out.0.weight');
  const outer = embedding.shape.slice(0, 3);
  const rows = reshape(embedding, [productOf(outer), embedding.shape[3]!]);
  return reshape(linear(rows, weight, parameter('proj_out.0.bias')), [...outer, weight.shape[0]!]);
}

function tokenShape(patches: Value, mask: Value | undefined, config: EncoderConfig): TokenShape {
  const [batch, channels, count, samples] = patches.shape;
  const fits =
    patches.shape.length === 4 &&
    typeof channels === 'number' &&
    typeof count === 'number' &&
    samples === config.patchSamples &&
    (mask === undefined || mask.shape.join() === patches.shape.slice(0, 3).join());
  if (!fits) {
    const expected = `[B, C, N, ${config.patchSamples}]`;
    const actual = `[${patches.shape}]${mask === undefined ? '' : ` with mask [${mask.shape}]`}`;
    throw new ShapeError(
      `encode: patches of shape ${expected} and a mask of [B, C, N] are due, got ${actual}. Cut windows into patches of ${config.patchSamples} samples.`,
      'encode',
      expected,
      actual,
    );
  }
  return { batch: batch!, channels, patches: count };
}
