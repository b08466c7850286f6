/**
 * safetensors: bytes ↔ named tensors and a metadata of strings. Nothing is trusted: the header's length, every
 * dtype, shape and offset are checked against the bytes present before a tensor is allocated.
 *
 * Format: github.com/huggingface/safetensors, "Format": 8 bytes header length (uint64, little-endian), a JSON object
 * name → { dtype, shape, data_offsets: [start, end) from the end of the header }, then the values, row-major and
 * little-endian, without holes or overlaps.
 *
 * Files that heartmind writes carry the sha256 of their content in their metadata. It is checked when they are read, and
 * is no part of the metadata that comes out.
 */
import { FormatError, UnsupportedError } from '../core/errors.ts';
import { isObject } from '../core/plain.ts';
import { createSha256 } from '../core/sha256.ts';
import { type DType, sizeOf, type Tensor, type Tensors } from '../core/tensor.ts';
import { numberToBinary16, readValues, type StoredTypeName, storedTypes } from './stored-values.ts';
import { digestTensors, type StoredTensor } from './tensor-digest.ts';

export interface SafetensorsFile {
  /** In the order of the header. F16 and BF16 have become float32. */
  readonly tensors: Map<string, Tensor>;
  readonly metadata: Record<string, string>;
}

/** The format's own limit on the header: 100 MB. */
const maxHeaderBytes = 100_000_000;

/** The key of the metadata that holds the digest of everything else. */
const digestKey = 'heartmind.sha256';

interface Entry {
  readonly name: string;
  readonly type: StoredTypeName;
  readonly shape: readonly number[];
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Decode a safetensors file; `name` is for messages. FormatError where it breaks the format or is not what heartmind wrote,
 * UnsupportedError for exotic dtypes.
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): SafetensorsFile {
  const headerEnd = 8 + headerLength(bytes, name);
  const header = parseHeader(bytes.subarray(8, headerEnd), name);
  const dataBytes = bytes.byteLength - headerEnd;
  const { [digestKey]: digest, ...metadata } = readMetadata(header.get('__metadata__'), name);
  const entries: Entry[] = [];
  for (const [key, value] of header) {
    if (key !== '__metadata__') entries.push(readEntry(key, value, dataBytes, name));
  }
  checkCoverage(entries, dataBytes, headerEnd, name);
  if (digest !== undefined) checkDigest(digest, entries, metadata, bytes.subarray(headerEnd), name);
  const tensors = new Map<string, Tensor>();
  for (const { name: key, type, shape, count, start, end } of entries) {
    const data = readValues(storedTypes[type], bytes.subarray(headerEnd + start, headerEnd + end), count);
    tensors.set(key, { dtype: storedTypes[type].dtype, shape, data });
  }
  return { tensors, metadata };
}

function headerLength(bytes: Uint8Array, name: string): number {
  if (bytes.byteLength < 10) {
    throw new FormatError(
      `${name}: a safetensors file has at least 10 bytes, this one has ${bytes.byteLength}. Fetch it again.`,
      name,
      0,
    );
  }
  const declared = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const limit = Math.min(maxHeaderBytes, bytes.byteLength - 8);
  if (declared < 2n || declared > BigInt(limit)) {
    throw new FormatError(
      `${name}: a safetensors header of ${declared} bytes is declared, 2 to ${limit} are possible. The copy is truncated or no safetensors file.`,
      name,
      0,
    );
  }
  return Number(declared);
}

function parseHeader(bytes: Uint8Array, name: string): Map<string, unknown> {
  try {
    if (bytes[0] !== 0x7b) throw new SyntaxError('it does not begin with {');
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return new Map(Object.entries(JSON.parse(text) as Record<string, unknown>));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(
      `${name}: the safetensors header is no JSON object (${reason}). Fetch it again.`,
      name,
      8,
      {
        cause,
      },
    );
  }
}

function readMetadata(value: unknown, name: string): Record<string, string> {
  if (value === undefined) return {};
  const entries = isObject(value) ? Object.entries(value) : [];
  if (!isObject(value) || entries.some(([, text]) => typeof text !== 'string')) {
    throw new FormatError(
      `${name}: __metadata__ of a safetensors file maps strings to strings. Write the file again.`,
      name,
      8,
    );
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

function readEntry(key: string, value: unknown, dataBytes: number, name: string): Entry {
  const fail = (fact: string): never => {
    throw new FormatError(
      `${name}: tensor '${key}' ${fact}. The header is damaged; fetch the file again.`,
      name,
      8,
    );
  };
  if (!isObject(value)) return fail('has no description');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') return fail('has no dtype');
  if (!Object.hasOwn(storedTypes, dtype)) {
    throw new UnsupportedError(
      `${name}: tensor '${key}' has dtype ${dtype}; heartmind reads ${Object.keys(storedTypes).join(', ')}. Convert it.`,
      `safetensors dtype ${dtype}`,
    );
  }
  const type = dtype as StoredTypeName;
  if (!isSizes(shape)) return fail('has a shape that is no list of sizes');
  if (!isSizes(offsets) || offsets.length !== 2) return fail('has no pair of data_offsets');
  const [start, end] = offsets as [number, number];
  if (start > end || end > dataBytes) {
    return fail(`lies at bytes ${start}–${end} of ${dataBytes} bytes of values`);
  }
  const count = sizeOf(shape);
  if (count * storedTypes[type].bytes !== end - start) {
    return fail(`of shape [${shape}] and dtype ${type} cannot fill ${end - start} bytes`);
  }
  return { name: key, type, shape, count, start, end };
}

/** Every byte of the values belongs to exactly one tensor. */
function checkCoverage(entries: readonly Entry[], dataBytes: number, headerEnd: number, name: string): void {
  let position = 0;
  for (const { name: key, start, end } of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== position) {
      const what = start < position ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw new FormatError(
        `${name}: tensor '${key}' ${what}: it starts at byte ${start}, the last one ends at ${position}. Fetch the file again.`,
        name,
        headerEnd + Math.min(start, position),
      );
    }
    position = end;
  }
  if (position !== dataBytes) {
    throw new FormatError(
      `${name}: tensors end at byte ${position} of ${dataBytes} bytes of values. The header is damaged; fetch the file again.`,
      name,
      headerEnd + position,
    );
  }
}

/** FormatError where the content is not that which heartmind wrote: a flipped bit anywhere shows. */
function checkDigest(
  digest: string,
  entries: readonly Entry[],
  metadata: Readonly<Record<string, string>>,
  values: Uint8Array,
  name: string,
): void {
  const stored = entries.map(({ start, end, ...entry }) => ({
    ...entry,
    bytes: values.subarray(start, end),
  }));
  const found = digestTensors(stored, metadata);
  if (found === digest) return;
  throw new FormatError(
    `${name}: its ${entries.length} tensors have the sha256 ${found.slice(0, 12)}…, ${digest.slice(0, 12)}… was written. The copy is damaged, or another program changed it; copy, fetch or train it again.`,
    name,
  );
}

const typeOfDtype: Readonly<Record<DType, StoredTypeName>> = {
  float64: 'F64',
  float32: 'F32',
  int64: 'I64',
  int32: 'I32',
  uint8: 'U8',
  int8: 'I8',
  bool: 'BOOL',
};

export interface EncodeSafetensorsOptions {
  /** Store float32 as F16: half the size, 11 bits of a number's 24 (`decodeSafetensors` widens them again). */
  readonly float16?: boolean;
}

/**
 * Encode tensors with a metadata of strings, and the digest of both. Wider types are stored first, so that every tensor is
 * aligned.
 */
export function encodeSafetensors(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
  options: EncodeSafetensorsOptions = {},
): Uint8Array {
  const stored = storeTensors(tensors, options);
  return layOut(stored, { ...metadata, [digestKey]: digestTensors(stored, metadata) });
}

/**
 * The name of a set of tensors in results and checkpoints: sha256 of a safetensors file of them without any metadata, 64
 * hexadecimal digits.
 */
export function hashTensors(tensors: Tensors): string {
  const hash = createSha256();
  hash.update(layOut(storeTensors(tensors, {}), {}));
  return hash.hex();
}

/** Wider types first. */
function storeTensors(tensors: Tensors, { float16 = false }: EncodeSafetensorsOptions): StoredTensor[] {
  const stored = Array.from(tensors, ([name, { dtype, shape, data }]): StoredTensor => {
    const type = float16 && dtype === 'float32' ? 'F16' : typeOfDtype[dtype];
    const values = type === 'F16' ? Uint16Array.from(data as Float32Array, numberToBinary16) : data;
    return { name, type, shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
  });
  const width = ({ type }: StoredTensor) => storedTypes[type as StoredTypeName].bytes;
  return stored.sort((a, b) => width(b) - width(a));
}

function layOut(stored: readonly StoredTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(['__metadata__', metadata]);
  let position = 0;
  for (const { name, type, shape, bytes } of stored) {
    const end = position + bytes.length;
    entries.push([name, { dtype: type, shape, data_offsets: [position, end] }]);
    position = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  // The format allows trailing spaces, which align the values to 8 bytes.
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + position);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, 8, 8 + headerBytes);
  bytes.set(json, 8);
  let offset = 8 + headerBytes;
  for (const { bytes: values } of stored) {
    bytes.set(values, offset);
    offset += values.length;
  }
  return bytes;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
