/**
 * The machine's own ceiling: the fastest float32 product of each engine over the model's shapes and larger ones, and how
 * fast memory is read and written. Shares in other tables are of the fastest product found here.
 */
import { race } from './race.ts';
import type { Case } from './report.ts';
import type { Rivals } from './rivals.ts';

interface Shape {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Rows: tokens of 4, 16 and 64 windows of 12 × 10; widths: the model's 100, 200, 800. */
const modelShapes = (rows: number): Shape[] => [
  { rows, inner: 200, columns: 800 },
  { rows, inner: 800, columns: 200 },
  { rows, inner: 200, columns: 200 },
  { rows, inner: 100, columns: 100 },
];
const square = { rows: 1024, inner: 1024, columns: 1024 };
const memoryMegabytes = 256;

export async function measureCeiling(
  rivals: Rivals,
  full: boolean,
  say: (line: string) => void,
): Promise<Case[]> {
  const shapes = full
    ? [480, 1920, 7680].flatMap(modelShapes).concat(square)
    : [
        ...modelShapes(480).slice(0, 1),
        ...modelShapes(1920).slice(0, 2),
        ...modelShapes(7680).slice(0, 1),
        square,
      ];
  const cases: Case[] = [];
  for (const shape of shapes) {
    const name = `${shape.rows} × ${shape.inner} × ${shape.columns}`;
    say(`product ${name}`);
    const job = (operator: string, weights: string) => ({
      task: 'matrixProduct',
      operator,
      weights,
      ...shape,
    });
    const variants = ['Gemm', 'MatMul'].flatMap((operator) =>
      ['input', 'constant'].map((weights) =>
        rivals.ours(job(operator, weights), `ONNX Runtime ${operator}, weights ${weights}`),
      ),
    );
    const others = rivals.peers
      ? [
          rivals.python('torch', 'PyTorch addmm', job('Gemm', 'input')),
          rivals.python('torch', 'PyTorch mm', job('MatMul', 'input')),
          rivals.jax(job('MatMul', 'input')),
        ]
      : [];
    const outcomes = await race([...variants, ...others], { seconds: full ? 2 : 0.8, say });
    cases.push({ name, settings: { ...shape, kind: 'product' }, outcomes });
  }
  say(`memory, ${memoryMegabytes} MB read and as much written`);
  const job = { task: 'memoryCopy', megabytes: memoryMegabytes };
  const outcomes = await race(
    [rivals.ours(job, 'ONNX Runtime'), ...(rivals.peers ? [rivals.python('torch', 'PyTorch', job)] : [])],
    { seconds: full ? 3 : 1, say },
  );
  cases.push({ name: 'memory', settings: { ...job, kind: 'memory' }, outcomes });
  return cases;
}
