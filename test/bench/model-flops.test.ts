import { expect, test } from 'vitest';
import { forwardFlops } from '../../bench/model-flops.ts';
import { countFlops } from '../../src/graph/flops.ts';
import { Graph } from '../../src/graph/ir.ts';
import { encode, encoderParameters, reconstruct } from '../../src/model/cbramod.ts';
import { encoderConfig } from '../../src/model/config.ts';

function graphFlops(layers: number): number {
  const graph = new Graph('encoder');
  const config = encoderConfig({ layers });
  const shapes = new Map(encoderParameters(config).map(({ name, shape }) => [name, shape]));
  const parameter = (name: string) => graph.input(name, 'float32', shapes.get(name)!);
  const patches = graph.input('patches', 'float32', [2, 12, 10, 200]);
  graph.output('y', reconstruct(encode({ patches, parameter, config }), parameter));
  return countFlops(graph);
}

test("a layer's products are those of our graph exactly; the embedding's are fewer than dense products compute", () => {
  const size = { batch: 2, channels: 12, patches: 10 };
  const layer = forwardFlops({ ...size, layers: 3 }) - forwardFlops({ ...size, layers: 2 });
  expect(layer).toBe(graphFlops(3) - graphFlops(2));
  const [defined, computed] = [forwardFlops({ ...size, layers: 2 }), graphFlops(2)];
  expect(defined).toBeLessThan(computed);
});
