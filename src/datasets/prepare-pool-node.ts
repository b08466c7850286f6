/**
 * Files prepared by several threads. A worker is a script that calls `servePieces`; it gets files one after another and
 * answers with their pieces, two ahead of what is written.
 */
import { join } from 'node:path';
import { type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';
import { DataError, HeartmindError } from '../core/errors.ts';
import type { TrialPiece } from '../patches/store-writer.ts';
import { fileSource } from '../read/file-node.ts';
import { type FileTask, type PieceOptions, preparePieces } from './prepare-pieces.ts';
import type { Preparer } from './prepare-store.ts';

/** Pieces of a file that a worker makes before the first of them is written. */
const piecesAhead = 2;

type Request = { readonly task: FileTask; readonly options: PieceOptions } | 'more';
type Answer =
  | { readonly piece: TrialPiece }
  | { readonly error: { readonly isOurs: boolean; readonly message: string } }
  | 'done';

export interface PoolOptions {
  /** The worker's script and what it gets as process.argv. */
  readonly script: string;
  readonly argv: readonly string[];
  /** The dataset's folder. */
  readonly folder: string;
  readonly workers: number;
}

export interface WorkerPool extends Preparer {
  /** End the threads, whatever they do. */
  close(): Promise<void>;
}

export function createWorkerPool({ script, argv, folder, workers: count }: PoolOptions): WorkerPool {
  const workers = Array.from(
    { length: count },
    () => new Worker(script, { argv: [...argv], workerData: { folder }, stdin: false }),
  );
  const idle = [...workers];
  const waiting: ((worker: Worker) => void)[] = [];
  const release = (worker: Worker) => {
    const next = waiting.shift();
    if (next) next(worker);
    else idle.push(worker);
  };
  const acquire = async () => idle.shift() ?? new Promise<Worker>((resolve) => waiting.push(resolve));
  return {
    ahead: 3 * count,
    async *pieces(task, options) {
      const worker = await acquire();
      yield* ask(worker, { task, options }, () => release(worker));
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** The answers of a worker to one request; `finished` is called as soon as it is free. */
async function* ask(worker: Worker, request: Request, finished: () => void): AsyncGenerator<TrialPiece> {
  const answers: Answer[] = [];
  let wake = () => {};
  const push = (answer: Answer) => {
    answers.push(answer);
    if (answer === 'done' || 'error' in answer) {
      worker.off('message', push).off('error', fail).off('exit', exit);
      finished();
    }
    wake();
  };
  const fail = (error: Error) => push({ error: { isOurs: false, message: error.stack ?? error.message } });
  const exit = (code: number) => fail(new Error(`a preparing thread ended with ${code}`));
  worker.on('message', push).once('error', fail).once('exit', exit);
  worker.postMessage(request);
  for (;;) {
    const answer = answers.shift();
    if (!answer) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    if (answer === 'done') return;
    if ('error' in answer) {
      if (answer.error.isOurs) throw new DataError(answer.error.message);
      throw new Error(answer.error.message);
    }
    worker.postMessage('more' satisfies Request);
    yield answer.piece;
  }
}

/** Serve a pool: the whole life of a worker. */
export function servePieces(): void {
  const port = parentPort!;
  const { folder } = workerData as { folder: string };
  const files = { open: (file: string) => fileSource(join(folder, file)) };
  let credit = 0;
  let wake = () => {};
  port.on('message', (request: Request) => {
    if (request === 'more') {
      credit++;
      wake();
      return;
    }
    credit = piecesAhead;
    void serve(port, preparePieces(files, request.task, request.options), async () => {
      while (credit === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      credit--;
    });
  });
}

async function serve(
  port: MessagePort,
  pieces: AsyncIterable<TrialPiece>,
  waitForCredit: () => Promise<void>,
): Promise<void> {
  try {
    for await (const piece of pieces) {
      await waitForCredit();
      const buffers = Object.values(piece.signals).flatMap(({ bits, peak }) => [bits.buffer, peak.buffer]);
      port.postMessage({ piece } satisfies Answer, [...new Set(buffers)] as ArrayBuffer[]);
    }
    port.postMessage('done' satisfies Answer);
  } catch (error) {
    const isOurs = error instanceof HeartmindError;
    const message =
      error instanceof Error ? (isOurs ? error.message : (error.stack ?? error.message)) : String(error);
    port.postMessage({ error: { isOurs, message } } satisfies Answer);
  }
}
