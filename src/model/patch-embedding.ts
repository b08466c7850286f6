/**
 * Patches → tokens: [B, C, N, P] (and a mask [B, C, N]) → [B·C·N, D]. The patch branch (three convolutions with group
 * normalisation) and the spectral branch are added, then the position convolution of their sum.
 *
 * Source: CBraMod, arXiv 2412.07236 §2.2 and its code (models/cbramod.py, PatchEmbedding). All convolutions within a
 * patch are dense products here, see toeplitz.ts.
 */
import { float32, type Tensor } from '../core/tensor.ts';
import type { Graph, Value } from '../graph/ir.ts';
import {
  add,
  concat,
  div,
  gelu,
  gemm,
  matmul,
  mul,
  reduceMean,
  reshape,
  split,
  sqrt,
  sub,
  transpose,
  where,
} from '../graph/operators.ts';
import type { EncoderConfig } from './config.ts';
import { featureGroups, featureMaps, featureSteps, firstKernel, nextKernel } from './encoder-parameters.ts';
import { positionEmbedding } from './position-embedding.ts';
import { fourierMatrix, selectionMatrix } from './toeplitz.ts';
import { type Building, drop, linear, rowsOf } from './tokens.ts';

const normEpsilon = 1e-5;
/**
 * Added to the squared magnitude of the spectrum: √ then has the gradient 0 at 0, as PyTorch's abs does, and no value
 * changes, as it is far below the rounding of any squared float32 that a signal has.
 */
const tiniestPower = 1e-30;

/** Build the embedding; masked patches become the mask token before both branches. */
export function embedPatches(
  patches: Value,
  mask: Value | undefined,
  config: EncoderConfig,
  building: Building,
): Value {
  const rows = rowsOf(building.shape);
  const raw = reshape(patches, [rows, config.patchSamples]); // [BCN, P]
  const signal =
    mask === undefined
      ? raw
      : where(reshape(mask, [rows, 1]), building.parameter('patch_embedding.mask_encoding'), raw);
  const tokens = add(patchBranch(signal, config, building), spectralBranch(signal, config, building));
  return add(tokens, positionEmbedding(tokens, config, building));
}

/** Conv 1×49, Conv 1×3, Conv 1×3, each with GroupNorm and GELU: [BCN, P] → [BCN, D]; feature = map · 8 + step. */
function patchBranch(signal: Value, config: EncoderConfig, building: Building): Value {
  const at = (key: string) => building.parameter(`patch_embedding.proj_in.${key}`);
  const { graph } = signal;
  const perMap = (
    ['0.bias', '1.weight', '1.bias', '3.bias', '4.weight', '4.bias', '6.bias', '7.weight', '7.bias'] as const
  ).map(at);
  // Every vector of 25 is repeated 8 times, all nine in one product.
  const stacked = reshape(concat(perMap, 0), [perMap.length, featureMaps]);
  const perFeature = split(
    matmul(stacked, graph.constant(repeatMatrix())),
    0,
    perMap.map(() => 1),
  ); // 9 × [1, D]
  const [bias0, scale1, shift1, bias3, scale4, shift4, bias6, scale7, shift7] = perFeature as Value[];
  const average = graph.constant(groupAverageMatrix());
  const normalise = (x: Value, scale: Value, shift: Value) =>
    gelu(groupNormalise(x, scale, shift, average, config, building));
  const next = graph.constant(
    selectionMatrix(
      {
        kernel: nextKernel.size,
        inputs: featureSteps,
        outputs: featureSteps,
        stride: 1,
        pad: nextKernel.pad,
      },
      'outputs-inputs',
    ),
  );
  const first = normalise(
    linear(signal, firstMatrix(at('0.weight'), graph, config), bias0!),
    scale1!,
    shift1!,
  );
  const second = normalise(linear(first, nextMatrix(at('3.weight'), next), bias3!), scale4!, shift4!);
  return normalise(linear(second, nextMatrix(at('6.weight'), next), bias6!), scale7!, shift7!);
}

/** The first convolution's kernel [25, 1, 1, 49] as a matrix [D, P]. */
function firstMatrix(kernel: Value, graph: Graph, { dim, patchSamples }: EncoderConfig): Value {
  const select = selectionMatrix(
    { kernel: firstKernel.size, inputs: patchSamples, outputs: featureSteps, ...firstKernel },
    'outputs-inputs',
  );
  const rows = matmul(reshape(kernel, [featureMaps, firstKernel.size]), graph.constant(select));
  return reshape(rows, [dim, patchSamples]);
}

/** A kernel [25, 25, 1, 3] as a matrix [D, D] from (map, step) to (map, step). */
function nextMatrix(kernel: Value, select: Value): Value {
  const links = matmul(reshape(kernel, [featureMaps * featureMaps, nextKernel.size]), select);
  const arranged = transpose(
    reshape(links, [featureMaps, featureMaps, featureSteps, featureSteps]), // (to map, from map, to step, from step)
    [0, 2, 1, 3],
  );
  return reshape(arranged, [featureMaps * featureSteps, featureMaps * featureSteps]);
}

/**
 * GroupNorm(5, 25) whose statistics run over all channels and patches of a sample: means over the tokens, then over
 * the features of a group by a product, so that nothing is transposed.
 */
function groupNormalise(
  x: Value,
  scale: Value,
  shift: Value,
  average: Value,
  { dim }: EncoderConfig,
  { shape }: Building,
): Value {
  const samples = reshape(x, [shape.batch, shape.channels * shape.patches, dim]);
  const mean = matmul(reduceMean(samples, [1], { keepDims: true }), average); // [B, 1, D]
  const centred = sub(samples, mean);
  const variance = matmul(reduceMean(mul(centred, centred), [1], { keepDims: true }), average);
  const normed = add(mul(centred, div(scale, sqrt(add(variance, normEpsilon)))), shift);
  return reshape(normed, [rowsOf(shape), dim]);
}

/** |rfft| / P, 101 bins, then linear: [BCN, P] → [BCN, D]. */
function spectralBranch(signal: Value, config: EncoderConfig, building: Building): Value {
  const bins = config.patchSamples / 2 + 1;
  const at = (key: string) => building.parameter(`patch_embedding.spectral_proj.0.${key}`);
  const parts = gemm(signal, signal.graph.constant(fourierMatrix(config.patchSamples)));
  const [real, imaginary] = split(parts, 1, [bins, bins]) as [Value, Value];
  const magnitude = sqrt(add(add(mul(real, real), mul(imaginary, imaginary)), tiniestPower)); // [BCN, bins]
  return drop(linear(magnitude, at('weight'), at('bias')), building);
}

/** [25, D]: feature f belongs to map ⌊f / 8⌋. */
function repeatMatrix(): Tensor<'float32'> {
  const dim = featureMaps * featureSteps;
  const values = Float32Array.from({ length: featureMaps * dim }, (_, i) =>
    Math.floor((i % dim) / featureSteps) === Math.floor(i / dim) ? 1 : 0,
  );
  return float32([featureMaps, dim], values);
}

/** [D, D]: every feature becomes the mean of its group of 5 maps. */
function groupAverageMatrix(): Tensor<'float32'> {
  const dim = featureMaps * featureSteps;
  const size = dim / featureGroups;
  const values = Float32Array.from({ length: dim * dim }, (_, i) =>
    Math.floor((i % dim) / size) === Math.floor(i / dim / size) ? 1 / size : 0,
  );
  return float32([dim, dim], values);
}
