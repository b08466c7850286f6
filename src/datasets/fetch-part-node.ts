/**
 * A file that is growing: `NAME.part` beside its place, with `NAME.part-state` for what the server said of it. It is
 * continued by a ranged request that the server only honours if the file is still the same (If-Range, RFC 9110 13.1.5).
 * All bytes pass through the hashes, those of an earlier try read back from the disk.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { refuseEncoding } from '../core/http.ts';
import {
  contentLength,
  differenceOf,
  ifRangeOf,
  otherRange,
  partOf,
  type Validators,
  validatorsOf,
} from '../core/http-range.ts';
import { HttpFailure, type RetryPolicy, refusalOf } from '../core/http-retry.ts';
import type { HttpClient, HttpResponse } from './fetch-http-node.ts';
import type { FetchFile } from './fetch-list.ts';

export interface FileOptions {
  readonly signal?: AbortSignal | undefined;
  readonly policy?: RetryPolicy;
  readonly random?: () => number;
  /** Bytes that came (negative: bytes that had to be thrown away). */
  readonly onBytes?: (bytes: number) => void;
  readonly onLog?: (text: string) => void;
  /** Throws where so many bytes more do not fit. */
  readonly checkSpace?: (bytes: number) => Promise<void>;
  /** More is refused where no size is listed. Default: as much as is announced and fits, 16 GiB unannounced. */
  readonly mostBytes?: number;
}

const mostUnannouncedBytes = 2 ** 34;
/** Without an announced size, room on the disk is asked for again after so many bytes. */
const spaceBytes = 2 ** 28;

export interface FetchedFile {
  readonly bytes: number;
  readonly sha256: string;
  readonly md5?: string;
  /** How its rightness is known: the publisher's hash, the hub's own, the announced size alone, or not at all. */
  readonly verified: 'sha256' | 'md5' | 'hub' | 'size' | 'none';
}

/** Why the bytes so far are of no use: begin anew. */
export class Restart extends Error {}

interface PartState extends Validators {
  readonly url: string;
}

/** A file that is growing. */
export class Part {
  size = 0;
  /** What the hub says of a file that lies elsewhere. */
  linked: HttpResponse['linked'] = {};
  readonly #target: string;
  readonly #file: FetchFile;
  readonly #options: FileOptions;
  #handle: FileHandle | undefined;
  #sha256 = createHash('sha256');
  #md5 = createHash('md5');
  #state: PartState | undefined;

  constructor(target: string, file: FetchFile, options: FileOptions) {
    this.#target = target;
    this.#file = file;
    this.#options = options;
  }

  get #path(): string {
    return `${this.#target}.part`;
  }

  get #statePath(): string {
    return `${this.#target}.part-state`;
  }

  /** Go on from where it stands to the end; the file is complete and closed then, but not in place. */
  async advance(http: HttpClient): Promise<Omit<FetchedFile, 'verified'>> {
    if (!this.#handle) await this.#resume();
    const { bytes: expected } = this.#file;
    if (expected !== undefined && this.size > expected) throw new Restart('more bytes than the file has');
    const { sha256, md5 } = this.#file;
    // An earlier try may have been killed between the last byte and the renaming.
    const isChecked = (sha256 ?? md5) !== undefined;
    const isWhole = isChecked && this.size > 0 && mismatchOf(this.#file, this.#result(), {}) === undefined;
    if (!isWhole) await this.#receive(http);
    await this.#handle!.datasync();
    return this.#result();
  }

  #result(): Omit<FetchedFile, 'verified'> {
    return {
      bytes: this.size,
      sha256: this.#sha256.copy().digest('hex'),
      ...(this.#file.md5 === undefined ? {} : { md5: this.#md5.copy().digest('hex') }),
    };
  }

  /** Open what an earlier try left, and hash it; without a way to know that it still fits, begin anew. */
  async #resume(): Promise<void> {
    const present = await stat(this.#path).then(
      ({ size, mode }) => ({ size, isFile: (mode & 0o170000) === 0o100000 }),
      () => undefined,
    );
    if (present && !present.isFile) await rm(this.#path, { recursive: true, force: true });
    const state = present?.isFile && present.size > 0 ? await this.#readState() : undefined;
    const isChecked = (this.#file.sha256 ?? this.#file.md5) !== undefined;
    const isUseful = state !== undefined && (isChecked || ifRangeOf(state) !== undefined);
    this.#reset();
    this.#handle = await open(this.#path, isUseful ? 'r+' : 'w');
    if (!isUseful) return;
    this.#state = state;
    for await (const chunk of createReadStream(this.#path, { highWaterMark: 2 ** 20 }))
      this.#hash(chunk as Uint8Array);
    this.#options.onBytes?.(this.size);
  }

  async #receive(http: HttpClient): Promise<void> {
    const { signal, onBytes, checkSpace } = this.#options;
    const validator = this.#state && ifRangeOf(this.#state);
    const headers: Record<string, string> = {};
    if (this.size > 0) {
      headers.Range = `bytes=${this.size}-`;
      if (validator !== undefined) headers['If-Range'] = validator;
    }
    const response = await http.request(this.#file.url, headers, { signal });
    try {
      this.linked = response.linked;
      const { status } = response;
      if (status === 416 && this.size > 0) throw new Restart('the server has fewer bytes');
      if (status !== 200 && status !== 206) throw refusalOf(response);
      refuseEncoding(response);
      const end = status === 206 ? this.#checkRange(response) : await this.#restart(response);
      const most = this.#file.bytes ?? this.#options.mostBytes;
      if (end !== undefined && most !== undefined && end > most)
        throw new HttpFailure(
          `the server announces ${end} bytes, ${this.#file.bytes === undefined ? `at most ${most} are taken` : `${most} are listed`}`,
          true,
        );
      if (end !== undefined) await checkSpace?.(end - this.size);
      let asked = this.size;
      for await (const chunk of response.body) {
        const known = end ?? this.#file.bytes;
        const limit = known ?? most ?? mostUnannouncedBytes;
        if (this.size + chunk.length > limit) {
          if (known !== undefined) throw new Restart(`more than the announced ${limit} bytes`);
          throw new HttpFailure(`more than ${limit} bytes come, and no size was announced`, false);
        }
        if (end === undefined && this.size >= asked) {
          await checkSpace?.(spaceBytes);
          asked = this.size + spaceBytes;
        }
        await writeAll(this.#handle!, chunk, this.size);
        this.#hash(chunk);
        onBytes?.(chunk.length);
      }
      if (end !== undefined && this.size < end)
        throw new HttpFailure(`the connection ended at byte ${this.size} of ${end}`, true);
      const isFramed = end !== undefined || response.header('transfer-encoding') !== undefined;
      if (!isFramed && (this.#file.sha256 ?? this.#file.md5 ?? this.#file.bytes) === undefined)
        throw new HttpFailure(
          'the server does not say how long the file is, and no checksum is known',
          false,
        );
    } finally {
      response.discard();
    }
  }

  /** A 206 must continue exactly here, in the same file. → its whole size, or where the part ends if the server does not tell. */
  #checkRange(response: HttpResponse): number {
    const range = this.size > 0 ? partOf(response, this.size) : undefined;
    if (!range) throw new Restart(otherRange(response));
    const difference = this.#state && differenceOf(this.#state, validatorsOf(response));
    if (difference !== undefined) throw new Restart(`the file was changed (${difference})`);
    return range.total ?? range.end;
  }

  /** A 200 brings the file from its beginning. */
  async #restart(response: HttpResponse): Promise<number | undefined> {
    this.#options.onBytes?.(-this.size);
    await this.#handle!.truncate(0);
    this.#reset();
    this.#state = { url: response.url, ...validatorsOf(response) };
    // Before the first byte: a part never lies beside the state of another.
    await writeFile(this.#statePath, JSON.stringify(this.#state));
    return contentLength(response);
  }

  /** Into its place, at once. */
  async finish(): Promise<void> {
    await this.close();
    await rename(this.#path, this.#target);
    await rm(this.#statePath, { force: true });
  }

  async remove(): Promise<void> {
    this.#options.onBytes?.(-this.size);
    await this.close();
    this.#reset();
    await rm(this.#path, { force: true });
    await rm(this.#statePath, { force: true });
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  #hash(chunk: Uint8Array): void {
    this.#sha256.update(chunk);
    if (this.#file.md5 !== undefined) this.#md5.update(chunk);
    this.size += chunk.length;
  }

  #reset(): void {
    this.size = 0;
    this.#sha256 = createHash('sha256');
    this.#md5 = createHash('md5');
    this.#state = undefined;
  }

  async #readState(): Promise<PartState | undefined> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#statePath, 'utf8'));
      if (typeof value !== 'object' || value === null) return undefined;
      const { url, etag, lastModified } = value as Record<string, unknown>;
      const text = (key: string, field: unknown) => (typeof field === 'string' ? { [key]: field } : {});
      return { url: String(url), ...text('etag', etag), ...text('lastModified', lastModified) };
    } catch {
      return undefined;
    }
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; )
    done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
}

/** What differs from what the publisher, or else the hub, says; undefined: nothing. */
export function mismatchOf(
  file: FetchFile,
  { bytes, sha256, md5 }: Omit<FetchedFile, 'verified'>,
  linked: HttpResponse['linked'],
): string | undefined {
  if (file.sha256 !== undefined && file.sha256.toLowerCase() !== sha256)
    return `sha256 ${sha256} instead of ${file.sha256}`;
  if (file.md5 !== undefined && file.md5.toLowerCase() !== md5) return `md5 ${md5} instead of ${file.md5}`;
  if (file.bytes !== undefined && file.bytes !== bytes) return `${bytes} bytes instead of ${file.bytes}`;
  if ((file.sha256 ?? file.md5) !== undefined) return undefined;
  if (linked.sha256 !== undefined && linked.sha256 !== sha256)
    return `sha256 ${sha256} instead of the hub's ${linked.sha256}`;
  if (linked.bytes !== undefined && linked.bytes !== bytes)
    return `${bytes} bytes instead of the hub's ${linked.bytes}`;
  return undefined;
}
