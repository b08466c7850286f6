/**
 * Half precision with float32 around it: parameters come in and gradients leave as float32 (the master weights and their
 * moments are float32 wherever they live); products of matrices take and give float16, and what lies between products
 * stays float16 as long as nothing needs more. The rules are those of mixed precision training (Micikevicius et al.,
 * arXiv 1710.03740):
 *
 * - products: float16, unless a factor is a constant (Fourier, averaging, selection: values far below what float16
 *   resolves pass through them) or the sum is longer than `longestSum`, since engines may add in float16;
 * - norms, softmax, reductions, quotients, roots, powers and logarithms: float32;
 * - everything else takes the widest type that arrives; constants and masks take the other side's.
 *
 * Gradients may leave float16's range: scale the loss before differentiating, and the gradients back after (train/).
 */
import type { Graph, Node, Value } from './ir.ts';
import { cast, type OperatorName } from './operators.ts';
import { rewrite } from './rewrite.ts';

export interface HalfOptions {
  /** Products that sum more values than this stay float32. Default 1024: the gradient of a weight sums over all tokens. */
  readonly longestSum?: number;
}

const products: ReadonlySet<OperatorName> = new Set(['MatMul', 'Gemm']);

/** Operators that keep what arrives: each result is as exact as its operands, or nearly. */
const neutral: ReadonlySet<OperatorName> = new Set([
  ...(['Add', 'Sub', 'Mul', 'Neg', 'Abs', 'Sign', 'Exp', 'Erf', 'Tanh', 'Sigmoid', 'Relu', 'Gelu'] as const),
  ...(['Where', 'Reshape', 'Transpose', 'Expand', 'Split', 'Concat', 'Slice', 'Gather'] as const),
]);

/** A copy of a graph that computes in float16 where that is safe; inputs, outputs and constants keep their types. */
export function halfPrecision(graph: Graph, { longestSum = 1024 }: HalfOptions = {}): Graph {
  const weak = weakValues(graph);
  /** Values of the copy by those of the source, and those in float16. */
  const copies = new Map<Value, Value>();
  const halves = new Map<Value, Value>();
  const half = (value: Value): Value => {
    const found = halves.get(value) ?? makeHalf(value);
    halves.set(value, found);
    return found;
  };
  /** Computed in float16 where it is weak, else rounded. */
  const makeHalf = (value: Value): Value => {
    const { node } = value;
    const copy = copies.get(value)!;
    if (!node || !weak.has(value)) return cast(copy, 'float16');
    if (node.operator === 'Cast') return cast(copies.get(node.inputs[0]!)!, 'float16');
    return append(copy.graph, node, node.inputs.map(toHalf), 'float16')[node.outputs.indexOf(value)]!;
  };
  const toHalf = (value: Value | undefined) =>
    value && (value.dtype === 'float32' ? half(value) : copies.get(value)!);
  const result = rewrite(graph, (node, inputs, target) => {
    for (const [i, input] of node.inputs.entries()) if (input) copies.set(input, inputs[i]!);
    const strong = node.inputs.filter((input) => input?.dtype === 'float32' && !weak.has(input));
    const inHalf = products.has(node.operator)
      ? isHalfProduct(node, weak, longestSum)
      : neutral.has(node.operator) &&
        strong.length > 0 &&
        strong.every((input) => copies.get(input!)!.dtype === 'float16');
    const outputs = inHalf
      ? append(target, node, node.inputs.map(toHalf), 'float16')
      : append(
          target,
          node,
          inputs.map((input) => input && single(input)),
        );
    for (const [i, output] of node.outputs.entries()) copies.set(output, outputs[i]!);
    return outputs;
  });
  for (const [name, value] of result.outputs) result.output(name, single(value));
  return result;
}

/** The same node on other inputs, its results of another type. */
function append(
  target: Graph,
  { operator, attributes, outputs }: Node,
  inputs: readonly (Value | undefined)[],
  dtype?: Value['dtype'],
): readonly Value[] {
  const results = outputs.map((output) => ({ dtype: dtype ?? output.dtype, shape: output.shape }));
  return target.append(operator, inputs, attributes, results);
}

/** Constants, and what masks become: their values are the same in either type, so that they never decide it. */
function weakValues(graph: Graph): ReadonlySet<Value> {
  const weak = new Set<Value>(graph.constants);
  for (const { operator, inputs, outputs } of graph.nodes) {
    const isMask = operator === 'Cast' && inputs[0]!.dtype === 'bool';
    const floats = inputs.filter((input) => input?.dtype === 'float32');
    const ofWeak = neutral.has(operator) && floats.length > 0 && floats.every((input) => weak.has(input!));
    if (isMask || ofWeak) for (const output of outputs) if (output.dtype === 'float32') weak.add(output);
  }
  return weak;
}

function isHalfProduct(
  { operator, inputs, attributes }: Node,
  weak: ReadonlySet<Value>,
  longestSum: number,
): boolean {
  const [a, b] = inputs as [Value, Value];
  if (a.dtype !== 'float32' || weak.has(a) || weak.has(b)) return false;
  const inner = a.shape.at(operator === 'Gemm' && attributes.transA === 1 ? 0 : -1)!;
  return typeof inner === 'number' && inner <= longestSum;
}

function single(value: Value): Value {
  return value.dtype === 'float16' ? cast(value, 'float32') : value;
}
