/**
 * Proxies as the environment names them: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY (small letters first, as curl).
 * http goes through a proxy by the whole address in the request line, https by a CONNECT tunnel (RFC 9110 9.3.6).
 */
import { type Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { ConfigError, UnsupportedError } from '../core/errors.ts';
import { HttpFailure } from '../core/http-retry.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy for an address; undefined: none. ConfigError for one that is no address, UnsupportedError for SOCKS. */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const of = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined;
  const key = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const text = of(key) ?? of('ALL_PROXY');
  if (text === undefined || isExcepted(url, of('NO_PROXY') ?? '')) return undefined;
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const name = of(key) === undefined ? 'ALL_PROXY' : key;
  if (!URL.canParse(whole))
    throw new ConfigError(
      `${name}: the value is no address. Write it like http://proxy.example.org:3128.`,
      name,
    );
  const proxy = new URL(whole);
  if (/^https?:$/.test(proxy.protocol)) return proxy;
  throw new UnsupportedError(
    `${name}: a ${proxy.protocol.slice(0, -1)} proxy; http and https proxies are supported. Name one of those.`,
    `${proxy.protocol.slice(0, -1)} proxy`,
  );
}

/** NO_PROXY: `*`, host names (with all below them), `.suffix`, addresses, networks as `10.0.0.0/8`, each with `:port` or not. */
function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '') return false;
    if (entry === '*') return true;
    const network = /^([0-9a-f.:]+)\/(\d+)$/i.exec(entry);
    if (network) return isInNetwork(host, network[1]!, Number(network[2]));
    const withPort = /^(.+?):(\d+)$/.exec(entry);
    const isPlainAddress = isIP(entry.replace(/^\[|\]$/g, '')) === 6;
    if (withPort && !isPlainAddress && withPort[2] !== port) return false;
    const name = (withPort && !isPlainAddress ? withPort[1]! : entry)
      .replace(/^\[|\]$/g, '')
      .replace(/^\*?\./, '')
      .toLowerCase();
    return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
  });
}

function isInNetwork(host: string, network: string, prefix: number): boolean {
  const family = isIP(network);
  if (family === 0 || family !== isIP(host) || prefix > (family === 4 ? 32 : 128)) return false;
  const name = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, name);
  return list.check(host, name);
}

/** `Proxy-Authorization` from the user and password in a proxy's address. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

type OnConnected = (error: Error | null, socket?: Socket) => void;

/** An agent whose connections go through a tunnel. `connectMs` bounds how long the tunnel takes to open. */
export function tunnelAgent(proxy: URL, jobs: number, connectMs: number): HttpAgent {
  const agent = new HttpsAgent({ keepAlive: true, maxSockets: jobs });
  const open = (options: ConnectionOptions, onConnected: OnConnected) => {
    openTunnel(proxy, options.host!, Number(options.port ?? 443), connectMs).then(
      (socket) => {
        const secured = tlsConnect({ ...options, socket });
        secured.once('error', (error) => onConnected(error));
        secured.once('secureConnect', () => onConnected(null, secured));
      },
      (error: Error) => onConnected(error),
    );
  };
  return Object.assign(agent, { createConnection: open }) as HttpAgent;
}

function openTunnel(proxy: URL, host: string, port: number, connectMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers: { Host: target, ...proxyHeaders(proxy) },
      agent: false,
      timeout: connectMs,
    });
    const fail = (status: number) =>
      reject(
        new HttpFailure(
          `the proxy ${proxy.host} answers ${status} to CONNECT ${target}`,
          status >= 500,
          status,
        ),
      );
    request.once('timeout', () => request.destroy(new Error(`the proxy ${proxy.host} does not answer`)));
    request.once('error', reject);
    request.once('response', (response) => {
      response.destroy();
      fail(response.statusCode!);
    });
    request.once('connect', (response, socket, head) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        fail(response.statusCode!);
        return;
      }
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket as Socket);
    });
    request.end();
  });
}
