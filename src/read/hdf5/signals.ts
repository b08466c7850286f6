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

/** Rows of a block: whole chunks, where there are chunks, since each call of the library unpacks those that it touches. */
function rowsPerBlock({ dataset }: SignalArray, columns: number): number {
  const rows = Math.max(1, Math.floor(blockValues / columns));
  const chunkRows = dataset.chunks?.at(-2) ?? 1;
  return chunkRows >= rows ? Math.min(chunkRows, 16 * rows) : rows - (rows % chunkRows);
}

/** A channel is a column. */
function blockReader(array: SignalArray): MatrixReader {
  const [rows, columns] = sidesOf(array);
  const perBlock = rowsPerBlock(array, columns);
  let blocks: readonly { readonly start: number; readonly values: NumericArray }[] = [];
  const blockAt = async (start: number): Promise<NumericArray> => {
    const kept = blocks.find((block) => block.start === start);
    if (kept) return kept.values;
    const values = await valuesOf(array, [start, Math.min(rows, start + perBlock)], [0, columns]);
    blocks = [{ start, values }, ...blocks.slice(0, keptBlocks - 1)];
    return values;
  };
  const together: MatrixReader['together'] = async (ranges, rooms) => {
    const first = ranges.reduce((least, { start }) => Math.min(least, start), rows);
    const last = ranges.reduce((most, { end }) => Math.max(most, end), 0);
    for (let block = first - (first % perBlock); block < last; block += perBlock) {
      const isWanted = ranges.some(
        ({ start, end }) => start < block + perBlock && end > block && start < end,
      );
      if (!isWanted) continue;
      const values = await blockAt(block);
      for (const [i, { channel, start, end }] of ranges.entries()) {
        const [from, to] = [Math.max(start, block), Math.min(end, block + perBlock)];
        if (from >= to) continue;
        const room = rooms[i]!.subarray(from - start, to - start);
        takeStrided(values, (from - block) * columns + channel, columns, room);
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
