/**
 * What every reader of HTTP keeps to, whoever carries the bytes (`fetch`, or node:http with its proxies): an answer within a
 * time, a body without long silence and not slower than a least rate, no encoding that was not asked for, a stop at any time.
 */
import { HttpFailure, stopped } from './http-retry.ts';

export interface HttpLimits {
  /** Until the answer's headers are there. Milliseconds. */
  readonly answerMs: number;
  /** Of silence within a body. Milliseconds. */
  readonly stallMs: number;
  /** A body that brings less over `rateMs` of waiting is given up. */
  readonly leastBytesPerSecond: number;
  readonly rateMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  answerMs: 30_000,
  stallMs: 30_000,
  leastBytesPerSecond: 1000, // a tenth of what a mobile phone of 1999 brought
  rateMs: 60_000,
};

/** An answer whose body has not been read. */
export interface HttpAnswer {
  readonly status: number;
  /** Where the redirects ended. */
  readonly url: string;
  /** By a name in small letters; undefined where it is absent, or hidden from this page. */
  header(name: string): string | undefined;
  /** Chunks; HttpFailure where the connection drops, stalls or crawls, InterruptedError when stopped. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Done with it, read or not. */
  discard(): void;
}

/** A body's own encoding; undefined for bytes as they are. */
export function encodingOf({ header }: Pick<HttpAnswer, 'header'>): string | undefined {
  const encoding = header('content-encoding')?.trim().toLowerCase();
  return encoding === '' || encoding === 'identity' ? undefined : encoding;
}

/** Ranges and hashes are of the file itself: HttpFailure for a body in another encoding. */
export function refuseEncoding(answer: Pick<HttpAnswer, 'header'>): void {
  const encoding = encodingOf(answer);
  if (encoding !== undefined)
    throw new HttpFailure(`the server sends it encoded (${encoding.slice(0, 40)}) unasked`, false);
}

/**
 * The result of `work`, or what `late` says after `ms`, or InterruptedError once `signal` is aborted; in both of these
 * `cancel` is called and what `work` gives later is nobody's. `what` is read, for the message: a URL.
 */
function withinTime<T>(
  what: string,
  work: Promise<T>,
  ms: number,
  late: () => Error,
  signal: AbortSignal | undefined,
  cancel: () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const giveUp = (error: Error) => {
      end();
      cancel();
      reject(error);
    };
    const abort = () => giveUp(stopped(what));
    const timer = setTimeout(() => giveUp(late()), ms);
    signal?.addEventListener('abort', abort, { once: true });
    work.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
    if (signal?.aborted) abort();
  });
}

/** The headers of an answer within the limits; HttpFailure, InterruptedError and `cancel` as for a body. */
export function awaitAnswer<T>(
  what: string,
  answer: Promise<T>,
  { answerMs }: Pick<HttpLimits, 'answerMs'>,
  signal: AbortSignal | undefined,
  cancel: () => void,
): Promise<T> {
  const late = () => new HttpFailure(`no answer for ${answerMs / 1000} s`, true);
  return withinTime(what, answer, answerMs, late, signal, cancel);
}

/** Chunks of a body within the limits. `cancel` lets the connection go; it is called at the end in any case. */
export async function* watchChunks(
  what: string,
  chunks: AsyncIterator<Uint8Array>,
  limits: HttpLimits,
  signal: AbortSignal | undefined,
  cancel: () => void,
): AsyncGenerator<Uint8Array> {
  const silence = () => new HttpFailure(`nothing came for ${limits.stallMs / 1000} s`, true);
  let [bytes, waitedMs] = [0, 0];
  try {
    for (;;) {
      // Only waiting for the server counts: a slow disk is no stall.
      const asked = performance.now();
      const { done, value } = await withinTime(what, chunks.next(), limits.stallMs, silence, signal, cancel);
      if (done) return;
      waitedMs += performance.now() - asked;
      bytes += value.length;
      if (waitedMs >= limits.rateMs) {
        const rate = bytes / (waitedMs / 1000);
        if (rate < limits.leastBytesPerSecond)
          throw new HttpFailure(`${Math.round(rate)} bytes a second came, too few to go on`, true);
        [bytes, waitedMs] = [0, 0];
      }
      yield value;
    }
  } finally {
    cancel();
  }
}
