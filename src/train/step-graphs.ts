/**
 * A loss → the two graphs that train it: gradients (forward, backward) and the update (clipping, AdamW). Between them lie
 * the gradients in one flat array, where parts of a batch and machines add up. Static batch sizes only.
 */
import { sizeOf, type Tensor, zeros } from '../core/tensor.ts';
import { differentiate } from '../graph/differentiate.ts';
import { halfPrecision } from '../graph/half.ts';
import { Graph, type Value } from '../graph/ir.ts';
import type { Mean } from '../graph/losses.ts';
import { add, concat, div, mul, reshape, slice } from '../graph/operators.ts';
import { adamW, clippingScale, globalNorm, sumLength } from '../graph/optimizers.ts';
import { optimise } from '../graph/passes.ts';
import type { DropoutInput } from '../model/dropout.ts';
import type { ParameterSource } from '../model/tokens.ts';

/** A parameter and the group that it learns in; without a group it is frozen: no gradient, no moments. */
export interface TrainedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly group?: string;
}

export interface BuiltLoss {
  readonly loss: Mean;
  /** Dropout masks that the loss wants. */
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

/** What gradients are computed in; parameters and moments are float32 in any case. */
export type Precision = 'float32' | 'float16';

export interface GradientGraph {
  readonly graph: Graph;
  readonly dropouts: readonly DropoutInput[];
  /** The loss's weight where it is the same for every batch; else it is an output. */
  readonly weight?: number;
}

/** Names of inputs and outputs. */
export const names = {
  parameter: (name: string) => `parameter/${name}`,
  first: (name: string) => `first/${name}`,
  second: (name: string) => `second/${name}`,
  gradient: (name: string) => `gradient/${name}`,
  rate: (group: string) => `rate/${group}`,
  /** The output that replaces an input of the state. */
  next: (input: string) => `next/${input}`,
  part: (gradient: string) => `part/${gradient}`,
  sum: (gradient: string) => `sum/${gradient}`,
  frozen: 'frozen',
  scale: 'scale',
  step: 'step',
  total: 'total',
  weight: 'weight',
  norm: 'norm',
} as const;

/** Those that learn. */
export function trainable(
  specs: readonly TrainedParameter[],
): readonly (TrainedParameter & { group: string })[] {
  return specs.filter((spec): spec is TrainedParameter & { group: string } => spec.group !== undefined);
}

/** Values side by side in a flat array that learn alike. */
export interface Block {
  readonly start: number;
  readonly length: number;
  readonly group: string;
  readonly decay: number;
}

/** All parameters that learn, one behind the other in a flat array. */
export interface FlatLayout {
  /** Values in all. */
  readonly length: number;
  readonly parameters: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly start: number;
    readonly length: number;
  }[];
  readonly blocks: readonly Block[];
}

/** Lay parameters out so that those of one group and decay lie together, a block, filled up to whole sums of the norm. */
export function layOut(
  specs: readonly TrainedParameter[],
  { weightDecay, decayOn }: Pick<UpdateOptions, 'weightDecay' | 'decayOn'>,
): FlatLayout {
  const alike = new Map<string, { group: string; decay: number; members: TrainedParameter[] }>();
  for (const spec of trainable(specs)) {
    const decay = decayOn === 'all' || spec.shape.length > 1 ? weightDecay : 0;
    const key = `${spec.group} ${decay}`;
    if (!alike.has(key)) alike.set(key, { group: spec.group, decay, members: [] });
    alike.get(key)!.members.push(spec);
  }
  const parameters: { name: string; shape: readonly number[]; start: number; length: number }[] = [];
  const blocks: Block[] = [];
  let end = 0;
  for (const { group, decay, members } of alike.values()) {
    const start = end;
    for (const { name, shape } of members) {
      parameters.push({ name, shape, start: end, length: sizeOf(shape) });
      end += sizeOf(shape);
    }
    end = start + Math.ceil((end - start) / sumLength) * sumLength;
    blocks.push({ group, decay, start, length: end - start });
  }
  return { length: end, parameters, blocks };
}

export interface GradientGraphOptions {
  /** float16: products in half precision, and a further input, `scale`, by which the gradients are multiplied. */
  readonly precision?: Precision | undefined;
  /**
   * Parameters and gradients as the blocks of a layout: inputs `parameter/i` and, where there are frozen ones, `frozen`
   * (all of them in the order of the specs), outputs `gradient/i`. Default: each by its name.
   */
  readonly layout?: FlatLayout;
}

/** Forward and backward: outputs the `gradient/…` of the loss's total, `total` and, where it varies, `weight`. */
export function buildGradientGraph(
  build: BuildLoss,
  specs: readonly TrainedParameter[],
  { precision = 'float32', layout }: GradientGraphOptions = {},
): GradientGraph {
  const graph = new Graph('gradients');
  const declare = layout ? parametersInBlocks(graph, specs, layout) : parametersByName(graph, specs);
  const values = new Map<string, Value>();
  const parameter = (name: string): Value => {
    const value = values.get(name) ?? declare(name);
    values.set(name, value);
    return value;
  };
  const { loss, dropouts = [] } = build(graph, parameter);
  const half = precision === 'float16';
  const gradients = new Map<string, Value>();
  const learning = trainable(specs).map(({ name }) => name);
  const root = half ? mul(loss.total, graph.input(names.scale, 'float32', [])) : loss.total;
  for (const [i, gradient] of differentiate(root, learning.map(parameter)).entries())
    gradients.set(learning[i]!, gradient);
  if (layout) outputBlocks(graph, gradients, layout);
  else for (const [name, gradient] of gradients) graph.output(names.gradient(name), gradient);
  graph.output(names.total, loss.total);
  const fixed = typeof loss.weight === 'number' ? { weight: loss.weight } : {};
  if (typeof loss.weight !== 'number') graph.output(names.weight, loss.weight);
  const optimised = optimise(graph);
  return { graph: half ? halfPrecision(optimised) : optimised, dropouts, ...fixed };
}

function parametersByName(graph: Graph, specs: readonly TrainedParameter[]): ParameterSource {
  const shapes = new Map(specs.map((spec) => [spec.name, spec.shape]));
  return (name) => graph.input(names.parameter(name), 'float32', shapes.get(name) ?? missing(name));
}

/** Parameters cut out of the blocks that they lie in. */
function parametersInBlocks(
  graph: Graph,
  specs: readonly TrainedParameter[],
  { parameters, blocks }: FlatLayout,
): ParameterSource {
  const cuts = new Map<string, () => Value>();
  for (const [i, block] of blocks.entries()) {
    const input = graph.input(names.parameter(`${i}`), 'float32', [block.length]);
    for (const { name, shape, start, length } of inBlock(parameters, block)) {
      const from = start - block.start;
      cuts.set(name, () => reshape(slice(input, 0, from, from + length), shape));
    }
  }
  const frozen = specs.filter(({ group }) => group === undefined);
  const length = frozen.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const input = length === 0 ? undefined : graph.input(names.frozen, 'float32', [length]);
  let end = 0;
  for (const { name, shape } of frozen) {
    const [from, to] = [end, end + sizeOf(shape)];
    cuts.set(name, () => reshape(slice(input!, 0, from, to), shape));
    end = to;
  }
  return (name) => (cuts.get(name) ?? missing(name))();
}

/** Gradients joined to the blocks of the layout, zeros behind them. */
function outputBlocks(
  graph: Graph,
  gradients: ReadonlyMap<string, Value>,
  { parameters, blocks }: FlatLayout,
): void {
  for (const [i, block] of blocks.entries()) {
    const members = inBlock(parameters, block);
    const rows = members.map(({ name, length }) => reshape(gradients.get(name)!, [length]));
    const rest = block.length - members.reduce((sum, { length }) => sum + length, 0);
    if (rest > 0) rows.push(graph.constant(zeros('float32', [rest])));
    graph.output(names.gradient(`${i}`), concat(rows, 0));
  }
}

function inBlock(parameters: FlatLayout['parameters'], { start, length }: Block): FlatLayout['parameters'] {
  return parameters.filter((parameter) => parameter.start >= start && parameter.start < start + length);
}

/** Gradients of two parts of a batch, added: inputs `gradient/i` and `part/gradient/i`, outputs `sum/gradient/i`. */
export function buildSumGraph({ blocks }: FlatLayout): Graph {
  const graph = new Graph('sum');
  for (const [i, { length }] of blocks.entries()) {
    const key = names.gradient(`${i}`);
    const [a, b] = [key, names.part(key)].map((name) => graph.input(name, 'float32', [length]));
    graph.output(names.sum(key), add(a!, b!));
  }
  return graph;
}

/**
 * Clipping and AdamW on flat state: for every block `i` the inputs `parameter/i`, `first/i`, `second/i` and `gradient/i`
 * (of the total over `weight`), and the outputs `next/…`; `norm` of the mean's gradient.
 */
export function buildUpdateGraph({ blocks }: FlatLayout, { clipNorm }: UpdateOptions): Graph {
  const graph = new Graph('update');
  const input = (name: string, shape: readonly number[] = []) => graph.input(name, 'float32', shape);
  const gradients = blocks.map(({ length }, i) => input(names.gradient(`${i}`), [length]));
  const [weight, step] = [input(names.weight), input(names.step)];
  const norm = div(globalNorm(gradients), weight);
  const gradientScale = div(clippingScale(norm, clipNorm), weight);
  const groups = [...new Set(blocks.map(({ group }) => group))];
  const rates = new Map(groups.map((group) => [group, input(names.rate(group))]));
  for (const [i, { length, group, decay }] of blocks.entries()) {
    const at = {
      parameter: names.parameter(`${i}`),
      first: names.first(`${i}`),
      second: names.second(`${i}`),
    };
    const updated = adamW({
      parameter: input(at.parameter, [length]),
      gradient: gradients[i]!,
      gradientScale,
      firstMoment: input(at.first, [length]),
      secondMoment: input(at.second, [length]),
      learningRate: rates.get(group)!,
      weightDecay: decay,
      step,
    });
    graph.output(names.next(at.parameter), updated.parameter);
    graph.output(names.next(at.first), updated.firstMoment);
    graph.output(names.next(at.second), updated.secondMoment);
  }
  graph.output(names.norm, norm);
  return graph;
}

/** A scalar output as a number. */
export function scalarOf(results: Readonly<Record<string, Tensor>>, name: string): number {
  return Number(results[name]!.data[0]);
}

function missing(name: string): never {
  throw new Error(`step: the loss uses the parameter '${name}', which is not among those given`);
}
