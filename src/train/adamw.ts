/**
 * The update on the CPU: clipping and AdamW on flat arrays in one pass over memory, in place. As a graph it is a dozen
 * passes by an engine whose threads get in the way of the gradients' (docs/benchmarks.md); devices that keep the state run
 * it as a graph (step-graphs.ts). Source: Loshchilov & Hutter 2019, as torch.optim.AdamW.
 */
import type { Block } from './step-graphs.ts';

const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];

export interface FlatState {
  readonly parameter: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

export interface AdamWOptions {
  /** Factor of the gradients: the mean's over the total's, and clipping. */
  readonly scale: number;
  readonly rates: Readonly<Record<string, number>>;
  /** 1 for the first update. */
  readonly step: number;
}

/** Update a block of the state by its gradients, in place. */
export function updateBlock(
  { parameter, first, second }: FlatState,
  gradients: Float32Array,
  { start, length, group, decay }: Block,
  { scale, rates, step }: AdamWOptions,
): void {
  const learningRate = rates[group]!;
  const kept = 1 - learningRate * decay;
  // rate · (m / c₁) / (√(v / c₂) + ε) with cᵢ = 1 − βᵢᵗ, as (rate √c₂ / c₁) · m / (√v + ε √c₂)
  const root = Math.sqrt(1 - beta2 ** step);
  const rate = (learningRate * root) / (1 - beta1 ** step);
  const guard = epsilon * root;
  for (let i = start; i < start + length; i++) {
    const gradient = gradients[i]! * scale;
    const m = beta1 * first[i]! + (1 - beta1) * gradient;
    const v = beta2 * second[i]! + (1 - beta2) * gradient * gradient;
    const next = parameter[i]! * kept - (rate * m) / (Math.sqrt(v) + guard);
    first[i] = m;
    second[i] = v;
    parameter[i] = next;
  }
}

/** Euclidean norm of the first values; four sums side by side keep the adder busy. */
export function normOf(values: Float32Array, length: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < length; i += 4) {
    a += values[i]! ** 2;
    b += values[i + 1]! ** 2;
    c += values[i + 2]! ** 2;
    d += values[i + 3]! ** 2;
  }
  return Math.sqrt(a + b + c + d);
}

/** What gradients of this norm are multiplied by to have at most `maxNorm`, as torch.nn.utils.clip_grad_norm_ does. */
export function clippingScale(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + 1e-6));
}
