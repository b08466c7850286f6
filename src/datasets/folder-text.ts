/** Text of small files in a folder. */
import type { ByteFolder } from '../core/folder.ts';

/** A whole file as UTF-8. Errors of the folder. */
export async function readText(folder: Pick<ByteFolder, 'open'>, path: string): Promise<string> {
  const source = await folder.open(path);
  try {
    return new TextDecoder().decode(await source.read(0, source.byteLength));
  } finally {
    await source.close?.();
  }
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
