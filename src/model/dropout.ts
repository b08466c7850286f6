/**
 * Dropout that a seed reproduces: its random bytes are inputs of the graph, drawn outside by the one generator.
 * Each site of a model asks here for its own input.
 */
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

  /** Drop values of `x` and scale the rest by 1/(1 − p). The batch size must be a number: training graphs are static. */
  apply(x: Value): Value {
    if (this.probability === 0) return x;
    const shape = x.shape.map(Number);
    const name = `${this.prefix}.${this.#inputs.length}`;
    const bits = this.graph.input(name, 'uint8', shape);
    this.#inputs.push({ name, shape, sizeBytes: shape.reduce((product, size) => product * size, 1) });
    return dropout(x, bits, this.probability);
  }
}
