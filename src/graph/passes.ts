/**
 * Graph passes: small pure functions with a name, Graph → Graph, that change no result (but for rounding). They are run on
 * training graphs, where gradients repeat what the forward pass computes and scales stand alone.
 */
import type { Graph, Node, Value } from './ir.ts';
import { add, erf, fusedMatmul, gemm, mul, reshape } from './operators.ts';
import { countUses, rewrite } from './rewrite.ts';

/** All passes, in the order in which they help each other. */
export function optimise(graph: Graph): Graph {
  return [expandGelu, shareValues, foldScales, shareValues].reduce((result, pass) => pass(result), graph);
}

/**
 * Write GELU as z (1 + erf z) / √2 with z = x/√2 where the graph has a gradient of it: both share z and 1 + erf z, and
 * the factors can go into the products around it.
 */
export function expandGelu(graph: Graph): Graph {
  const differentiated = new Set<Value>();
  for (const { operator, inputs } of graph.nodes)
    if (operator === 'Erf')
      for (const input of inputs[0]!.node?.inputs ?? []) if (input) differentiated.add(input);
  return rewrite(graph, ({ operator, inputs: [source] }, [x]) => {
    if (operator !== 'Gelu' || !differentiated.has(source!)) return undefined;
    const z = mul(x!, Math.SQRT1_2);
    return [mul(mul(z, add(erf(z), 1)), Math.SQRT1_2)];
  });
}

/** Common subexpressions: nodes of one operator, inputs and attributes are computed once; equal constants are kept once. */
export function shareValues(graph: Graph): Graph {
  const numbers = new Map<Value, string>();
  const idOf = (value: Value | undefined): string => {
    if (value === undefined) return '-';
    const { constant } = value;
    // Large constants are compared by identity only.
    const id =
      numbers.get(value) ??
      (constant && constant.data.length <= 16
        ? `${constant.dtype}[${constant.shape}]:${Array.from(constant.data as ArrayLike<number>, (x) => (Object.is(x, -0) ? '-0' : x)).join()}`
        : `#${numbers.size}`);
    numbers.set(value, id);
    return id;
  };
  const seen = new Map<string, readonly Value[]>();
  return rewrite(graph, (node, inputs, target) => {
    const key = `${node.operator}(${inputs.map(idOf).join(';')})${JSON.stringify(node.attributes)}`;
    const found = seen.get(key);
    if (found) return found;
    const outputs = target.append(node.operator, inputs, node.attributes, node.outputs);
    seen.set(key, outputs);
    return outputs;
  });
}

/**
 * Cheap algebra on constant factors: they move behind reshapes and products, two become one, and they vanish into the
 * alpha and beta of a Gemm before or after them, where they cost nothing.
 */
export function foldScales(graph: Graph): Graph {
  const uses = countUses(graph);
  const single = (value: Value | undefined) => value !== undefined && uses.get(value) === 1;
  return rewrite(graph, (node, inputs) => {
    const [x, y, z] = inputs;
    if (node.operator === 'Reshape') {
      const scaled = single(node.inputs[0]) && scaleOf(x);
      return scaled ? [mul(reshape(scaled.value, node.outputs[0]!.shape), scaled.factor)] : undefined;
    }
    if (node.operator === 'Gemm') {
      const [a, b] = [scaleOf(x), scaleOf(y)];
      if (!a && !b) return undefined;
      return [
        gemm(a?.value ?? x!, b?.value ?? y!, z, gemmOptions(node, (a?.factor ?? 1) * (b?.factor ?? 1))),
      ];
    }
    if (node.operator !== 'Mul' || node.outputs[0]!.dtype !== 'float32') return undefined;
    const own = factorOf(inputs);
    if (own) {
      const source = node.inputs[own.at];
      const inner = scaleOf(own.value);
      if (inner && single(source)) return [mul(inner.value, inner.factor * own.factor)];
      const { node: producer } = own.value;
      if (producer?.operator === 'Gemm' && single(source)) {
        const [a, b, c] = producer.inputs;
        return [gemm(a!, b!, c, gemmOptions(producer, own.factor, own.factor))];
      }
      return undefined;
    }
    const [a, b] = [single(node.inputs[0]) && scaleOf(x), single(node.inputs[1]) && scaleOf(y)];
    if (!a && !b) return undefined;
    const product = mul(a ? a.value : x!, b ? b.value : y!);
    return [mul(product, (a ? a.factor : 1) * (b ? b.factor : 1))];
  });
}

/**
 * For ONNX Runtime's CPU engine: products that read their factors transposed, and scales of products, become FusedMatMul.
 * The engine does this too, but only after it has merged a transposition into others that then cost more.
 */
export function fuseMatmul(graph: Graph): Graph {
  const uses = countUses(graph);
  const single = (value: Value | undefined) => value !== undefined && uses.get(value) === 1;
  return rewrite(graph, (node, inputs) => {
    const [x, y] = inputs;
    if (node.operator === 'MatMul') {
      const [a, b] = [untransposed(x!), untransposed(y!)];
      return a || b ? [fusedMatmul(a ?? x!, b ?? y!, { transA: !!a, transB: !!b })] : undefined;
    }
    if (node.operator === 'Transpose' && swapsLast(node)) {
      const product = single(node.inputs[0]) ? productOf(x!) : undefined;
      if (!product) return undefined;
      const { a, b, transA, transB, alpha } = product;
      return [fusedMatmul(b, a, { transA: !transB, transB: !transA, alpha })];
    }
    if (node.operator === 'Mul') {
      const own = factorOf(inputs);
      const product = own && single(node.inputs[own.at]) ? productOf(own.value) : undefined;
      if (!product) return undefined;
      const { a, b, alpha, ...options } = product;
      return [fusedMatmul(a, b, { ...options, alpha: alpha * own!.factor })];
    }
    return undefined;
  });
}

/** What a value is the transposition of, its last two axes exchanged. */
function untransposed({ node }: Value): Value | undefined {
  return node?.operator === 'Transpose' && swapsLast(node) ? node.inputs[0] : undefined;
}

function swapsLast({ attributes }: Node): boolean {
  const perm = attributes.perm as readonly number[];
  const rank = perm.length;
  return perm.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i));
}

function productOf({ node }: Value) {
  if (node?.operator !== 'MatMul' && node?.operator !== 'FusedMatMul') return undefined;
  const [a, b] = node.inputs as readonly [Value, Value];
  const { transA, transB, alpha } = gemmOptions(node, 1);
  return { a, b, transA, transB, alpha };
}

interface Scaled {
  readonly value: Value;
  readonly factor: number;
  /** The place of the value among the inputs. */
  readonly at: 0 | 1;
}

/** What a value is a constant multiple of, if it is a product with a constant scalar. */
function scaleOf(product: Value | undefined): Scaled | undefined {
  const { node } = product ?? {};
  return node?.operator === 'Mul' && product!.dtype === 'float32' ? factorOf(node.inputs) : undefined;
}

/** Which of the two inputs of a product is a constant scalar, if one is. */
function factorOf(inputs: readonly (Value | undefined)[]): Scaled | undefined {
  for (const at of [0, 1] as const) {
    const [value, scalar] = [inputs[at]!, inputs[1 - at]!];
    if (scalar.constant?.shape.length === 0 && !value.constant)
      return { value, factor: Number(scalar.constant.data[0]), at };
  }
  return undefined;
}

function gemmOptions({ attributes }: Node, alpha: number, beta = 1) {
  const at = (name: string, otherwise: number) => Number(attributes[name] ?? otherwise);
  return {
    transA: at('transA', 0) === 1,
    transB: at('transB', 0) === 1,
    alpha: at('alpha', 1) * alpha,
    beta: at('beta', 1) * beta,
  };
}
