/** GETs for the files of a server: by `fetch` within limits, tried again within bounds; one for all files that belong together. */
import { FormatError } from '../core/errors.ts';
import { defaultHttpLimits, type HttpAnswer, type HttpLimits } from '../core/http.ts';
import { fetchAnswer } from '../core/http-fetch.ts';
import { HttpFailure, pauseBeforeRetry, type RetryPolicy, waitBeforeRetry } from '../core/http-retry.ts';

export interface UrlOptions {
  /** Stops reads that are under way. */
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<HttpLimits>;
  readonly policy?: RetryPolicy;
  /** Jitter of the waits between tries: numbers in [0, 1). */
  readonly random?: () => number;
  /** Of a file that a server sends whole because it knows no ranges. Default 1 GiB. */
  readonly maxBytes?: number;
}

/** About a minute: a server that begins anew is waited for, and a training goes on. */
const readingPolicy: RetryPolicy = {
  attempts: 8,
  firstWaitMs: 500,
  longestWaitMs: 16_000,
  longestRetryAfterMs: 120_000,
};
/** A host that never answered is tried once more: the address may be wrong. */
const firstAttempts = 2;
/** Bytes that a try must bring to count as progress: a crawling server is given up. */
const progressBytes = 2 ** 16;

export class UrlClient {
  readonly #limits: HttpLimits;
  #hasAnswered = false;

  constructor(readonly options: UrlOptions) {
    this.#limits = { ...defaultHttpLimits, ...options.limits };
  }

  /** `ifRange` is a header that pages of another origin must ask leave for, which few servers give: left out there. */
  async get(url: URL, headers: Readonly<Record<string, string>>, ifRange?: string): Promise<HttpAnswer> {
    const here = globalThis.location?.origin;
    const mayAsk = here === undefined || here === url.origin;
    const asked = ifRange !== undefined && mayAsk ? { ...headers, 'If-Range': ifRange } : headers;
    const answer = await fetchAnswer(url, asked, this.#limits, this.options.signal);
    this.#hasAnswered = true;
    return answer;
  }

  /** `work`, tried again after an HttpFailure that may pass; what `done` counts is progress. FormatError when given up. */
  async retry<T>(name: string, done: () => number, work: () => Promise<T>): Promise<T> {
    const { policy = readingPolicy, random = Math.random, signal } = this.options;
    let [failures, furthest] = [0, done()];
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof HttpFailure)) throw error;
        failures = done() >= furthest + progressBytes ? 1 : failures + 1;
        furthest = Math.max(furthest, done());
        const attempts = this.#hasAnswered ? policy.attempts : Math.min(firstAttempts, policy.attempts);
        const wait = waitBeforeRetry(error, failures, { ...policy, attempts }, random);
        if (wait === undefined) throw givenUp(name, error, failures);
        await pauseBeforeRetry(wait, signal, name);
      }
    }
  }
}

function givenUp(name: string, failure: HttpFailure, failures: number): FormatError {
  const { message, status, retryAfterSeconds: asked } = failure;
  const wait = asked === undefined ? '' : `, and asks to wait ${Math.ceil(asked)} s`;
  const tries = failures > 1 ? `, ${failures} times` : '';
  const cors = 'document' in globalThis ? ', and that the server allows this page (CORS)' : '';
  const text =
    status === undefined
      ? `cannot be fetched (${message}${tries}). Check the connection${cors}.`
      : `${message}${wait}${tries}. Try again later.`;
  return new FormatError(`${name}: ${text}`, name, undefined, { cause: failure });
}
