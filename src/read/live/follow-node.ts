/** A file that another program is still writing → live pieces: any format whose whole records can be read so far. */
import { open, stat } from 'node:fs/promises';
import { isGzip } from '../../core/bytes.ts';
import { FormatError, HeartmindError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import { fileSource, openRecordingFile } from '../file-node.ts';
import { formats } from '../open.ts';
import type { ReadOptions } from '../options.ts';
import { encodingOf } from '../table/csv-text.ts';
import { FileState, Patience } from './file-state-node.ts';
import { followTable } from './follow-table-node.ts';
import { type LivePiece, type LiveSource, pause } from './live.ts';
import type { NoteListener } from './notes.ts';

export interface FollowOptions extends ReadOptions {
  /** Seconds between two looks at the file. */
  readonly pollSeconds?: number;
  /** End when nothing was added for so many seconds; never by default. */
  readonly idleSeconds?: number;
  /** Leave out what is there already. */
  readonly fromEnd?: boolean;
  /** Seconds to wait for a file that was removed, or replaced by one that cannot be read yet. Default 60. */
  readonly reconnectSeconds?: number;
  /** Hears what was skipped, missing or waited for. */
  readonly onNote?: NoteListener;
  /** Hears how many bytes of a table were read. */
  readonly onBytes?: (count: number) => void;
  /** A clock, in seconds. */
  readonly now?: () => number;
}

/** Read at once at most: a long file that is there already comes in pieces. Seconds. */
const pieceSeconds = 10;

/**
 * Follow a recording that grows. Its beginning must be there: a header that can be read, of a table also some rows.
 * FormatError where it is none, where another recording takes its place, and where it is gone for `reconnectSeconds`.
 */
export async function followRecording(path: string, options: FollowOptions = {}): Promise<LiveSource> {
  if (await isPlainTable(path)) return followTable(path, options);
  const { pollSeconds = 0.25, idleSeconds = Number.POSITIVE_INFINITY, fromEnd = false, ...others } = options;
  const { reconnectSeconds = 60, onNote = () => undefined, onBytes: _, now = clock, ...given } = others;
  const openIt = () => openRecordingFile(path, { ...given, tolerant: true, mayGrow: true });
  const first = await openIt();
  const channels = first.channels.map(({ name, unit, assumedUnit, rateHz }) => ({
    ...{ name, unit, rateHz },
    ...(assumedUnit !== undefined && { assumedUnit }),
  }));
  let done = first.channels.map(({ lengthSamples }) => (fromEnd ? lengthSamples : 0));
  /** Seconds of the source at which the file's second 0 lies. */
  let origin = fromEnd ? -first.duration : 0;
  await first.close();
  return {
    name: path,
    channels,
    async *pieces(signal) {
      const state = new FileState(path, { size: -1, ino: (await stat(path)).ino });
      const patience = new Patience(path, reconnectSeconds, now, onNote);
      let heard = now();
      let [begun, end, isReplaced] = [0, 0, false];
      while (!signal.aborted) {
        const change = await state.look();
        if (change === 'missing') patience.wait('the file is gone');
        else if (change !== 'same' || isReplaced) {
          isReplaced ||= change === 'replaced';
          const recording = await openIt().catch((error: unknown) => {
            if (!(error instanceof HeartmindError)) throw error;
            patience.wait(`the file cannot be read now (${error.message})`);
            return undefined;
          });
          if (recording) {
            try {
              checkSame(path, recording, channels);
              // A shorter one that was written in its place.
              isReplaced ||= recording.channels.some(({ lengthSamples }, i) => lengthSamples < done[i]!);
              if (isReplaced) {
                origin = end + Math.max(0, now() - heard);
                done = done.map(() => 0);
                begun = -1;
                isReplaced = false;
                onNote(`${path}: the file was replaced; it goes on with the new one from its beginning.`);
              }
              patience.rest();
              heard = now();
              for await (const { piece, span, until } of newPieces(recording, done, begun, origin)) {
                begun = span;
                end = until;
                yield piece;
                if (signal.aborted) return;
              }
            } finally {
              await recording.close();
            }
          }
        } else patience.rest();
        if (now() - heard > idleSeconds) return;
        await pause(pollSeconds, signal);
      }
    },
    close: async () => undefined,
  };
}

const clock = () => performance.now() / 1000;

/** A table of text whose bytes can be taken as they come? */
async function isPlainTable(path: string): Promise<boolean> {
  // For its errors: a folder, a pipe, nothing at all.
  const source = await fileSource(path, { mayGrow: true });
  await source.close?.();
  const handle = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(512), 0, 512, 0);
    const head = buffer.subarray(0, bytesRead);
    const name = path.toLowerCase().split(/[/\\]/).at(-1)!;
    const format = formats.find(({ matches }) => matches(head, name));
    return format?.name === 'csv' && !isGzip(head) && encodingOf(head) === undefined;
  } finally {
    await handle.close();
  }
}

/** What the recording holds beyond `done` (moved on here), span by span; `begun`: the span that was last given. */
async function* newPieces(
  recording: Recording,
  done: number[],
  begun: number,
  origin: number,
): AsyncGenerator<{ piece: LivePiece; span: number; until: number }> {
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
      const last = Math.min(to, start + pieceSeconds);
      const until = ends(last);
      if (until.every((end, channel) => end <= done[channel]!)) continue;
      const samples: Float64Array[] = [];
      for (const [channel, end] of until.entries()) {
        const begin = Math.min(end, done[channel]!);
        samples.push(await recording.read(channel, begin, end));
        done[channel] = Math.max(end, done[channel]!);
      }
      const piece = isNew ? { samples, gapTo: span.start + origin } : { samples };
      yield { piece, span: i, until: origin + span.start + last - from };
      isNew = false;
    }
  }
}

function checkSame(path: string, recording: Recording, channels: LiveSource['channels']): void {
  const isSame =
    recording.channels.length === channels.length &&
    recording.channels.every(
      ({ name, rateHz }, i) => name === channels[i]!.name && rateHz === channels[i]!.rateHz,
    );
  if (!isSame)
    throw new FormatError(
      `${path}: the file was replaced while it was followed by one with other channels (it has ${recording.channels.length}, ${channels.length} were followed). Begin again.`,
      path,
    );
}
