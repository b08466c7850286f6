/** WebGPU in Node on a software adapter: values that stay on the device. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adapterEnvironment, runWithAdapter } from './fixtures/software-adapter.ts';

const absent = adapterEnvironment() === undefined;
const why = absent ? ' (skipped: no software adapter; install chromium or set HEARTMIND_VULKAN_ICD)' : '';

interface Found {
  readonly backend: string;
  readonly sameUpAndDown: boolean;
  readonly updated: boolean;
  readonly sums: readonly number[];
  readonly shape: readonly number[];
  readonly grownBytes: number;
  readonly errors: readonly string[];
}

test.skipIf(absent)(`values stay on the device, and nothing leaks${why}`, async () => {
  const found = await runWithAdapter<Found>(join(import.meta.dirname, 'fixtures/resident-child.ts'));
  expect(found.backend).toMatch(/^onnxruntime-node \d+\.\d+\.\d+, webgpu/);
  expect(found.sameUpAndDown).toBe(true);
  expect(found.updated).toBe(true);
  const sum = Array.from({ length: 1 << 18 }, (_, i) => i % 7).reduce((a, b) => a + b);
  expect(found.sums[0]).toBe(sum);
  expect(found.sums[1]).toBeCloseTo(sum - (299 * 2 ** 18) / 512, -2);
  expect(found.shape).toEqual([1 << 18]);
  // 200 updates of 1 MiB each.
  expect(found.grownBytes).toBeLessThan(50e6);
  expect(found.errors).toEqual([
    'BackendError: device tensor: float32 [262144] is disposed. Dispose of it after its last run.',
    'ShapeError: run: the feed lacks the inputs g.',
  ]);
});
