/** MAT-files of version 7.3, which are HDF5. */
import type { ByteSource } from '../core/bytes.ts';
import { UnsupportedError } from '../core/errors.ts';
import type { MatFile } from './mat-file.ts';

export async function openMat73(source: ByteSource): Promise<MatFile> {
  throw new UnsupportedError(
    `mat: ${source.name} is of version 7.3, which cannot be read yet. Save it with -v7.`,
    'mat 7.3',
  );
}
