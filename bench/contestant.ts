/**
 * One rival in a process of its own, asked by lines of JSON: prepare a case, run it so many times, say what it took, end.
 * A process each, so that peak memory is the rival's own and no thread pool disturbs another's.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How a rival is started, and what it is to do. */
export interface Rival {
  readonly name: string;
  readonly command: readonly [program: string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  /** Sent as it is: `task`, and what the task wants to know. */
  readonly job: Readonly<Record<string, unknown>>;
}

/** What preparing gave. Seconds. */
export interface Ready {
  /** First run, what it compiles and allocates included. */
  readonly first?: number;
  /** Of the first run, compiling, where it can be told. */
  readonly compile?: number;
  /** Figures of the result, to tell whether rivals computed the same. */
  readonly digest?: readonly number[];
  /** Values of the result. */
  readonly count?: number;
  /** Products of one run, where they can be counted. */
  readonly flops?: number;
  /** Engine, versions, settings. */
  readonly engine?: Readonly<Record<string, string | number | boolean>>;
}

type Message = Record<string, unknown>;

/** Longest wait for one answer: torch.compile takes minutes. */
const patienceMs = 900_000;

export class Contestant {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(readonly rival: Rival) {
    const [program, ...args] = rival.command;
    this.#process = spawn(program, args, { env: { ...process.env, ...rival.environment } });
    this.#process.on('error', (error) => {
      this.#errors += error.message;
    });
    this.#process.stdin.on('error', () => {});
    this.#process.stderr.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-4000);
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  prepare(): Promise<Ready & { readonly absent?: string }> {
    return this.#ask({ prepare: this.rival.job });
  }

  /** Seconds of each of `count` runs. */
  async run(count: number): Promise<readonly number[]> {
    return (await this.#ask<{ seconds: number[] }>({ run: count })).seconds;
  }

  /** Let it go; bytes that it needed at most, and before the case was prepared. */
  async end(): Promise<{ readonly peakBytes?: number; readonly idleBytes?: number }> {
    const result = await this.#ask<{ peakBytes?: number; idleBytes?: number }>({ end: true });
    this.kill();
    return result;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  async #ask<T>(message: Message): Promise<T> {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
    for (;;) {
      const line = await withPatience(this.#lines.next(), `${this.rival.name}: no answer`);
      if (line.done) throw new Error(`${this.rival.name} ended: ${this.#errors.trim().slice(-600)}`);
      if (!line.value.startsWith('{')) continue;
      const answer = JSON.parse(line.value) as T & { error?: string };
      if (answer.error !== undefined) throw new Error(`${this.rival.name}: ${answer.error}`);
      return answer;
    }
  }
}

async function withPatience<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${patienceMs / 1000} s`)), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
