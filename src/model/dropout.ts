/**
 * Dropout that a seed reproduces: its masks are inputs of the graph, drawn outside by the one generator. Each site of a
 * model asks here for its own input.
 */
import { SparseDraws } from '../core/sparse-draws.ts';
import { staticShape } from '../graph/dims.ts';
import type { Graph, Value } from '../graph/ir.ts';
import { dropout } from '../graph/operators.ts';

/** An input, bool, that a training step must feed: false with the chance of `drops`. */
export interface DropoutInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly drops: SparseDraws;
}

export class DropoutSites {
  readonly #inputs: DropoutInput[] = [];
  readonly #drops: SparseDraws | undefined;

  /** `probability` of dropping a value, in [0, 1); with 0 no site needs an input. */
  constructor(
    readonly graph: Graph,
    readonly probability: number,
    /** Begins the inputs' names: two models in one graph need two. */
    readonly prefix = 'dropout',
  ) {
    this.#drops = probability === 0 ? undefined : new SparseDraws(probability);
  }

  /** The inputs handed out so far, in the order of the sites. */
  get inputs(): readonly DropoutInput[] {
    return this.#inputs;
  }

  /** Drop values of `x` and scale the rest. ShapeError where the batch size is free: training graphs are static. */
  apply(x: Value): Value {
    if (this.#drops === undefined) return x;
    const shape = staticShape('dropout', x.shape);
    const name = `${this.prefix}.${this.#inputs.length}`;
    const kept = this.graph.input(name, 'bool', shape);
    this.#inputs.push({ name, shape, drops: this.#drops });
    return dropout(x, kept, 1 - this.#drops.probability);
  }
}
