/** Copying a graph with changes: the one mechanism of all passes. */
import { Graph, type Node, type Value } from './ir.ts';

/**
 * What becomes of a node: the values that take the place of its outputs, built from `inputs`, which belong to the new
 * graph; undefined to copy it as it is.
 */
export type RewriteRule = (
  node: Node,
  inputs: readonly (Value | undefined)[],
  target: Graph,
) => readonly Value[] | undefined;

/** A copy of all that the outputs depend on, node by node in order. All inputs stay. */
export function rewrite(graph: Graph, rule: RewriteRule): Graph {
  const target = new Graph(graph.name);
  const copies = new Map<Value, Value>();
  const copy = (value: Value): Value => {
    const found =
      copies.get(value) ??
      (value.constant ? target.constant(value.constant) : target.input(value.name, value.dtype, value.shape));
    copies.set(value, found);
    return found;
  };
  for (const input of graph.inputs) copy(input);
  for (const node of reachableNodes(graph)) {
    const inputs = node.inputs.map((input) => input && copy(input));
    const outputs =
      rule(node, inputs, target) ?? target.append(node.operator, inputs, node.attributes, node.outputs);
    for (const [i, output] of node.outputs.entries()) if (outputs[i]) copies.set(output, outputs[i]);
  }
  for (const [name, value] of graph.outputs) target.output(name, copy(value));
  return target;
}

/** Dead-code elimination: the nodes that the outputs depend on, in order. */
export function reachableNodes(graph: Graph): Node[] {
  const wanted = new Set<Value>(graph.outputs.values());
  const kept: Node[] = [];
  for (const node of graph.nodes.slice().reverse()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    kept.push(node);
    for (const input of node.inputs) if (input) wanted.add(input);
  }
  return kept.reverse();
}

/** How often each value is used, as an input or as an output of the graph. */
export function countUses(graph: Graph): Map<Value, number> {
  const uses = new Map<Value, number>();
  const use = (value: Value) => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of reachableNodes(graph)) for (const input of node.inputs) if (input) use(input);
  for (const value of graph.outputs.values()) use(value);
  return uses;
}
