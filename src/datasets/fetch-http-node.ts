/**
 * One GET or HEAD over node:http(s): redirects followed by hand, proxies of the environment, a password only where it
 * belongs, and a body that fails when nothing comes for a while. Node 20's own fetch knows no proxies.
 */
import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ConfigError } from '../core/errors.ts';
import {
  awaitAnswer,
  defaultHttpLimits,
  type HttpAnswer,
  type HttpLimits,
  watchChunks,
} from '../core/http.ts';
import { HttpFailure, isLasting, stopped } from '../core/http-retry.ts';
import { type Environment, proxyFor, proxyHeaders, tunnelAgent } from './fetch-proxy-node.ts';

export interface Credentials {
  /** Sent to this origin alone, which must be https. */
  readonly origin: string;
  readonly user: string;
  readonly password: string;
}

export interface HttpOptions extends Partial<Omit<HttpLimits, 'answerMs'>> {
  readonly environment?: Environment;
  readonly credentials?: Credentials;
  /** Connections to a host at once. */
  readonly jobs?: number;
  /** Certificates to trust besides the system's; PEM. */
  readonly ca?: string;
  readonly userAgent?: string;
}

export interface HttpResponse extends HttpAnswer {
  /** What the first host said of a file that lies elsewhere: the hub's `x-linked-etag`, `x-linked-size`. */
  readonly linked: { readonly sha256?: string; readonly bytes?: number };
}

const mostRedirects = 10;

/** Connections to servers, kept between requests. */
export class HttpClient {
  readonly #options: Required<Pick<HttpOptions, 'jobs' | 'userAgent' | 'environment'>> &
    HttpOptions &
    HttpLimits;
  readonly #agents = new Map<string, Agent>();

  /** ConfigError for a password that would go over plain http. */
  constructor(options: HttpOptions = {}) {
    const limits = { ...defaultHttpLimits, ...options };
    this.#options = { environment: {}, jobs: 4, userAgent: 'heartmind', ...limits, answerMs: limits.stallMs };
    const { credentials } = this.#options;
    if (credentials && new URL(credentials.origin).protocol !== 'https:')
      throw new ConfigError(
        `${credentials.origin}: user name and password are sent over https only. Use the https address.`,
        'credentials',
        'https',
      );
  }

  /** HttpFailure where there is no answer; statuses are the caller's. InterruptedError once `signal` is aborted. */
  async request(
    address: string,
    headers: Readonly<Record<string, string>> = {},
    { method = 'GET', signal }: { method?: 'GET' | 'HEAD'; signal?: AbortSignal | undefined } = {},
  ): Promise<HttpResponse> {
    let url = new URL(address);
    const seen = new Set<string>();
    let linked: HttpResponse['linked'] = {};
    for (let hop = 0; ; hop++) {
      const message = await this.#once(url, headers, method, signal);
      const status = message.statusCode!;
      const location = message.headers.location;
      if (new URL(address).origin === url.origin) linked = { ...linkedFile(message.headers), ...linked };
      if (![301, 302, 303, 307, 308].includes(status) || location === undefined)
        return this.#response(message, url.href, linked, method, signal);
      message.destroy();
      seen.add(url.href);
      const next = URL.canParse(location, url.href) ? new URL(location, url.href) : undefined;
      if (!next || !/^https?:$/.test(next.protocol))
        throw new HttpFailure(
          `a redirect to '${location.slice(0, 80)}', which is no http(s) address`,
          false,
          status,
        );
      if (url.protocol === 'https:' && next.protocol === 'http:')
        throw new HttpFailure(`a redirect from https to plain http (${next.host})`, false, status);
      if (seen.has(next.href)) throw new HttpFailure(`a redirect loop at ${next.href}`, false, status);
      if (hop >= mostRedirects) throw new HttpFailure(`more than ${mostRedirects} redirects`, false, status);
      next.username = '';
      next.password = '';
      url = next;
    }
  }

  /** Close all connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #once(
    url: URL,
    headers: Readonly<Record<string, string>>,
    method: string,
    signal: AbortSignal | undefined,
  ): Promise<IncomingMessage> {
    if (signal?.aborted) throw stopped(url.href);
    const { environment, userAgent, ca } = this.#options;
    const proxy = proxyFor(url, environment);
    const isTls = url.protocol === 'https:';
    const isForwarded = proxy !== undefined && !isTls;
    const target = isForwarded ? proxy : url;
    const common = {
      method,
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port || (target.protocol === 'https:' ? 443 : 80),
      path: isForwarded ? `${url.origin}${url.pathname}${url.search}` : `${url.pathname}${url.search}`,
      headers: {
        Host: url.host,
        'User-Agent': userAgent,
        Accept: '*/*',
        // Ranges and hashes are of the file itself.
        'Accept-Encoding': 'identity',
        ...(isForwarded ? proxyHeaders(proxy) : {}),
        ...this.#authorization(url),
        ...headers,
      },
      agent: this.#agentFor(url, proxy),
      ...(ca === undefined ? {} : { ca }),
    };
    const request = (target.protocol === 'https:' ? httpsRequest : httpRequest)(common);
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      request.on('error', (error) => reject(failureOf(error)));
      request.once('response', resolve);
      request.end();
    });
    return awaitAnswer(url.href, answer, this.#options, signal, () => request.destroy());
  }

  #response(
    message: IncomingMessage,
    url: string,
    linked: HttpResponse['linked'],
    method: string,
    signal: AbortSignal | undefined,
  ): HttpResponse {
    // An answer that is there as a whole, or has no body, is read to its end and leaves its connection for the next one.
    const release = () => void (message.complete || method === 'HEAD' ? message.resume() : message.destroy());
    message.on('error', () => undefined); // reported by the iteration; without one, of no interest
    return {
      status: message.statusCode!,
      url,
      linked,
      header: (name) => {
        const value = message.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      },
      body: watchChunks(url, chunksOf(message), this.#options, signal, release),
      discard: release,
    };
  }

  #authorization(url: URL): Record<string, string> {
    const { credentials } = this.#options;
    if (!credentials || url.origin !== credentials.origin) return {};
    const pair = `${credentials.user}:${credentials.password}`;
    return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }

  #agentFor(url: URL, proxy: URL | undefined): Agent {
    const kind =
      url.protocol === 'https:' ? (proxy ? `tunnel ${proxy.href}` : 'https') : (proxy?.protocol ?? 'http');
    const known = this.#agents.get(kind);
    if (known) return known;
    const { jobs, stallMs } = this.#options;
    const agent = kind.startsWith('tunnel')
      ? tunnelAgent(proxy!, jobs, stallMs)
      : new (kind.startsWith('https') ? HttpsAgent : Agent)({ keepAlive: true, maxSockets: jobs });
    this.#agents.set(kind, agent);
    return agent;
  }
}

/** Chunks; a connection that is closed before the end is a failure. */
async function* chunksOf(message: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* message as AsyncIterable<Uint8Array>;
    if (!message.complete) throw new Error('the connection was closed before the end');
  } catch (error) {
    throw failureOf(error);
  }
}

/** Errors of certificates do not pass; all others of a connection may. */
function failureOf(error: unknown): Error {
  if (error instanceof HttpFailure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const text = message || code || String(error);
  return new HttpFailure(text, !isLasting(code ?? ''), undefined, undefined, { cause: error });
}

function linkedFile(headers: IncomingHttpHeaders): { sha256?: string; bytes?: number } {
  const sha256 = /^(?:W\/)?"?([0-9a-f]{64})"?$/.exec(String(headers['x-linked-etag'] ?? ''))?.[1];
  const bytes = /^\d+$/.exec(String(headers['x-linked-size'] ?? ''))?.[0];
  return { ...(sha256 ? { sha256 } : {}), ...(bytes ? { bytes: Number(bytes) } : {}) };
}
