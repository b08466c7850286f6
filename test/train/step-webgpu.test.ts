/** Training on WebGPU, on a software adapter: the loss curve of the CPU. The encoder: scripts/check-gpu.mjs. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { adapterEnvironment, runWithAdapter } from '../runtime/fixtures/software-adapter.ts';

interface Run {
  readonly losses: readonly number[];
  readonly weights: readonly number[];
  readonly bestEpoch: number;
}

const absent = adapterEnvironment() === undefined;
const why = absent ? ' (skipped: no software adapter; install chromium or set HEARTMIND_VULKAN_ICD)' : '';

describe.skipIf(absent)(`training on webgpu${why}`, () => {
  let found: { resident: boolean; cpu: Run; webgpu: Run; half: Run | null };
  beforeAll(async () => {
    found = await runWithAdapter(join(import.meta.dirname, 'fixtures/webgpu-child.ts'));
  });

  /** Largest relative difference of losses. */
  const differ = (run: Run) =>
    Math.max(...found.cpu.losses.map((loss, i) => Math.abs(run.losses[i]! / loss - 1)));

  test('float32: 20 updates with the losses of the cpu, the same best epoch and weights', () => {
    expect(found.resident).toBe(true);
    expect(found.cpu.losses).toHaveLength(20);
    expect(differ(found.webgpu)).toBeLessThan(1e-3);
    expect(found.webgpu.bestEpoch).toBe(found.cpu.bestEpoch);
    const errors = found.cpu.weights.map((weight, i) => Math.abs(found.webgpu.weights[i]! - weight));
    expect(Math.max(...errors)).toBeLessThan(1e-3);
  });

  test('float16, where the adapter has it: the same curve within 2 %', ({ skip }) => {
    if (found.half === null) return skip('the adapter lacks shader-f16');
    expect(differ(found.half)).toBeLessThan(0.02);
    expect(differ(found.half)).toBeGreaterThan(differ(found.webgpu));
  });
});
