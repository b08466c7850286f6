/**
 * INT8 for inference: products of rows with constant weights become products of integers.
 *
 * y = x W + b with W [K, N]: each column of W is divided by a scale s[n] and rounded (symmetric); x becomes bytes by the
 * scale and zero of its smallest and largest value, found at run time; the integer product is exact:
 *   y[m, n] ≈ scale · s[n] · Σₖ (xq[m, k] − zero) Wq[k, n] + b[n]
 * Only standard ONNX operators are written (DynamicQuantizeLinear, MatMulInteger); ONNX Runtime fuses them.
 *
 * The range of x is that of all rows of a run: what else lies in the batch moves a result within the rounding.
 */
import { float32, type Tensor, tensor } from '../core/tensor.ts';
import type { Graph, Node, Value } from './ir.ts';
import { add, cast, dynamicQuantizeLinear, matmulInteger, mul } from './operators.ts';
import { rewrite } from './rewrite.ts';

export interface QuantizeOptions {
  /** Which weights, by the name of their constant. Default: all. */
  readonly select?: (name: string) => boolean;
  /**
   * Bits of a weight. Default 7: processors with AVX2 but without VNNI add two products in 16 bits, which 8-bit weights
   * overflow (255·127·2 > 32,767).
   */
  readonly bits?: 7 | 8;
}

/** An inference graph whose Gemm with selected constant weights, whole or split along their rows, are INT8. */
export function quantizeProducts(
  graph: Graph,
  { select = () => true, bits = 7 }: QuantizeOptions = {},
): Graph {
  const bytes = new Map<Value, ReturnType<typeof dynamicQuantizeLinear>>();
  return rewrite(graph, (node, [x, , bias], target) => {
    const weight = weightOf(node);
    if (weight === undefined || !select(weight.name)) return undefined;
    const row = bytes.get(x!) ?? dynamicQuantizeLinear(x!);
    bytes.set(x!, row);
    const { values, scales } = quantizeRows(weight.rows, bits);
    const product = matmulInteger(row.values, target.constant(values, `${weight.name}.int8`), row.zero);
    const scale = mul(row.scale, target.constant(scales, `${weight.name}.scale`));
    const result = mul(cast(product, 'float32'), scale);
    return [bias ? add(result, bias) : result];
  });
}

/** Weights [N, K] → int8 [K, N] and a scale for each of the N: the largest value of a row becomes 2^(bits−1) − 1. */
export function quantizeRows(
  { shape, data }: Tensor<'float32'>,
  bits: 7 | 8,
): { readonly values: Tensor<'int8'>; readonly scales: Tensor<'float32'> } {
  const [outputs, inputs] = shape as [number, number];
  const limit = 2 ** (bits - 1) - 1;
  const values = new Int8Array(inputs * outputs);
  const scales = new Float32Array(outputs);
  for (let n = 0; n < outputs; n++) {
    const row = data.subarray(n * inputs, (n + 1) * inputs);
    const largest = row.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    scales[n] = largest === 0 ? 1 : largest / limit;
    for (let k = 0; k < inputs; k++) values[k * outputs + n] = Math.round(row[k]! / scales[n]!);
  }
  return { values: tensor('int8', [inputs, outputs], values), scales: float32([outputs], scales) };
}

interface Weight {
  readonly name: string;
  /** [N, K] */
  readonly rows: Tensor<'float32'>;
}

/** The constant weights of x·Wᵀ + b; undefined for any other node. */
function weightOf({ operator, inputs, attributes }: Node): Weight | undefined {
  const { transA, transB, alpha = 1, beta = 1 } = attributes;
  if (operator !== 'Gemm' || transA === 1 || transB !== 1 || alpha !== 1 || beta !== 1) return undefined;
  const value = inputs[1]!;
  const { node } = value;
  if (value.constant?.dtype === 'float32')
    return { name: value.name, rows: value.constant as Tensor<'float32'> };
  const source = node?.inputs[0];
  if (node?.operator !== 'Split' || node.attributes.axis !== 0 || source?.constant?.dtype !== 'float32')
    return undefined;
  const part = node.outputs.indexOf(value);
  const size = (output: Value) => output.shape.reduce<number>((product, dim) => product * Number(dim), 1);
  const start = node.outputs.slice(0, part).reduce((sum, output) => sum + size(output), 0);
  const data = (source.constant.data as Float32Array).subarray(start, start + size(value));
  return { name: `${source.name}.${part}`, rows: float32(value.shape.map(Number), data) };
}
