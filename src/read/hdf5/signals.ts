/**
 * Signals of an array of an HDF5 file → samples: straight from the file where numbers lie there one after the other, else
 * by the library, block by block where channels lie interleaved, channel by channel where they do not.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { NumericArray } from '../mat/values.ts';
import { type MatrixReader, readerOf, storedMatrix } from '../stored-matrix.ts';
import { numberBytes } from '../stored-numbers.ts';
import { takeStrided } from '../strided.ts';
import type { Hdf5Dataset, Hdf5File } from './hdf5.ts';

/** Values of a block, and blocks kept between reads of channels that lie interleaved: ranges may lie across two. */
const blockValues = 2 ** 20;
const keptBlocks = 3;

/** One array of two dimensions, or a row of one of three. */
export interface SignalArray {
  readonly file: Hdf5File;
  readonly dataset: Hdf5Dataset;
  readonly row: number | undefined;
  /** Samples are rows, channels columns; else the other way round. */
  readonly isTimeFirst: boolean;
}

const sidesOf = ({ dataset }: SignalArray) => dataset.shape.slice(-2) as [rows: number, columns: number];

export async function signalReader(source: ByteSource, array: SignalArray): Promise<MatrixReader> {
  const { file, dataset, row, isTimeFirst } = array;
  const place = await file.place(dataset.path);
  if (!place) return isTimeFirst ? blockReader(array) : rowReader(array);
  const [rows, columns] = sidesOf(array);
  const start = place.start + (row ?? 0) * rows * columns * numberBytes[place.type];
  const sizes = isTimeFirst ? ([columns, rows] as const) : ([rows, columns] as const);
  return readerOf(storedMatrix(source, start, place.type, false, sizes, !isTimeFirst));
}

type Side = readonly [start: number, end: number];

async function valuesOf(
  { file, dataset, row }: SignalArray,
  first: Side,
  second: Side,
): Promise<NumericArray> {
  const found = await file.read(dataset.path, [
    ...(row === undefined ? [] : [[row, row + 1] as const]),
    first,
    second,
  ]);
  if (found.kind === 'number') return found.values;
  throw new FormatError(`hdf5: ${file.source}: ${dataset.path} has no numbers.`, file.source);
}

/** A channel is a row. */
function rowReader(array: SignalArray): MatrixReader {
  const read: MatrixReader['read'] = async (channel, start, result) =>
    takeStrided(await valuesOf(array, [channel, channel + 1], [start, start + result.length]), 0, 1, result);
  return {
    read,
    async together(ranges, rooms) {
      for (const [i, { channel, start }] of ranges.entries()) await read(channel, start, rooms[i]!);
    },
  };
}

/** Chunks of few channels are read by themselves, where there are not more of them side by side. */
const mostAcross = 256;

/** What is read at once: whole chunks, where there are chunks, since each call of the library unpacks all that it touches. */
function tileOf(
  { dataset: { chunks } }: SignalArray,
  columns: number,
): readonly [rows: number, columns: number] {
  const rows = Math.max(1, Math.floor(blockValues / columns));
  const [chunkRows, chunkColumns] = (chunks?.slice(-2) ?? [1, columns]) as [number, number];
  const isNarrow = chunkColumns * 4 <= columns && columns <= chunkColumns * mostAcross;
  const whole = chunkRows >= rows ? Math.min(chunkRows, 16 * rows) : rows - (rows % chunkRows);
  return [whole, isNarrow ? chunkColumns : columns];
}

/** A channel is a column. */
function blockReader(array: SignalArray): MatrixReader {
  const [rows, columns] = sidesOf(array);
  const [tileRows, tileColumns] = tileOf(array, columns);
  const across = Math.ceil(columns / tileColumns);
  const tiles = new Map<string, NumericArray>();
  const tileAt = async (row: number, column: number): Promise<NumericArray> => {
    const key = `${row} ${column}`;
    const kept = tiles.get(key);
    const values =
      kept ??
      (await valuesOf(
        array,
        [row, Math.min(rows, row + tileRows)],
        [column, Math.min(columns, column + tileColumns)],
      ));
    tiles.delete(key);
    tiles.set(key, values);
    // A Map keeps its order: the first is the one that nobody has wanted for longest.
    for (const oldest of tiles.keys()) if (tiles.size > keptBlocks * across) tiles.delete(oldest);
    return values;
  };
  const together: MatrixReader['together'] = async (ranges, rooms) => {
    const first = ranges.reduce((least, { start }) => Math.min(least, start), rows);
    const last = ranges.reduce((most, { end }) => Math.max(most, end), 0);
    for (let row = first - (first % tileRows); row < last; row += tileRows)
      for (let column = 0; column < columns; column += tileColumns) {
        const width = Math.min(columns, column + tileColumns) - column;
        let values: NumericArray | undefined;
        for (const [i, { channel, start, end }] of ranges.entries()) {
          const [from, to] = [Math.max(start, row), Math.min(end, row + tileRows)];
          if (from >= to || channel < column || channel >= column + width) continue;
          values ??= await tileAt(row, column);
          const room = rooms[i]!.subarray(from - start, to - start);
          takeStrided(values, (from - row) * width + channel - column, width, room);
        }
      }
  };
  return {
    read: (channel, start, result) => together([{ channel, start, end: start + result.length }], [result]),
    together,
  };
}

/** The samples between the zeros that all channels begin and end with. */
export async function withoutZeros(array: SignalArray): Promise<readonly [number, number]> {
  const [rows, columns] = sidesOf(array);
  const values = await valuesOf(array, [0, rows], [0, columns]);
  let [first, last] = [0, values.length - 1];
  while (first <= last && Number(values[first]) === 0) first++;
  while (last >= first && Number(values[last]) === 0) last--;
  if (first > last) return [0, rows];
  return [Math.floor(first / columns), Math.floor(last / columns) + 1];
}
