/**
 * HDF5 files: bytes → groups, datasets, attributes, lazily; a part of a dataset by ranges of its dimensions. Arrays lie
 * row by row, as HDF5 has them: the last index runs fastest. Needs the optional package h5wasm.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';
import { characters, quoted } from '../header-text.ts';
import { type NumberType, numberBytes } from '../stored-numbers.ts';
import { HdfFile } from './file.ts';
import type { HdfMetadata, HdfModule } from './library.ts';
import { classOf, decodeHdf, type HdfKind, type HdfValues, kindOf } from './values.ts';

export interface Hdf5Dataset {
  readonly path: string;
  /** Empty for a single value. */
  readonly shape: readonly number[];
  readonly kind: HdfKind;
  /** Of a chunk, where it is stored in chunks. */
  readonly chunks?: readonly number[];
}

/** Little-endian numbers, row by row. */
export interface Hdf5Place {
  readonly type: NumberType;
  /** Byte of the first in the file. */
  readonly start: number;
}

/** Values in [start, end) of a dimension; undefined: all of it. */
export type Hdf5Range = readonly [start: number, end: number] | undefined;

export interface Hdf5File {
  readonly source: string;
  /** What a path is: `undefined` where there is nothing, or a link to elsewhere. */
  typeOf(path: string): Promise<'group' | 'dataset' | undefined>;
  /** Names in a group. */
  list(path?: string): Promise<string[]>;
  /** What a dataset is; FormatError where there is none. */
  dataset(path: string): Promise<Hdf5Dataset>;
  /** Its values, all or those in `ranges`, one a dimension. FormatError for ranges outside of it. */
  read(path: string, ranges?: readonly Hdf5Range[]): Promise<HdfValues>;
  /** Where the numbers of a dataset lie one after the other, as they are; undefined where they do not. */
  place(path: string): Promise<Hdf5Place | undefined>;
  attributes(path: string): Promise<ReadonlyMap<string, HdfValues>>;
  /** Where a reference points. */
  follow(reference: Uint8Array): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A read gives at most this much: more is asked for in ranges. */
const mostBytes = 2 ** 30;
/** Values of a byte of the file: recordings compress to a third, never to a 256th; an array that is larger lies. Ours. */
const mostInflated = 256;
/** Datasets whose types and sizes are remembered. */
const mostDescribed = 1000;
/** Attributes are small; longer ones lie. */
const mostAttributeBytes = 2 ** 20;

/** Open a file. FormatError where it is damaged, UnsupportedError where h5wasm is not installed. */
export async function openHdf5(source: ByteSource, where = 'hdf5'): Promise<Hdf5File> {
  const file = new HdfFile(source, where);
  let references: Map<string, string> | undefined;
  await file.use('the file', () => undefined);
  const described = new Map<string, HdfMetadata>();
  const describe = (module: HdfModule, id: bigint, path: string): HdfMetadata => {
    const known = described.get(path);
    if (known) return known;
    if (module.get_type(id, path) !== module.H5G_DATASET)
      throw new FormatError(
        `${where}: ${source.name} has no dataset ${quoted(path)}. See what it has with \`heartmind info\`.`,
        source.name,
      );
    const metadata = module.get_dataset_metadata(id, path);
    if (described.size >= mostDescribed) described.clear();
    described.set(path, metadata);
    return metadata;
  };
  return {
    source: source.name,
    typeOf: (path) =>
      file.use(quoted(path), (module, id) => {
        const type = module.get_type(id, path);
        return type === module.H5G_GROUP ? 'group' : type === module.H5G_DATASET ? 'dataset' : undefined;
      }),
    list: (path = '/') => file.use(quoted(path), (module, id) => module.get_names(id, path, false)),
    dataset: (path) =>
      file.use(quoted(path), (module, id) => {
        const metadata = describe(module, id, path);
        const { shape, chunks } = metadata;
        return { path, shape: shape ?? [0], kind: kindOf(metadata), ...(chunks && { chunks }) };
      }),
    read: (path, ranges) =>
      file.use(quoted(path), (module, id) => {
        const metadata = describe(module, id, path);
        if (!metadata.shape) return { kind: 'number', shape: [0], values: new Float64Array(0) } as const;
        const bounds = metadata.shape.map((size, i) => checkRange(source.name, path, size, ranges?.[i]));
        const shape = bounds.map(([start, end]) => end - start);
        const isWhole = shape.every((size, i) => size === metadata.shape![i]);
        return transfer(
          module,
          source.name,
          path,
          metadata,
          shape,
          Math.min(mostBytes, mostInflated * source.byteLength + 2 ** 20),
          (pointer) => {
            if (isWhole) return module.get_dataset_data(id, path, null, null, null, pointer);
            return module.get_dataset_data(
              id,
              path,
              shape.map(BigInt),
              bounds.map(([start]) => BigInt(start)),
              shape.map(() => 1n),
              pointer,
            );
          },
          (pointer) =>
            isWhole
              ? module.reclaim_vlen_memory(id, path, '', pointer)
              : module.reclaim_vlen_memory_count(id, path, '', pointer, shape.map(BigInt)),
        );
      }),
    place: (path) =>
      file.use(quoted(path), (module, id) => placeOf(module, id, file, path, describe(module, id, path))),
    attributes: (path) =>
      file.use(`attributes of ${quoted(path)}`, (module, id) => {
        const found = new Map<string, HdfValues>();
        for (const name of module.get_attribute_names(id, path)) {
          const metadata = module.get_attribute_metadata(id, path, name);
          if (!metadata.shape || kindOf(metadata) === 'other') continue;
          const value = transfer(
            module,
            source.name,
            `${path}@${name}`,
            metadata,
            metadata.shape,
            mostAttributeBytes,
            (pointer) => module.get_attribute_data(id, path, name, pointer),
            (pointer) => module.reclaim_vlen_memory(id, path, name, pointer),
          );
          found.set(name, value);
        }
        return found;
      }),
    follow: (reference) =>
      file.use('a reference', (module, id) => {
        references ??= namedReferences(module, id);
        const found = references.get(keyOf(reference));
        return found ?? module.get_referenced_name(id, reference, true) ?? undefined;
      }),
    close: () => file.close(),
  };
}

function checkRange(
  where: string,
  path: string,
  size: number,
  range: Hdf5Range,
): readonly [start: number, end: number] {
  if (!range) return [0, size];
  const [start, end] = range;
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end && end <= size)
    return range;
  throw new FormatError(
    `hdf5: ${where}: ${start}–${end} of ${quoted(path)} were asked for, it has ${size}.`,
    where,
  );
}

/**
 * The library does not say where a dataset lies, but is seen to read its first value and its last from as far apart as
 * they are where all lie in between: nothing else in a file is read so.
 */
function placeOf(
  module: HdfModule,
  id: bigint,
  file: HdfFile,
  path: string,
  metadata: HdfMetadata,
): Hdf5Place | undefined {
  const { shape, size, chunks, virtual_sources: sources, littleEndian } = metadata;
  const isPlain = shape && !chunks && !sources && littleEndian && kindOf(metadata) === 'number';
  const numericClass = classOf(metadata);
  const type = numericClass === 'double' ? 'float64' : numericClass === 'single' ? 'float32' : numericClass;
  const count = shape?.reduce((product, length) => product * length, 1) ?? 0;
  if (!isPlain || numberBytes[type] !== size || count < 2) return undefined;
  const positionOf = (index: readonly number[]): number => {
    const pointer = module._malloc(8);
    file.lastRead = undefined;
    try {
      const ones = shape.map(() => 1n);
      if (module.get_dataset_data(id, path, ones, index.map(BigInt), ones, BigInt(pointer)) < 0)
        throw new Error('its values cannot be read');
    } finally {
      module._free(pointer);
    }
    return file.lastRead ?? Number.NaN;
  };
  const start = positionOf(shape.map(() => 0));
  const last = positionOf(shape.map((length) => length - 1));
  const isWhole = last - start === (count - 1) * size && last + size <= file.source.byteLength;
  return isWhole ? { type, start } : undefined;
}

/** Have the library write values to its memory, and take them from there. */
function transfer(
  module: HdfModule,
  where: string,
  path: string,
  metadata: HdfMetadata,
  shape: readonly number[],
  most: number,
  fill: (pointer: bigint) => number,
  reclaim: (pointer: bigint) => unknown,
): HdfValues {
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = count * metadata.size;
  if (!(bytes <= most))
    throw new UnsupportedError(
      `hdf5: ${where}: ${quoted(path)} has ${bytes} bytes, at most ${most} can be read at once. Read it in parts.`,
      'hdf5 large reads',
    );
  if (count === 0) return decodeHdf(module, metadata, shape, new Uint8Array(0));
  const pointer = module._malloc(Math.max(8, bytes));
  if (pointer === 0)
    throw new UnsupportedError(
      `hdf5: ${where}: there is no room for ${bytes} bytes of ${quoted(path)}.`,
      'hdf5 memory',
    );
  try {
    // What the file never wrote is zero, pointers of texts too.
    module.HEAPU8.fill(0, pointer, pointer + bytes);
    if (fill(BigInt(pointer)) < 0) throw new Error('its values cannot be read');
    const result = decodeHdf(module, metadata, shape, module.HEAPU8.slice(pointer, pointer + bytes));
    if (metadata.vlen || metadata.type === 9) reclaim(BigInt(pointer));
    return result;
  } finally {
    module._free(pointer);
  }
}

const keyOf = (reference: Uint8Array): string => characters(reference);

/**
 * References → paths of all that lies in `#refs#`, where MATLAB puts what cells hold: libhdf5 would search the whole
 * file for each.
 */
function namedReferences(module: HdfModule, id: bigint): Map<string, string> {
  const found = new Map<string, string>();
  if (module.get_type(id, '/#refs#') !== module.H5G_GROUP) return found;
  for (const name of module.get_names(id, '/#refs#', false)) {
    const path = `/#refs#/${name}`;
    found.set(keyOf(module.create_object_reference(id, path)), path);
  }
  return found;
}
