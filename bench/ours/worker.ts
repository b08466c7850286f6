/** Our side of a race: the process that prepares a task and runs it (see ../contestant.ts for the lines it speaks). */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { choice } from './choices.ts';
import { embedding, fusedModel } from './inference.ts';
import { matrixProduct, memoryCopy } from './products.ts';
import {
  causalFilter,
  filter,
  prepareEdf,
  readFile,
  readFolder,
  resampling,
  spectrum,
  transform,
} from './signals.ts';
import { pretrainingStep } from './step.ts';

/** A prepared task: one run, and what preparing gave (../contestant.ts, Ready). */
export interface Prepared {
  readonly ready: Readonly<Record<string, unknown>>;
  /** Run once; undefined, or the seconds where it knows better than a clock around it. */
  run(): Promise<number | undefined> | number | undefined;
}

export type Job = Readonly<Record<string, unknown>>;
export type Task = (job: never) => Promise<Prepared>;

const tasks: Readonly<Record<string, Task>> = {
  causalFilter,
  choice,
  embedding,
  filter,
  fusedModel,
  matrixProduct,
  memoryCopy,
  prepareEdf,
  pretrainingStep,
  readFile,
  readFolder,
  resampling,
  spectrum,
  transform,
};

const idleBytes = residentBytes('VmRSS');
let prepared: Prepared | undefined;
const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const message = JSON.parse(line) as { prepare?: { task: string }; run?: number; end?: true };
    if (message.prepare) {
      prepared = await tasks[message.prepare.task]!(message.prepare as never);
      say(prepared.ready);
    } else if (message.run) {
      const seconds: number[] = [];
      for (let i = 0; i < message.run; i++) {
        const begun = performance.now();
        const own = await prepared!.run();
        seconds.push(own ?? (performance.now() - begun) / 1000);
      }
      say({ seconds });
    } else say({ peakBytes: residentBytes('VmHWM'), idleBytes });
  } catch (error) {
    say({ error: (error as Error).message });
  }
}

/** Resident memory now (VmRSS) or at most so far (VmHWM). */
function residentBytes(key: 'VmRSS' | 'VmHWM'): number {
  try {
    const found = new RegExp(`${key}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
    return 1024 * Number(found![1]);
  } catch {
    return key === 'VmRSS' ? process.memoryUsage.rss() : 1024 * process.resourceUsage().maxRSS;
  }
}
