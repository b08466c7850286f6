/**
 * How a transform of a length goes: its factors and roots of unity, in the kernel's memory, and the stages in order.
 * Complex numbers lie there as re, im, re, im, …
 */
import type { Workspace } from './kernel.ts';

/** A prime factor above this costs more as a direct sum than Bluestein's three transforms. */
const largestRadix = 31;

interface Stage {
  readonly radix: number;
  /** Addresses: w^k … w^(radix−1)k for each k; for a radix above 5 also exp(−2πi·k/radix), and room for `radix` numbers. */
  readonly roots: number;
  readonly cycle: number;
  readonly scratch: number;
}

export interface TransformPlan {
  readonly n: number;
  /** Absent for Bluestein. */
  readonly stages?: readonly Stage[];
  readonly bluestein?: { readonly plan: TransformPlan; readonly chirp: number; readonly kernel: number };
}

/** The plan for n complex numbers. */
export function planTransform(workspace: Workspace, n: number): TransformPlan {
  return workspace.plan(`fft ${n}`, () => {
    const radices = factorize(n);
    return (radices.at(-1) ?? 1) <= largestRadix
      ? { n, stages: planStages(workspace, n, radices) }
      : { n, bluestein: planBluestein(workspace, n) };
  });
}

/** The plan for n real numbers, n even, and the address of exp(−2πi·k/n), k ≤ n/2. */
export function planReal(workspace: Workspace, n: number): { plan: TransformPlan; roots: number } {
  return workspace.plan(`rfft ${n}`, () => ({
    plan: planTransform(workspace, n / 2),
    roots: workspace.put(unitRoots(n).subarray(0, n + 2)),
  }));
}

/** Transform the numbers at `from`, which are used up, as is the room at `to`; the address of the result is one of both. */
export function transform(workspace: Workspace, plan: TransformPlan, from: number, to: number): number {
  if (!plan.stages) return transformBluestein(workspace, plan, from);
  const { run } = workspace;
  let [source, target] = [from, to];
  let l = 1;
  for (const { radix, roots, cycle, scratch } of plan.stages) {
    const m = plan.n / (l * radix);
    if (radix === 2) run.stage2(source, target, roots, l, m);
    else if (radix === 3) run.stage3(source, target, roots, l, m);
    else if (radix === 4) run.stage4(source, target, roots, l, m);
    else if (radix === 5) run.stage5(source, target, roots, l, m);
    else run.stageOdd(source, target, roots, l, m, radix, cycle, scratch);
    [source, target] = [target, source];
    l *= radix;
  }
  return source;
}

/** Fours first (cheapest), then 2 and the odd primes in ascending order. */
function factorize(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  for (; rest > 0 && rest % 4 === 0; rest /= 4) factors.push(4);
  for (let f = 2; f * f <= rest; f++) for (; rest % f === 0; rest /= f) factors.push(f);
  if (rest > 1) factors.push(rest);
  return factors;
}

function planStages(workspace: Workspace, n: number, radices: readonly number[]): Stage[] {
  const all = unitRoots(n);
  let l = 1;
  return radices.map((radix) => {
    const m = n / (l * radix);
    const roots = new Float64Array(2 * l * (radix - 1));
    for (let k = 0, i = 0; k < l; k++) {
      for (let s = 1; s < radix; s++) {
        roots[i++] = all[2 * s * k * m]!;
        roots[i++] = all[2 * s * k * m + 1]!;
      }
    }
    l *= radix;
    const isOther = radix > 5;
    return {
      radix,
      roots: workspace.put(roots),
      cycle: isOther ? workspace.put(unitRoots(radix)) : 0,
      scratch: isOther ? workspace.allocate(2 * radix) : 0,
    };
  });
}

/** exp(−πi·t²/n), and the transform of its conjugate laid around a circle of a power of two ≥ 2n − 1. */
function planBluestein(workspace: Workspace, n: number): NonNullable<TransformPlan['bluestein']> {
  const size = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const plan = planTransform(workspace, size);
  const double = unitRoots(2 * n);
  const chirp = new Float64Array(2 * n);
  const wrapped = new Float64Array(2 * size);
  // t² mod 2n by (t+1)² = t² + 2t + 1: stays exact for any n.
  for (let t = 0, square = 0; t < n; square = (square + 2 * t + 1) % (2 * n), t++) {
    const [re, im] = [double[2 * square]!, double[2 * square + 1]!];
    chirp.set([re, im], 2 * t);
    wrapped.set([re, -im], 2 * t);
    wrapped.set([re, -im], 2 * ((size - t) % size));
  }
  const [a, b] = [workspace.put(wrapped), workspace.allocate(2 * size)];
  return { plan, chirp: workspace.put(chirp), kernel: transform(workspace, plan, a, b) };
}

function transformBluestein(workspace: Workspace, { n, bluestein }: TransformPlan, from: number): number {
  const { plan, chirp, kernel } = bluestein!;
  const { run } = workspace;
  const [a, b] = [workspace.allocate(2 * plan.n), workspace.allocate(2 * plan.n)];
  run.multiply(from, chirp, n);
  workspace
    .floats(a, 2 * plan.n)
    .fill(0)
    .set(workspace.floats(from, 2 * n));
  const spectrum = transform(workspace, plan, a, b);
  run.multiply(spectrum, kernel, plan.n);
  // Backwards: swap both parts before and after.
  run.swapScale(spectrum, plan.n, 1 / plan.n);
  const convolved = transform(workspace, plan, spectrum, spectrum === a ? b : a);
  run.swapScale(convolved, n, 1);
  run.multiply(convolved, chirp, n);
  workspace.floats(from, 2 * n).set(workspace.floats(convolved, 2 * n));
  return from;
}

/** exp(−2πi·k/n) for k < n as re, im, re, im, …, each from an angle within an eighth turn, where they are most exact. */
export function unitRoots(n: number): Float64Array {
  const roots = new Float64Array(2 * n);
  for (let k = 0; k < n; k++) {
    const eighth = Math.floor((8 * k) / n) % 8;
    const quarter = Math.floor((eighth + 1) / 2);
    const angle = (2 * Math.PI * (k - (quarter * n) / 4)) / n;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    const isSwapped = quarter % 2 === 1;
    const re = isSwapped ? sin : cos;
    const im = isSwapped ? cos : sin;
    roots[2 * k] = quarter === 1 || quarter === 2 ? -re : re;
    roots[2 * k + 1] = quarter === 2 || quarter === 3 ? im : -im;
  }
  return roots;
}
