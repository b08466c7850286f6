// The engine without a model: a graph as data, differentiated, run. Run: node examples/07-a-graph-of-your-own.mjs
import { differentiate, float32, Graph, losses, operators, printGraph, Random } from 'heartmind';
import { createNodeBackend } from 'heartmind/node';

const { matmul, mul, sub, tanh } = operators;

// y = tanh(x W₁) W₂, fitted to sin(x₀) + x₁ by gradient descent: forward, backward and update are one graph.
const graph = new Graph('fit');
const x = graph.input('x', 'float32', [64, 2]);
const target = graph.input('target', 'float32', [64, 1]);
const w1 = graph.input('w1', 'float32', [2, 16]);
const w2 = graph.input('w2', 'float32', [16, 1]);
const loss = losses.meanOf(losses.mse(matmul(tanh(matmul(x, w1)), w2), target));
const [g1, g2] = differentiate(loss, [w1, w2]);
graph.output('loss', loss);
graph.output('next/w1', sub(w1, mul(g1, 0.1)));
graph.output('next/w2', sub(w2, mul(g2, 0.1)));
console.log(printGraph(graph).split('\n').slice(0, 12).join('\n'));

const random = new Random(0);
const draw = (shape, size) =>
  float32(
    shape,
    Float32Array.from({ length: size }, () => random.normal()),
  );
let weights = { w1: draw([2, 16], 32), w2: draw([16, 1], 16) };
const program = await (await createNodeBackend()).compile(graph);
for (let i = 1; i <= 600; i++) {
  const inputs = draw([64, 2], 128);
  const { data } = inputs;
  const truth = Float32Array.from({ length: 64 }, (_, row) => Math.sin(data[2 * row]) + data[2 * row + 1]);
  const results = await program.run({ ...weights, x: inputs, target: float32([64, 1], truth) });
  weights = { w1: results['next/w1'], w2: results['next/w2'] };
  if (i % 200 === 0) console.log(`step ${i}: loss ${results.loss.data[0].toFixed(4)}`);
}
await program.dispose();
