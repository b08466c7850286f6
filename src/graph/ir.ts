/**
 * ONNX graphs as data: typed values with shapes, nodes, constants. Nothing is executed here; `runtime/` does that.
 *
 * A shape may contain the batch symbol: `'B'`, or a multiple of it such as `'76B'` (after merging the batch with other
 * axes). Everything else is a number. `dims.ts` computes with them.
 */
import { ShapeError } from '../core/errors.ts';
import type { DType, Tensor } from '../core/tensor.ts';
import type { OperatorName } from './operators.ts';

/** A size: a number, `'B'`, or a multiple of B such as `'76B'`. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** What an edge holds. `float16` is for what lies between nodes: no tensor of ours has it. */
export type ValueType = DType | 'float16';

export type Attribute = number | string | readonly number[] | Tensor;
export type Attributes = Readonly<Record<string, Attribute | undefined>>;

/** One edge of the graph: the result of a node, an input, or a constant. */
export interface Value {
  readonly graph: Graph;
  /** Unique in its graph; the name in ONNX. */
  readonly name: string;
  readonly dtype: ValueType;
  readonly shape: Shape;
  /** The node that computes it; undefined for inputs and constants. */
  readonly node?: Node;
  /** The data of a constant. */
  readonly constant?: Tensor;
}

/** One application of an ONNX operator. */
export interface Node {
  /** ONNX's own name of the operator: `MatMul`. */
  readonly operator: OperatorName;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

/** A graph under construction: append-only, nodes in topological order. */
export class Graph {
  readonly inputs: Value[] = [];
  readonly constants: Value[] = [];
  readonly nodes: Node[] = [];
  /** Outputs by name, in order. */
  readonly outputs = new Map<string, Value>();
  #count = 0;
  #scalars = new Map<string, Value>();

  constructor(readonly name: string) {}

  /** Declare an input. */
  input(name: string, dtype: ValueType, shape: Shape): Value {
    const value = { graph: this, name, dtype, shape };
    this.inputs.push(value);
    return value;
  }

  /** Put data into the graph. */
  constant(data: Tensor, name = this.freshName('c')): Value {
    const value = { graph: this, name, dtype: data.dtype, shape: data.shape, constant: data };
    this.constants.push(value);
    return value;
  }

  /** A scalar constant, shared between uses of the same number. */
  scalar(value: number, dtype: 'float32' | 'float64' = 'float32'): Value {
    const key = `${dtype} ${Object.is(value, -0) ? '-0' : value}`;
    const data = dtype === 'float32' ? Float32Array.of(value) : Float64Array.of(value);
    const found = this.#scalars.get(key) ?? this.constant({ dtype, shape: [], data } as Tensor);
    this.#scalars.set(key, found);
    return found;
  }

  /** Name a value as an output of the graph. ShapeError where an input bears the name: ONNX has one space of names. */
  output(name: string, value: Value): void {
    if (this.inputs.some((input) => input.name === name)) {
      throw new ShapeError(
        `graph ${this.name}: '${name}' names an input already.`,
        'output',
        'another name',
        name,
      );
    }
    this.outputs.set(name, value);
  }

  /** Append a node with one output of each given type. Called by operators.ts, which infers the shapes. */
  append(
    operator: OperatorName,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes,
    results: readonly { readonly dtype: ValueType; readonly shape: Shape }[],
  ): readonly Value[] {
    const outputs: Value[] = [];
    const node: Node = { operator, inputs, outputs, attributes };
    for (const { dtype, shape } of results) {
      outputs.push({ graph: this, name: this.freshName('v'), dtype, shape, node });
    }
    this.nodes.push(node);
    return outputs;
  }

  private freshName(prefix: string): string {
    return `${prefix}${this.#count++}`;
  }
}
