/**
 * The random numbers of one part of an update's batch. Each sample has generators of its own, named by seed, update and
 * position in the whole batch: they stay the same however the batch is cut into parts or spread over machines.
 */
import { Random } from '../core/random.ts';

export class Draws {
  /** `first`: position in the whole batch of this part's first sample. */
  constructor(
    readonly seed: number,
    /** 0 for the first. */
    readonly update: number,
    readonly first: number,
  ) {}

  /** For what all samples of the batch share, e.g. the number of leads. */
  shared(purpose: string): Random {
    return Random.derive(this.seed, purpose, this.update);
  }

  /** For what is drawn for this part's sample `i` alone, e.g. its mask. */
  sample(purpose: string, i: number): Random {
    return Random.derive(this.seed, purpose, this.update, this.first + i);
  }
}
