/** Products of rows X [n, d] with weights [K, d + 1] whose last value is an intercept: what fitting linear models spends its time on. */

/** Rows at once: sums that do not wait for each other. Each sum's order is that of its terms, whatever the number. */
const rowsAtOnce = 4;

/** X·Wᵀ with intercepts: [n, d] and [K, d + 1] → [n, K]. */
export function scoresOf(
  x: Float64Array,
  count: number,
  weights: Float64Array,
  size: number,
  outputs: number,
) {
  const scores = new Float64Array(count * outputs);
  const whole = count - (count % rowsAtOnce);
  for (let i = 0; i < whole; i += rowsAtOnce) {
    const [a, b, c, d] = [i * size, (i + 1) * size, (i + 2) * size, (i + 3) * size];
    for (let k = 0; k < outputs; k++) {
      const at = k * (size + 1);
      let [sa, sb, sc, sd] = [
        weights[at + size]!,
        weights[at + size]!,
        weights[at + size]!,
        weights[at + size]!,
      ];
      for (let j = 0; j < size; j++) {
        const w = weights[at + j]!;
        sa += x[a + j]! * w;
        sb += x[b + j]! * w;
        sc += x[c + j]! * w;
        sd += x[d + j]! * w;
      }
      scores[i * outputs + k] = sa;
      scores[(i + 1) * outputs + k] = sb;
      scores[(i + 2) * outputs + k] = sc;
      scores[(i + 3) * outputs + k] = sd;
    }
  }
  for (let i = whole; i < count; i++)
    for (let k = 0; k < outputs; k++) {
      const at = k * (size + 1);
      let sum = weights[at + size]!;
      for (let j = 0; j < size; j++) sum += x[i * size + j]! * weights[at + j]!;
      scores[i * outputs + k] = sum;
    }
  return scores;
}

/** Rᵀ·X and the sums of R: [n, K] and [n, d] → [K, d + 1]. */
export function addProducts(
  gradient: Float64Array,
  residual: Float64Array,
  x: Float64Array,
  size: number,
  outputs: number,
) {
  const count = residual.length / outputs;
  const whole = count - (count % rowsAtOnce);
  gradient.fill(0);
  for (let i = 0; i < count; i += i < whole ? rowsAtOnce : 1)
    for (let k = 0; k < outputs; k++) {
      const at = k * (size + 1);
      const row = i * size;
      const r = residual[i * outputs + k]!;
      if (i >= whole) {
        for (let j = 0; j < size; j++) gradient[at + j]! += r * x[row + j]!;
        gradient[at + size]! += r;
        continue;
      }
      const [b, c, d] = [row + size, row + 2 * size, row + 3 * size];
      const rb = residual[(i + 1) * outputs + k]!;
      const rc = residual[(i + 2) * outputs + k]!;
      const rd = residual[(i + 3) * outputs + k]!;
      for (let j = 0; j < size; j++)
        gradient[at + j] =
          gradient[at + j]! + r * x[row + j]! + rb * x[b + j]! + rc * x[c + j]! + rd * x[d + j]!;
      gradient[at + size] = gradient[at + size]! + r + rb + rc + rd;
    }
}
