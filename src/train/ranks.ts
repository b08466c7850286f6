/** Several processes that train one model together, each on its part of every batch. */
export interface Ranks {
  /** This process: 0 is the one that writes. */
  readonly rank: number;
  readonly size: number;
  /** Replace values by their sum over all ranks, in place: the same bits on every rank. */
  sum(values: Float32Array): void | Promise<void>;
  /** Replace bytes by those of rank 0, in place. */
  broadcast(bytes: Uint8Array): void | Promise<void>;
}
