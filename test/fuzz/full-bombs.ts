/** Bombs at full size, each in a process of its own, one after the other: what they take of a processor and of memory. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bomb } from './bomb.ts';
import { bombs } from './bombs.ts';

/** A bomb above one of these is a fault: seconds of processor time, MB of memory in all. */
export const mostCpuSeconds = 15;
export const mostMegabytes = 1024;
/** A process that takes so long is killed. */
const mostSeconds = 120;

export interface BombResult {
  readonly name: string;
  readonly bytes: number;
  readonly outcome: 'opened' | 'refused' | 'violation';
  /** The error's message, or what the recording holds, or what is wrong. */
  readonly fact: string;
  readonly cpuSeconds: number;
  readonly megabytes: number;
}

/** Run all bombs, or that of a name; `worker`: the built bomb-worker.js. */
export async function* runBombs(worker: string, name: string): AsyncGenerator<BombResult> {
  for (const one of bombs) if (name === 'all' || one.name === name) yield await runBomb(worker, one);
}

async function runBomb(worker: string, { name, make }: Bomb): Promise<BombResult> {
  const folder = mkdtempSync(join(tmpdir(), 'heartmind-bomb-'));
  try {
    const files = Object.entries(make((atFullScale) => Math.ceil(atFullScale)));
    for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes);
    const bytes = files.reduce((sum, [, { length }]) => sum + length, 0);
    const told = await openInProcess(worker, name, join(folder, files[0]![0]));
    const { outcome, fact, cpu = Number.NaN, mb = Number.NaN } = told;
    const isHeavy = cpu > mostCpuSeconds || mb > mostMegabytes;
    return {
      ...{ name, bytes, cpuSeconds: cpu, megabytes: mb },
      outcome: isHeavy ? 'violation' : outcome,
      fact: isHeavy ? `takes ${cpu.toFixed(1)} s and ${mb.toFixed(0)} MB: ${fact}` : fact,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Told {
  readonly outcome: BombResult['outcome'];
  readonly fact: string;
  readonly cpu?: number;
  readonly mb?: number;
}

function openInProcess(worker: string, name: string, path: string): Promise<Told> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [worker, name, path], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), mostSeconds * 1000);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(JSON.parse(stdout) as Told);
      else if (signal) resolve({ outcome: 'violation', fact: `took more than ${mostSeconds} s (${signal})` });
      else resolve({ outcome: 'violation', fact: stderr.slice(-500) });
    });
  });
}
