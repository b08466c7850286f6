/**
 * `.gz` beside a recording: `x.hea` may stand beside `x.dat.gz`. A source whose siblings are also found compressed, and
 * then inflated into memory, within gzip's own bound (core/gunzip.ts).
 */

import type { Budget } from '../core/budget.ts';
import type { ByteSource } from '../core/bytes.ts';
import { gunzipSource } from '../core/gunzip.ts';

/**
 * The same source; a sibling that is not there is looked for as `NAME.gz`. Its own siblings likewise. `onNote` is told
 * what was found beside compressed data. All of them draw from one `budget`.
 */
export function withGzipSiblings(
  source: ByteSource,
  budget: Budget,
  onNote?: (fact: string) => void,
): ByteSource {
  const { sibling } = source;
  return {
    name: source.name,
    get byteLength() {
      return source.byteLength;
    },
    ...(source.isLocal === undefined ? {} : { isLocal: source.isLocal }),
    read: source.read.bind(source),
    ...(source.readSync && { readSync: source.readSync.bind(source) }),
    ...(source.inflater && { inflater: source.inflater }),
    ...(source.close && { close: source.close.bind(source) }),
    budget,
    ...(sibling && {
      async sibling(fileName: string) {
        const plain = await sibling.call(source, fileName);
        if (plain) return withGzipSiblings(plain, budget, onNote);
        const compressed = /\.gz$/i.test(fileName) ? undefined : await sibling.call(source, `${fileName}.gz`);
        if (!compressed) return undefined;
        try {
          return withGzipSiblings(await gunzipSource(compressed, { onNote }), budget, onNote);
        } finally {
          await compressed.close?.();
        }
      },
    }),
  };
}
