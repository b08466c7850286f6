/** Text of small files in a folder. */
import type { ByteFolder } from '../core/folder.ts';

/** A whole file as text: UTF-8, or UTF-16 as spreadsheets save it, with its mark or without. Errors of the folder. */
export async function readText(folder: Pick<ByteFolder, 'open'>, path: string): Promise<string> {
  const source = await folder.open(path);
  try {
    return decodeText(await source.read(0, source.byteLength));
  } finally {
    await source.close?.();
  }
}

/** Text of bytes; the mark at its beginning is left out. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}

/** In UTF-16 every second byte of plain letters is zero; text in UTF-8 has no zero byte. */
function encodingOf(bytes: Uint8Array): string {
  const [a, b, c, d] = bytes;
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0 && c !== 0 && d === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0 && c === 0 && d !== 0)) return 'utf-16be';
  return 'utf-8';
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
