/**
 * What WebGPU has no operator for, said otherwise: a node that runs on the host makes the device wait for it in the middle
 * of a step. Of the training graphs that is LogSoftmax. (Class labels are int64, which WebGPU lacks as well; they are
 * compared on the host before the device needs them.)
 */
import type { Graph } from './ir.ts';
import { exp, log, reduceMax, reduceSum, sub } from './operators.ts';
import { rewrite } from './rewrite.ts';

/** A copy of a graph with LogSoftmax as x − max − ln Σ exp(x − max). */
export function expandLogSoftmax(graph: Graph): Graph {
  return rewrite(graph, ({ operator, attributes: { axis } }, [x]) => {
    if (operator !== 'LogSoftmax') return undefined;
    const at = [axis as number];
    const shifted = sub(x!, reduceMax(x!, at, { keepDims: true }));
    return [sub(shifted, log(reduceSum(exp(shifted), at, { keepDims: true })))];
  });
}
