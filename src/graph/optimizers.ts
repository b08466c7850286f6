/** The optimizer as graph nodes: clipping by global norm and AdamW. */
import type { Value } from './ir.ts';
import { add, div, less, mul, pow, reduceSum, reshape, sqrt, sub, where } from './operators.ts';

/** Scale gradients so that their joint norm is at most `maxNorm`, as torch.nn.utils.clip_grad_norm_ does. */
export function clipByGlobalNorm(
  gradients: readonly Value[],
  maxNorm: number,
): { readonly gradients: Value[]; readonly norm: Value } {
  const norm = globalNorm(gradients);
  const scale = clippingScale(norm, maxNorm);
  return { gradients: gradients.map((gradient) => mul(gradient, scale)), norm };
}

/** What gradients of this joint norm are multiplied by to have at most `maxNorm`. */
export function clippingScale(norm: Value, maxNorm: number): Value {
  const ratio = div(maxNorm, add(norm, 1e-6)); // 1e-6: PyTorch's guard against a norm of zero
  return where(less(ratio, 1), ratio, 1);
}

/** Values are squared and summed in rows of this length first where it divides them: long float32 sums lose digits. */
export const sumLength = 1024;

/** Euclidean norm of all values together. */
export function globalNorm(values: readonly Value[]): Value {
  const sums = values.map((value) => {
    const size = value.shape.length === 1 ? Number(value.shape[0]) : 0;
    if (size === 0 || size % sumLength !== 0) return reduceSum(mul(value, value));
    const rows = reshape(value, [size / sumLength, sumLength]);
    return reduceSum(reduceSum(mul(rows, rows), [1]));
  });
  return sqrt(sums.reduce((a, b) => add(a, b)));
}

export interface AdamWInputs {
  readonly parameter: Value;
  readonly gradient: Value;
  /** Scalar by which the gradient is multiplied first. Default 1. */
  readonly gradientScale?: Value;
  readonly firstMoment: Value;
  readonly secondMoment: Value;
  /** Scalar. */
  readonly learningRate: Value;
  /** Scalar or number; decoupled from the gradient. */
  readonly weightDecay: Value | number;
  /** Scalar, 1 for the first update. */
  readonly step: Value;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

export interface AdamWOutputs {
  readonly parameter: Value;
  readonly firstMoment: Value;
  readonly secondMoment: Value;
}

/**
 * One update of AdamW (Loshchilov & Hutter 2019), as torch.optim.AdamW. Everything that is the same for all values is
 * folded into scalars, so that few passes over the parameters remain.
 */
export function adamW(inputs: AdamWInputs): AdamWOutputs {
  const { parameter, gradient, gradientScale, learningRate, weightDecay, step } = inputs;
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = inputs;
  const { graph } = parameter;
  const dtype = parameter.dtype === 'float64' ? 'float64' : 'float32';
  const scaled = (factor: number, power: 1 | 2) => {
    if (gradientScale === undefined) return factor;
    return mul(power === 1 ? gradientScale : mul(gradientScale, gradientScale), factor);
  };
  const decayed = mul(parameter, sub(1, mul(learningRate, weightDecay)));
  const firstMoment = add(mul(inputs.firstMoment, beta1), mul(gradient, scaled(1 - beta1, 1)));
  const secondMoment = add(
    mul(inputs.secondMoment, beta2),
    mul(mul(gradient, gradient), scaled(1 - beta2, 2)),
  );
  // rate · (m / c₁) / (√(v / c₂) + ε) with cᵢ = 1 − βᵢᵗ, as (rate √c₂ / c₁) · m / (√v + ε √c₂)
  const correction = (beta: number) => sub(1, pow(graph.scalar(beta, dtype), step));
  const root = sqrt(correction(beta2));
  const rate = mul(div(learningRate, correction(beta1)), root);
  const denominator = add(sqrt(secondMoment), mul(root, epsilon));
  return { parameter: sub(decayed, mul(rate, div(firstMoment, denominator))), firstMoment, secondMoment };
}
