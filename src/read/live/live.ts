/** A live source: channels that are known, and samples that arrive. Files that grow, pipes and LSL streams are such. */
import type { Channel } from '../../core/recording.ts';

export interface LivePiece {
  /** New samples of every channel, in the channels' order and unit; empty where nothing is new. */
  readonly samples: readonly Float64Array[];
  /** Where samples were lost before these: seconds from the source's start at which these begin. */
  readonly gapTo?: number;
}

export interface LiveSource {
  /** For messages. */
  readonly name: string;
  readonly channels: readonly Pick<Channel, 'name' | 'unit' | 'assumedUnit' | 'rateHz'>[];
  /** Pieces as they arrive, until the source ends or the signal is aborted. */
  pieces(signal: AbortSignal): AsyncIterable<LivePiece>;
  close(): Promise<void>;
}

/** Wait, or return at once when the signal is aborted. */
export function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    signal.addEventListener('abort', done);
  });
}
