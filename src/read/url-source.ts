/**
 * A URL → a ByteSource: ranged requests, every answer checked to be the part that was asked for, of the file that it was at
 * first; tried again where that may help; never more in memory than was asked for. Wrong bytes are never given.
 */
import { allocateBytes, type ByteSource, bytesSource, checkRange } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import { GrowingBytes } from '../core/growing-bytes.ts';
import { encodingOf, type HttpAnswer, refuseEncoding } from '../core/http.ts';
import {
  contentLength,
  differenceOf,
  ifRangeOf,
  otherRange,
  parseContentRange,
  partOf,
  type Validators,
  validatorsOf,
} from '../core/http-range.ts';
import { HttpFailure, isPassing, refusalOf } from '../core/http-retry.ts';
import { collectedSource } from '../core/streams.ts';
import { UrlClient, type UrlOptions } from './url-client.ts';

/** Readers begin with headers: the first request brings enough for most of them. */
const firstBytes = 64 * 1024;
/** Of a file that a server sends whole, in memory. */
const defaultMaxBytes = 2 ** 30;
/** The same where the server packs it, which makes a thousand bytes of one. */
const mostPackedBytes = 2 ** 26;

/**
 * A ByteSource over a URL. Reads are ranged requests; where the server knows none, the file is fetched whole, once.
 * A page's relative URLs are allowed. FormatError where the server has no such file, cannot be reached, or forbids it,
 * and where the file was changed between two reads; InterruptedError once `signal` is aborted.
 */
export async function urlSource(url: string | URL, options: UrlOptions = {}): Promise<ByteSource> {
  return urlSourceBy(new UrlClient(options), url);
}

/** The same by a client that several files of a server share. */
export async function urlSourceBy(client: UrlClient, url: string | URL): Promise<ByteSource> {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  if (!URL.canParse(url, base)) throw new FormatError(`${url}: this is no URL. Check it.`, String(url));
  const found = await findUrl(client, new URL(url, base));
  if (typeof found !== 'number') return found;
  throw new FormatError(`${url}: the server answers ${found}. Check the address.`, String(url));
}

/** The source, or the HTTP status that says that there is none. */
async function findUrl(client: UrlClient, url: URL): Promise<ByteSource | number> {
  const found = await client.retry(
    url.href,
    () => 0,
    () => firstAnswer(client, url),
  );
  if (typeof found === 'number') return found;
  const sibling = async (fileName: string) => {
    if (/[/\\?#\0]/.test(fileName) || ['', '.', '..'].includes(fileName)) return undefined;
    const beside = new URL(`./${encodeURIComponent(fileName)}`, url);
    beside.search = url.search; // signed addresses
    const other = await findUrl(client, beside);
    if (typeof other !== 'number') return other;
    if (other === 404 || other === 410) return undefined;
    throw new FormatError(`${beside.href}: the server answers ${other}. Check the address.`, beside.href);
  };
  return { ...found, sibling };
}

async function firstAnswer(client: UrlClient, url: URL): Promise<ByteSource | number> {
  let answer = await client.get(url, { Range: `bytes=0-${firstBytes - 1}` });
  const { status } = answer;
  // Hidden from pages of other origins.
  const range = parseContentRange(answer.header('content-range'));
  if (status === 206 && range?.total !== undefined) {
    refuseEncoding(answer);
    if (!partOf(answer, 0, firstBytes)) throw new HttpFailure(otherRange(answer), true);
    const head = allocateBytes(url.href, 0, range.end);
    await fill(answer, head, { done: 0 });
    return rangedSource(client, url, head, range.total, validatorsOf(answer));
  }
  // 416: the file is empty, or the server dislikes ranges.
  if (status === 416 || status === 206) {
    answer.discard();
    answer = await client.get(url, {});
  }
  if (answer.status === 200) return wholeSource(client, url, answer);
  answer.discard();
  if (isPassing(answer.status)) throw refusalOf(answer);
  return answer.status;
}

/** A body that comes whole, within bounds. */
async function wholeSource(client: UrlClient, url: URL, answer: HttpAnswer): Promise<ByteSource> {
  const name = url.href;
  const encoding = encodingOf(answer);
  const length = encoding === undefined ? contentLength(answer) : undefined;
  const most = client.options.maxBytes ?? defaultMaxBytes;
  const limit = encoding === undefined ? most : Math.min(most, mostPackedBytes);
  const tooMany = () => {
    answer.discard();
    return new FormatError(
      `${name}: the server sends the file whole${encoding === undefined ? '' : ` and packed (${encoding.slice(0, 40)})`}, and at most ${limit} bytes are held in memory; it ${length === undefined ? 'has more' : `has ${length}`}. Use a server that answers ranges, or fetch the file first.`,
      name,
    );
  };
  if ((length ?? 0) > limit) throw tooMany();
  const bytes = new GrowingBytes(name);
  for await (const chunk of answer.body) {
    if (bytes.length + chunk.length > limit) throw tooMany();
    bytes.push(chunk);
  }
  // A page sees the length of the packed body, and not that it was packed, where the server is of another origin.
  const here = globalThis.location?.origin;
  const isVisible = here === undefined || here === url.origin;
  if (isVisible && length !== undefined && bytes.length !== length)
    throw new HttpFailure(`${bytes.length} of ${length} bytes came`, true);
  return collectedSource(name, bytes);
}

function rangedSource(
  client: UrlClient,
  url: URL,
  head: Uint8Array,
  byteLength: number,
  validators: Validators,
): ByteSource {
  const name = url.href;
  if (head.length === byteLength) return bytesSource(name, head);
  const changed = (fact: string, start: number) =>
    new FormatError(
      `${name}: the file was changed between two reads (${fact}). What was read may be of two versions; open it again.`,
      name,
      start,
    );
  const part = async (room: Uint8Array, start: number, end: number, came: Progress): Promise<void> => {
    const answer = await client.get(
      url,
      { Range: `bytes=${start + came.done}-${end - 1}` },
      ifRangeOf(validators),
    );
    try {
      const { status } = answer;
      if (isPassing(status)) throw refusalOf(answer);
      if (![200, 206, 412, 416].includes(status))
        throw new FormatError(
          `${name}: the server answers ${status} to bytes ${start}–${end}, after it gave the beginning. Check the server, and open it again.`,
          name,
          start,
        );
      const difference = differenceOf(validators, validatorsOf(answer));
      if (difference !== undefined) throw changed(difference, start);
      if (status === 412 || status === 416) throw changed(`the server answers ${status}`, start);
      refuseEncoding(answer);
      const range = parseContentRange(answer.header('content-range'));
      const total = status === 206 ? range?.total : contentLength(answer);
      if ((total ?? byteLength) !== byteLength)
        throw changed(`it had ${byteLength} bytes, it has ${total}`, start);
      if (status === 200) throw new HttpFailure('the server sends the whole file where a part is due', true);
      const given = partOf(answer, start + came.done, end);
      if (!given) throw new HttpFailure(otherRange(answer), true);
      await fill(answer, room.subarray(0, given.end - start), came);
    } finally {
      answer.discard();
    }
  };
  return {
    name,
    byteLength,
    async read(start, end, into) {
      checkRange(name, start, end, byteLength);
      if (end <= head.length || start === end) return head.subarray(start, end);
      const room = into?.length === end - start ? into : allocateBytes(name, start, end);
      const came = { done: 0 };
      // Servers may give less than was asked for; the rest is asked for anew.
      while (came.done < room.length)
        await client.retry(
          name,
          () => came.done,
          () => part(room, start, end, came),
        );
      return room;
    },
  };
}

/** Bytes of a read that have come. */
interface Progress {
  done: number;
}

/**
 * Fill the rest of `room` from an answer, and let go of whatever comes behind. HttpFailure where less comes, or another
 * amount is announced.
 */
async function fill(answer: HttpAnswer, room: Uint8Array, came: Progress): Promise<void> {
  const [due, length] = [room.length - came.done, contentLength(answer)];
  if (length !== undefined && length !== due)
    throw new HttpFailure(`a body of ${length} bytes for a range of ${due}`, true);
  for await (const chunk of answer.body) {
    const part = chunk.subarray(0, room.length - came.done);
    room.set(part, came.done);
    came.done += part.length;
    if (came.done === room.length) return;
  }
  throw new HttpFailure(`the connection ended ${room.length - came.done} bytes before the end`, true);
}
