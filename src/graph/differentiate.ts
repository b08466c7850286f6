/** Reverse-mode differentiation: one walk over the nodes from last to first, with the rules of gradients.ts. */
import { ShapeError, UnsupportedError } from '../core/errors.ts';
import { gradientRules, takesEveryOutput, zerosLike } from './gradients.ts';
import type { Value } from './ir.ts';
import { add } from './operators.ts';

/**
 * Gradients of a scalar with respect to values of the same graph, appended to that graph. A value that the loss does
 * not depend on gets zeros. ShapeError where the loss is not a scalar, UnsupportedError where it depends on a later output alone
 * of an operator whose rule is for the first.
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
    const isReached = arriving.some((gradient) => gradient !== undefined);
    if (rule === 'none' || !isReached || !node.inputs.some((input) => input && needed.has(input))) continue;
    const [first] = arriving;
    // A rule knows the first output's gradient alone: another's must not be taken for it.
    if (!first && !takesEveryOutput.has(node.operator))
      throw new UnsupportedError(
        `differentiate: of ${node.operator} only output ${arriving.findIndex((one) => one !== undefined) + 1} of ${arriving.length} has a gradient, and its rule is for the first. Use the first output, or write a rule for all.`,
        node.operator,
      );
    for (const [i, gradient] of rule(
      node,
      first ?? arriving.find((one) => one !== undefined)!,
      arriving,
    ).entries()) {
      const input = node.inputs[i];
      if (!input || !gradient || !needed.has(input)) continue;
      const sum = gradients.get(input);
      gradients.set(input, sum ? add(sum, gradient) : gradient);
    }
  }
  return wrt.map((value) => gradients.get(value) ?? zerosLike(value));
}
