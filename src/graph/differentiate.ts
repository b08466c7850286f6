/** Reverse-mode differentiation: one walk over the nodes from last to first, with the rules of gradients.ts. */
import { ShapeError } from '../core/errors.ts';
import { gradientRules, zerosLike } from './gradients.ts';
import type { Value } from './ir.ts';
import { add } from './operators.ts';

/**
 * Gradients of a scalar with respect to values of the same graph, appended to that graph. A value that the loss does
 * not depend on gets zeros. ShapeError where the loss is not a scalar.
 */
export function differentiate(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length !== 0) {
    throw new ShapeError(
      `differentiate: the loss has shape [${loss.shape}]. Reduce it to a scalar.`,
      'differentiate',
      '[]',
      `[${loss.shape}]`,
    );
  }
  const { graph } = loss;
  // Only what lies between wrt and the loss needs a gradient.
  const needed = new Set<Value>(wrt);
  for (const node of graph.nodes) {
    if (node.inputs.some((input) => input && needed.has(input)))
      for (const output of node.outputs) needed.add(output);
  }
  const gradients = new Map<Value, Value>();
  if (needed.has(loss))
    gradients.set(loss, graph.scalar(1, loss.dtype === 'float64' ? 'float64' : 'float32'));
  for (const node of graph.nodes.slice().reverse()) {
    const rule = gradientRules[node.operator];
    const arriving = node.outputs.map((output) => gradients.get(output));
    const first = arriving.find((gradient) => gradient !== undefined);
    if (rule === 'none' || first === undefined || !node.inputs.some((input) => input && needed.has(input)))
      continue;
    for (const [i, gradient] of rule(node, arriving[0] ?? first, arriving).entries()) {
      const input = node.inputs[i];
      if (!input || !gradient || !needed.has(input)) continue;
      const sum = gradients.get(input);
      gradients.set(input, sum ? add(sum, gradient) : gradient);
    }
  }
  return wrt.map((value) => gradients.get(value) ?? zerosLike(value));
}
