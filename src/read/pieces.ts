/**
 * A long stretch of a source from front to back: bytes [start, end) → pieces, each fetched while the one before is decoded.
 * Memory of the pieces is used again, by the next pass too: fresh memory costs more than reading (1.8 µs for 4 KiB).
 */
import { type ByteSource, checkRange } from '../core/bytes.ts';
import { chunkBytes } from './ranged-bytes.ts';

/** A piece of a local file stays in a processor's cache while it is decoded. Other sources answer after a while. */
const localBytes = 2 ** 20;
const idle: Uint8Array[] = [];
/** Passes at a time that find memory here; each takes two. */
const keptPasses = 2;

/**
 * Call `visit` with consecutive pieces and the place of each. Pieces are whole units of `unitBytes`, counted from `start`,
 * but for the last one. They are only valid within the call.
 */
export async function visitPieces(
  source: ByteSource,
  start: number,
  end: number,
  unitBytes: number,
  visit: (piece: Uint8Array, at: number) => void,
): Promise<void> {
  checkRange(source.name, start, end, source.byteLength);
  const wanted = source.isLocal ? localBytes : chunkBytes;
  const pieceBytes = Math.max(1, Math.floor(wanted / unitBytes)) * unitBytes;
  const rooms = source.isLocal && pieceBytes <= localBytes ? [takeRoom(), takeRoom()] : [];
  const fetch = (at: number, turn: number) => {
    const to = Math.min(end, at + pieceBytes);
    return source.read(at, to, rooms[turn % 2]?.subarray(0, to - at));
  };
  let next: Promise<Uint8Array> | undefined = start < end ? fetch(start, 0) : undefined;
  try {
    for (let at = start, turn = 1; next; turn++) {
      const piece: Uint8Array = await next;
      const after = at + piece.length;
      next = after < end ? fetch(after, turn) : undefined;
      visit(piece, at);
      at = after;
    }
  } finally {
    // A fetch that nobody waits for still writes into its room, and may fail.
    if (next) next.then(() => giveBack(rooms)).catch(() => undefined);
    else giveBack(rooms);
  }
}

const takeRoom = (): Uint8Array => idle.pop() ?? new Uint8Array(localBytes);

function giveBack(rooms: readonly Uint8Array[]): void {
  for (const room of rooms) if (idle.length < 2 * keptPasses) idle.push(room);
}
