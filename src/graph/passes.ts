/** Graph passes: small pure functions with a name. */
import type { Graph, Node, Value } from './ir.ts';

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
