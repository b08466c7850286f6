/**
 * Standard output and error. Text is made visible, bytes are data and stay as they are (on a terminal they are text). A closed
 * pipe silences what is printed, never the work; where standard output cannot be written, that is said and the exit code is 5.
 */
import { fstatSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { StorageError } from '../core/errors.ts';
import { explainSystemError } from '../core/output-errors-node.ts';
import { visibleText } from '../core/visible-text.ts';

type Callback = (error?: Error | null) => void;
type Write = (chunk: string | Uint8Array, encoding?: BufferEncoding | Callback, done?: Callback) => boolean;

/** A reader that went away, or a terminal that was closed. */
const closedCodes = new Set(['EPIPE', 'ECONNRESET', 'EIO', 'EBADF', 'ERR_STREAM_DESTROYED']);

class StandardStream {
  readonly #stream: NodeJS.WriteStream;
  readonly #descriptor: number;
  readonly #write: Write;
  readonly #isFile: boolean;
  readonly #onFailure: (error: Error) => void;
  /** Nobody takes what is written any more: the reader went away, or writing failed. */
  isOver = false;

  constructor(stream: NodeJS.WriteStream, descriptor: number, onFailure: (error: Error) => void) {
    this.#stream = stream;
    this.#descriptor = descriptor;
    this.#write = stream.write.bind(stream) as Write;
    this.#isFile = !stream.isTTY && isFileOrDevice(descriptor);
    this.#onFailure = onFailure;
    stream.on('error', (error) => this.#end(error));
    stream.write = ((chunk: string | Uint8Array, encoding?: BufferEncoding | Callback, done?: Callback) =>
      this.write(
        typeof chunk === 'string' ? visibleText(chunk) : this.#data(chunk),
        typeof encoding === 'function' ? encoding : done,
      )) as typeof stream.write;
  }

  /** Write as it is. */
  write(chunk: string | Uint8Array, done?: Callback): boolean {
    const settle = (error?: Error | null) => {
      if (error) this.#end(error);
      done?.(error && !this.#isClosed(error) ? error : null);
    };
    if (this.isOver) {
      process.nextTick(settle);
      return true;
    }
    try {
      if (!this.#isFile) return this.#write(chunk, settle);
      writeWhole(this.#descriptor, typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      process.nextTick(settle);
    } catch (error) {
      process.nextTick(settle, error as Error);
      this.#end(error as Error);
    }
    return true;
  }

  #data(bytes: Uint8Array): string | Uint8Array {
    return this.#stream.isTTY ? visibleText(new TextDecoder().decode(bytes)) : bytes;
  }

  #end(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    if (!this.#isClosed(error)) this.#onFailure(error);
  }

  /** A file has no reader that may go away. */
  #isClosed(error: Error): boolean {
    return !this.#isFile && closedCodes.has((error as NodeJS.ErrnoException).code ?? '');
  }
}

let output: StandardStream | undefined;
let errors: StandardStream | undefined;

/** Guard both streams of this process, once. Threads hand theirs to the main one. */
export function guardStandardStreams(): void {
  if (output || !isMainThread) return;
  errors = new StandardStream(process.stderr, 2, () => undefined);
  output = new StandardStream(process.stdout, 1, (cause) => {
    const { fact, fix } = explainSystemError(cause);
    const failure = new StorageError(
      `standard output: what was printed is not complete (${fact}). ${fix}`,
      'standard output',
      { cause },
    );
    process.stderr.write(`${failure.message}\n`);
    process.once('exit', () => {
      if (!process.exitCode) process.exitCode = 5; // as a StorageError
    });
  });
}

/** Print data: CSV as it is. False where nobody takes it any more. */
export function printData(text: string): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdout.write(Buffer.from(text), () => resolve(output?.isOver !== true));
  });
}

/** Standard output or error for text that moves the cursor or has colours; what it holds of files was made visible before. */
export function styled(stream: NodeJS.WriteStream): {
  write(text: string): boolean;
  readonly isTTY: boolean;
  readonly columns: number;
} {
  const guarded = () => (stream === process.stdout ? output : errors);
  return {
    write: (text) => guarded()?.write(text) ?? stream.write(text),
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns;
    },
  };
}

/** Those are written at once by Node, which does not look at how much of a chunk the disk took. */
function isFileOrDevice(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor);
    return status.isFile() || status.isCharacterDevice();
  } catch {
    return false;
  }
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done);
}
