/**
 * Dropout that a seed reproduces: its random bytes are inputs of the graph, drawn outside by the one generator.
 * Each site of a model asks here for its own input.
 */
import { sizeOf } from '../core/tensor.ts';
import { staticShape } from '../graph/dims.ts';
import type { Graph, Value } from '../graph/ir.ts';
import { dropout } from '../graph/operators.ts';

/** An input of uniform random bytes that a training step must feed. */
export interface DropoutInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly sizeBytes: number;
}

export class DropoutSites {
  readonly #inputs: DropoutInput[] = [];

  /** `probability` of dropping a value, in [0, 1); with 0 no site needs an input. */
  constructor(
    readonly graph: Graph,
    readonly probability: number,
    /** Begins the inputs' names: two models in one graph need two. */
    readonly prefix = 'dropout',
  ) {}

  /** The inputs handed out so far, in the order of the sites. */
  get inputs(): readonly DropoutInput[] {
    return this.#inputs;
  }

  /**
   * Drop values of `x` and scale the rest accordingly; p is rounded to whole 256ths, as a byte decides. ShapeError where
   * the batch size is free: training graphs are static.
   */
  apply(x: Value): Value {
    if (Math.round(256 * this.probability) === 0) return x;
    const shape = staticShape('dropout', x.shape);
    const name = `${this.prefix}.${this.#inputs.length}`;
    const bits = this.graph.input(name, 'uint8', shape);
    this.#inputs.push({ name, shape, sizeBytes: sizeOf(shape) });
    return dropout(x, bits, this.probability);
  }
}
