/**
 * How windows get into training: the order of every epoch, and the samples of a batch. Windows in memory are shuffled
 * wholly by the loop; windows of a store in its own cheap way, read ahead on every rank along what that rank will use.
 */
import { epochOrder } from '../patches/store-order.ts';
import type { WindowBatch, WindowReader, WindowStream } from '../patches/window-reader.ts';
import type { Modality } from '../patches/windows.ts';
import type { TrainingOptions, TrainingTask } from './loop.ts';

export interface TrainingWindowsOptions extends Pick<TrainingOptions, 'ranks' | 'seed'> {
  readonly windows: WindowReader;
  /** Windows to train on. */
  readonly indices: ArrayLike<number>;
  readonly modalities: readonly Modality[];
  /** Windows in an update, over all ranks. */
  readonly batch: number;
}

export class TrainingWindows {
  readonly #options: TrainingWindowsOptions;
  #stream: WindowStream | undefined;
  #sorted: Int32Array | undefined;

  constructor(options: TrainingWindowsOptions) {
    this.#options = options;
  }

  /** For the task: `order` where the windows have one of their own. */
  get order(): Pick<TrainingTask, 'order'> {
    return this.#options.windows.far ? { order: (epoch) => this.#orderOf(epoch) } : {};
  }

  /** For the identity of a run: what the order depends on besides the seed; a checkpoint must agree in it. */
  get identity(): { readonly order?: { readonly block: number; readonly pool: number } } {
    const { windows, modalities } = this.#options;
    if (!windows.far) return {};
    return { order: { block: windows.far.blockWindows, pool: windows.far.poolWindows(modalities) } };
  }

  /** The samples of these windows, by modality [B, C, N, P]; cheap where they are the next of the epoch's order. */
  read(chosen: ArrayLike<number>): Promise<WindowBatch> {
    const { windows, modalities } = this.#options;
    return this.#stream?.read(chosen) ?? windows.read(chosen, modalities);
  }

  #orderOf(epoch: number): Int32Array {
    const { windows, indices, modalities, seed, batch, ranks } = this.#options;
    this.#stream?.close?.();
    const { blockWindows, poolWindows, stream } = windows.far!;
    this.#sorted ??= sortPositions(indices);
    const sorted = this.#sorted;
    const places = epochOrder(
      sorted.map((position) => indices[position]!),
      { blockWindows, poolWindows: poolWindows(modalities), seed, epoch },
    );
    const order = places.map((place) => sorted[place]!);
    // A rank takes its share of every batch, in one piece.
    const [rank, size] = [ranks?.rank ?? 0, ranks?.size ?? 1];
    const own = order.filter((_, at) => Math.floor(((at % batch) * size) / batch) === rank);
    this.#stream = stream(
      own.map((position) => indices[position]!),
      modalities,
    );
    return order;
  }
}

/** Positions in the order of their windows: neighbours must follow one another. */
function sortPositions(indices: ArrayLike<number>): Int32Array {
  return Int32Array.from({ length: indices.length }, (_, i) => i).sort((a, b) => indices[a]! - indices[b]!);
}
