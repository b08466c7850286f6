/** The optimizer as graph nodes: clipping by global norm and AdamW. */
import type { Value } from './ir.ts';
import { add, div, less, mul, pow, reduceSum, sqrt, sub, where } from './operators.ts';

/** Scale gradients so that their joint norm is at most `maxNorm`, as torch.nn.utils.clip_grad_norm_ does. */
export function clipByGlobalNorm(
  gradients: readonly Value[],
  maxNorm: number,
): { readonly gradients: Value[]; readonly norm: Value } {
  const norm = globalNorm(gradients);
  const ratio = div(maxNorm, add(norm, 1e-6)); // 1e-6: PyTorch's guard against a norm of zero
  const scale = where(less(ratio, 1), ratio, 1);
  return { gradients: gradients.map((gradient) => mul(gradient, scale)), norm };
}

/** Euclidean norm of all values together. */
export function globalNorm(values: readonly Value[]): Value {
  return sqrt(values.map((value) => reduceSum(mul(value, value))).reduce((a, b) => add(a, b)));
}

export interface AdamWInputs {
  readonly parameter: Value;
  readonly gradient: Value;
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

/** One update of AdamW (Loshchilov & Hutter 2019), in the order of torch.optim.AdamW. */
export function adamW(inputs: AdamWInputs): AdamWOutputs {
  const { parameter, gradient, learningRate, weightDecay, step } = inputs;
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = inputs;
  const { graph } = parameter;
  const dtype = parameter.dtype === 'float64' ? 'float64' : 'float32';
  const decayed = mul(parameter, sub(1, mul(learningRate, weightDecay)));
  const firstMoment = add(mul(inputs.firstMoment, beta1), mul(gradient, 1 - beta1));
  const secondMoment = add(mul(inputs.secondMoment, beta2), mul(mul(gradient, gradient), 1 - beta2));
  // m / (1 − β₁ᵗ) and v / (1 − β₂ᵗ), folded into two scalars of the step.
  const power = (beta: number) => sub(1, pow(graph.scalar(beta, dtype), step));
  const rate = div(learningRate, power(beta1));
  const denominator = add(div(sqrt(secondMoment), sqrt(power(beta2))), epsilon);
  return { parameter: sub(decayed, mul(rate, div(firstMoment, denominator))), firstMoment, secondMoment };
}
