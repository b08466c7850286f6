/**
 * Losses: predictions and targets → a mean, given as its total and its weight, so that parts of a batch add up to the
 * batch. Semantics of the PyTorch functions of the same name.
 */
import { ShapeError } from '../core/errors.ts';
import { sameShape, staticDim } from './dims.ts';
import type { Value } from './ir.ts';
import {
  add,
  cast,
  div,
  equal,
  gather,
  logSoftmax,
  mul,
  neg,
  reduceSum,
  reshape,
  softplus,
  sub,
} from './operators.ts';

/** A mean in two parts: total / weight. */
export interface Mean {
  /** Scalar. */
  readonly total: Value;
  /** Scalar: how much it is the total of. */
  readonly weight: Value | number;
}

/** The mean itself, a scalar. */
export function meanOf({ total, weight }: Mean): Value {
  return div(total, weight);
}

export interface CrossEntropyOptions {
  /** Share of the target spread evenly over all classes. */
  readonly labelSmoothing?: number;
  /** Weight of each class; the mean is then weighted by the targets' weights. */
  readonly classWeights?: readonly number[];
}

/** Mean cross-entropy of logits [B, K] against class indices int64 [B]. */
export function crossEntropy(logits: Value, labels: Value, options: CrossEntropyOptions = {}): Mean {
  const { labelSmoothing = 0, classWeights } = options;
  const { graph } = logits;
  const [batch, classes] = logits.shape;
  const count = staticDim('crossEntropy', classes!);
  if (logits.shape.length !== 2 || !sameShape(labels.shape, [batch!])) {
    throw new ShapeError(
      `crossEntropy: logits [${logits.shape}] and labels [${labels.shape}] do not fit.`,
      'crossEntropy',
      '[B, K] and [B]',
      `[${logits.shape}] and [${labels.shape}]`,
    );
  }
  const indices = graph.constant({
    dtype: 'int64',
    shape: [count],
    data: BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
  });
  const oneHot = cast(equal(reshape(labels, [batch!, 1]), indices), logits.dtype);
  const logLikelihood = logSoftmax(logits, 1);
  const smooth = labelSmoothing > 0 ? add(mul(oneHot, 1 - labelSmoothing), labelSmoothing / count) : oneHot;
  if (!classWeights)
    return { total: neg(reduceSum(mul(smooth, logLikelihood))), weight: staticDim('crossEntropy', batch!) };
  const weights = cast(
    graph.constant({ dtype: 'float64', shape: [count], data: Float64Array.from(classWeights) }),
    logits.dtype,
  );
  const total = neg(reduceSum(mul(mul(smooth, weights), logLikelihood)));
  return { total, weight: reduceSum(gather(weights, labels)) };
}

/** Mean binary cross-entropy of logits against targets in [0, 1], of one shape: ln(1 + eˣ) − x t. */
export function binaryCrossEntropy(logits: Value, targets: Value): Mean {
  return sumOver(sub(softplus(logits), mul(logits, targets)));
}

/**
 * The same over the known values only: known bool, of the targets' shape [B, K]; what an unknown target is does not matter.
 * `positiveWeights` [K]: how often a true one counts.
 */
export function knownBinaryCrossEntropy(
  logits: Value,
  targets: Value,
  known: Value,
  positiveWeights?: readonly number[],
): Mean {
  const there = cast(known, logits.dtype);
  const truth = mul(targets, there);
  // w t ln(1 + e⁻ˣ) + (1 − t) ln(1 + eˣ), since ln(1 + e⁻ˣ) = ln(1 + eˣ) − x
  let losses = sub(softplus(logits), mul(logits, truth));
  if (positiveWeights) {
    const data = Float64Array.from(positiveWeights, (weight) => weight - 1);
    const extra = cast(logits.graph.constant({ dtype: 'float64', shape: [data.length], data }), logits.dtype);
    losses = add(losses, mul(mul(extra, truth), sub(softplus(logits), logits)));
  }
  return { total: reduceSum(mul(losses, there)), weight: reduceSum(there) };
}

/** Mean squared error over the known values only, as above. */
export function knownMse(prediction: Value, targets: Value, known: Value): Mean {
  const there = cast(known, prediction.dtype);
  const error = mul(sub(prediction, mul(targets, there)), there);
  return { total: reduceSum(mul(error, error)), weight: reduceSum(there) };
}

/** Mean squared error. */
export function mse(prediction: Value, target: Value): Mean {
  const error = sub(prediction, target);
  return sumOver(mul(error, error));
}

/** Mean squared error over the masked values only: mask bool, of the leading axes of the prediction. */
export function maskedMse(prediction: Value, target: Value, mask: Value): Mean {
  const error = sub(prediction, target);
  const inner = prediction.shape.slice(mask.shape.length);
  const perPatch = reduceSum(
    mul(error, error),
    inner.map((_, i) => i + mask.shape.length),
  );
  const weights = cast(mask, prediction.dtype);
  const size = inner.reduce<number>((product, dim) => product * staticDim('maskedMse', dim), 1);
  return { total: reduceSum(mul(perPatch, weights)), weight: mul(reduceSum(weights), size) };
}

function sumOver(values: Value): Mean {
  const weight = values.shape.reduce<number>((product, dim) => product * staticDim('loss', dim), 1);
  return { total: reduceSum(values), weight };
}
