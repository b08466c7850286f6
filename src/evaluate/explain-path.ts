/**
 * Integrated gradients (Sundararajan, Taly & Yan, ICML 2017) of one window: attribution of every sample x_i is
 * (x_i − x⁰_i) ∫₀¹ ∂f/∂x_i (x⁰ + a (x − x⁰)) da. Their sum is f(x) − f(x⁰) (completeness); what numerical integration misses
 * of it is the gap, and the path is cut finer where it arises until it is small.
 *
 * The gap of a piece [a, b] of the path is known as well, as its attributions should sum to f(b) − f(a): the pieces with the
 * largest gaps are halved. Group normalisation and the spectral branch make the path steep near zero, so it begins with
 * short pieces there.
 *
 * The rule is Gauss–Legendre, which looks at no end of a piece: |rfft| of the spectral branch has no gradient where a bin is
 * exactly 0 (patch-embedding.ts gives 0 there), which is where a path from a silent signal starts. Along that path every bin
 * grows linearly, a |X|, so its gradient is the same everywhere but at that one point, which has no weight in an integral.
 */
import { appendAll } from '../core/arrays.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { patchSamples } from '../patches/recipe.ts';
import type { Modality } from '../patches/windows.ts';
import { type ExplainedModel, entriesOf, mapSample, type Sample, silence } from './explain-model.ts';

export interface PathOptions {
  /** Where the path begins; silence by default. */
  readonly baseline?: Sample;
  /** Stop once the gaps of all pieces add up to this share of the difference explained. */
  readonly tolerance?: number;
  /** Gradients of a window at most. */
  readonly maxSteps?: number;
}

/** Attributions of one window. */
export interface PathAttribution {
  /** The explained number of the window and of the baseline. */
  readonly value: number;
  readonly baselineValue: number;
  /** x − x⁰ and the mean gradient along the path, [C, N, P] of each modality: attributions are their products. */
  readonly difference: Sample;
  readonly gradient: { readonly [M in Modality]?: Float64Array };
  /** |Σ attributions − (f(x) − f(x⁰))|, in units of the number. */
  readonly gap: number;
  /** The same as a share of |f(x) − f(x⁰)|, or of a tenth of all |attributions by patch| where that is larger. */
  readonly relativeGap: number;
  /** Gradients that were taken. */
  readonly steps: number;
  /** Whether the tolerance was met. */
  readonly converged: boolean;
}

/** Nodes in [0, 1] and weights of the 4-point Gauss–Legendre rule: exact to degree 7. */
const nodes = [0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263];
const weights = [0.17392742256872692, 0.32607257743127305, 0.32607257743127305, 0.17392742256872692];
const firstCuts = [0, 1 / 16, 1 / 4, 1];

interface Piece {
  readonly from: number;
  readonly to: number;
  /** ∫ of the gradient over the piece. */
  readonly gradient: { readonly [M in Modality]?: Float64Array };
  /** Σ attributions − (f(to) − f(from)). */
  readonly gap: number;
}

/** Integrate one window's gradients. */
export async function integrateGradients(
  model: ExplainedModel,
  parameters: FloatTensors,
  sample: Sample,
  { baseline = silence(sample), tolerance = 0.01, maxSteps = 512 }: PathOptions = {},
): Promise<PathAttribution> {
  const difference = mapSample(sample, (x, modality) => x.map((value, i) => value - baseline[modality]![i]!));
  const at = (share: number): Sample =>
    mapSample(difference, (d, modality) => d.map((value, i) => baseline[modality]![i]! + share * value));
  const known = new Map<number, number>();
  let pieces: Piece[] = [];
  let todo = firstCuts.slice(1).map((to, i) => ({ from: firstCuts[i]!, to }));
  let steps = 0;
  for (;;) {
    const ends = [...new Set(todo.flatMap(({ from, to }) => [from, to]))].filter((end) => !known.has(end));
    const values = await model.values(ends.map(at), parameters);
    for (const [i, end] of ends.entries()) known.set(end, values[i]!);
    appendAll(pieces, await integratePieces(model, parameters, todo, difference, at, known));
    steps += todo.length * nodes.length;

    const gradient = sumGradients(pieces);
    const [value, baselineValue] = [known.get(1)!, known.get(0)!];
    const scale = Math.max(Math.abs(value - baselineValue), 0.1 * sumOfPatches(difference, gradient));
    const total = pieces.reduce((sum, { gap }) => sum + Math.abs(gap), 0);
    const converged = total <= tolerance * scale;
    const largest = pieces.filter(({ gap }) => Math.abs(gap) > (tolerance * scale) / pieces.length);
    const affordable = largest
      .sort((a, b) => Math.abs(b.gap) - Math.abs(a.gap))
      .slice(0, Math.floor((maxSteps - steps) / (2 * nodes.length)));
    if (converged || affordable.length === 0) {
      const gap = Math.abs(pieces.reduce((sum, piece) => sum + piece.gap, 0));
      const relativeGap = scale > 0 ? gap / scale : 0;
      return { value, baselineValue, difference, gradient, gap, relativeGap, steps, converged };
    }
    pieces = pieces.filter((piece) => !affordable.includes(piece));
    todo = affordable.flatMap(({ from, to }) => {
      const middle = (from + to) / 2;
      return [
        { from, to: middle },
        { from: middle, to },
      ];
    });
  }
}

async function integratePieces(
  model: ExplainedModel,
  parameters: FloatTensors,
  todo: readonly { readonly from: number; readonly to: number }[],
  difference: Sample,
  at: (share: number) => Sample,
  known: ReadonlyMap<number, number>,
): Promise<Piece[]> {
  const sums = todo.map(() => mapSample(difference, (d) => new Float64Array(d.length)));
  const points = todo.flatMap(({ from, to }) => nodes.map((node) => at(from + node * (to - from))));
  await model.gradients(points, parameters, (index, gradient) => {
    const piece = Math.floor(index / nodes.length);
    const { from, to } = todo[piece]!;
    const weight = weights[index % nodes.length]! * (to - from);
    for (const [modality, sum] of entriesOf(sums[piece]!)) {
      const values = gradient[modality]!;
      for (let i = 0; i < sum.length; i++) sum[i]! += weight * values[i]!;
    }
  });
  return todo.map(({ from, to }, i) => {
    let total = 0;
    for (const [modality, sum] of entriesOf(sums[i]!)) {
      const d = difference[modality]!;
      for (let t = 0; t < sum.length; t++) total += d[t]! * sum[t]!;
    }
    return { from, to, gradient: sums[i]!, gap: total - (known.get(to)! - known.get(from)!) };
  });
}

function sumGradients(pieces: readonly Piece[]): { [M in Modality]?: Float64Array } {
  return mapSample(pieces[0]!.gradient, (first, modality) => {
    const sum = new Float64Array(first.length);
    for (const { gradient } of pieces) {
      const values = gradient[modality]!;
      for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
    }
    return sum;
  });
}

/** Σ |attribution| of the patches. */
function sumOfPatches(difference: Sample, gradient: PathAttribution['gradient']): number {
  let total = 0;
  for (const [modality, values] of entriesOf(gradient)) {
    const d = difference[modality]!;
    for (let start = 0; start < values.length; start += patchSamples) {
      let sum = 0;
      for (let i = start; i < start + patchSamples; i++) sum += d[i]! * values[i]!;
      total += Math.abs(sum);
    }
  }
  return total;
}
