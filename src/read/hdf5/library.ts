/**
 * libhdf5 compiled to WebAssembly, by the optional package h5wasm, loaded when the first HDF5 file is opened. It is one
 * machine for all files. A hostile file can break it (a trap, an abort): then it is put away, and a fresh one is made
 * for whoever comes next; see file.ts.
 */
import { UnsupportedError } from '../../core/errors.ts';

/** What h5wasm's module offers and is used here. */
export interface HdfModule {
  readonly HEAPU8: Uint8Array;
  readonly H5G_GROUP: number;
  readonly H5G_DATASET: number;
  readonly H5F_ACC_RDONLY: number;
  readonly FS: HdfFileSystem;
  open(fileName: string, mode: number, tracksOrder: boolean, lowest: number, highest: number): bigint;
  close_file(file: bigint): number;
  get_type(file: bigint, path: string): number;
  get_names(file: bigint, path: string, recursive: boolean): string[];
  get_dataset_metadata(file: bigint, path: string): HdfMetadata;
  get_dataset_data(
    file: bigint,
    path: string,
    count: readonly bigint[] | null,
    offset: readonly bigint[] | null,
    strides: readonly bigint[] | null,
    pointer: bigint,
  ): number;
  get_attribute_names(file: bigint, path: string): string[];
  get_attribute_metadata(file: bigint, path: string, name: string): HdfMetadata;
  get_attribute_data(file: bigint, path: string, name: string, pointer: bigint): number;
  reclaim_vlen_memory(file: bigint, path: string, attribute: string, pointer: bigint): number;
  reclaim_vlen_memory_count(
    file: bigint,
    path: string,
    attribute: string,
    pointer: bigint,
    count: readonly bigint[],
  ): number;
  get_referenced_name(file: bigint, reference: Uint8Array, isObject: boolean): string | null;
  create_object_reference(file: bigint, path: string): Uint8Array;
  activate_throwing_error_handler(): number;
  UTF8ToString(pointer: number, length?: number): string;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

export interface HdfMetadata {
  /** H5T_class_t: 0 integer, 1 float, 3 string, 6 compound, 7 reference, 8 enumeration, 9 variable length. */
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
  readonly vlen: boolean;
  readonly cset?: number;
  readonly shape: readonly number[] | null;
  readonly chunks: readonly number[] | null;
  /** Of a dataset that is made of others. */
  readonly virtual_sources?: unknown;
  readonly ref_type?: string;
  readonly enum_type?: { readonly type: number };
  readonly vlen_type?: HdfMetadata;
  readonly compound_type?: { readonly members: readonly HdfMember[] };
}

export interface HdfMember extends HdfMetadata {
  readonly name: string;
  readonly offset: number;
}

interface HdfNode {
  usedBytes: number;
  stream_ops: Record<string, unknown>;
}

export interface HdfFileSystem {
  createFile(parent: string, name: string, properties: object, canRead: boolean, canWrite: boolean): HdfNode;
  unlink(path: string): void;
  readonly ErrnoError: new (code: number) => Error;
}

export interface HdfLibrary {
  readonly module: HdfModule;
  /** It trapped or aborted: nothing of it may be used any more. */
  isBroken: boolean;
  /** Errors so far: each leaves a little memory behind. */
  failures: number;
}

/**
 * After so many errors, and where its memory has grown so far by then, the library is put away like a broken one. Not
 * before: an error leaves some kilobytes behind, a library that is put away all of its memory.
 */
const mostFailures = 200;
const mostMemory = 256 * 1024 * 1024;
let current: Promise<HdfLibrary> | undefined;
let generation = 0;

/** The library, loaded where it is not there yet, and fresh where it broke. UnsupportedError where it is not installed. */
export async function hdfLibrary(): Promise<HdfLibrary> {
  const before = current && (await current);
  const isWorn = before && before.failures >= mostFailures && before.module.HEAPU8.length > mostMemory;
  if (before && !before.isBroken && !isWorn) return before;
  const next = load(generation++);
  // Where there is no fresh one to be had, a worn one still serves.
  current = before && !before.isBroken ? next.catch(() => Object.assign(before, { failures: 0 })) : next;
  current.catch(() => {
    current = undefined;
  });
  return current;
}

async function load(instance: number): Promise<HdfLibrary> {
  let ready: Promise<HdfModule>;
  try {
    const found: unknown = await (instance === 0 ? import('h5wasm') : importAgain(instance));
    ready = (found as { ready: Promise<HdfModule> }).ready;
  } catch (cause) {
    throw new UnsupportedError(
      `hdf5: the package h5wasm, which reads HDF5 and MAT 7.3 files, cannot be loaded (${cause instanceof Error ? cause.message : cause}). Install it: npm install h5wasm.`,
      'hdf5 without h5wasm',
      { cause },
    );
  }
  const module = await ready;
  module.activate_throwing_error_handler();
  return { module, isBroken: false, failures: 0 };
}

/** The module once more, with memory of its own: another address is another module. */
async function importAgain(instance: number): Promise<unknown> {
  const address = import.meta.resolve?.('h5wasm');
  if (!address)
    throw new Error('a damaged file broke the HDF5 library; reload the page or restart the program');
  return import(/* @vite-ignore */ `${address}?instance=${instance}`);
}
