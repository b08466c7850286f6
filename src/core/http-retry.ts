/** When a failed request is tried again, and after how long. */
import { InterruptedError } from './errors.ts';

/** What went wrong with a request: `retry` says whether another try may help. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  constructor(
    message: string,
    readonly retry: boolean,
    readonly status?: number,
    /** What the server asked for. Seconds. */
    readonly retryAfterSeconds?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a status other than the expected one means for another try. */
export function refusalOf({
  status,
  header,
}: {
  readonly status: number;
  header(name: string): string | undefined;
}): HttpFailure {
  const after = parseRetryAfter(header('retry-after'), Date.now());
  return new HttpFailure(`the server answers ${status}`, isPassing(status), status, after);
}

/** Does the code or text of a connection's error tell of something that stays: a certificate, a wrong address? */
export function isLasting(reason: string): boolean {
  return /\b(CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_INVALID|ERR_UNESCAPED)|bad port|unknown scheme/.test(
    reason,
  );
}

/** Statuses that pass: timeouts, too many requests, failures of the server or of one before it. */
export function isPassing(status: number): boolean {
  return (
    status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505)
  );
}

/** `Retry-After`: seconds, or a date (RFC 9110 10.2.3) → seconds from `now` (ms); undefined where it says nothing. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}

export interface RetryPolicy {
  /** Failures in a row, without progress between them, after which it is given up. */
  readonly attempts: number;
  /** First wait; doubled every time. Milliseconds. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** A server that asks for more is not waited for. */
  readonly longestRetryAfterMs: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 8,
  firstWaitMs: 500,
  longestWaitMs: 30_000,
  longestRetryAfterMs: 300_000,
};

/**
 * Milliseconds to wait before the next try, after `failures` in a row; undefined: give up. Exponential with full
 * jitter, so that many clients do not come back together; never sooner than the server asked.
 */
export function waitBeforeRetry(
  failure: HttpFailure,
  failures: number,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  if (!failure.retry || failures >= policy.attempts) return undefined;
  const ceiling = Math.min(policy.longestWaitMs, policy.firstWaitMs * 2 ** Math.min(30, failures - 1));
  const jittered = ceiling * (0.5 + 0.5 * random());
  const asked = (failure.retryAfterSeconds ?? 0) * 1000;
  if (asked > policy.longestRetryAfterMs) return undefined;
  return Math.max(jittered, asked);
}

/** Whoever waits for a server was told to stop; `what` is read: a URL, a file. */
export function stopped(what: string): InterruptedError {
  return new InterruptedError(`${what}: stopped.`);
}

/** Wait; InterruptedError of `what` once `signal` is aborted. */
export function pauseBeforeRetry(ms: number, signal: AbortSignal | undefined, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(stopped(what));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
