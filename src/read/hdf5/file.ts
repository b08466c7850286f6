/**
 * An HDF5 file mounted in the library: bytes come from a ByteSource when they are wanted, in pages. libhdf5 does not
 * wait: where bytes cannot be had at once (a URL, a Blob), a missing page makes the call fail, is fetched, and the call
 * is made again. FormatErrors for what libhdf5 refuses, also where it traps.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError, HeartmindError } from '../../core/errors.ts';
import { globalHeapFault, lengthBytesOf } from './guard.ts';
import { type HdfLibrary, type HdfModule, hdfLibrary } from './library.ts';

/** Small reads of metadata are many; a page holds the neighbours. */
const pageBytes = 64 * 1024;
/** Pages kept between calls: 32 MiB. */
const keptPages = 512;
/** Longer reads go past the pages, where they can. */
const directBytes = pageBytes;
/** Errors of the system that libhdf5 understands: input and output. */
const inputOutputError = 29;
/** A file that can only be read with waiting is fetched at most up to here in one call. */
const mostFetched = 2 ** 30;

let mounted = 0;

export class HdfFile {
  #library: HdfLibrary | undefined;
  #file = 0n;
  #path = '';
  #pages = new Map<number, Uint8Array>();
  #missing: number | undefined;
  #sourceError: unknown;
  /** Byte where the library last began to read. */
  lastRead: number | undefined;
  /** Of lengths in the file, as its superblock says. */
  #lengthBytes = 8;

  constructor(
    readonly source: ByteSource,
    /** Of errors: `hdf5`, `mat`. */
    readonly where: string,
  ) {}

  /** What `operate` makes of the open file; made again when bytes had to be fetched. */
  async use<T>(what: string, operate: (module: HdfModule, file: bigint) => T): Promise<T> {
    let [fetched, stretch] = [0, 4];
    for (;;) {
      const library = await this.#ready();
      this.#missing = undefined;
      this.#sourceError = undefined;
      try {
        if (this.#path === '') this.#mount(library.module);
        const result = operate(library.module, this.#file);
        this.#trim();
        return result;
      } catch (error) {
        if (this.#sourceError) throw this.#sourceError;
        if (this.#missing !== undefined && fetched < mostFetched) {
          // Twice as much each time: what follows is likely to be wanted next.
          fetched += await this.#fetch(this.#missing, stretch);
          stretch = Math.min(stretch * 2, 256);
          continue;
        }
        this.#trim();
        throw this.#explain(error, what, library);
      }
    }
  }

  async #ready(): Promise<HdfLibrary> {
    if (this.#library && !this.#library.isBroken) return this.#library;
    this.#library = await hdfLibrary();
    this.#path = '';
    return this.#library;
  }

  #mount(module: HdfModule): void {
    const path = `file-${mounted++}`;
    const node = module.FS.createFile('/', path, {}, true, false);
    // MEMFS takes the size from here; its own memory of the file stays empty.
    node.usedBytes = this.source.byteLength;
    node.stream_ops = {
      ...node.stream_ops,
      read: (_: unknown, buffer: Uint8Array, offset: number, length: number, position: number) =>
        this.#read(module, buffer, offset, length, position),
    };
    try {
      this.#file = module.open(`/${path}`, module.H5F_ACC_RDONLY, false, -1, -1);
      if (this.#file < 0n) throw new Error('it cannot be opened');
      this.#path = path;
    } catch (error) {
      module.FS.unlink(`/${path}`);
      throw error;
    }
  }

  /** Called by libhdf5: bytes from `position` → buffer[offset …]; how many there were. */
  #read(module: HdfModule, buffer: Uint8Array, offset: number, length: number, position: number): number {
    const end = Math.min(this.source.byteLength, position + length);
    this.lastRead = position;
    if (end <= position) return 0;
    const { readSync } = this.source;
    try {
      if (readSync && end - position >= directBytes) {
        buffer.set(this.source.readSync!(position, end), offset);
        this.#check(buffer.subarray(offset, offset + end - position), position);
        return end - position;
      }
      for (let at = position; at < end; ) {
        const page = Math.floor(at / pageBytes);
        const bytes = this.#pages.get(page) ?? (readSync && this.#load(page));
        if (!bytes) {
          this.#missing ??= page;
          throw new module.FS.ErrnoError(inputOutputError);
        }
        const from = at - page * pageBytes;
        const part = bytes.subarray(from, Math.min(bytes.length, from + end - at));
        buffer.set(part, offset + at - position);
        at += part.length;
      }
      this.#check(buffer.subarray(offset, offset + end - position), position);
      return end - position;
    } catch (error) {
      if (error instanceof HeartmindError) this.#sourceError = error;
      throw error instanceof module.FS.ErrnoError ? error : new module.FS.ErrnoError(inputOutputError);
    }
  }

  #check(bytes: Uint8Array, position: number): void {
    this.#lengthBytes = lengthBytesOf(bytes) ?? this.#lengthBytes;
    const fault = this.#lengthBytes === 8 ? globalHeapFault(bytes) : undefined;
    if (fault)
      throw new FormatError(
        `${this.where}: ${this.source.name}: ${fault}, at byte ${position}. The file is damaged; fetch it again.`,
        this.source.name,
        position,
      );
  }

  #load(page: number): Uint8Array {
    const start = page * pageBytes;
    const bytes = this.source.readSync!(start, Math.min(this.source.byteLength, start + pageBytes));
    this.#trim();
    this.#pages.set(page, bytes);
    return bytes;
  }

  async #fetch(page: number, count: number): Promise<number> {
    const start = page * pageBytes;
    const end = Math.min(this.source.byteLength, start + count * pageBytes);
    const bytes = await this.source.read(start, end);
    for (let at = 0; at < bytes.length; at += pageBytes)
      this.#pages.set(page + at / pageBytes, bytes.subarray(at, at + pageBytes));
    return bytes.length;
  }

  /** Forget the oldest pages beyond those that are kept. */
  #trim(): void {
    for (const page of this.#pages.keys()) {
      if (this.#pages.size < keptPages) return;
      this.#pages.delete(page);
    }
  }

  #explain(error: unknown, what: string, library: HdfLibrary): unknown {
    if (error instanceof HeartmindError) return error;
    library.failures++;
    const isRefusal = error instanceof Error && error.constructor === Error;
    // Anything else is a trap, an abort, a C++ exception: what it leaves behind cannot be trusted.
    if (!isRefusal) library.isBroken = true;
    return new FormatError(
      `${this.where}: ${this.source.name}: ${what} cannot be read: ${reasonOf(error)}. The file is damaged; fetch it again.`,
      this.source.name,
      undefined,
      { cause: error },
    );
  }

  async close(): Promise<void> {
    const library = this.#library;
    if (library && !library.isBroken && this.#path !== '') {
      try {
        library.module.close_file(this.#file);
        library.module.FS.unlink(`/${this.#path}`);
      } catch {
        library.failures++;
      }
    }
    this.#library = undefined;
    this.#pages.clear();
    await this.source.close?.();
  }
}

/** libhdf5 gives the whole stack of calls: its innermost reason. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const reasons = [...text.matchAll(/(?:minor|desc|: )\s*:?\s*([^\n]+)/g)].map((match) => match[1]!.trim());
  return (reasons.length > 1 ? reasons.at(-1)! : text.split('\n')[0]!).slice(0, 200);
}
