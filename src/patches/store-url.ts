/** Stores on a server: ranged requests by `fetch`, in Node and in pages. */
import { UrlClient, type UrlOptions } from '../read/url-client.ts';
import { urlSourceBy } from '../read/url-source.ts';
import type { StoreFiles } from './store-place.ts';

/** A store by the URL of its folder. A server that fails for a while is waited for (see UrlOptions). */
export function urlFiles(url: string | URL, options: UrlOptions = {}): StoreFiles {
  const base = String(url).replace(/\/*$/, '/');
  const client = new UrlClient(options);
  return { name: String(url), open: (path) => urlSourceBy(client, base + path) };
}
