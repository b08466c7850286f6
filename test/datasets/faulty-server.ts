/** A file server that fails as told, a proxy, and a certificate for them: what downloads meet in the world. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** What happens to one request. */
export type Fault =
  | { readonly kind: 'drop' | 'stall'; readonly after: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'redirect'; readonly to: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'lengthen' | 'shorten'; readonly by: number }
  /** Another entity tag from now on, and perhaps other bytes; with a 206 all the same where If-Range is ignored. */
  | { readonly kind: 'changed' | 'changed, If-Range ignored'; readonly content?: Uint8Array }
  | {
      readonly kind:
        | 'corrupt' // one byte is wrong
        | 'no range' // a Range is ignored: 200 from the beginning
        | 'wrong range' // a 206 that begins elsewhere
        | 'range not satisfiable'
        | 'silence' // no answer at all
        | 'garbage' // no HTTP
        | 'chunked' // no length
        | 'gzip'; // Content-Encoding unasked
    };

export interface FaultyServer {
  readonly url: string;
  /** Method, path, and the headers that matter, in the order of arrival. */
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
  }[];
  /** Faults of the next requests for a path, one each. */
  readonly faults: Map<string, Fault[]>;
  close(): Promise<void>;
}

export interface ServerOptions {
  /** Bytes a second, in pieces; as fast as it goes where absent. */
  readonly bytesPerSecond?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly withoutValidators?: boolean;
}

/** Serve `files` by path (without the leading `/`). */
export async function startServer(
  files: ReadonlyMap<string, Uint8Array>,
  options: ServerOptions = {},
): Promise<FaultyServer> {
  const requests: FaultyServer['requests'] = [];
  const faults = new Map<string, Fault[]>();
  const versions = new Map<string, number>();
  const current = new Map(files);
  const handle = (asked: IncomingMessage, response: ServerResponse) => {
    const path = decodeURIComponent(asked.url!.slice(1).replace(/\?.*$/, ''));
    requests.push({ method: asked.method!, path, headers: asked.headers });
    const fault = asked.method === 'HEAD' ? undefined : faults.get(path)?.shift();
    if (fault?.kind === 'changed' || fault?.kind === 'changed, If-Range ignored') {
      versions.set(path, (versions.get(path) ?? 0) + 1);
      if (fault.content) current.set(path, fault.content);
    }
    respond(asked, response, current.get(path), versions.get(path) ?? 0, fault, options);
  };
  const server = options.tls ? createTlsServer(options.tls, handle) : createServer(handle);
  const port = await listen(server);
  const scheme = options.tls ? 'https' : 'http';
  return { url: `${scheme}://127.0.0.1:${port}/`, requests, faults, close: () => close(server) };
}

function respond(
  asked: IncomingMessage,
  response: ServerResponse,
  file: Uint8Array | undefined,
  version: number,
  fault: Fault | undefined,
  options: ServerOptions,
): void {
  const destroy = () => response.socket?.destroy();
  if (fault?.kind === 'silence') return;
  if (fault?.kind === 'garbage') {
    response.socket!.end('\x00\x01 this is no HTTP\r\n\r\n');
    return;
  }
  if (fault?.kind === 'status') {
    response.writeHead(
      fault.status,
      fault.retryAfter === undefined ? {} : { 'Retry-After': fault.retryAfter },
    );
    response.end('sorry');
    return;
  }
  if (fault?.kind === 'redirect') {
    response.writeHead(302, { Location: fault.to, ...fault.headers }).end();
    return;
  }
  if (!file) {
    response.writeHead(404).end('not here');
    return;
  }
  const etag = `"${createHash('md5').update(file).digest('hex')}-${version}"`;
  const headers: Record<string, string> = options.withoutValidators ? {} : { ETag: etag };
  const range = /^bytes=(\d+)-$/.exec(asked.headers.range ?? '');
  const isSame =
    asked.headers['if-range'] === undefined ||
    asked.headers['if-range'] === etag ||
    fault?.kind === 'changed, If-Range ignored';
  let start = range && isSame && fault?.kind !== 'no range' ? Number(range[1]) : 0;
  const isPart = start > 0;
  if ((isPart && start >= file.length) || fault?.kind === 'range not satisfiable') {
    response.writeHead(416, { 'Content-Range': `bytes */${file.length}` }).end();
    return;
  }
  if (fault?.kind === 'wrong range' && isPart) start = Math.max(0, start - 7);
  let body = file.slice(start);
  if (fault?.kind === 'corrupt' && body.length > 0) body[Math.floor(body.length / 2)]! ^= 1;
  let length = body.length;
  if (fault?.kind === 'lengthen') length += fault.by;
  if (fault?.kind === 'shorten') {
    length = Math.max(0, length - fault.by);
    body = body.slice(0, length);
  }
  if (isPart) headers['Content-Range'] = `bytes ${start}-${file.length - 1}/${file.length}`;
  if (fault?.kind === 'gzip') headers['Content-Encoding'] = 'gzip';
  if (fault?.kind !== 'chunked') headers['Content-Length'] = String(length);
  response.writeHead(isPart ? 206 : 200, headers);
  if (asked.method === 'HEAD') {
    response.end();
    return;
  }
  if (fault?.kind === 'drop' || fault?.kind === 'stall') {
    const piece = body.slice(0, fault.after);
    response.flushHeaders();
    response.write(piece, () => {
      // A moment, so that what was written arrives before the end does.
      if (fault.kind === 'drop') setTimeout(destroy, 5);
    });
    if (piece.length === 0 && fault.kind === 'drop') setTimeout(destroy, 5);
    return;
  }
  if (fault?.kind === 'lengthen') {
    response.write(body, () => setTimeout(destroy, 5));
    return;
  }
  if (options.bytesPerSecond !== undefined) void trickle(response, body, options.bytesPerSecond);
  else response.end(body);
}

async function trickle(response: ServerResponse, body: Uint8Array, bytesPerSecond: number): Promise<void> {
  const piece = Math.max(1, Math.round(bytesPerSecond / 50));
  for (let at = 0; at < body.length && !response.destroyed; at += piece) {
    response.write(body.slice(at, at + piece));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  response.end();
}

export interface Proxy {
  readonly url: string;
  /** `GET http://…` and `CONNECT host:port`, with the password that came. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** A proxy for http and, by CONNECT, https; with `password`, it asks for `user:password`. */
export async function startProxy(password?: string): Promise<Proxy> {
  const requests: string[] = [];
  const expected = password && `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  const isAllowed = (asked: IncomingMessage) =>
    expected === undefined || asked.headers['proxy-authorization'] === expected;
  const server = createServer((asked, response) => {
    requests.push(`${asked.method} ${asked.url}`);
    if (!isAllowed(asked)) {
      response.writeHead(407).end();
      return;
    }
    const { 'proxy-authorization': _, ...headers } = asked.headers;
    const onward = request(asked.url!, { method: asked.method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    onward.end();
  });
  server.on('connect', (asked: IncomingMessage, socket: Socket) => {
    requests.push(`CONNECT ${asked.url}`);
    socket.on('error', () => undefined);
    if (!isAllowed(asked)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host, port] = asked.url!.split(':') as [string, string];
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });
  const port = await listen(server);
  const user = password === undefined ? '' : `user:${encodeURIComponent(password)}@`;
  return { url: `http://${user}127.0.0.1:${port}`, requests, close: () => close(server) };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** A self-signed certificate for 127.0.0.1, made now: X.509 v3 (RFC 5280) in DER, ECDSA on P-256. */
export function makeCertificate(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
    const content = Buffer.concat(parts);
    const size = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
    return Buffer.concat([Buffer.from([tag, ...size]), content]);
  };
  const hex = (text: string) => Buffer.from(text, 'hex');
  const ecdsaWithSha256 = der(0x30, der(0x06, hex('2a8648ce3d040302')));
  const name = der(0x30, der(0x31, der(0x30, der(0x06, hex('550403')), der(0x0c, Buffer.from('127.0.0.1')))));
  const time = (text: string) => der(0x18, Buffer.from(text));
  // subjectAltName: an IP address; basicConstraints: an authority, as it signs itself.
  const alternative = der(0x30, der(0x06, hex('551d11')), der(0x04, der(0x30, der(0x87, hex('7f000001')))));
  const constraints = der(0x30, der(0x06, hex('551d13')), der(0x04, der(0x30, der(0x01, hex('ff')))));
  const body = der(
    0x30,
    der(0xa0, der(0x02, hex('02'))),
    der(0x02, hex('01')),
    ecdsaWithSha256,
    name,
    der(0x30, time('20200101000000Z'), time('21200101000000Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, alternative, constraints)),
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = der(0x30, body, ecdsaWithSha256, der(0x03, hex('00'), signature));
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
