/**
 * A gzip file → a ByteSource over what is in it, in memory, within a bound. Format: RFC 1952. The file is read in pieces,
 * whatever its size. First the platform inflates. Where it fails (a page's DecompressionStream knows one member alone,
 * none knows bytes behind the last), gunzip-members.ts goes through the members one by one.
 */
import { type ByteSource, isGzip } from './bytes.ts';
import { FormatError } from './errors.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { inflateMembers } from './gunzip-members.ts';
import { collectedSource } from './streams.ts';

export interface GunzipOptions {
  /** More is refused. Default: 1,032 times the file's size, deflate's own limit, and at most 2 GiB. */
  readonly maxBytes?: number;
  /** Is told where data end in an error; what came before is taken. Without it, that is a FormatError. */
  readonly onCut?: ((fact: string) => void) | undefined;
  /** Is told what was found beside the data. */
  readonly onNote?: ((fact: string) => void) | undefined;
}

const pieceBytes = 2 ** 20;
const defaultMaxBytes = 2 ** 31;

/** Inflate a whole gzip source. FormatError where it is damaged, or holds more than it may. */
export async function gunzipSource(
  source: ByteSource,
  { maxBytes, onCut, onNote }: GunzipOptions = {},
): Promise<ByteSource> {
  const { name, byteLength } = source;
  const limit = maxBytes ?? Math.min(defaultMaxBytes, byteLength * 1032 + 1024);
  if (byteLength > limit) throw tooLarge(name, limit, `the compressed file alone has ${byteLength}`);
  if (!isGzip(await source.read(0, Math.min(2, byteLength))))
    throw new FormatError(`${name}: this is no gzip file. Fetch the file again.`, name, 0);
  let bytes = await inflateAtOnce(source, limit);
  if (!bytes) {
    const found = await inflateMembers(source, (length) => {
      if (length > limit) throw tooLarge(name, limit, `this file has more (stopped after ${length} bytes)`);
    });
    bytes = found.bytes;
    if (found.error !== undefined) {
      const fact = `gzip data ends in an error after ${bytes.length} bytes (${found.error})`;
      if (!onCut || bytes.length === 0)
        throw new FormatError(`${name}: ${fact}. Fetch the file again.`, name);
      onCut(fact);
    }
    if (found.trailing > 0)
      onNote?.(`${name}: ${found.trailing} bytes behind the gzip data are no gzip data, and were left out.`);
  }
  const inner = collectedSource(name.replace(/\.gz$/i, ''), bytes);
  return source.sibling ? { ...inner, sibling: source.sibling.bind(source) } : inner;
}

/** By the platform's own inflater; undefined where it finds an error. FormatError beyond `limit` bytes. */
async function inflateAtOnce(source: ByteSource, limit: number): Promise<GrowingBytes | undefined> {
  const bytes = new GrowingBytes(source.name);
  let failure: unknown;
  let at = 0;
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          if (at >= source.byteLength) return controller.close();
          const end = Math.min(source.byteLength, at + pieceBytes);
          controller.enqueue((await source.read(at, end)) as Uint8Array<ArrayBuffer>);
          at = end;
        } catch (error) {
          failure = error;
          controller.error(error);
        }
      },
    },
    { highWaterMark: 0 },
  );
  const inflate = source.inflater?.('gzip') ?? new DecompressionStream('gzip');
  // A reader, not `for await`: Safari's streams cannot be iterated.
  const reader = compressed.pipeThrough(inflate).getReader();
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      if (bytes.length + value!.length > limit) {
        failure = tooLarge(source.name, limit, `this file has more (stopped after ${bytes.length} bytes)`);
        await reader.cancel();
        break;
      }
      bytes.push(value!);
    }
  } catch (error) {
    failure ??= error instanceof FormatError ? error : undefined;
    if (failure === undefined) return undefined;
  }
  if (failure !== undefined) throw failure;
  return bytes;
}

function tooLarge(name: string, limit: number, fact: string): FormatError {
  return new FormatError(
    `${name}: at most ${limit} bytes of inflated data are held in memory; ${fact}. Unpack it first (gunzip --keep), and give the unpacked file.`,
    name,
  );
}
