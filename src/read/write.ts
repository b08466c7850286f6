/** Any recording → any writable format: one table of writers, chosen by name or by the output's file name; `.gz` as a stream. */
import { ConfigError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
import type { OutputFile, WriteOptions, WriteRecording } from './output.ts';

export interface Writer {
  /** As `--to` takes it, and the extension of its main file unless `extensions` says otherwise. */
  readonly name: string;
  readonly title: string;
  /** Of the main file, with the point; the first is the usual one. */
  readonly extensions: readonly string[];
  /** A name without extension, what its files may not be called replaced. */
  readonly allowedName?: (stem: string) => string;
  load(): Promise<WriteRecording>;
}

export const writers: readonly Writer[] = [
  {
    name: 'edf',
    title: 'EDF+, 16 bits a sample',
    extensions: ['.edf'],
    load: async () => (await import('./edf/write.ts')).writeEdf,
  },
  {
    name: 'bdf',
    title: 'BDF+, 24 bits a sample',
    extensions: ['.bdf'],
    load: async () => (await import('./edf/write.ts')).writeBdf,
  },
  {
    name: 'wfdb',
    title: 'WFDB, a header with signal and annotation files beside it',
    extensions: ['.hea'],
    allowedName: (stem) => stem.replace(/[^\w/-]+(?=[^/]*$)/g, '_'),
    load: async () => (await import('./wfdb/write.ts')).writeWfdb,
  },
  {
    name: 'npz',
    title: 'NumPy arrays, float64',
    extensions: ['.npz'],
    load: async () => (await import('./numpy/write.ts')).writeNpz,
  },
  {
    name: 'parquet',
    title: 'Parquet, a column a channel; one rate only',
    extensions: ['.parquet'],
    load: async () => (await import('./parquet/write.ts')).writeParquet,
  },
];

/**
 * The writer of that name, or the one that the file name asks for (`.gz` aside). ConfigError where there is none, or
 * where `.gz` would be all that is left.
 */
export function findWriter(
  fileName: string,
  name?: string,
  table: readonly Writer[] = writers,
): { readonly writer: Writer; readonly isGzip: boolean; readonly plainName: string } {
  const isGzip = /\.gz$/i.test(fileName);
  const plainName = isGzip ? fileName.slice(0, -3) : fileName;
  const lower = plainName.toLowerCase();
  const writer =
    name === undefined
      ? table.find(({ extensions }) => extensions.some((extension) => lower.endsWith(extension)))
      : table.find((one) => one.name === name);
  if (writer) return { writer, isGzip, plainName };
  const known = table.map((one) => `${one.name} (${one.extensions.join(', ')})`).join(', ');
  throw new ConfigError(
    name === undefined
      ? `${fileName}: the name says no format that can be written. End it as one of: ${known}.`
      : `'${name}' cannot be written. Known: ${known}.`,
    name === undefined ? 'out' : '--to',
    known,
  );
}

export interface WriteFileOptions extends WriteOptions {
  /** Name of a writer. Default: by the file name. */
  readonly to?: string;
  readonly writers?: readonly Writer[];
}

/**
 * Write a recording as the files that its format has: `a.edf`, `100.hea` with `100.dat`, `a.edf.gz`. Nothing is held but
 * a stretch. ConfigError where the recording does not fit the format, before the first byte.
 */
export async function* writeRecording(
  recording: Recording,
  fileName: string,
  { to, writers: table, ...options }: WriteFileOptions = {},
): AsyncIterable<OutputFile> {
  const { writer, isGzip, plainName } = findWriter(fileName, to, table);
  const write = await writer.load();
  for await (const { name, bytes } of write(recording, plainName, options))
    yield isGzip ? { name: `${name}.gz`, bytes: compressed(bytes) } : { name, bytes };
}

/** The bytes through gzip, as they come. */
async function* compressed(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value as Uint8Array<ArrayBuffer>);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  const reader = source.pipeThrough(new CompressionStream('gzip')).getReader();
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read())
      yield value!;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
