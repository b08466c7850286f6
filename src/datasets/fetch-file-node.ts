/**
 * One file over HTTP into a folder, whole and right or not at all: tried again where that may help, given up with what
 * to do where not.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError, FormatError } from '../core/errors.ts';
import { defaultRetryPolicy, HttpFailure, pauseBeforeRetry, waitBeforeRetry } from '../core/http-retry.ts';
import { asStorageError } from './fetch-errors-node.ts';
import type { HttpClient, HttpResponse } from './fetch-http-node.ts';
import type { FetchFile } from './fetch-list.ts';
import { type FetchedFile, type FileOptions, mismatchOf, Part, Restart } from './fetch-part-node.ts';

/** Bytes that a try must bring to count as progress. */
const progressBytes = 64 * 1024;

/**
 * Fetch one file to `target`. DataError where the server does not give it, FormatError where its bytes are wrong
 * twice, StorageError where it cannot be written, InterruptedError when stopped (what has come stays for the next time).
 */
export async function fetchFile(
  http: HttpClient,
  file: FetchFile,
  target: string,
  options: FileOptions = {},
): Promise<FetchedFile> {
  const { policy = defaultRetryPolicy, random = Math.random, signal, onLog } = options;
  const part = new Part(target, file, options);
  let [failures, wrong, furthest] = [0, 0, 0];
  try {
    await mkdir(dirname(target), { recursive: true });
    for (;;) {
      try {
        const fetched = await part.advance(http);
        const mismatch = mismatchOf(file, fetched, part.linked);
        if (mismatch === undefined) {
          await part.finish();
          return { ...fetched, verified: verificationOf(file, part.linked) };
        }
        await part.remove();
        if (wrong++ > 0) throw wrongBytes(file, mismatch);
        onLog?.(`${file.path}: ${mismatch}; fetched again.`);
      } catch (error) {
        if (error instanceof Restart) {
          await part.remove();
          if (++failures >= policy.attempts)
            throw givenUp(file, new HttpFailure(error.message, false), failures);
          continue;
        }
        if (!(error instanceof HttpFailure)) throw error;
        failures = part.size >= furthest + progressBytes ? 1 : failures + 1;
        furthest = Math.max(furthest, part.size);
        const wait = waitBeforeRetry(error, failures, policy, random);
        if (wait === undefined) throw givenUp(file, error, failures);
        if (failures > 1 || wait >= 5000)
          onLog?.(`${file.path}: ${error.message}; again in ${(wait / 1000).toFixed(1)} s.`);
        await pauseBeforeRetry(wait, signal, file.path);
      }
    }
  } catch (error) {
    throw asStorageError(target, error);
  } finally {
    await part.close();
  }
}

function verificationOf(file: FetchFile, linked: HttpResponse['linked']): FetchedFile['verified'] {
  if (file.sha256 !== undefined) return 'sha256';
  if (file.md5 !== undefined) return 'md5';
  if (linked.sha256 !== undefined) return 'hub';
  return file.bytes === undefined ? 'none' : 'size';
}

const advice: Readonly<Record<number, string>> = {
  401: 'It asks for a user name and a password: set PHYSIONET_USER and PHYSIONET_PASSWORD for PhysioNet.',
  403: 'It refuses: apply for access, or sign the data use agreement, with the account that you use.',
  404: 'The file is not there (any more): check the address, or give another with --mirror.',
  407: 'The proxy asks for a password: write it into HTTPS_PROXY as http://user:password@host:port.',
  410: 'The file is gone: look for a newer version, or give another address with --mirror.',
  429: 'It asks for patience: try again later, with --jobs 1.',
};

function givenUp({ path, url }: FetchFile, failure: HttpFailure, failures: number): DataError {
  const tries = failures > 1 ? ` after ${failures} tries` : '';
  const asked =
    failure.retryAfterSeconds === undefined
      ? ''
      : ` and asks to wait ${Math.ceil(failure.retryAfterSeconds)} s`;
  const fix =
    advice[failure.status ?? 0] ??
    (failure.retry || failure.status === undefined
      ? 'Check the connection (HTTPS_PROXY, NO_PROXY) and run the same command again: what has come is kept.'
      : 'Check the address, or give another with --mirror.');
  return new DataError(`${path}: ${failure.message}${asked}${tries}, at ${url}. ${fix}`, { cause: failure });
}

function wrongBytes({ path, url }: FetchFile, mismatch: string): FormatError {
  return new FormatError(
    `${path}: ${mismatch}, twice, from ${url}. Nothing was put in place; try another --mirror, or tell the publisher.`,
    url,
  );
}
