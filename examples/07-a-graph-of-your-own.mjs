// The engine without a model: a graph as data, differentiated, run. Run: node examples/07-a-graph-of-your-own.mjs
import {
  adamW,
  differentiate,
  float32,
  Graph,
  losses,
  operators,
  printGraph,
  Random,
  scalar,
  zeros,
} from 'heartmind';
import { createNodeBackend } from 'heartmind/node';

// y = tanh(x W₁) W₂, fitted to sin(x₀) + x₁ by AdamW: forward, backward and update are one graph.
const graph = new Graph('fit');
const [x, target] = [graph.input('x', 'float32', [64, 2]), graph.input('target', 'float32', [64, 1])];
const shapes = { w1: [2, 16], w2: [16, 1] };
const weights = Object.entries(shapes).map(([name, shape]) => graph.input(name, 'float32', shape));
const loss = losses.mse(
  operators.matmul(operators.tanh(operators.matmul(x, weights[0])), weights[1]),
  target,
);
const step = graph.input('step', 'float32', []);
for (const [i, gradient] of differentiate(loss, weights).entries()) {
  const name = Object.keys(shapes)[i];
  const [firstMoment, secondMoment] = ['m', 'v'].map((moment) =>
    graph.input(`${moment}/${name}`, 'float32', shapes[name]),
  );
  const updated = adamW({
    parameter: weights[i],
    gradient,
    firstMoment,
    secondMoment,
    step,
    learningRate: graph.constant(scalar(0.02)),
    weightDecay: 0,
  });
  graph.output(`next/${name}`, updated.parameter);
  graph.output(`next/m/${name}`, updated.firstMoment);
  graph.output(`next/v/${name}`, updated.secondMoment);
}
graph.output('loss', loss);
console.log(
  `${printGraph(graph).split('\n').length} lines; the first:\n${printGraph(graph).split('\n').slice(0, 8).join('\n')}`,
);

const random = new Random(0);
const state = {};
for (const [name, shape] of Object.entries(shapes)) {
  state[name] = float32(
    shape,
    Float32Array.from({ length: shape[0] * shape[1] }, () => 0.5 * random.normal()),
  );
  for (const moment of ['m', 'v']) state[`${moment}/${name}`] = zeros('float32', shape);
}
const program = await (await createNodeBackend()).compile(graph);
for (let i = 1; i <= 300; i++) {
  const inputs = Float32Array.from({ length: 128 }, () => random.normal());
  const outputs = Float32Array.from(
    { length: 64 },
    (_, row) => Math.sin(inputs[2 * row]) + inputs[2 * row + 1],
  );
  const results = await program.run({
    ...state,
    x: float32([64, 2], inputs),
    target: float32([64, 1], outputs),
    step: scalar(i),
  });
  for (const name of Object.keys(state)) state[name] = results[`next/${name}`];
  if (i % 100 === 0) console.log(`step ${i}: loss ${results.loss.data[0].toFixed(4)}`);
}
