/**
 * All of reverse mode in one table: for every operator, how the gradient of its output (g) becomes the gradients of its
 * inputs. `'none'` marks operators that pass no gradient. Exhaustive by type: an operator without a rule does not compile.
 */
import { ShapeError } from '../core/errors.ts';
import { staticDim, staticShape } from './dims.ts';
import type { Node, Shape, Value } from './ir.ts';
import * as op from './operators.ts';

/** Gradients of the outputs (undefined where nothing flows) → gradients of the inputs (undefined where none flows). */
export type GradientRule = (
  node: Node,
  /** Of the first output. */
  gradient: Value,
  gradients: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

/** Operators whose rules take the gradients of every output, of which the first may be absent. */
export const takesEveryOutput: ReadonlySet<op.OperatorName> = new Set(['Split']);

export const gradientRules: Readonly<Record<op.OperatorName, GradientRule | 'none'>> = {
  // d(a + b) = da + db
  Add: ({ inputs: [a, b] }, g) => [sumTo(g, a!.shape), sumTo(g, b!.shape)],
  // d(a − b) = da − db
  Sub: ({ inputs: [a, b] }, g) => [sumTo(g, a!.shape), op.neg(sumTo(g, b!.shape))],
  // d(a b) = b da + a db
  Mul: ({ inputs: [a, b] }, g) => [sumTo(op.mul(g, b!), a!.shape), sumTo(op.mul(g, a!), b!.shape)],
  // d(a / b) = da / b − (a / b) db / b
  Div: ({ inputs: [a, b], outputs: [y] }, g) => {
    const da = op.div(g, b!);
    return [sumTo(da, a!.shape), op.neg(sumTo(op.mul(da, y!), b!.shape))];
  },
  // d(xⁿ) = n xⁿ⁻¹ dx for a constant n
  Pow: ({ inputs: [x, n] }, g) => {
    const exponent = Number(n!.constant?.data[0] ?? Number.NaN);
    if (Number.isNaN(exponent))
      throw new ShapeError('Pow: only a constant exponent has a gradient.', 'Pow', 'constant', n!.name);
    return [op.mul(g, op.mul(exponent === 2 ? x! : op.pow(x!, exponent - 1), exponent)), undefined];
  },
  // d(c ? a : b) = c ? da : db
  Where: ({ inputs: [c, a, b] }, g) => [
    undefined,
    sumTo(op.where(c!, g, 0), a!.shape),
    sumTo(op.where(c!, 0, g), b!.shape),
  ],
  Cast: ({ inputs: [x] }, g) => [op.cast(g, x!.dtype)],
  // d(−x) = −dx
  Neg: (_, g) => [op.neg(g)],
  // d|x| = sign(x) dx
  Abs: ({ inputs: [x] }, g) => [op.mul(g, op.sign(x!))],
  // d(eˣ) = eˣ dx
  Exp: ({ outputs: [y] }, g) => [op.mul(g, y!)],
  // d(ln x) = dx / x
  Log: ({ inputs: [x] }, g) => [op.div(g, x!)],
  // d√x = dx / (2 √x)
  Sqrt: ({ outputs: [y] }, g) => [op.div(g, op.mul(y!, 2))],
  // d erf(x) = 2/√π e^(−x²) dx
  Erf: ({ inputs: [x] }, g) => [op.mul(g, op.mul(op.exp(op.neg(op.mul(x!, x!))), 2 / Math.sqrt(Math.PI)))],
  // d tanh(x) = (1 − tanh²x) dx
  Tanh: ({ outputs: [y] }, g) => [op.mul(g, op.sub(1, op.mul(y!, y!)))],
  // dσ(x) = σ(x) (1 − σ(x)) dx
  Sigmoid: ({ outputs: [y] }, g) => [op.mul(g, op.mul(y!, op.sub(1, y!)))],
  // d max(x, 0) = [x > 0] dx
  Relu: ({ inputs: [x] }, g) => [op.where(op.greater(x!, 0), g, 0)],
  // d(x Φ(x)) = (Φ(x) + x φ(x)) dx; with z = x/√2: Φ + x φ = (1 + erf z + z e^(ln(2/√π) − z²)) / 2
  Gelu: ({ inputs: [x] }, g) => {
    const z = op.mul(x!, Math.SQRT1_2);
    const density = op.exp(op.sub(Math.log(2 / Math.sqrt(Math.PI)), op.mul(z, z)));
    return [op.mul(op.mul(g, op.add(op.add(op.erf(z), 1), op.mul(z, density))), 0.5)];
  },
  // d ln(1 + eˣ) = σ(x) dx
  Softplus: ({ inputs: [x] }, g) => [op.mul(g, op.sigmoid(x!))],
  // d(A B) = dA B + A dB  →  gA = g Bᵀ, gB = Aᵀ g
  MatMul: ({ inputs: [a, b] }, g) => matmulGradient(a!, b!, g),
  // The same with the transposes of Gemm; c is broadcast
  Gemm: (node, g) => gemmGradient(node, g),
  // x: transposed convolution of g with w; w: convolution of x with g; b: sum of g
  Conv: (node, g) => convGradient(node, g),
  // Only built as the gradient of Conv: second derivatives are not taken
  ConvTranspose: 'none',
  // y = softmax(x): gx = y (g − Σ g y)
  Softmax: ({ outputs: [y], attributes: { axis } }, g) => {
    const weighted = op.mul(g, y!);
    return [op.sub(weighted, op.mul(y!, op.reduceSum(weighted, [axis as number], { keepDims: true })))];
  },
  // y = ln softmax(x): gx = g − eʸ Σ g
  LogSoftmax: ({ outputs: [y], attributes: { axis } }, g) => [
    op.sub(g, op.mul(op.exp(y!), op.reduceSum(g, [axis as number], { keepDims: true }))),
  ],
  // x̂ = (x − μ)/σ, y = x̂ s + b, u = g x̂: gx = (g s − mean(g s) − x̂ mean(u s)) / σ, gs = Σ u, gb = Σ g
  LayerNormalization: ({ inputs: [x, scale, bias], outputs: [, mean, inverse] }, g) => {
    const normal = op.mul(op.sub(x!, mean!), inverse!);
    const weighted = op.mul(g, normal);
    // Means of products with the scale, as products of matrices.
    const size = staticDim('LayerNormalization', scale!.shape[0]!);
    const column = op.reshape(op.mul(scale!, 1 / size), [size, 1]);
    const inner = op.sub(
      op.sub(op.mul(g, scale!), op.matmul(g, column)),
      op.mul(normal, op.matmul(weighted, column)),
    );
    return [op.mul(inner, inverse!), sumTo(weighted, scale!.shape), sumTo(g, bias!.shape)];
  },
  // dΣx = Σdx
  ReduceSum: (node, g) => [op.expand(keepReduced(node, g), node.inputs[0]!.shape), undefined],
  // d mean(x) = mean(dx)
  ReduceMean: (node, g) => {
    const count = sizeOf(node.inputs[0]!.shape) / sizeOf(node.outputs[0]!.shape);
    return [op.expand(op.mul(keepReduced(node, g), 1 / count), node.inputs[0]!.shape), undefined];
  },
  // The gradient goes to the largest value, shared equally where several are
  ReduceMax: (node, g) => {
    const [x, axes] = node.inputs as [Value, Value];
    const largest = op.cast(op.equal(x, keepReduced(node, node.outputs[0]!)), x.dtype);
    const count = op.reduceSum(largest, Array.from(axes.constant!.data, Number), { keepDims: true });
    return [op.mul(largest, op.div(keepReduced(node, g), count)), undefined];
  },
  Reshape: ({ inputs: [x] }, g) => [op.reshape(g, x!.shape), undefined],
  // The inverse permutation
  Transpose: ({ attributes: { perm } }, g) => {
    const permutation = perm as readonly number[];
    return [
      op.transpose(
        g,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
    ];
  },
  Expand: ({ inputs: [x] }, g) => [sumTo(g, x!.shape), undefined],
  // The pieces' gradients joined; zeros where a piece is unused
  Split: ({ outputs, attributes: { axis } }, _, gradients) => [
    op.concat(
      outputs.map((output, i) => gradients[i] ?? zerosLike(output)),
      axis as number,
    ),
    undefined,
  ],
  Concat: ({ inputs, attributes: { axis } }, g) => {
    const at = axis as number;
    return op.split(
      g,
      at,
      inputs.map((input) => staticDim('Concat', input!.shape[at]!)),
    );
  },
  // Zeros around g
  Slice: ({ inputs: [x, start, end, axis] }, g) => {
    const at = Number(axis!.constant!.data[0]);
    const [from, to] = [Number(start!.constant!.data[0]), Number(end!.constant!.data[0])];
    const size = staticDim('Slice', x!.shape[at]!);
    const padding = (length: number) => (length > 0 ? [zeros(x!, x!.shape.with(at, length))] : []);
    return [op.concat([...padding(from), g, ...padding(size - to)], at), undefined, undefined, undefined];
  },
  // Rows of g added to the rows that they came from
  Gather: ({ inputs: [data, indices], attributes: { axis } }, g) => [
    gatherGradient(data!, indices!, axis as number, g),
    undefined,
  ],
  ScatterND: 'none',
  // Put in by passes, after differentiation
  FusedMatMul: 'none',
  // Inference alone
  DynamicQuantizeLinear: 'none',
  MatMulInteger: 'none',
  Sign: 'none',
  Equal: 'none',
  Greater: 'none',
  Less: 'none',
  And: 'none',
  Not: 'none',
};

/** Sum over the axes along which `shape` was broadcast. */
function sumTo(gradient: Value, shape: Shape): Value {
  const extra = gradient.shape.length - shape.length;
  const leading = Array.from({ length: extra }, (_, i) => i);
  const stretched = shape.flatMap((dim, i) =>
    dim === 1 && gradient.shape[i + extra] !== 1 ? [i + extra] : [],
  );
  const axes = [...leading, ...stretched];
  if (gradient.shape.length === 2 && axes.length === 1 && axes[0] === 0)
    return op.reshape(sumRows(gradient), shape);
  return axes.length === 0 ? gradient : op.reshape(op.reduceSum(gradient, axes), shape);
}

/**
 * The sum of all rows, [M, N] → [1, N], as products with rows of ones: engines do it in a third of the time of a sum, and
 * faster yet where some rows side by side are summed first, as one long row.
 */
function sumRows(x: Value): Value {
  const [rows, columns] = staticShape('gradient', x.shape) as [number, number];
  const together = [32, 16, 8, 4].find((n) => rows % n === 0 && rows >= 8 * n);
  const sum = (value: Value) => op.gemm(tensorOf(value, [1, Number(value.shape[0])], 1), value);
  if (together === undefined) return sum(x);
  const wide = sum(op.reshape(x, [rows / together, together * columns]));
  return sum(op.reshape(wide, [together, columns]));
}

/** A constant of one number, of another value's type. */
function tensorOf({ graph, dtype }: Value, shape: readonly number[], value: number): Value {
  const size = shape.reduce((a, b) => a * b, 1);
  return dtype === 'float64'
    ? graph.constant({ dtype, shape, data: new Float64Array(size).fill(value) })
    : graph.constant({ dtype: 'float32', shape, data: new Float32Array(size).fill(value) });
}

function zeros(like: Value, shape: Shape): Value {
  const scalar = like.graph.scalar(0, like.dtype === 'float64' ? 'float64' : 'float32');
  return op.expand(scalar, shape);
}

/** A value of zeros in another's shape. */
export function zerosLike(value: Value): Value {
  return zeros(value, value.shape);
}

function sizeOf(shape: Shape): number {
  return staticShape('gradient', shape).reduce((a, b) => a * b, 1);
}

/** A reduced value with its axes back, of size one. */
function keepReduced(node: Node, value: Value): Value {
  const [x, axes] = node.inputs as [Value, Value];
  const reduced = new Set(Array.from(axes.constant!.data, Number));
  return op.reshape(
    value,
    x.shape.map((dim, i) => (reduced.has(i) ? 1 : dim)),
  );
}

/** The last two axes exchanged, or what they were exchanged in. */
function swapLast(x: Value): Value {
  const axes = x.shape.map((_, i) => i);
  const n = axes.length;
  const permutation = [...axes.slice(0, -2), n - 1, n - 2];
  const { node } = x;
  const swapped = node?.operator === 'Transpose' && String(node.attributes.perm) === String(permutation);
  return swapped ? node.inputs[0]! : op.transpose(x, permutation);
}

function matmulGradient(a: Value, b: Value, g: Value): Value[] {
  if (b.shape.length === 2) {
    // One matrix for all rows: flatten the rows, so that both products are one Gemm without a Transpose.
    const [k, n] = staticShape('MatMul', b.shape) as [number, number];
    const rows = sizeOf(a.shape) / k;
    const [flatA, flatG] = [op.reshape(a, [rows, k]), op.reshape(g, [rows, n])];
    const ga = op.gemm(flatG, b, undefined, { transB: true });
    return [op.reshape(ga, a.shape), op.gemm(flatA, flatG, undefined, { transA: true })];
  }
  return [sumTo(op.matmul(g, swapLast(b)), a.shape), sumTo(op.matmul(swapLast(a), g), b.shape)];
}

function gemmGradient({ inputs, attributes }: Node, g: Value): (Value | undefined)[] {
  const [a, b, c] = inputs as [Value, Value, Value | undefined];
  const [transA, transB] = [attributes.transA === 1, attributes.transB === 1];
  const [alpha, beta] = [Number(attributes.alpha ?? 1), Number(attributes.beta ?? 1)];
  const product = (x: Value, y: Value, tx: boolean, ty: boolean) =>
    op.gemm(x, y, undefined, { transA: tx, transB: ty, alpha });
  // Y = A' B': gA' = g B'ᵀ, gB' = A'ᵀ g, transposed back where A or B were.
  const ga = transA ? product(b, g, transB, true) : product(g, b, false, !transB);
  const gb = transB ? product(g, a, true, transA) : product(a, g, !transA, false);
  return [ga, gb, c && sumTo(beta === 1 ? g : op.mul(g, beta), c.shape)];
}

function convGradient({ inputs, attributes }: Node, g: Value): (Value | undefined)[] {
  const [x, w, b] = inputs as [Value, Value, Value | undefined];
  const strides = attributes.strides as readonly number[];
  const pads = attributes.pads as readonly number[];
  const dilations = attributes.dilations as readonly number[];
  const group = attributes.group as number;
  const [batch, channels, ...sizes] = staticShape('Conv', x.shape) as [number, number, ...number[]];
  const [out, perGroup, ...kernel] = staticShape('Conv', w.shape) as [number, number, ...number[]];
  const results = staticShape('Conv', g.shape).slice(2);
  const spatial = sizes.map((_, i) => i);
  const outputPadding = spatial.map((i) => {
    const reached = strides[i]! * (results[i]! - 1) + dilations[i]! * (kernel[i]! - 1) + 1;
    return sizes[i]! + pads[i]! + pads[i + spatial.length]! - reached;
  });
  const gx = op.convTranspose(g, w, { strides, pads, dilations, group, outputPadding });
  // gw: batch and channels change places. x becomes [Cin/group, group·B, …], g the kernel [Cout, B, …];
  // strides and dilations change places too, and what the strides skipped is cut off.
  const axes = spatial.map((i) => i + 3);
  const grouped = op.transpose(op.reshape(x, [batch, group, channels / group, ...sizes]), [2, 1, 0, ...axes]);
  const image = op.reshape(grouped, [perGroup, group * batch, ...sizes]);
  const kernelOfG = op.transpose(g, [1, 0, ...spatial.map((i) => i + 2)]);
  let gw = op.conv(image, kernelOfG, undefined, { strides: dilations, dilations: strides, pads, group });
  for (const i of spatial) gw = op.slice(gw, i + 2, 0, kernel[i]!);
  gw = op.reshape(op.transpose(gw, [1, 0, ...spatial.map((i) => i + 2)]), [out, perGroup, ...kernel]);
  return [gx, gw, b && op.reduceSum(g, [0, ...spatial.map((i) => i + 2)])];
}

function gatherGradient(data: Value, indices: Value, axis: number, g: Value): Value {
  // Bring the gathered axis to the front on both sides, scatter-add whole rows, and bring it back.
  const [rank, indexRank] = [data.shape.length, indices.shape.length];
  const before = Array.from({ length: axis }, (_, i) => i);
  const after = Array.from({ length: rank - axis - 1 }, (_, i) => i + axis + 1);
  const indexAxes = Array.from({ length: indexRank }, (_, i) => i + axis);
  const rows = op.transpose(g, [...indexAxes, ...before, ...after.map((i) => i + indexRank - 1)]);
  const rest = [...before, ...after].map((i) => data.shape[i]!);
  const added = op.scatterAdd(
    zeros(data, [data.shape[axis]!, ...rest]),
    op.reshape(indices, [...indices.shape, 1]),
    rows,
  );
  // Axis 0 of `added` goes back to `axis`.
  return op.transpose(added, [...before.map((i) => i + 1), 0, ...after]);
}
