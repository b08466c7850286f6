import { expect, test } from 'vitest';
import { benchTables } from '../../bench/tables.mjs';

const time = (median: number) => ({ median, min: median, q1: median, q3: median, max: median, repeats: 5 });
const machine = {
  cpu: 'a',
  cores: 2,
  vectors: 'v',
  memoryGigabytes: 1,
  node: '20',
  onnxruntime: '1',
  load: 0,
};
const about = { full: false, date: '2026-01-02T00:00:00Z', commit: 'abc', machine };
const sections: Record<string, object> = {
  ceiling: {
    ...about,
    cases: [
      {
        name: 'product',
        settings: { kind: 'product', rows: 1000, inner: 1000, columns: 1000 },
        outcomes: [
          { name: 'ONNX Runtime Gemm', time: time(0.02) }, // 100 GFLOP/s
          { name: 'PyTorch mm', time: time(0.04) },
          { name: 'jax-js', absent: 'not\ninstalled' },
        ],
      },
    ],
  },
  step: {
    ...about,
    cases: [
      {
        name: 'ECG',
        settings: { modelFlops: 70e9, tokens: 1000 },
        outcomes: [
          { name: 'heartmind', time: time(2), peakBytes: 3e9, first: 1 },
          { name: 'heartmind, in 4 parts', time: time(1), peakBytes: 1e9, first: 1 },
          { name: 'PyTorch eager', time: time(1.4), peakBytes: 2e9, first: 1, firstIsFasterBy: time(0.7) },
        ],
      },
    ],
  },
};

test('goals: the fastest way of each side, met or not, and what was not measured', () => {
  const rows = benchTables['bench-goals']!((name: string) => sections[name]).split('\n');
  expect(rows).toContain('| training step, against PyTorch eager | ≥ 1.50× | ECG: 1.40× | **not met** |');
  expect(rows).toContain('| training step, against `torch.compile` | ≥ 1.00× | not measured | – |');
  expect(rows).toContain(
    "| training step, share of ONNX Runtime's fastest product | ≥ 65 % | ECG: 70 % | met |",
  );
  expect(rows).toContain('| training step, peak memory against PyTorch | ≤ 1.00× | ECG: 0.500× | met |');
});

test('steps state rates and shares of their own engine; a rival left out says why', () => {
  const step = benchTables['bench-step']!((name: string) => sections[name]);
  expect(step).toContain(
    '| ECG | heartmind, in 4 parts | 1,000 | 1.00 s [1.00, 1.00] | 70.0 (70 %) | 1.00 GB | 1.00 s |  |',
  );
  expect(step).toContain(
    '| ECG | PyTorch eager | 714 | 1.40 s [1.40, 1.40] | 50.0 (100 %) | 2.00 GB | 1.00 s | 0.700× |',
  );
  expect(benchTables['bench-ceiling']!((name: string) => sections[name])).toContain(
    '| product | 100 (Gemm) | 50.0 (mm) | – |',
  );
  expect(benchTables['bench-signals']!(() => undefined)).toBe('*Not measured yet: `npm run bench`.*\n');
});
