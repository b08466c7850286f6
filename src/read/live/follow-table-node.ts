/** A growing table of text → live pieces: only what is new is read; a file that is replaced or removed is waited for. */
import { type FileHandle, open } from 'node:fs/promises';
import { bytesSource } from '../../core/bytes.ts';
import { FormatError, HeartmindError } from '../../core/errors.ts';
import { readInto } from '../../core/read-file-node.ts';
import type { ReadOptions } from '../options.ts';
import { FileState, Patience } from './file-state-node.ts';
import type { FollowOptions } from './follow-node.ts';
import { type LiveSource, pause } from './live.ts';
import { CountedNotes } from './notes.ts';
import { beginTable, TableTail } from './table-tail.ts';

/** So much of a table tells its header, its rate and its channels. */
const beginningBytes = 4 * 1024 * 1024;
const chunkBytes = 256 * 1024;
/** Bytes before the place that was reached: others there mean that the file was written anew. */
const fingerprintBytes = 64;

interface OpenTable {
  readonly handle: FileHandle;
  readonly tail: TableTail;
  /** Bytes that were read. */
  at: number;
  fingerprint: Uint8Array;
}

/** Follow a table. Errors as `openCsv` where its beginning is none. */
export async function followTable(path: string, options: FollowOptions): Promise<LiveSource> {
  const { pollSeconds = 0.25, idleSeconds = Number.POSITIVE_INFINITY, fromEnd = false, ...others } = options;
  const { reconnectSeconds = 60, onNote = () => undefined, onBytes, now = clock, ...given } = others;
  const notes = new CountedNotes(path, onNote);
  const tools = { given, notes, onBytes };
  const first = await openTable(path, 0, tools);
  let file = first;
  const { recording } = first.tail.beginning;
  for (const note of recording.log) onNote(note);
  if (fromEnd) await skipToEnd(file, onBytes);
  return {
    name: path,
    channels: recording.channels.map(({ name, unit, rateHz }) => ({ name, unit, rateHz })),
    async *pieces(signal) {
      const state = new FileState(path, await file.handle.stat());
      const patience = new Patience(path, reconnectSeconds, now, onNote);
      let heard = now();
      let rejoinAt: number | undefined;
      let isReplaced = false;
      try {
        while (!signal.aborted) {
          const { bytes, isOther } = await readChunk(file, onBytes);
          if (bytes.length > 0) heard = now();
          for (const piece of file.tail.push(bytes)) {
            if (piece.samples[0]!.length > 0 && rejoinAt !== undefined) {
              yield { ...piece, gapTo: piece.gapTo ?? rejoinAt };
              rejoinAt = undefined;
            } else yield piece;
            if (signal.aborted) return;
          }
          if (bytes.length === chunkBytes) {
            await pause(0, signal);
            continue;
          }
          const change = await state.look(file.at);
          isReplaced ||= isOther || change === 'replaced';
          if (change === 'missing') patience.wait('the file is gone');
          else if (isReplaced) {
            // The time that passed is not known better than by our clock.
            const start = file.tail.end + Math.max(0, now() - heard);
            const next = await reopen(path, start, tools, patience);
            if (next) {
              checkChannels(path, first.tail, next.tail);
              await file.handle.close();
              file = next;
              rejoinAt = start;
              heard = now();
              isReplaced = false;
              patience.rest();
              onNote(`${path}: the file was replaced; it goes on with the new one from its beginning.`);
            }
          } else patience.rest();
          if (now() - heard > idleSeconds) return;
          if (change !== 'grown') await pause(pollSeconds, signal);
        }
      } finally {
        if (file.tail.waitingBytes > 0) notes.add('line at the end was not complete and was left out');
        notes.finish();
      }
    },
    close: () => file.handle.close(),
  };
}

const clock = () => performance.now() / 1000;

interface Tools {
  readonly given: ReadOptions;
  readonly notes: CountedNotes;
  readonly onBytes: ((count: number) => void) | undefined;
}

/** Its beginning is looked at up to the last line end; then it is read from the first row on. */
async function openTable(path: string, start: number, { given, notes, onBytes }: Tools): Promise<OpenTable> {
  const handle = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    const fact = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be opened (${cause.code})`;
    throw new FormatError(`${path}: ${fact}. Check the path.`, path, undefined, { cause });
  });
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(Math.min(size, beginningBytes));
    const head = bytes.subarray(0, await readInto(handle, bytes, 0));
    onBytes?.(head.length);
    const lines = head.subarray(0, Math.max(head.lastIndexOf(10), head.lastIndexOf(13)) + 1);
    const beginning = await beginTable(bytesSource(path, lines), given);
    const tail = new TableTail(beginning, notes, start);
    return { handle, tail, at: beginning.dataStart, fingerprint: new Uint8Array(0) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The new file, or nothing while its beginning is not there. */
async function reopen(
  path: string,
  start: number,
  tools: Tools,
  patience: Patience,
): Promise<OpenTable | undefined> {
  try {
    return await openTable(path, start, tools);
  } catch (error) {
    if (!(error instanceof HeartmindError)) throw error;
    patience.wait(`the file was replaced by one whose beginning cannot be read yet (${error.message})`);
    return undefined;
  }
}

/** What is new; nothing, and `isOther`, where the bytes before it are no longer those that were read. */
async function readChunk(
  file: OpenTable,
  onBytes: Tools['onBytes'],
): Promise<{ bytes: Uint8Array; isOther: boolean }> {
  const { handle, fingerprint, at } = file;
  const nothing = new Uint8Array(0);
  const { size } = await handle.stat();
  if (size < at) return { bytes: nothing, isOther: true };
  if (size === at) return { bytes: nothing, isOther: false };
  const known = fingerprint.length;
  const room = new Uint8Array(known + Math.min(chunkBytes, size - at));
  const found = room.subarray(0, await readInto(handle, room, at - known));
  onBytes?.(found.length);
  if (found.length < known || fingerprint.some((byte, i) => byte !== found[i]))
    return { bytes: nothing, isOther: true };
  file.at += found.length - known;
  file.fingerprint = found.slice(-fingerprintBytes);
  return { bytes: found.subarray(known), isOther: false };
}

/** Go on behind what is there: only a line that has begun is read. */
async function skipToEnd(file: OpenTable, onBytes: Tools['onBytes']): Promise<void> {
  const { size } = await file.handle.stat();
  const bytes = new Uint8Array(Math.min(chunkBytes, size - file.at));
  const start = size - bytes.length;
  const found = bytes.subarray(0, await readInto(file.handle, bytes, start));
  onBytes?.(found.length);
  const lineEnd = Math.max(found.lastIndexOf(10), found.lastIndexOf(13));
  file.at = lineEnd < 0 ? file.at : start + lineEnd + 1;
  file.fingerprint = found.slice(Math.max(0, lineEnd + 1 - fingerprintBytes), lineEnd + 1);
}

function checkChannels(path: string, before: TableTail, now: TableTail): void {
  const list = ({ beginning }: TableTail) =>
    beginning.recording.channels.map(({ name, unit, rateHz }) => `${name} ${unit} ${rateHz} Hz`).join(', ');
  if (list(before) === list(now)) return;
  throw new FormatError(
    `${path}: the file was replaced by one with other channels (${list(now).slice(0, 200)}; before: ${list(before).slice(0, 200)}). Begin again.`,
    path,
  );
}
