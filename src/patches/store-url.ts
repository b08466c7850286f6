/** Stores on a server: ranged requests by `fetch`, in Node and in pages. */
import { urlSource } from '../read/file-web.ts';
import type { StoreFiles } from './store-place.ts';

/** A store by the URL of its folder. */
export function urlFiles(url: string | URL): StoreFiles {
  const base = String(url).replace(/\/*$/, '/');
  return { name: String(url), open: (path) => urlSource(base + path) };
}
