/**
 * Constructors of ONNX operators: Values → Value, with shapes inferred and checked (ShapeError). One function an
 * operator, each a node in the graph of its inputs. Source: the ONNX operator specification, opset 20.
 */
import { ShapeError } from '../core/errors.ts';
import { broadcastShapes, normaliseAxis, productOf, sameShape, staticDim, staticShape } from './dims.ts';
import type { Attributes, Dim, Shape, Value, ValueType } from './ir.ts';

/** ONNX's names of the operators that heartmind builds. */
export const operatorNames = [
  ...([
    'Add',
    'Sub',
    'Mul',
    'Div',
    'Pow',
    'Equal',
    'Greater',
    'Less',
    'And',
    'Not',
    'Where',
    'Cast',
  ] as const),
  ...([
    'Neg',
    'Abs',
    'Sign',
    'Exp',
    'Log',
    'Sqrt',
    'Erf',
    'Tanh',
    'Sigmoid',
    'Relu',
    'Gelu',
    'Softplus',
  ] as const),
  ...(['MatMul', 'Gemm', 'Conv', 'ConvTranspose', 'Softmax', 'LogSoftmax', 'LayerNormalization'] as const),
  ...([
    'ReduceSum',
    'ReduceMean',
    'ReduceMax',
    'Reshape',
    'Transpose',
    'Expand',
    'Split',
    'Concat',
    'Slice',
  ] as const),
  ...(['Gather', 'ScatterND'] as const),
  // ONNX Runtime's own, see contribOperators
  ...(['FusedMatMul'] as const),
  ...(['DynamicQuantizeLinear', 'MatMulInteger'] as const),
] as const;
export type OperatorName = (typeof operatorNames)[number];

/** Operators of ONNX Runtime (domain com.microsoft), not of ONNX: put in by passes for its CPU engine only. */
export const contribOperators: ReadonlySet<OperatorName> = new Set(['FusedMatMul']);

export type Operand = Value | number;

export const add = (a: Operand, b: Operand): Value => binary('Add', a, b);
export const sub = (a: Operand, b: Operand): Value => binary('Sub', a, b);
export const mul = (a: Operand, b: Operand): Value => binary('Mul', a, b);
export const div = (a: Operand, b: Operand): Value => binary('Div', a, b);
/** x to a power. Differentiable where the exponent is a number. */
export const pow = (x: Value, exponent: Operand): Value => binary('Pow', x, exponent);
export const equal = (a: Operand, b: Operand): Value => binary('Equal', a, b, 'bool');
export const greater = (a: Operand, b: Operand): Value => binary('Greater', a, b, 'bool');
export const less = (a: Operand, b: Operand): Value => binary('Less', a, b, 'bool');
export const and = (a: Value, b: Value): Value => binary('And', a, b, 'bool');
export const not = (x: Value): Value => unary('Not', x);
export const neg = (x: Value): Value => unary('Neg', x);
export const abs = (x: Value): Value => unary('Abs', x);
export const sign = (x: Value): Value => unary('Sign', x);
export const exp = (x: Value): Value => unary('Exp', x);
export const log = (x: Value): Value => unary('Log', x);
export const sqrt = (x: Value): Value => unary('Sqrt', x);
export const erf = (x: Value): Value => unary('Erf', x);
export const tanh = (x: Value): Value => unary('Tanh', x);
export const sigmoid = (x: Value): Value => unary('Sigmoid', x);
export const relu = (x: Value): Value => unary('Relu', x);
/** log(1 + eˣ) */
export const softplus = (x: Value): Value => unary('Softplus', x);
/** Exact GELU: x · Φ(x). */
export const gelu = (x: Value): Value => unary('Gelu', x);
export const cast = (x: Value, dtype: ValueType): Value =>
  x.dtype === dtype ? x : one('Cast', [x], { to: dtype }, dtype, x.shape);

/** condition ? a : b, elementwise with broadcasting. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  const [x, y] = lift('Where', a, b);
  if (condition.dtype !== 'bool') throw dtypeError('Where', 'bool', condition.dtype);
  const shape = broadcastShapes('Where', condition.shape, broadcastShapes('Where', x.shape, y.shape));
  return one('Where', [condition, x, y], {}, x.dtype, shape);
}

/** [..., M, K] × [..., K, N] → [..., M, N], leading axes broadcast. */
export function matmul(a: Value, b: Value): Value {
  const [m, k] = a.shape.slice(-2);
  const [k2, n] = b.shape.slice(-2);
  if (a.shape.length < 2 || b.shape.length < 2 || k !== k2) throw mismatch('MatMul', a.shape, b.shape);
  sameDtype('MatMul', [a, b]);
  const batch = broadcastShapes('MatMul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  return one('MatMul', [a, b], {}, a.dtype, [...batch, m!, n!]);
}

/** α a' b' as `matmul`, with the last two axes of a or b exchanged before: FusedMatMul. */
export function fusedMatmul(
  a: Value,
  b: Value,
  { transA = false, transB = false, alpha = 1 }: Omit<GemmOptions, 'beta'> = {},
): Value {
  const sizes = ({ shape }: Value, swapped: boolean) => {
    const [m, n] = shape.slice(-2);
    return swapped ? ([n!, m!] as const) : ([m!, n!] as const);
  };
  const [[m, k], [k2, n]] = [sizes(a, transA), sizes(b, transB)];
  if (a.shape.length < 2 || b.shape.length < 2 || k !== k2) throw mismatch('FusedMatMul', a.shape, b.shape);
  sameDtype('FusedMatMul', [a, b]);
  const batch = broadcastShapes('FusedMatMul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const attributes = { transA: Number(transA), transB: Number(transB), alpha };
  return one('FusedMatMul', [a, b], attributes, a.dtype, [...batch, m, n]);
}

export interface GemmOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Factor of the product. Default 1. */
  readonly alpha?: number;
  /** Factor of c. Default 1. */
  readonly beta?: number;
}

/** α a' b' + β c with a [M,K], b [K,N] (or transposed, as the options say), c broadcast to [M,N]. */
export function gemm(
  a: Value,
  b: Value,
  c?: Value,
  { transA = false, transB = false, alpha = 1, beta = 1 }: GemmOptions = {},
): Value {
  if (a.shape.length !== 2 || b.shape.length !== 2) throw mismatch('Gemm', a.shape, b.shape);
  sameDtype('Gemm', [a, b, ...(c ? [c] : [])]);
  const [m, k] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const [k2, n] = transB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
  if (k !== k2) throw mismatch('Gemm', a.shape, b.shape);
  if (c && !sameShape(broadcastShapes('Gemm', c.shape, [m, n]), [m, n]))
    throw mismatch('Gemm', [m, n], c.shape);
  const attributes = { transA: Number(transA), transB: Number(transB), alpha, beta };
  return one('Gemm', c ? [a, b, c] : [a, b], attributes, a.dtype, [m, n]);
}

export interface ConvOptions {
  /** One number an axis. Default 1. */
  readonly strides?: readonly number[];
  /** Zeros put before each axis, then after each axis. Default 0. */
  readonly pads?: readonly number[];
  readonly dilations?: readonly number[];
  readonly group?: number;
}

/** Convolution: x [B, Cin, …], w [Cout, Cin / group, …], b [Cout] → [B, Cout, …]. */
export function conv(x: Value, w: Value, b?: Value, options: ConvOptions = {}): Value {
  const spatial = x.shape.length - 2;
  const { strides, pads, dilations, group } = fillConv(spatial, options);
  const [channels, ...sizes] = staticShape('Conv', x.shape.slice(1));
  const [out, perGroup, ...kernel] = staticShape('Conv', w.shape);
  if (kernel.length !== spatial || channels !== perGroup! * group || out! % group !== 0)
    throw mismatch('Conv', x.shape, w.shape);
  if (b && !sameShape(b.shape, [out!])) throw mismatch('Conv', [out!], b.shape);
  sameDtype('Conv', [x, w, ...(b ? [b] : [])]);
  const results = sizes.map((size, i) => {
    const span = dilations[i]! * (kernel[i]! - 1) + 1;
    return Math.floor((size + pads[i]! + pads[i + spatial]! - span) / strides[i]!) + 1;
  });
  if (results.some((size) => size < 1)) throw mismatch('Conv', x.shape, w.shape);
  const attributes = { strides, pads, dilations, group, kernel_shape: kernel };
  return one('Conv', b ? [x, w, b] : [x, w], attributes, x.dtype, [x.shape[0]!, out!, ...results]);
}

/** Transposed convolution, the input gradient of `conv`: x [B, Cin, …], w [Cin, Cout / group, …] → [B, Cout, …]. */
export function convTranspose(
  x: Value,
  w: Value,
  options: ConvOptions & { readonly outputPadding?: readonly number[] } = {},
): Value {
  const spatial = x.shape.length - 2;
  const { strides, pads, dilations, group } = fillConv(spatial, options);
  const outputPadding = options.outputPadding ?? Array<number>(spatial).fill(0);
  const [channels, ...sizes] = staticShape('ConvTranspose', x.shape.slice(1));
  const [channels2, perGroup, ...kernel] = staticShape('ConvTranspose', w.shape);
  if (channels !== channels2 || kernel.length !== spatial) throw mismatch('ConvTranspose', x.shape, w.shape);
  const results = sizes.map(
    (size, i) =>
      strides[i]! * (size - 1) +
      outputPadding[i]! +
      dilations[i]! * (kernel[i]! - 1) +
      1 -
      pads[i]! -
      pads[i + spatial]!,
  );
  const attributes = { strides, pads, dilations, group, kernel_shape: kernel, output_padding: outputPadding };
  return one('ConvTranspose', [x, w], attributes, x.dtype, [x.shape[0]!, perGroup! * group, ...results]);
}

export const softmax = (x: Value, axis = -1): Value =>
  one('Softmax', [x], { axis: normaliseAxis('Softmax', axis, x.shape.length) }, x.dtype, x.shape);
export const logSoftmax = (x: Value, axis = -1): Value =>
  one('LogSoftmax', [x], { axis: normaliseAxis('LogSoftmax', axis, x.shape.length) }, x.dtype, x.shape);

/** Normalise over the last axis, then scale and shift: scale, bias [D]. */
export function layerNorm(x: Value, scale: Value, bias: Value, { epsilon = 1e-5 } = {}): Value {
  const last = x.shape.slice(-1);
  if (!sameShape(scale.shape, last) || !sameShape(bias.shape, last))
    throw mismatch('LayerNormalization', x.shape, scale.shape);
  sameDtype('LayerNormalization', [x, scale, bias]);
  const statistics = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] };
  // The mean and the inverse deviation are outputs too: the gradient needs them.
  return x.graph.append('LayerNormalization', [x, scale, bias], { axis: -1, epsilon }, [
    x,
    statistics,
    statistics,
  ])[0]!;
}

/** Groups of channels normalised over themselves and all later axes: x [B, C, …], scale and bias [C]. */
export function groupNorm(
  x: Value,
  scale: Value,
  bias: Value,
  groups: number,
  { epsilon = 1e-5 } = {},
): Value {
  const [batch, channels, ...rest] = x.shape;
  const perGroup = staticDim('groupNorm', channels!) / groups;
  if (!Number.isInteger(perGroup)) throw mismatch('groupNorm', x.shape, [groups]);
  const size = staticDim('groupNorm', productOf([perGroup, ...rest]));
  const ones = x.graph.constant(filled(x.dtype, size, 1));
  const zeros = x.graph.constant(filled(x.dtype, size, 0));
  const normal = reshape(layerNorm(reshape(x, [batch!, groups, size]), ones, zeros, { epsilon }), x.shape);
  const perChannel = [channels!, ...rest.map(() => 1)];
  return add(mul(normal, reshape(scale, perChannel)), reshape(bias, perChannel));
}

export interface ReduceOptions {
  readonly keepDims?: boolean;
}
export const reduceSum = (x: Value, axes?: readonly number[], options?: ReduceOptions): Value =>
  reduce('ReduceSum', x, axes, options);
export const reduceMean = (x: Value, axes?: readonly number[], options?: ReduceOptions): Value =>
  reduce('ReduceMean', x, axes, options);
export const reduceMax = (x: Value, axes?: readonly number[], options?: ReduceOptions): Value =>
  reduce('ReduceMax', x, axes, options);

/** The same values in another shape. One size may be B's. */
export function reshape(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  if (productOf(x.shape) !== productOf(shape)) throw mismatch('Reshape', x.shape, shape);
  const sizes = shape.map((dim) => BigInt(typeof dim === 'number' ? dim : -1));
  const target = x.graph.constant({ dtype: 'int64', shape: [sizes.length], data: BigInt64Array.from(sizes) });
  return one('Reshape', [x, target], {}, x.dtype, shape);
}

/** Axes in another order: result axis i is axis permutation[i] of x. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  if (
    permutation.toSorted((a, b) => a - b).some((axis, i) => axis !== i) ||
    permutation.length !== x.shape.length
  ) {
    throw mismatch('Transpose', x.shape, permutation);
  }
  if (permutation.every((axis, i) => axis === i)) return x;
  return one(
    'Transpose',
    [x],
    { perm: permutation },
    x.dtype,
    permutation.map((axis) => x.shape[axis]!),
  );
}

/** Broadcast to a shape of numbers. */
export function expand(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes('Expand', x.shape, shape), shape)) throw mismatch('Expand', x.shape, shape);
  const sizes = staticShape('Expand', shape).map(BigInt);
  const target = x.graph.constant({ dtype: 'int64', shape: [sizes.length], data: BigInt64Array.from(sizes) });
  return one('Expand', [x, target], {}, x.dtype, shape);
}

/** Cut along an axis into pieces of the given sizes. */
export function split(x: Value, axis: number, sizes: readonly number[]): Value[] {
  const at = normaliseAxis('Split', axis, x.shape.length);
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[at]) throw mismatch('Split', x.shape, sizes);
  const lengths = x.graph.constant({
    dtype: 'int64',
    shape: [sizes.length],
    data: BigInt64Array.from(sizes, BigInt),
  });
  const results = sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.with(at, size) }));
  return [...x.graph.append('Split', [x, lengths], { axis: at }, results)];
}

/** Join along an axis. */
export function concat(values: readonly Value[], axis: number): Value {
  const first = values[0]!;
  if (values.length === 1) return first;
  const at = normaliseAxis('Concat', axis, first.shape.length);
  for (const value of values) {
    if (
      value.shape.length !== first.shape.length ||
      value.shape.some((dim, i) => i !== at && dim !== first.shape[i])
    ) {
      throw mismatch('Concat', first.shape, value.shape);
    }
  }
  sameDtype('Concat', values);
  const total = values.reduce((sum, value) => sum + staticDim('Concat', value.shape[at]!), 0);
  return one('Concat', values, { axis: at }, first.dtype, first.shape.with(at, total));
}

/** Positions [start, end) of one axis. */
export function slice(x: Value, axis: number, start: number, end: number): Value {
  const at = normaliseAxis('Slice', axis, x.shape.length);
  const size = staticDim('Slice', x.shape[at]!);
  if (!(0 <= start && start < end && end <= size)) throw mismatch('Slice', x.shape, [start, end]);
  if (start === 0 && end === size) return x;
  const int64 = (value: number) =>
    x.graph.constant({ dtype: 'int64', shape: [1], data: BigInt64Array.of(BigInt(value)) });
  return one('Slice', [x, int64(start), int64(end), int64(at)], {}, x.dtype, x.shape.with(at, end - start));
}

/** Rows of an axis by index: data [.., n, ..], indices int64 [I…] → [.., I…, ..]. */
export function gather(data: Value, indices: Value, axis = 0): Value {
  const at = normaliseAxis('Gather', axis, data.shape.length);
  if (indices.dtype !== 'int64') throw dtypeError('Gather', 'int64', indices.dtype);
  const shape = [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)];
  return one('Gather', [data, indices], { axis: at }, data.dtype, shape);
}

/** Add rows into data: data [n, …], indices int64 [I, 1], updates [I, …]; indices may repeat. The gradient of `gather`. */
export function scatterAdd(data: Value, indices: Value, updates: Value): Value {
  return one('ScatterND', [data, indices, updates], { reduction: 'add' }, data.dtype, data.shape);
}

/** Dropout by a given mask: keeps x where `kept` (bool, of x's shape), divided by the share that is kept. */
export function dropout(x: Value, kept: Value, share: number): Value {
  if (!sameShape(kept.shape, x.shape)) throw mismatch('dropout', x.shape, kept.shape);
  // A product with a mask of floats: ONNX Runtime's Where takes three times as long, forward and backward.
  return mul(mul(x, 1 / share), cast(kept, x.dtype));
}

/** x as bytes: x ≈ scale · (values − zero), `scale` and `zero` scalars that follow from the smallest and largest x. */
export function dynamicQuantizeLinear(x: Value): {
  readonly values: Value;
  readonly scale: Value;
  readonly zero: Value;
} {
  if (x.dtype !== 'float32') throw dtypeError('DynamicQuantizeLinear', 'float32', x.dtype);
  const [values, scale, zero] = x.graph.append('DynamicQuantizeLinear', [x], {}, [
    { dtype: 'uint8', shape: x.shape },
    { dtype: 'float32', shape: [] },
    { dtype: 'uint8', shape: [] },
  ]);
  return { values: values!, scale: scale!, zero: zero! };
}

/** (a − zero) × b exactly: a uint8 [..., M, K], zero uint8 scalar, b int8 [K, N] → int32 [..., M, N]. */
export function matmulInteger(a: Value, b: Value, zero: Value): Value {
  const [k, n] = b.shape;
  if (b.shape.length !== 2 || a.shape.at(-1) !== k) throw mismatch('MatMulInteger', a.shape, b.shape);
  if (b.dtype !== 'int8') throw dtypeError('MatMulInteger', 'int8', b.dtype);
  sameDtype('MatMulInteger', [a, zero]);
  return one('MatMulInteger', [a, b, zero], {}, 'int32', [...a.shape.slice(0, -1), n!]);
}

function reduce(
  operator: 'ReduceSum' | 'ReduceMean' | 'ReduceMax',
  x: Value,
  axes: readonly number[] = x.shape.map((_, i) => i),
  { keepDims = false }: ReduceOptions = {},
): Value {
  if (axes.length === 0) return x;
  const at = axes.map((axis) => normaliseAxis(operator, axis, x.shape.length));
  const shape = x.shape.flatMap((dim, i): Dim[] => (at.includes(i) ? (keepDims ? [1] : []) : [dim]));
  const axesValue = x.graph.constant({
    dtype: 'int64',
    shape: [at.length],
    data: BigInt64Array.from(at, BigInt),
  });
  return one(operator, [x, axesValue], { keepdims: Number(keepDims) }, x.dtype, shape);
}

function unary(operator: OperatorName, x: Value, dtype: ValueType = x.dtype): Value {
  return one(operator, [x], {}, dtype, x.shape);
}

function binary(operator: OperatorName, a: Operand, b: Operand, dtype?: ValueType): Value {
  const [x, y] = lift(operator, a, b);
  return one(operator, [x, y], {}, dtype ?? x.dtype, broadcastShapes(operator, x.shape, y.shape));
}

/** Numbers become scalars of the other operand's dtype. */
function lift(operator: string, a: Operand, b: Operand): [Value, Value] {
  const value = typeof a === 'number' ? b : a;
  if (typeof value === 'number') throw dtypeError(operator, 'a value', 'two numbers');
  const constant = (number: number) => {
    if (value.dtype === 'float32' || value.dtype === 'float64')
      return value.graph.scalar(number, value.dtype);
    if (value.dtype === 'int64')
      return value.graph.constant({ dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(number)) });
    throw dtypeError(operator, 'a number type', value.dtype);
  };
  const [x, y] = [typeof a === 'number' ? constant(a) : a, typeof b === 'number' ? constant(b) : b];
  sameDtype(operator, [x, y]);
  return [x, y];
}

function one(
  operator: OperatorName,
  inputs: readonly Value[],
  attributes: Attributes,
  dtype: ValueType,
  shape: Shape,
): Value {
  const { graph } = inputs[0]!;
  for (const input of inputs) {
    if (input.graph !== graph) {
      throw new ShapeError(
        `${operator}: its inputs belong to the graphs '${graph.name}' and '${input.graph.name}'.`,
        operator,
        graph.name,
        input.graph.name,
      );
    }
  }
  return graph.append(operator, inputs, attributes, [{ dtype, shape }])[0]!;
}

function fillConv(spatial: number, options: ConvOptions) {
  const fill = (value: number, length: number) => Array<number>(length).fill(value);
  return {
    strides: options.strides ?? fill(1, spatial),
    pads: options.pads ?? fill(0, 2 * spatial),
    dilations: options.dilations ?? fill(1, spatial),
    group: options.group ?? 1,
  };
}

function filled(dtype: ValueType, size: number, value: number) {
  return dtype === 'float64'
    ? ({ dtype, shape: [size], data: new Float64Array(size).fill(value) } as const)
    : ({ dtype: 'float32', shape: [size], data: new Float32Array(size).fill(value) } as const);
}

function sameDtype(operator: string, values: readonly Value[]): void {
  const dtype = values[0]!.dtype;
  for (const other of values) if (other.dtype !== dtype) throw dtypeError(operator, dtype, other.dtype);
}

function dtypeError(operator: string, expected: string, actual: string): ShapeError {
  return new ShapeError(
    `${operator}: expected ${expected}, got ${actual}. Cast one of them.`,
    operator,
    expected,
    actual,
  );
}

function mismatch(operator: string, a: Shape, b: Shape): ShapeError {
  return new ShapeError(`${operator}: shapes [${a}] and [${b}] do not fit.`, operator, `[${a}]`, `[${b}]`);
}
