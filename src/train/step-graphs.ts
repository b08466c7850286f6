/**
 * A loss → the two graphs that train it: gradients (forward, backward) and the update (clipping, AdamW). Between them lie
 * the gradients in one flat array, where parts of a batch and machines add up. Static batch sizes only.
 */
import { sizeOf, type Tensor } from '../core/tensor.ts';
import { differentiate } from '../graph/differentiate.ts';
import { Graph, type Value } from '../graph/ir.ts';
import type { Mean } from '../graph/losses.ts';
import { div } from '../graph/operators.ts';
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

/** Forward and backward: outputs the `gradient/…` of the loss's total, `total` and, where it varies, `weight`. */
export function buildGradientGraph(build: BuildLoss, specs: readonly TrainedParameter[]): GradientGraph {
  const graph = new Graph('gradients');
  const shapes = new Map(specs.map((spec) => [spec.name, spec.shape]));
  const values = new Map<string, Value>();
  const parameter = (name: string): Value => {
    const value =
      values.get(name) ?? graph.input(names.parameter(name), 'float32', shapes.get(name) ?? missing(name));
    values.set(name, value);
    return value;
  };
  const { loss, dropouts = [] } = build(graph, parameter);
  const learning = trainable(specs);
  const gradients = differentiate(
    loss.total,
    learning.map(({ name }) => parameter(name)),
  );
  for (const [i, { name }] of learning.entries()) graph.output(names.gradient(name), gradients[i]!);
  graph.output(names.total, loss.total);
  const fixed = typeof loss.weight === 'number' ? { weight: loss.weight } : {};
  if (typeof loss.weight !== 'number') graph.output(names.weight, loss.weight);
  return { graph: optimise(graph), dropouts, ...fixed };
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
