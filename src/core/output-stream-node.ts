/** An output that is written through: a pipe, a device, a descriptor. What went there cannot be taken back. */
import { constants, write as writeDescriptor } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { writingError } from './output-errors-node.ts';
import type { DescriptorTarget, StreamTarget } from './output-target-node.ts';

/** Written as it comes. */
export class StreamOutput {
  written = 0;
  readonly #target: StreamTarget | DescriptorTarget;
  readonly #file: FileHandle | undefined;

  private constructor(target: StreamTarget | DescriptorTarget, file?: FileHandle) {
    this.#target = target;
    this.#file = file;
  }

  static async begin(target: StreamTarget | DescriptorTarget): Promise<StreamOutput> {
    return new StreamOutput(target, target.kind === 'stream' ? await openStream(target) : undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      if (this.#target.kind === 'descriptor') await writeTo(this.#target.descriptor, bytes);
      else
        for (let done = 0; done < bytes.length; )
          done += (await this.#file!.write(bytes, done, bytes.length - done, null)).bytesWritten;
      this.written += bytes.length;
    } catch (cause) {
      await this.abandon();
      throw writingError(this.#target.path, `cannot be written after ${this.written} bytes`, '', cause);
    }
  }

  async finish(): Promise<void> {
    await this.#file?.close().catch((cause) => {
      throw writingError(this.#target.path, `cannot be written after ${this.written} bytes`, '', cause);
    });
  }

  async place(): Promise<void> {}

  async abandon(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
  }
}

/** Milliseconds between two looks for a reader of a pipe. */
const readerEvery = 50;

/** Opening a pipe waits for its reader: not in a thread of the pool, which could not be interrupted. */
async function openStream({ path, isPipe }: StreamTarget): Promise<FileHandle> {
  const { O_WRONLY, O_NONBLOCK } = constants;
  for (;;) {
    let probe: FileHandle | undefined;
    try {
      if (isPipe) probe = await open(path, O_WRONLY | O_NONBLOCK);
      return await open(path, O_WRONLY);
    } catch (cause) {
      const isWaiting = isPipe && (cause as NodeJS.ErrnoException).code === 'ENXIO';
      if (!isWaiting) throw writingError(path, 'cannot be written', '', cause);
      await delay(readerEvery);
    } finally {
      await probe?.close();
    }
  }
}

const writeSome = promisify(writeDescriptor);

async function writeTo(descriptor: number, bytes: Uint8Array): Promise<void> {
  const standard = descriptor === 1 ? process.stdout : descriptor === 2 ? process.stderr : undefined;
  if (standard)
    return new Promise((resolve, reject) => {
      standard.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  for (let done = 0; done < bytes.length; ) {
    try {
      done += (await writeSome(descriptor, bytes, done, bytes.length - done, null)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await delay(readerEvery);
    }
  }
}
