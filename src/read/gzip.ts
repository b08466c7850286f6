/**
 * `.gz` beside a recording: `x.hea` may stand beside `x.dat.gz`. A source whose siblings are also found compressed, and
 * then inflated into memory, within gzip's own bound (core/bytes.ts).
 */
import { type ByteSource, gunzipSource } from '../core/bytes.ts';

/** The same source; a sibling that is not there is looked for as `NAME.gz`. Its own siblings likewise. */
export function withGzipSiblings(source: ByteSource): ByteSource {
  const { sibling } = source;
  if (!sibling) return source;
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
    async sibling(fileName) {
      const plain = await sibling.call(source, fileName);
      if (plain) return withGzipSiblings(plain);
      const compressed = /\.gz$/i.test(fileName) ? undefined : await sibling.call(source, `${fileName}.gz`);
      if (!compressed) return undefined;
      try {
        return withGzipSiblings(await gunzipSource(compressed));
      } finally {
        await compressed.close?.();
      }
    },
  };
}
