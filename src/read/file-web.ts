/**
 * Files of a page and of the web: File, Blob or URL → ByteSource → Recording. Only the bytes that are asked for are
 * read: slices of a Blob, ranged requests for a URL.
 */
import { type ByteSource, blobSource, bytesSource, checkRange } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
import { openRecording } from './open.ts';
import type { ReadOptions } from './options.ts';

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
export async function openRecordingUrl(url: string | URL, options: ReadOptions = {}): Promise<Recording> {
  return openRecording(await urlSource(url), options);
}

/**
 * A ByteSource over a URL. Reads are ranged requests; where the server knows none, the file is fetched whole, once.
 * A page's relative URLs are allowed. FormatError where the server has no such file, cannot be reached, or forbids it.
 */
export async function urlSource(url: string | URL): Promise<ByteSource> {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  if (!URL.canParse(url, base)) throw new FormatError(`${url}: this is no URL. Check it.`, String(url));
  const found = await findUrl(new URL(url, base));
  if (typeof found !== 'number') return found;
  throw new FormatError(`${url}: the server answers ${found}. Check the address.`, String(url));
}

/** Readers begin with headers: the first request brings enough for most of them. */
const firstBytes = 64 * 1024;

/** The source, or the HTTP status that says that there is none. */
async function findUrl(url: URL): Promise<ByteSource | number> {
  const name = url.href;
  let response = await request(url, 0, firstBytes);
  const byteLength = totalOf(response);
  // 416: the file is empty, or the server dislikes ranges; 206 without a total: hidden from pages of other origins.
  if (response.status === 416 || (response.status === 206 && byteLength === undefined)) {
    await response.body?.cancel();
    response = await request(url);
  }
  if (!response.ok) {
    await response.body?.cancel();
    return response.status;
  }
  const sibling = async (fileName: string) => {
    if (/[/\\?#\0]/.test(fileName) || ['', '.', '..'].includes(fileName)) return undefined;
    const beside = new URL(`./${encodeURIComponent(fileName)}`, url);
    beside.search = url.search; // signed addresses
    const found = await findUrl(beside);
    if (typeof found !== 'number') return found;
    if (found === 404 || found === 410) return undefined;
    throw new FormatError(`${beside.href}: the server answers ${found}. Check the address.`, beside.href);
  };
  const body = await bodyOf(response, name);
  if (response.status !== 206 || byteLength === undefined) return { ...bytesSource(name, body), sibling };
  return {
    name,
    byteLength,
    async read(start, end) {
      checkRange(name, start, end, byteLength);
      if (end <= body.length || start === end) return body.subarray(start, end);
      const part = await request(url, start, end);
      const bytes = part.status === 206 ? await bodyOf(part, name) : undefined;
      if (bytes?.length === end - start && (totalOf(part) ?? byteLength) === byteLength) return bytes;
      throw new FormatError(
        `${name}: bytes ${start}–${end} were asked for, the server answers ${part.status} with ${bytes?.length ?? 'other'} bytes. The file was changed or the server is failing; try again.`,
        name,
        start,
      );
    },
    sibling,
  };
}

/** Ask for bytes [start, end), or for everything. */
async function request(url: URL, start?: number, end?: number): Promise<Response> {
  const headers = start === undefined ? {} : { Range: `bytes=${start}-${end! - 1}` };
  try {
    return await fetch(url, { headers });
  } catch (cause) {
    throw unreachable(url.href, cause);
  }
}

async function bodyOf(response: Response, name: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw unreachable(name, cause);
  }
}

function unreachable(name: string, cause: unknown): FormatError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FormatError(
    `${name}: cannot be fetched (${reason}). Check the connection, and that the server allows this page (CORS).`,
    name,
    undefined,
    { cause },
  );
}

/** The file's size, from `Content-Range: bytes 0-65535/921600`. */
function totalOf(response: Response): number | undefined {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}
