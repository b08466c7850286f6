// The inner loops of Fourier transform and resampling in AssemblyScript, for `build.mjs`. One v128 holds two float64:
// in the transform a complex number (re, im), in resampling two neighbouring samples. Pointers are in bytes; the caller
// (src/signal/kernel.ts) lays out the memory. Nothing is allocated here.

// @ts-ignore: decorator
@inline function swap(x: v128): v128 {
  return v128.shuffle<f64>(x, x, 1, 0);
}

// @ts-ignore: decorator
@inline function first(x: v128): v128 {
  return v128.shuffle<f64>(x, x, 0, 0);
}

/** (−b, b) of w = (a, b). */
// @ts-ignore: decorator
@inline function turned(w: v128): v128 {
  return v128.xor(v128.shuffle<f64>(w, w, 1, 1), f64x2(-0.0, 0.0));
}

/** x·w, w given as (a, a) and (−b, b). */
// @ts-ignore: decorator
@inline function times(x: v128, a: v128, b: v128): v128 {
  return f64x2.add(f64x2.mul(x, a), f64x2.mul(swap(x), b));
}

/** −i·x. */
// @ts-ignore: decorator
@inline function quarter(x: v128): v128 {
  return v128.xor(swap(x), f64x2(0.0, -0.0));
}

// Stockham's stages. With the radices so far of product l and m = n / (l·r):
// to[(k + l·q)·m + j] = Σ_s w^(s·k) · exp(−2πi·s·q/r) · from[(r·k + s)·m + j], w = exp(−2πi/(l·r)), k < l, j < m, q < r.
// `roots`: w^k, w^2k, … w^(r−1)k for each k in turn. Van Loan, Computational Frameworks for the FFT (1992), 1.7 and 2.2.

export function stage2(from: usize, to: usize, roots: usize, l: usize, m: usize): void {
  const span = m << 4;
  const step = l * span;
  for (let k: usize = 0; k < l; k++, roots += 16, from += span) {
    const w = v128.load(roots);
    const a = first(w);
    const b = turned(w);
    for (const end = to + span; to < end; to += 16, from += 16) {
      const x = v128.load(from);
      const y = times(v128.load(from + span), a, b);
      v128.store(to, f64x2.add(x, y));
      v128.store(to + step, f64x2.sub(x, y));
    }
  }
}

export function stage3(from: usize, to: usize, roots: usize, l: usize, m: usize): void {
  const span = m << 4;
  const step = l * span;
  const half = f64x2.splat(-0.5);
  const height = f64x2.splat(0.8660254037844386467637); // sin(2π/3)
  for (let k: usize = 0; k < l; k++, roots += 32, from += 2 * span) {
    const w1 = v128.load(roots);
    const w2 = v128.load(roots, 16);
    const a1 = first(w1);
    const b1 = turned(w1);
    const a2 = first(w2);
    const b2 = turned(w2);
    for (const end = to + span; to < end; to += 16, from += 16) {
      const x = v128.load(from);
      const y = times(v128.load(from + span), a1, b1);
      const z = times(v128.load(from + 2 * span), a2, b2);
      const sum = f64x2.add(y, z);
      const middle = f64x2.add(x, f64x2.mul(sum, half));
      const turn = f64x2.mul(quarter(f64x2.sub(y, z)), height);
      v128.store(to, f64x2.add(x, sum));
      v128.store(to + step, f64x2.add(middle, turn));
      v128.store(to + 2 * step, f64x2.sub(middle, turn));
    }
  }
}

export function stage4(from: usize, to: usize, roots: usize, l: usize, m: usize): void {
  const span = m << 4;
  const step = l * span;
  for (let k: usize = 0; k < l; k++, roots += 48, from += 3 * span) {
    const w1 = v128.load(roots);
    const w2 = v128.load(roots, 16);
    const w3 = v128.load(roots, 32);
    const a1 = first(w1);
    const b1 = turned(w1);
    const a2 = first(w2);
    const b2 = turned(w2);
    const a3 = first(w3);
    const b3 = turned(w3);
    for (const end = to + span; to < end; to += 16, from += 16) {
      const x0 = v128.load(from);
      const x1 = times(v128.load(from + span), a1, b1);
      const x2 = times(v128.load(from + 2 * span), a2, b2);
      const x3 = times(v128.load(from + 3 * span), a3, b3);
      const sum = f64x2.add(x0, x2);
      const difference = f64x2.sub(x0, x2);
      const odd = f64x2.add(x1, x3);
      const turn = quarter(f64x2.sub(x1, x3));
      v128.store(to, f64x2.add(sum, odd));
      v128.store(to + step, f64x2.add(difference, turn));
      v128.store(to + 2 * step, f64x2.sub(sum, odd));
      v128.store(to + 3 * step, f64x2.sub(difference, turn));
    }
  }
}

export function stage5(from: usize, to: usize, roots: usize, l: usize, m: usize): void {
  const span = m << 4;
  const step = l * span;
  const c1 = f64x2.splat(0.3090169943749474241023); // cos and sin of 2π/5 and 4π/5
  const c2 = f64x2.splat(-0.8090169943749474241023);
  const s1 = f64x2.splat(0.9510565162951535721164);
  const s2 = f64x2.splat(0.5877852522924731291687);
  for (let k: usize = 0; k < l; k++, roots += 64, from += 4 * span) {
    const w1 = v128.load(roots);
    const w2 = v128.load(roots, 16);
    const w3 = v128.load(roots, 32);
    const w4 = v128.load(roots, 48);
    const a1 = first(w1);
    const b1 = turned(w1);
    const a2 = first(w2);
    const b2 = turned(w2);
    const a3 = first(w3);
    const b3 = turned(w3);
    const a4 = first(w4);
    const b4 = turned(w4);
    for (const end = to + span; to < end; to += 16, from += 16) {
      const x0 = v128.load(from);
      const x1 = times(v128.load(from + span), a1, b1);
      const x2 = times(v128.load(from + 2 * span), a2, b2);
      const x3 = times(v128.load(from + 3 * span), a3, b3);
      const x4 = times(v128.load(from + 4 * span), a4, b4);
      const outer = f64x2.add(x1, x4);
      const inner = f64x2.add(x2, x3);
      const outerTurn = quarter(f64x2.sub(x1, x4));
      const innerTurn = quarter(f64x2.sub(x2, x3));
      const p = f64x2.add(x0, f64x2.add(f64x2.mul(outer, c1), f64x2.mul(inner, c2)));
      const q = f64x2.add(x0, f64x2.add(f64x2.mul(outer, c2), f64x2.mul(inner, c1)));
      const u = f64x2.add(f64x2.mul(outerTurn, s1), f64x2.mul(innerTurn, s2));
      const v = f64x2.sub(f64x2.mul(outerTurn, s2), f64x2.mul(innerTurn, s1));
      v128.store(to, f64x2.add(x0, f64x2.add(outer, inner)));
      v128.store(to + step, f64x2.add(p, u));
      v128.store(to + 2 * step, f64x2.add(q, v));
      v128.store(to + 3 * step, f64x2.sub(q, v));
      v128.store(to + 4 * step, f64x2.sub(p, u));
    }
  }
}

/** Any odd radix r. `cycle`: exp(−2πi·k/r), k < r; `scratch`: r complex numbers. */
export function stageOdd(
  from: usize,
  to: usize,
  roots: usize,
  l: usize,
  m: usize,
  r: usize,
  cycle: usize,
  scratch: usize,
): void {
  const span = m << 4;
  const step = l * span;
  const half = (r - 1) / 2;
  for (let k: usize = 0; k < l; k++, roots += (r - 1) << 4, from += (r - 1) * span) {
    for (const end = to + span; to < end; to += 16, from += 16) {
      const x0 = v128.load(from);
      let total = x0;
      // The inputs s and r − s share their cosines: sums, then differences times −i.
      for (let s: usize = 1; s <= half; s++) {
        const w = v128.load(roots + ((s - 1) << 4));
        const v = v128.load(roots + ((r - s - 1) << 4));
        const x = times(v128.load(from + s * span), first(w), turned(w));
        const y = times(v128.load(from + (r - s) * span), first(v), turned(v));
        const sum = f64x2.add(x, y);
        total = f64x2.add(total, sum);
        v128.store(scratch + (s << 4), sum);
        v128.store(scratch + ((half + s) << 4), quarter(f64x2.sub(x, y)));
      }
      v128.store(to, total);
      for (let q: usize = 1; q <= half; q++) {
        let even = x0;
        let odd = f64x2.splat(0);
        for (let s: usize = 1, i = q; s <= half; s++, i = i + q < r ? i + q : i + q - r) {
          const sum = v128.load(scratch + (s << 4));
          const turn = v128.load(scratch + ((half + s) << 4));
          even = f64x2.add(even, f64x2.mul(sum, v128.load64_splat(cycle + (i << 4))));
          odd = f64x2.sub(odd, f64x2.mul(turn, v128.load64_splat(cycle + (i << 4), 8)));
        }
        v128.store(to + q * step, f64x2.add(even, odd));
        v128.store(to + (r - q) * step, f64x2.sub(even, odd));
      }
    }
  }
}

/** a[i] ·= b[i], n complex numbers. */
export function multiply(a: usize, b: usize, n: usize): void {
  for (const end = a + (n << 4); a < end; a += 16, b += 16) {
    const w = v128.load(b);
    v128.store(a, times(v128.load(a), first(w), turned(w)));
  }
}

// The transform X of 2·half real numbers from that of their pairs z, for k ≤ half/2, w = exp(−πi/half):
// even = z[k] + conj z[half − k], odd = −i·w^k·(z[k] − conj z[half − k]), 2·X[k] = even + odd, 2·X[half − k] its mirror.

// @ts-ignore: decorator
@inline function evenPart(z: usize, half: usize, k: usize): v128 {
  const y = v128.load(z + ((k > 0 ? half - k : 0) << 4));
  return f64x2.add(v128.load(z + (k << 4)), v128.xor(y, f64x2(0.0, -0.0)));
}

// @ts-ignore: decorator
@inline function oddPart(z: usize, half: usize, roots: usize, k: usize): v128 {
  const y = v128.load(z + ((k > 0 ? half - k : 0) << 4));
  const w = v128.load(roots + (k << 4));
  const difference = f64x2.sub(v128.load(z + (k << 4)), v128.xor(y, f64x2(0.0, -0.0)));
  return times(quarter(difference), first(w), turned(w));
}

/** z [half] → X [half + 1], its real and imaginary parts apart. roots: w^k, k ≤ half/2. */
export function unpackReal(z: usize, half: usize, roots: usize, re: usize, im: usize): void {
  const scale = f64x2.splat(0.5);
  for (let k: usize = 0; k << 1 <= half; k++) {
    const even = evenPart(z, half, k);
    const odd = oddPart(z, half, roots, k);
    const x = f64x2.mul(f64x2.add(even, odd), scale);
    const y = f64x2.mul(v128.xor(f64x2.sub(even, odd), f64x2(0.0, -0.0)), scale);
    const mirror = (half - k) << 3;
    f64.store(re + mirror, f64x2.extract_lane(y, 0));
    f64.store(im + mirror, f64x2.extract_lane(y, 1));
    f64.store(re + (k << 3), f64x2.extract_lane(x, 0));
    f64.store(im + (k << 3), f64x2.extract_lane(x, 1));
  }
}

// @ts-ignore: decorator
@inline function addSquare(x: v128, power: usize): void {
  const square = f64x2.mul(x, x);
  f64.store(power, f64.load(power) + f64x2.extract_lane(square, 0) + f64x2.extract_lane(square, 1));
}

/** power[k] += |z[k]|², k < n. */
export function addPower(z: usize, n: usize, power: usize): void {
  for (const end = z + (n << 4); z < end; z += 16, power += 8) addSquare(v128.load(z), power);
}

/** power[k] += |2·X[k]|², k ≤ half. */
export function addPowerReal(z: usize, half: usize, roots: usize, power: usize): void {
  for (let k: usize = 0; k << 1 <= half; k++) {
    const even = evenPart(z, half, k);
    const odd = oddPart(z, half, roots, k);
    addSquare(f64x2.add(even, odd), power + (k << 3));
    if (k << 1 < half) addSquare(f64x2.sub(even, odd), power + ((half - k) << 3));
  }
}

/** Backwards: X [half + 1] → pairs whose forward transform, both parts swapped, is 2·half times the pairs of x. */
export function packReal(re: usize, im: usize, half: usize, roots: usize, z: usize): void {
  for (let k: usize = 0; k << 1 <= half; k++) {
    const c = (half - k) << 3;
    const isFirst = k == 0;
    const x = f64x2.replace_lane(f64x2.splat(f64.load(re + (k << 3))), 1, isFirst ? 0 : f64.load(im + (k << 3)));
    const y = f64x2.replace_lane(f64x2.splat(f64.load(re + c)), 1, isFirst ? 0 : -f64.load(im + c));
    const w = v128.xor(v128.load(roots + (k << 4)), f64x2(0.0, -0.0)); // backwards: the conjugate
    const odd = times(f64x2.sub(x, y), first(w), turned(w));
    const even = f64x2.add(x, y);
    const turn = quarter(odd);
    // The pairs' values are even + i·odd and, at half − k, the conjugate of even − i·odd; stored swapped.
    if (!isFirst) v128.store(z + ((half - k) << 4), swap(v128.xor(f64x2.add(even, turn), f64x2(0.0, -0.0))));
    v128.store(z + (k << 4), swap(f64x2.sub(even, turn)));
  }
}

/** z[i] = swap(z[i]) · scale, n complex numbers. */
export function swapScale(z: usize, n: usize, scale: f64): void {
  const s = f64x2.splat(scale);
  for (const end = z + (n << 4); z < end; z += 16) v128.store(z, f64x2.mul(swap(v128.load(z)), s));
}

/** to[i·stride] = (x[i] − mean of x) · window[i], n real numbers; 0 between them, with a stride of 2. */
export function taper(x: usize, window: usize, n: usize, to: usize, stride: usize): void {
  let sums = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 2 <= n; i += 2) sums = f64x2.add(sums, v128.load(x + (i << 3)));
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; i < n; i++) sum += f64.load(x + (i << 3));
  const mean = sum / <f64>n;
  for (i = 0; i < n; i++, x += 8, window += 8, to += stride << 3) {
    f64.store(to, (f64.load(x) - mean) * f64.load(window));
    if (stride == 2) f64.store(to, 0, 8);
  }
}

/**
 * y[i] = Σ_t taps[start[phase] + t] · x[first + t], i < length, with phase and first sample from the position i·down.
 * Taps that meet no sample of x [n] are left out.
 */
export function polyphase(
  x: usize,
  n: i32,
  taps: usize,
  start: usize,
  offset: usize,
  up: i32,
  down: i32,
  y: usize,
  length: i32,
): void {
  let phase = 0;
  let base = 0;
  for (let i = 0; i < length; i++) {
    const from = base + i32.load(offset + (phase << 2));
    const tapStart = i32.load(start + (phase << 2));
    const tapEnd = min(i32.load(start + (phase << 2), 4), tapStart + n - from);
    let t = taps + ((tapStart + max(0, -from)) << 3);
    let k = x + (max(0, from) << 3);
    const end = taps + (tapEnd << 3);
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    for (; t + 64 <= end; t += 64, k += 64) {
      a = f64x2.add(a, f64x2.mul(v128.load(t), v128.load(k)));
      b = f64x2.add(b, f64x2.mul(v128.load(t, 16), v128.load(k, 16)));
      c = f64x2.add(c, f64x2.mul(v128.load(t, 32), v128.load(k, 32)));
      d = f64x2.add(d, f64x2.mul(v128.load(t, 48), v128.load(k, 48)));
    }
    a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
    let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
    for (; t < end; t += 8, k += 8) sum += f64.load(t) * f64.load(k);
    f64.store(y + (i << 3), sum);
    phase += down;
    base += phase / up;
    phase %= up;
  }
}
