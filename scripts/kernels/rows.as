// The inner loops of linear probes in AssemblyScript, for `build.mjs`: products of rows (float32) with one vector (float64),
// four rows and four columns at once, two float64 a v128. Pointers are in bytes; the caller (src/evaluate/row-products.ts)
// lays out the memory and fills up with zeros what is missing to fours. Nothing is allocated here.

/** Two float32 as float64. */
// @ts-ignore: decorator
@inline function wide(p: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(p));
}

// @ts-ignore: decorator
@inline function plusTimes(sum: v128, a: v128, b: v128): v128 {
  return f64x2.add(sum, f64x2.mul(a, b));
}

// @ts-ignore: decorator
@inline function total(a: v128, b: v128): f64 {
  const both = f64x2.add(a, b);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

/** sums[i] = Σ_j rows[i, j] · vector[j], i < count. */
export function scores(rows: usize, vector: usize, sums: usize, count: usize, rowBytes: usize): void {
  const end = vector + 2 * rowBytes;
  for (let last = sums + 8 * count; sums < last; sums += 32) {
    let p0 = rows, p1 = p0 + rowBytes, p2 = p1 + rowBytes, p3 = p2 + rowBytes;
    // Two sums a row: they need not wait for each other.
    let a0 = f64x2(0, 0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    for (let q = vector; q < end; q += 32) {
      const u = v128.load(q), v = v128.load(q, 16);
      a0 = plusTimes(a0, wide(p0), u);
      a1 = plusTimes(a1, wide(p1), u);
      a2 = plusTimes(a2, wide(p2), u);
      a3 = plusTimes(a3, wide(p3), u);
      b0 = plusTimes(b0, wide(p0 + 8), v);
      b1 = plusTimes(b1, wide(p1 + 8), v);
      b2 = plusTimes(b2, wide(p2 + 8), v);
      b3 = plusTimes(b3, wide(p3 + 8), v);
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
    }
    store<f64>(sums, total(a0, b0));
    store<f64>(sums, total(a1, b1), 8);
    store<f64>(sums, total(a2, b2), 16);
    store<f64>(sums, total(a3, b3), 24);
    rows = p3;
  }
}

/** vector[j] += Σ_i factors[i] · rows[i, j], i < count. */
export function products(rows: usize, vector: usize, factors: usize, count: usize, rowBytes: usize): void {
  const end = vector + 2 * rowBytes;
  for (let last = factors + 8 * count; factors < last; factors += 32) {
    let p0 = rows, p1 = p0 + rowBytes, p2 = p1 + rowBytes, p3 = p2 + rowBytes;
    const f0 = v128.load64_splat(factors), f1 = v128.load64_splat(factors, 8);
    const f2 = v128.load64_splat(factors, 16), f3 = v128.load64_splat(factors, 24);
    for (let q = vector; q < end; q += 32) {
      let u = v128.load(q), v = v128.load(q, 16);
      u = plusTimes(u, wide(p0), f0);
      v = plusTimes(v, wide(p0 + 8), f0);
      u = plusTimes(u, wide(p1), f1);
      v = plusTimes(v, wide(p1 + 8), f1);
      u = plusTimes(u, wide(p2), f2);
      v = plusTimes(v, wide(p2 + 8), f2);
      u = plusTimes(u, wide(p3), f3);
      v = plusTimes(v, wide(p3 + 8), f3);
      v128.store(q, u);
      v128.store(q, v, 16);
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
    }
    rows = p3;
  }
}
