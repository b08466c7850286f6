/** Parts of a file over HTTP: is it the part that was asked for, and still the same file? RFC 9110, 8.8, 13.1.5 and 14.4. */
import type { HttpAnswer } from './http.ts';

/** Bytes [start, end) of a file of `total` bytes, where the server tells. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly total?: number;
}

/** `Content-Range: bytes 0-65535/921600`; undefined for what is none, or lies outside its own file. */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const found = /^\s*bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)\s*$/i.exec(text ?? '');
  if (!found) return undefined;
  const [start, end] = [Number(found[1]), Number(found[2]) + 1];
  const total = found[3] === '*' ? undefined : Number(found[3]);
  if (start >= end || end > (total ?? Number.MAX_SAFE_INTEGER) || !Number.isSafeInteger(total ?? 0))
    return undefined;
  return { start, end, ...(total === undefined ? {} : { total }) };
}

/** The part that an answer brings, from `start` and not beyond `end`; undefined for another one, which `otherRange` tells. */
export function partOf(
  { header }: Pick<HttpAnswer, 'header'>,
  start: number,
  end = Number.MAX_SAFE_INTEGER,
): ContentRange | undefined {
  const range = parseContentRange(header('content-range'));
  return range && range.start === start && range.end <= end ? range : undefined;
}

export function otherRange({ header }: Pick<HttpAnswer, 'header'>): string {
  return `another range than was asked for (${header('content-range')?.slice(0, 80) ?? 'none'})`;
}

/** What a server says of the version of a file. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export function validatorsOf({ header }: Pick<HttpAnswer, 'header'>): Validators {
  const [etag, lastModified] = [header('etag'), header('last-modified')];
  return { ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) };
}

/** What If-Range takes: a strong entity tag, else the date; undefined: the server vouches for nothing. */
export function ifRangeOf({ etag, lastModified }: Validators): string | undefined {
  return etag?.startsWith('"') ? etag : lastModified;
}

/** How two answers tell that they are of different files; undefined where they do not. */
export function differenceOf(before: Validators, now: Validators): string | undefined {
  if (before.etag !== undefined && now.etag !== undefined) {
    // A server between may mark a tag as weak; it is the same file all the same.
    const bare = (tag: string) => tag.replace(/^W\//, '');
    return bare(before.etag) === bare(now.etag)
      ? undefined
      : `its ETag was ${before.etag}, it is ${now.etag}`.slice(0, 200);
  }
  const [was, is] = [before.lastModified, now.lastModified];
  return was !== undefined && is !== undefined && was !== is ? `it was of ${was}, it is of ${is}` : undefined;
}

/** `Content-Length` as a number; undefined where there is none. */
export function contentLength({ header }: Pick<HttpAnswer, 'header'>): number | undefined {
  const text = header('content-length');
  return text !== undefined && /^\s*\d{1,16}\s*$/.test(text) ? Number(text) : undefined;
}
