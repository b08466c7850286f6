/**
 * Files of a page and of the web: File, Blob or URL → ByteSource → Recording. Only the bytes that are asked for are
 * read: slices of a Blob, ranged requests for a URL.
 */
import { blobSource } from '../core/bytes.ts';
import type { Recording } from '../core/recording.ts';
import { openRecording } from './open.ts';
import type { ReadOptions } from './options.ts';
import type { UrlOptions } from './url-client.ts';
import { urlSource } from './url-source.ts';

/**
 * Open a File that the user chose or dropped, or a Blob. `siblings` are the other chosen files: a WFDB record is its
 * .hea file with the .dat and .atr files as siblings. FormatError where it is damaged or no recording.
 */
export function openRecordingBlob(
  file: Blob & { readonly name?: string },
  siblings: Iterable<File> = [],
  options: ReadOptions = {},
): Promise<Recording> {
  const byName = new Map(Array.from(siblings, (sibling) => [sibling.name, sibling]));
  return openRecording(blobSource(file.name ?? 'blob', file, byName), options);
}

/** Open a recording by its URL (WFDB: the .hea file; the others are found beside it). Errors as `urlSource` and `openRecordingBlob`. */
export async function openRecordingUrl(
  url: string | URL,
  options: ReadOptions & UrlOptions = {},
): Promise<Recording> {
  return openRecording(await urlSource(url, options), options);
}
