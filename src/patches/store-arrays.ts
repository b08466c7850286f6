/**
 * The small arrays of a store's index ↔ Zarr v3: one dimension, chunks of up to a million rows, gzip. Texts are Zarr's
 * `string` with the codec `vlen-utf8`.
 */
import { gzipSync } from 'fflate';
import { z } from 'zod';
import { bytesSource } from '../core/bytes.ts';
import { parseConfig } from '../core/config.ts';
import { FormatError } from '../core/errors.ts';
import { gunzipSource } from '../core/gunzip.ts';

export type Column = Int32Array | Uint16Array | Float32Array | Float64Array | readonly string[];

const rowsPerChunk = 1 << 20;
/** Of numbers 2 GB. */
const mostRows = 2 ** 28;
const gzipLevel = 5;

const types = {
  int32: Int32Array,
  uint16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
type NumberType = keyof typeof types;

/** A column as its metadata and the files that hold it, by path. */
export interface EncodedColumn {
  readonly metadata: ColumnMetadata;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Encode a column; `attributes` say what its values mean. */
export function encodeColumn(
  name: string,
  column: Column,
  attributes: Readonly<Record<string, unknown>> = {},
): EncodedColumn {
  const type = typeOf(column);
  const metadata: ColumnMetadata = {
    zarr_format: 3,
    node_type: 'array',
    shape: [column.length],
    data_type: type,
    chunk_grid: {
      name: 'regular',
      configuration: { chunk_shape: [Math.max(1, Math.min(column.length, rowsPerChunk))] },
    },
    chunk_key_encoding: { name: 'default', configuration: { separator: '.' } },
    fill_value: type === 'string' ? '' : 0,
    codecs: [
      type === 'string' ? { name: 'vlen-utf8' } : { name: 'bytes', configuration: { endian: 'little' } },
      { name: 'gzip', configuration: { level: gzipLevel } },
    ],
    dimension_names: [name.split('_')[0]!],
    attributes,
  };
  const files = new Map<string, Uint8Array>();
  for (let start = 0; start < column.length; start += rowsPerChunk) {
    const part = column.slice(start, start + rowsPerChunk);
    // The last chunk is filled up: a chunk of a regular grid has one size.
    const bytes = isNumbers(part) ? numberBytes(part, metadata) : encodeTexts(part, chunkLength(metadata));
    // No time in the header: the same data give the same bytes.
    files.set(`${name}/c.${start / rowsPerChunk}`, gzipSync(bytes, { level: gzipLevel, mtime: 0 }));
  }
  return { metadata, files };
}

const columnSchema = z.object({
  zarr_format: z.literal(3),
  node_type: z.literal('array'),
  shape: z.tuple([z.number().int().min(0)]),
  data_type: z.enum(['int32', 'uint16', 'float32', 'float64', 'string']),
  chunk_grid: z.object({
    name: z.literal('regular'),
    configuration: z.object({ chunk_shape: z.tuple([z.number().int().min(1)]) }),
  }),
  chunk_key_encoding: z.object({
    name: z.literal('default'),
    configuration: z.object({ separator: z.literal('.') }),
  }),
  fill_value: z.union([z.string(), z.number()]),
  codecs: z.array(
    z.object({ name: z.string(), configuration: z.record(z.string(), z.unknown()).optional() }),
  ),
  dimension_names: z.array(z.string()),
  attributes: z.record(z.string(), z.unknown()),
});
export type ColumnMetadata = z.infer<typeof columnSchema>;

/** Read a column; `read` gives a file of the store. ConfigError for metadata of another kind, FormatError for damage. */
export async function decodeColumn(
  name: string,
  metadata: unknown,
  read: (path: string) => Promise<Uint8Array>,
): Promise<Column> {
  const { data_type: type, shape, ...rest } = parseConfig(columnSchema, metadata, `${name}/zarr.json`);
  const [length] = shape;
  const chunk = chunkLength(rest);
  if (length > mostRows || chunk > mostRows)
    throw new FormatError(
      `${name}/zarr.json: states ${length} rows in chunks of ${chunk}; a store has at most ${mostRows}. The copy is damaged; copy or prepare it again.`,
      name,
    );
  const parts: Column[] = [];
  for (let start = 0; start < length; start += chunk) {
    const path = `${name}/c.${start / chunk}`;
    const rows = Math.min(chunk, length - start);
    const limit = type === 'string' ? mostTextBytes(chunk) : chunk * types[type].BYTES_PER_ELEMENT;
    const bytes = await inflateAtMost(await read(path), limit, path);
    parts.push(
      type === 'string' ? decodeTexts(bytes, rows, path) : decodeNumbers(bytes, type, chunk, rows, path),
    );
  }
  return join(parts, type);
}

/** Texts of a column that is known to be one. */
export function asTexts(column: Column): readonly string[] {
  return isNumbers(column) ? Array.from(column, String) : column;
}

function typeOf(column: Column): NumberType | 'string' {
  for (const [type, Kind] of Object.entries(types)) if (column instanceof Kind) return type as NumberType;
  return 'string';
}

type Numbers = Exclude<Column, readonly string[]>;
function isNumbers(column: Column): column is Numbers {
  return ArrayBuffer.isView(column);
}

function chunkLength({ chunk_grid }: Pick<ColumnMetadata, 'chunk_grid'>): number {
  return chunk_grid.configuration.chunk_shape[0];
}

function numberBytes(part: Numbers, metadata: ColumnMetadata): Uint8Array {
  const whole = new Uint8Array(chunkLength(metadata) * part.BYTES_PER_ELEMENT);
  whole.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return whole;
}

function decodeNumbers(
  bytes: Uint8Array,
  type: NumberType,
  chunk: number,
  rows: number,
  path: string,
): Numbers {
  const Kind = types[type];
  if (bytes.length !== chunk * Kind.BYTES_PER_ELEMENT)
    throw new FormatError(
      `${path}: ${bytes.length} bytes, ${chunk * Kind.BYTES_PER_ELEMENT} are due. The copy is damaged; copy or prepare it again.`,
      path,
    );
  return new Kind(bytes.slice().buffer).subarray(0, rows);
}

function join(parts: readonly Column[], type: NumberType | 'string'): Column {
  if (type === 'string') return (parts as readonly (readonly string[])[]).flat();
  if (parts.length === 1) return parts[0]!;
  const numbers = parts as readonly Numbers[];
  const whole = new types[type](numbers.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of numbers) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** numcodecs' VLenUTF8: the number of texts, then for each its length in bytes and its UTF-8; uint32 little-endian. */
function encodeTexts(texts: readonly string[], rows: number): Uint8Array {
  const encoder = new TextEncoder();
  // A UTF-16 unit takes three bytes of UTF-8 at most.
  const room = texts.reduce((sum, { length }) => sum + 3 * length, 4 + 4 * rows);
  const bytes = new Uint8Array(room);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, rows, true);
  let at = 4;
  for (let i = 0; i < rows; i++) {
    const { written } = encoder.encodeInto(texts[i] ?? '', bytes.subarray(at + 4));
    view.setUint32(at, written, true);
    at += 4 + written;
  }
  return bytes.subarray(0, at);
}

function decodeTexts(bytes: Uint8Array, rows: number, path: string): readonly string[] {
  const decoder = new TextDecoder();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let at = 4; texts.length < rows; ) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + 4 + length > bytes.length)
      throw new FormatError(
        `${path}: ends at byte ${bytes.length} within text ${texts.length} of ${rows}. The copy is damaged; copy or prepare it again.`,
        path,
        at,
      );
    texts.push(decoder.decode(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return texts;
}

/** Texts are names of subjects, trials, sources: some bytes each, with room for long paths. */
function mostTextBytes(chunk: number): number {
  return 2 ** 26 + 64 * chunk;
}

/** Inflate up to `limit` bytes. FormatError for more and for damage: a few kilobytes can claim gigabytes. */
async function inflateAtMost(bytes: Uint8Array, limit: number, path: string): Promise<Uint8Array> {
  try {
    // A short piece is longer compressed than plain.
    const plain = await gunzipSource(bytesSource(path, bytes), { maxBytes: limit + 1024 });
    return await plain.read(0, plain.byteLength);
  } catch (cause) {
    throw new FormatError(
      `${path}: its gzip data are damaged, or hold more than the ${limit} bytes that are due (${(cause as Error).message}). Copy or prepare it again.`,
      path,
      undefined,
      { cause },
    );
  }
}
