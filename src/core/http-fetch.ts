/** One GET by `fetch`, in Node and in pages, within the limits of http.ts. */
import { awaitAnswer, type HttpAnswer, type HttpLimits, watchChunks } from './http.ts';
import { HttpFailure, isLasting, stopped } from './http-retry.ts';

/**
 * HttpFailure where there is no answer; statuses are the caller's. InterruptedError once `signal` is aborted. A page may
 * not set Accept-Encoding (it asks for `identity` itself where a range is asked for): there it is dropped in silence.
 */
export async function fetchAnswer(
  url: URL,
  headers: Readonly<Record<string, string>>,
  limits: HttpLimits,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer> {
  if (signal?.aborted) throw stopped(url.href);
  const control = new AbortController();
  const cancel = () => control.abort();
  // Not kept: a file that changed must be seen, and what is kept of ranges is nobody's whole file.
  const asked = fetch(url, {
    // With a range, `fetch` adds it itself.
    headers: 'Range' in headers ? headers : { 'Accept-Encoding': 'identity', ...headers },
    signal: control.signal,
    cache: 'no-store',
  });
  const response = await awaitAnswer(url.href, asked, limits, signal, cancel).catch(failHttp);
  const reader = response.body?.getReader();
  const chunks: AsyncIterator<Uint8Array> = {
    next: async () => {
      const read = await reader?.read().catch(failHttp);
      return !read || read.done ? { done: true, value: undefined } : { done: false, value: read.value };
    },
  };
  return {
    status: response.status,
    url: response.url,
    header: (name) => response.headers.get(name) ?? undefined,
    body: watchChunks(url.href, chunks, limits, signal, cancel),
    discard: cancel,
  };
}

/** Node says `fetch failed`, and the reason in the cause; pages never say the reason. */
function failHttp(error: unknown): never {
  if (!(error instanceof TypeError)) throw error;
  const { cause, message } = error;
  const { code, message: why } = (cause ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const reason = [message, code, why].filter((text) => typeof text === 'string' && text !== '').join(', ');
  throw new HttpFailure(reason, !isLasting(reason), undefined, undefined, { cause: error });
}
