/** The compiled inner loops: memory that is used again by calls of any size, and the text that was committed. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fft, irfft, rfft } from '../../src/signal/fft.ts';
import { withWorkspace } from '../../src/signal/kernel.ts';
import { resamplePolyphase } from '../../src/signal/resample.ts';

const noise = (n: number) => Float64Array.from({ length: n }, (_, i) => Math.sin(i * i * 0.7 + n));
const same = (a: Float64Array, b: Float64Array) => a.every((value, i) => value === b[i]);

describe('the kernel', () => {
  it('gives the same whatever was asked before, large or small, and beyond what it keeps', () => {
    const lengths = [10, 4096, 7, 400, 30_000, 74, 202_001, 5];
    const once = lengths.map((n) => rfft(noise(n)));
    // Plans for more than the memory keeps.
    const large = [2 ** 21, 2 ** 20 * 3, 2 ** 19 * 5, 2 ** 18 * 9];
    for (const n of large) irfft(rfft(new Float64Array(n).fill(1)), n);
    expect(withWorkspace((workspace) => workspace.byteLength)).toBeLessThanOrEqual(2 ** 28);
    for (const [i, n] of lengths.entries()) {
      expect(same(rfft(noise(n)).re, once[i]!.re)).toBe(true);
      resamplePolyphase(noise(n), 4, 5);
    }
  });

  it('refuses what 4 GiB cannot hold, and goes on working', () => {
    expect(() => withWorkspace((workspace) => workspace.allocate(2 ** 29))).toThrow(
      'signal: 536870912 numbers need',
    );
    expect(fft(Float64Array.of(1, 2)).re).toEqual(Float64Array.of(3, -1));
  });

  const asc = 'node_modules/assemblyscript/bin/asc.js';
  it.skipIf(!existsSync(asc))('is what the source compiles to (needs assemblyscript 0.28.20)', () => {
    const out = join(tmpdir(), `heartmind-kernel-${process.pid}`);
    execFileSync(process.execPath, ['scripts/kernels/build.mjs', asc, out]);
    for (const path of ['src/signal/generated/kernel.ts', 'src/evaluate/generated/kernel.ts'])
      expect(readFileSync(join(out, path), 'utf8')).toBe(readFileSync(path, 'utf8'));
    rmSync(out, { recursive: true });
  });
});
