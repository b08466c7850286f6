/** A file that another program is still writing → live pieces: any format whose whole records can be read so far. */
import { stat } from 'node:fs/promises';
import { FormatError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import { openRecordingFile } from '../file-node.ts';
import type { ReadOptions } from '../options.ts';
import { type LivePiece, type LiveSource, pause } from './live.ts';

export interface FollowOptions extends ReadOptions {
  /** Seconds between two looks at the file. */
  readonly pollSeconds?: number;
  /** End when nothing was added for so many seconds; never by default. */
  readonly idleSeconds?: number;
  /** Leave out what is there already. */
  readonly fromEnd?: boolean;
}

/** Read at once at most: a long file that is there already comes in pieces. Seconds. */
const pieceSeconds = 60;

/**
 * Follow a recording that grows. Its beginning must be there: a header that can be read. FormatError where it is none,
 * and where the file shrinks or its channels change meanwhile.
 */
export async function followRecording(path: string, options: FollowOptions = {}): Promise<LiveSource> {
  const { pollSeconds = 0.25, idleSeconds = Number.POSITIVE_INFINITY, fromEnd = false, ...given } = options;
  const open = () => openRecordingFile(path, { ...given, tolerant: true, mayGrow: true });
  const first = await open();
  const channels = first.channels.map(({ name, unit, rateHz }) => ({ name, unit, rateHz }));
  const done = first.channels.map(({ lengthSamples }) => (fromEnd ? lengthSamples : 0));
  const skipped = fromEnd ? first.duration : 0;
  await first.close();
  return {
    name: path,
    channels,
    async *pieces(signal) {
      let [size, heard] = [-1, performance.now()];
      let begun = 0;
      while (!signal.aborted) {
        const now = await stat(path);
        if (now.size !== size) {
          size = now.size;
          heard = performance.now();
          const recording = await open();
          try {
            checkSame(path, recording, channels, done);
            for await (const { piece, span } of newPieces(recording, done, begun, skipped)) {
              begun = span;
              yield piece;
              if (signal.aborted) return;
            }
          } finally {
            await recording.close();
          }
        } else if (performance.now() - heard > idleSeconds * 1000) return;
        await pause(pollSeconds, signal);
      }
    },
    close: async () => undefined,
  };
}

/** What the recording holds beyond `done` (moved on here), span by span; `begun`: the span that was last given. */
async function* newPieces(
  recording: Recording,
  done: number[],
  begun: number,
  skipped: number,
): AsyncGenerator<{ piece: LivePiece; span: number }> {
  let stored = 0;
  for (const [i, span] of recording.spans.entries()) {
    const [from, to] = [stored, stored + span.duration];
    stored = to;
    const ends = (seconds: number) =>
      recording.channels.map(({ rateHz, lengthSamples }) =>
        Math.min(lengthSamples, Math.round(seconds * rateHz)),
      );
    let isNew = i > begun;
    for (let start = from; start < to; start += pieceSeconds) {
      const until = ends(Math.min(to, start + pieceSeconds));
      if (until.every((end, channel) => end <= done[channel]!)) continue;
      const samples: Float64Array[] = [];
      for (const [channel, end] of until.entries()) {
        const begin = Math.min(end, done[channel]!);
        samples.push(await recording.read(channel, begin, end));
        done[channel] = Math.max(end, done[channel]!);
      }
      yield { piece: isNew ? { samples, gapTo: span.start - skipped } : { samples }, span: i };
      isNew = false;
    }
  }
}

function checkSame(
  path: string,
  recording: Recording,
  channels: LiveSource['channels'],
  done: readonly number[],
): void {
  const isSame =
    recording.channels.length === channels.length &&
    recording.channels.every(
      ({ name, rateHz, lengthSamples }, i) =>
        name === channels[i]!.name && rateHz === channels[i]!.rateHz && lengthSamples >= done[i]!,
    );
  if (!isSame)
    throw new FormatError(
      `${path}: the file was replaced while it was followed (it has ${recording.channels.length} channels, ${recording.channels[0]?.lengthSamples ?? 0} samples of the first; ${done[0] ?? 0} were read). Begin again.`,
      path,
    );
}
