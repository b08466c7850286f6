/** A file server on 127.0.0.1 that answers every request as it is told: what lies between a reader and a file in the world. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What happens to one request. `by`, `after`: bytes. */
export type UrlFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** A part that begins elsewhere, honestly labelled or not labelled at all. */
  | { readonly kind: 'wrong range' | 'no label' | 'absurd label' }
  /** Less than was asked for, honestly; more than was asked for. */
  | { readonly kind: 'subset' | 'superset'; readonly by: number }
  | { readonly kind: 'longer body' | 'endless body' }
  | { readonly kind: 'drop' | 'stall'; readonly after: number }
  | { readonly kind: 'long length' | 'short length'; readonly by: number }
  | { readonly kind: 'silence' | 'garbage' | 'drip' | 'whole' | 'packed' | 'packed whole' | 'bomb' }
  /** Another version of the file from now on, of the same length or another. */
  | { readonly kind: 'changed' | 'changed, ranges all the same'; readonly content: Uint8Array };

export type Validator = 'etag' | 'weak etag' | 'date' | 'both';

export interface UrlServer {
  readonly url: string;
  /** All contents that were served, the first one first. */
  readonly versions: readonly Uint8Array[];
  /** Bytes of bodies that were handed to connections, of the answer that had most. */
  mostSent(): number;
  readonly requests: readonly IncomingMessage['headers'][];
  close(): Promise<void>;
}

/** No answer is longer, whatever it was told: an endless one ends here. */
const mostBody = 2 ** 26;
/** A packed body of a few kilobytes that inflates to 200 MB. */
let bombBytes: Uint8Array | undefined;

/**
 * Serve one content at any path; `next` says what happens to each request. A liar also says a wrong length of a whole file,
 * which nobody can tell without a checksum.
 */
export async function startUrlServer(
  content: Uint8Array,
  validator: Validator,
  next: () => UrlFault,
  { isLiar = false }: { readonly isLiar?: boolean } = {},
): Promise<UrlServer> {
  const versions = [content];
  const requests: IncomingMessage['headers'][] = [];
  const sockets = new Set<Socket>();
  let most = 0;
  const server = createServer((asked, response) => {
    requests.push(asked.headers);
    response.on('error', () => undefined);
    const fault = next();
    if (fault.kind === 'changed' || fault.kind === 'changed, ranges all the same')
      versions.push(fault.content);
    void answer(asked, response, versions, validator, isLiar, fault, (sent) => {
      most = Math.max(most, sent);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.bin`,
    versions,
    requests,
    mostSent: () => most,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function answer(
  asked: IncomingMessage,
  response: ServerResponse,
  versions: readonly Uint8Array[],
  validator: Validator,
  isLiar: boolean,
  fault: UrlFault,
  note: (sent: number) => void,
): Promise<void> {
  const file = versions.at(-1)!;
  const tag = `"${createHash('md5').update(file).digest('hex')}-${versions.length}"`;
  const date = new Date(Date.UTC(2026, 0, 1) + 1000 * versions.length).toUTCString();
  const headers: Record<string, string> = {};
  if (validator !== 'date') headers.ETag = validator === 'weak etag' ? `W/${tag}` : tag;
  if (validator === 'date' || validator === 'both') headers['Last-Modified'] = date;
  if (fault.kind === 'silence') return;
  if (fault.kind === 'garbage') {
    response.socket?.end('\x00\x01 this is no HTTP\r\n\r\n');
    return;
  }
  if (fault.kind === 'status') {
    const after = fault.retryAfter === undefined ? {} : { 'Retry-After': fault.retryAfter };
    response
      .writeHead(fault.status, { ...headers, ...after })
      .end([204, 304].includes(fault.status) ? undefined : 'sorry');
    return;
  }
  const condition = asked.headers['if-range'] as string | undefined;
  const isSame =
    condition === undefined ||
    condition === (condition.startsWith('"') ? tag : date) ||
    fault.kind === 'changed, ranges all the same';
  const found = /^bytes=(\d+)-(\d*)$/.exec(asked.headers.range ?? '');
  const isPart = found !== null && isSame && !['whole', 'packed whole', 'bomb'].includes(fault.kind);
  let start = isPart ? Number(found[1]) : 0;
  let end = isPart && found[2] !== '' ? Math.min(file.length, Number(found[2]) + 1) : file.length;
  if (isPart && start >= file.length) {
    response.writeHead(416, { ...headers, 'Content-Range': `bytes */${file.length}` }).end();
    return;
  }
  if (isPart && fault.kind === 'wrong range') start = start > 3 ? start - 3 : Math.min(start + 3, end - 1);
  if (isPart && fault.kind === 'subset') end = Math.max(start + 1, end - fault.by);
  if (isPart && fault.kind === 'superset') end = Math.min(file.length, end + fault.by);
  if (isPart) headers['Content-Range'] = `bytes ${start}-${end - 1}/${file.length}`;
  if (fault.kind === 'no label') delete headers['Content-Range'];
  if (isPart && fault.kind === 'absurd label')
    headers['Content-Range'] = `bytes ${end}-${start}/${file.length}`;
  let body: Uint8Array = file.subarray(start, end);
  if (fault.kind === 'packed' || fault.kind === 'packed whole' || fault.kind === 'bomb') {
    bombBytes ??= gzipSync(new Uint8Array(2e8));
    body = fault.kind === 'bomb' ? bombBytes : gzipSync(body);
    headers['Content-Encoding'] = 'gzip';
  }
  const mayLie = isPart || isLiar;
  let length: number | undefined = body.length;
  if (fault.kind === 'long length') length += fault.by;
  if (mayLie && fault.kind === 'short length') length = Math.max(0, length - fault.by);
  if (mayLie && (fault.kind === 'longer body' || fault.kind === 'endless body')) length = undefined;
  if (length !== undefined) headers['Content-Length'] = String(length);
  response.strictContentLength = false;
  response.writeHead(isPart ? 206 : 200, headers);
  if (asked.method === 'HEAD') {
    response.end();
    return;
  }
  if (mayLie && fault.kind === 'short length') body = body.subarray(0, length);
  if (fault.kind === 'drop' || fault.kind === 'stall' || fault.kind === 'long length') {
    response.flushHeaders();
    if ('after' in fault) body = body.subarray(0, fault.after);
    response.write(body);
    if (fault.kind !== 'stall') setTimeout(() => response.destroy(), 10);
    return;
  }
  if (fault.kind === 'drip') {
    for (let at = 0; at < body.length && !response.destroyed; at++) {
      response.write(body.subarray(at, at + 1));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    response.end();
    return;
  }
  await send(response, body, mayLie ? fault.kind : 'none', note);
}

async function send(
  response: ServerResponse,
  body: Uint8Array,
  kind: UrlFault['kind'],
  note: (sent: number) => void,
): Promise<void> {
  response.write(body);
  let sent = body.length;
  const more = kind === 'longer body' ? 2 ** 20 : kind === 'endless body' ? mostBody : 0;
  const junk = new Uint8Array(2 ** 16).fill(0x5a);
  for (let extra = 0; extra < more && !response.destroyed; extra += junk.length) {
    sent += junk.length;
    if (response.write(junk)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        response.off('drain', go).off('close', go);
        resolve();
      };
      response.on('drain', go).on('close', go);
    });
  }
  note(sent);
  response.end();
}
