/**
 * MAT-files of every version: bytes → variables by name, read when asked for, whole or in parts. Level 4; level 5 with
 * its compressed form (`-v7`); version 7.3, which is HDF5 (mat73.ts).
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';
import { latin1, quoted } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { type MatFile, matFile, type WalkVariable } from './file.ts';
import { isMat4Head, openMat4 } from './mat4.ts';
import { openMat5 } from './mat5.ts';

/** Open a MAT-file of any version. FormatError where it is none, or damaged. */
export async function openMat(source: ByteSource, options: ReadOptions = {}): Promise<MatFile> {
  const head = await source.read(0, Math.min(source.byteLength, 512));
  const version = matVersion(head);
  if (!version)
    throw new FormatError(
      `mat: ${source.name} starts with ${quoted(latin1(head, 0, 16))}, which is no MAT-file. Check the file.`,
      source.name,
      0,
    );
  if (version === '7.3') {
    const { openMat73 } = await import('./mat73.ts');
    return openMat73(source);
  }
  if (version === '4') {
    const { variables, log, read, place } = await openMat4(source, options.tolerant ?? false);
    const walk: WalkVariable = async function* (i, choose, keep) {
      const { name, class: matClass, shape } = variables[i]!;
      const skipped = { kind: 'skipped', class: matClass, shape } as const;
      const decision = choose(name, { class: matClass, shape });
      const found = decision === 'place' ? place(i) : undefined;
      if (found) yield { path: name, value: skipped, place: found };
      if (found || decision === 'inside' || decision === 'skip') return skipped;
      const value = await read(i);
      yield { path: name, value };
      return keep ? value : skipped;
    };
    return matFile(source, version, variables, log, walk, async () => source.close?.());
  }
  const { variables, log, walk } = await openMat5(source, options.tolerant ?? false);
  return matFile(source, version, variables, log, walk, async () => source.close?.());
}

/** Which MAT-file do these first bytes (128 or more) begin? */
export function matVersion(head: Uint8Array): MatFile['version'] | undefined {
  const mark = latin1(head, 126, 128);
  if (head.length >= 128 && (mark === 'IM' || mark === 'MI') && !isMat4Head(head)) {
    const major = head[mark === 'IM' ? 125 : 124]!;
    if (major === 1) return '5';
    if (major === 2) return '7.3';
    throw new UnsupportedError(
      `mat: the header says version ${major}; 1 (level 5) and 2 (7.3) are known.`,
      `mat version ${major}`,
    );
  }
  return isMat4Head(head) ? '4' : undefined;
}
