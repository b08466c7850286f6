/** `heartmind` as a process that a test watches, stops, or reads badly. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Finished, main } from './workspace.ts';

export interface Started {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** Start it in a folder, with standard output and error of the test's choice (default: read). */
export function startIn(
  cwd: string,
  args: readonly string[],
  stdio: StdioOptions = ['ignore', 'pipe', 'pipe'],
): Started {
  const child = spawn(process.execPath, [main, ...args], { cwd, stdio });
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, finished };
}

/** Wait until something is there; false where the process ended before. */
export async function waitFor(started: Started, isThere: string | (() => boolean)): Promise<boolean> {
  const look = typeof isThere === 'string' ? () => existsSync(isThere) : isThere;
  while (!look()) {
    if (started.child.exitCode !== null || started.child.signalCode !== null) return look();
    await delay(5);
  }
  return true;
}
