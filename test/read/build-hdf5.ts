/** Small valid HDF5 files and a MAT-file of version 7.3, as h5py wrote them (scripts/golden/hdf5.py): none is built here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../golden/read/hdf5');

/** Each a set of files, the main one first. */
export function hdf5Samples(): Record<string, Uint8Array>[] {
  return ['types.h5', 'A00001.h5', 'exams_part0.hdf5', 'v73.mat'].map((name) => ({
    [name]: new Uint8Array(readFileSync(join(folder, name))),
  }));
}
