import { expect, test } from 'vitest';
import { float32 } from '../../src/core/tensor.ts';
import { Graph } from '../../src/graph/ir.ts';
import { logSoftmax } from '../../src/graph/operators.ts';
import { expandLogSoftmax } from '../../src/graph/webgpu.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

test('LogSoftmax by other operators gives the same, for large values too', async () => {
  const graph = new Graph('g');
  graph.output('y', logSoftmax(graph.input('x', 'float32', [2, 3]), 1));
  const expanded = expandLogSoftmax(graph);
  expect(expanded.nodes.map(({ operator }) => operator)).not.toContain('LogSoftmax');
  const backend = await createNodeBackend({ device: 'cpu', threads: 1 });
  const results = [];
  for (const each of [graph, expanded])
    results.push(
      (await (await backend.compile(each)).run({ x: float32([2, 3], [1, -2, 0.5, 300, 299, -300]) })).y!,
    );
  for (const [i, value] of [...results[0]!.data].entries())
    expect(Number(results[1]!.data[i])).toBeCloseTo(Number(value), 4);
});
