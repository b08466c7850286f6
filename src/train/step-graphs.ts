/**
 * A loss → the graphs that train it: gradients and update in one (fused), or apart (gradient graph, update graph) as
 * accumulation and many machines need. Static batch sizes only.
 */
import type { Tensor } from '../core/tensor.ts';
import { differentiate } from '../graph/differentiate.ts';
import { Graph, type Value } from '../graph/ir.ts';
import { adamW, clipByGlobalNorm } from '../graph/optimizers.ts';
import type { DropoutInput } from '../model/dropout.ts';
import type { ParameterSource } from '../model/tokens.ts';

/** A parameter and the group that it learns in; without a group it is frozen: no gradient, no moments. */
export interface TrainedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly group?: string;
}

export interface BuiltLoss {
  /** Scalar. */
  readonly loss: Value;
  /** Further scalars to report. */
  readonly metrics?: Readonly<Record<string, Value>>;
  /** Inputs of random bytes that the loss wants. */
  readonly dropouts?: readonly DropoutInput[];
}

/** Build a loss into a graph; the inputs that it declares are the batch's. */
export type BuildLoss = (graph: Graph, parameter: ParameterSource) => BuiltLoss;

export interface UpdateOptions {
  /** Gradients are scaled to at most this global norm. */
  readonly clipNorm: number;
  readonly weightDecay: number;
  /** CBraMod decays every parameter; `matrices` spares biases and norms (one axis). */
  readonly decayOn: 'all' | 'matrices';
}

export interface StepGraph {
  readonly graph: Graph;
  readonly dropouts: readonly DropoutInput[];
  /** Names of the reported scalars, without prefix. */
  readonly metrics: readonly string[];
}

/** Names of inputs and outputs. */
export const names = {
  parameter: (name: string) => `parameter/${name}`,
  first: (name: string) => `first/${name}`,
  second: (name: string) => `second/${name}`,
  gradient: (name: string) => `gradient/${name}`,
  rate: (group: string) => `rate/${group}`,
  metric: (name: string) => `metric/${name}`,
  /** The output that replaces an input of the state. */
  next: (input: string) => `next/${input}`,
  step: 'step',
  loss: 'loss',
  norm: 'norm',
} as const;

/** Those that learn. */
export function trainable(
  specs: readonly TrainedParameter[],
): readonly (TrainedParameter & { group: string })[] {
  return specs.filter((spec): spec is TrainedParameter & { group: string } => spec.group !== undefined);
}

/** Forward, backward, clipping and AdamW in one graph. */
export function buildFusedGraph(
  build: BuildLoss,
  specs: readonly TrainedParameter[],
  options: UpdateOptions,
): StepGraph {
  const graph = new Graph('fused-step');
  const { values, ...built } = buildGradients(graph, build, specs);
  appendUpdate(graph, specs, values, built.gradients, options);
  return { graph, dropouts: built.dropouts, metrics: built.metrics };
}

/** Forward and backward: outputs `gradient/…` and `loss`. */
export function buildGradientGraph(build: BuildLoss, specs: readonly TrainedParameter[]): StepGraph {
  const graph = new Graph('gradients');
  const { gradients, dropouts, metrics } = buildGradients(graph, build, specs);
  for (const [i, { name }] of trainable(specs).entries()) graph.output(names.gradient(name), gradients[i]!);
  return { graph, dropouts, metrics };
}

/** Clipping and AdamW: `gradient/…` and the state in, the next state out. */
export function buildUpdateGraph(specs: readonly TrainedParameter[], options: UpdateOptions): Graph {
  const graph = new Graph('update');
  const learning = trainable(specs);
  const values = new Map(
    learning.map(({ name, shape }) => [name, graph.input(names.parameter(name), 'float32', shape)]),
  );
  const gradients = learning.map(({ name, shape }) => graph.input(names.gradient(name), 'float32', shape));
  appendUpdate(graph, specs, values, gradients, options);
  return graph;
}

function buildGradients(graph: Graph, build: BuildLoss, specs: readonly TrainedParameter[]) {
  const shapes = new Map(specs.map((spec) => [spec.name, spec.shape]));
  const values = new Map<string, Value>();
  const parameter = (name: string): Value => {
    const value =
      values.get(name) ?? graph.input(names.parameter(name), 'float32', shapes.get(name) ?? missing(name));
    values.set(name, value);
    return value;
  };
  const { loss, metrics = {}, dropouts = [] } = build(graph, parameter);
  const gradients = differentiate(
    loss,
    trainable(specs).map(({ name }) => parameter(name)),
  );
  graph.output(names.loss, loss);
  for (const [name, value] of Object.entries(metrics)) graph.output(names.metric(name), value);
  return { values, gradients, dropouts, metrics: Object.keys(metrics) };
}

function missing(name: string): never {
  throw new Error(`step: the loss uses the parameter '${name}', which is not among those given`);
}

function appendUpdate(
  graph: Graph,
  specs: readonly TrainedParameter[],
  values: ReadonlyMap<string, Value>,
  gradients: readonly Value[],
  { clipNorm, weightDecay, decayOn }: UpdateOptions,
): void {
  const learning = trainable(specs);
  const clipped = clipByGlobalNorm(gradients, clipNorm);
  const step = graph.input(names.step, 'float32', []);
  const groups = [...new Set(learning.map(({ group }) => group))];
  const rates = new Map(groups.map((group) => [group, graph.input(names.rate(group), 'float32', [])]));
  for (const [i, { name, shape, group }] of learning.entries()) {
    const updated = adamW({
      parameter: values.get(name)!,
      gradient: clipped.gradients[i]!,
      firstMoment: graph.input(names.first(name), 'float32', shape),
      secondMoment: graph.input(names.second(name), 'float32', shape),
      learningRate: rates.get(group)!,
      weightDecay: decayOn === 'all' || shape.length > 1 ? weightDecay : 0,
      step,
    });
    graph.output(names.next(names.parameter(name)), updated.parameter);
    graph.output(names.next(names.first(name)), updated.firstMoment);
    graph.output(names.next(names.second(name)), updated.secondMoment);
  }
  graph.output(names.norm, clipped.norm);
}

/** A scalar output as a number. */
export function scalarOf(results: Readonly<Record<string, Tensor>>, name: string): number {
  return Number(results[name]!.data[0]);
}
