/** Several processes that train one model together, each on its part of every batch. */
export interface Ranks {
  /** This process: 0 is the one that writes. */
  readonly rank: number;
  readonly size: number;
  /** Replace values by their sum over all ranks, in place: the same bits on every rank. */
  sum(values: Float32Array): void | Promise<void>;
  /** Replace bytes by those of rank 0, in place; as many on every rank. */
  broadcast(bytes: Uint8Array): void | Promise<void>;
  /** The bytes of every rank, by rank, on every rank. */
  gather(bytes: Uint8Array): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
}
