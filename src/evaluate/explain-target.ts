/**
 * What an explanation explains: one number of a window, differentiable. Logits [B, K] → [B].
 *
 * Softmax does not see a number that is added to all logits, so a logit by itself means nothing: the log-odds of a class
 * against all others, z_k − ln Σ_{j≠k} e^{z_j} = ln p/(1 − p), are what its probability is made of. They are the default.
 */
import { ConfigError } from '../core/errors.ts';
import type { Value } from '../graph/ir.ts';
import { concat, logSoftmax, reshape, slice, sub } from '../graph/operators.ts';

export const quantities = ['log-odds', 'logit'] as const;
export type Quantity = (typeof quantities)[number];

/** Build the number that is explained: [B] of the logits [B, K]. */
export function buildTarget(logits: Value, index: number, quantity: Quantity): Value {
  const [batch, classes] = logits.shape as [Value['shape'][number], number];
  const column = (from: number, to: number) => slice(logits, 1, from, to);
  const own = column(index, index + 1);
  if (quantity === 'logit') return reshape(own, [batch]);
  const others = [
    ...(index > 0 ? [column(0, index)] : []),
    ...(index + 1 < classes ? [column(index + 1, classes)] : []),
  ];
  const rest = others.length === 1 ? others[0]! : concat(others, 1); // [B, K − 1]
  // ln Σ eᶻ = z₀ − ln softmax(z)₀, without overflow
  const first = slice(rest, 1, 0, 1);
  return reshape(sub(own, sub(first, slice(logSoftmax(rest, 1), 1, 0, 1))), [batch]);
}

/** The index of a class by its name. ConfigError that lists the names. */
export function classIndex(classes: readonly string[], name: string): number {
  const index = classes.indexOf(name);
  if (index >= 0) return index;
  throw new ConfigError(
    `class: the model knows no '${name}'. Choose one of ${classes.join(', ')}.`,
    'class',
    classes.join(', '),
  );
}
