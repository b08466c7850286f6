/**
 * Windows wherever they lie: an index that is at hand, and samples that are read when they are needed. A WindowSet is
 * read from memory; a store from disk or a server (store-windows.ts).
 */
import { minOf } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import type { Modality, SignalWindows, WindowSet } from './windows.ts';

/** Everything about windows but their samples. */
export type WindowIndex = Omit<WindowSet, 'signals' | 'beats' | 'past'> & {
  readonly signals: { readonly [M in Modality]?: SignalShape };
};
export type SignalShape = Pick<SignalWindows, 'channels' | 'patches' | 'patchSamples'>;

/** Samples of some windows in model units, [B, C, N, P] by modality. */
export type WindowBatch = { readonly [M in Modality]?: Float32Array };

export interface WindowReader extends WindowIndex {
  /** These windows, in this order. FormatError where a file is damaged. */
  read(indices: ArrayLike<number>, modalities: readonly Modality[]): Promise<WindowBatch>;
  /** Absent where all windows are equally near. */
  readonly far?: FarWindows;
}

/** Windows that should be read many at a time, ahead of their use, and never all at once. */
export interface FarWindows {
  /** Neighbours that one request brings. */
  readonly blockWindows: number;
  /** How many windows are mixed with one another, and held twice: those in use and those that come next. */
  poolWindows(modalities: readonly Modality[]): number;
  /** Prepare to read these windows, in about this order. */
  stream(sequence: Int32Array, modalities: readonly Modality[]): WindowStream;
}

export interface WindowStream {
  /** These windows, in this order; cheap where they are the next of the sequence. */
  read(indices: ArrayLike<number>): Promise<WindowBatch>;
  /** Its memory may serve the next stream. */
  close?(): void;
}

/** A set in memory as what everything reads from; anything else as it is. */
export function asReader(windows: WindowSet | WindowReader): WindowReader {
  if ('read' in windows) return windows;
  return {
    ...windows,
    read: async (indices, modalities) =>
      Object.fromEntries(modalities.map((modality) => [modality, pickRows(windows, modality, indices)])),
  };
}

function pickRows(
  { signals, count }: WindowSet,
  modality: Modality,
  indices: ArrayLike<number>,
): Float32Array {
  const { data } = signals[modality]!;
  const size = data.length / count;
  const rows = new Float32Array(indices.length * size);
  for (let i = 0; i < indices.length; i++)
    rows.set(data.subarray(indices[i]! * size, (indices[i]! + 1) * size), i * size);
  return rows;
}

/** Values in a window. */
export function signalSize({ channels, patches, patchSamples }: SignalShape): number {
  return channels.length * patches * patchSamples;
}

/** The signals of some windows, in memory: what validation and prediction take. */
export async function readSignals(
  windows: WindowReader,
  indices: ArrayLike<number>,
  modalities: readonly Modality[],
): Promise<WindowSet['signals']> {
  const batch = await windows.read(indices, modalities);
  return Object.fromEntries(
    modalities.map((modality) => {
      const { channels, patches, patchSamples } = windows.signals[modality]!;
      return [modality, { channels, patches, patchSamples, data: batch[modality]! }];
    }),
  );
}

/** Several readers of one recipe as one; labels are kept where all have them. */
export function concatReaders(readers: readonly WindowReader[], hash: string): WindowReader {
  const [first, ...others] = readers;
  if (!first) throw new DataError('windows: no set was given.');
  if (others.length === 0) return first;
  if (others.some(({ recipe }) => JSON.stringify(recipe) !== JSON.stringify(first.recipe)))
    throw new DataError('windows: sets of different recipes cannot be joined. Prepare them by one recipe.');
  const labelled = readers.every(
    ({ label, classes }) => label && classes.join('\n') === first.classes.join('\n'),
  );
  /** Where each begins, and the end. */
  const begins = [0];
  for (const { count } of readers) begins.push(begins.at(-1)! + count);
  const count = begins.at(-1)!;
  const start = new Float64Array(count);
  for (const [i, reader] of readers.entries()) start.set(reader.start, begins[i]!);
  const far = readers.flatMap((reader) => reader.far ?? []);
  const read: ReadWindows = (indices, modalities) =>
    readApart(readers, begins, indices, modalities, (reader, part) =>
      readers[reader]!.read(part, modalities),
    );
  return {
    recipe: first.recipe,
    count,
    signals: first.signals,
    ...(labelled ? { label: Int32Array.from(readers.flatMap(({ label }) => [...label!])) } : {}),
    classes: first.classes,
    subject: readers.flatMap(({ subject }) => subject),
    trial: readers.flatMap(({ trial }) => trial),
    start,
    ...(readers.every(({ history }) => history) && {
      history: Float64Array.from(readers.flatMap(({ history }) => [...history!])),
    }),
    dropped: readers.flatMap(({ dropped }) => dropped),
    hash,
    read,
    ...(far.length === 0 ? {} : { far: joinFar(readers, begins) }),
  };
}

type ReadWindows = WindowReader['read'];

/** Stores beside one another share the memory of one. */
function joinFar(readers: readonly WindowReader[], begins: readonly number[]): FarWindows {
  const far = readers.flatMap((reader) => reader.far ?? []);
  return {
    blockWindows: minOf(far.map(({ blockWindows }) => blockWindows)),
    poolWindows: (modalities) => minOf(far.map(({ poolWindows }) => poolWindows(modalities))),
    stream(sequence, modalities) {
      const streams = readers.map((reader, i) => {
        const own = sequence.filter((index) => index >= begins[i]! && index < begins[i + 1]!);
        return reader.far?.stream(
          own.map((index) => index - begins[i]!),
          modalities,
        );
      });
      return {
        read: (indices) =>
          readApart(readers, begins, indices, modalities, (reader, part) =>
            streams[reader] ? streams[reader].read(part) : readers[reader]!.read(part, modalities),
          ),
        close() {
          for (const stream of streams) stream?.close?.();
        },
      };
    },
  };
}

/** Let every reader read its own, and put the rows where they belong. */
async function readApart(
  readers: readonly WindowReader[],
  begins: readonly number[],
  indices: ArrayLike<number>,
  modalities: readonly Modality[],
  read: (reader: number, indices: number[]) => Promise<WindowBatch>,
): Promise<WindowBatch> {
  const whole: { [M in Modality]?: Float32Array } = {};
  for (const modality of modalities)
    whole[modality] = new Float32Array(indices.length * signalSize(readers[0]!.signals[modality]!));
  await Promise.all(
    readers.map(async (_, r) => {
      const places: number[] = [];
      for (let i = 0; i < indices.length; i++)
        if (indices[i]! >= begins[r]! && indices[i]! < begins[r + 1]!) places.push(i);
      if (places.length === 0) return;
      const batch = await read(
        r,
        places.map((i) => indices[i]! - begins[r]!),
      );
      for (const modality of modalities) {
        const size = signalSize(readers[0]!.signals[modality]!);
        for (const [row, i] of places.entries())
          whole[modality]!.set(batch[modality]!.subarray(row * size, (row + 1) * size), i * size);
      }
    }),
  );
  return whole;
}
