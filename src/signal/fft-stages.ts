/**
 * The stages of a mixed-radix transform (Stockham's, which needs no reordering pass): [n] complex → [n] complex, n a
 * product of small radices. Van Loan, Computational Frameworks for the Fast Fourier Transform (1992), 1.7 and 2.2.
 */

/** Complex numbers as two arrays of one length. */
export interface ComplexArray {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** exp(−2πi·k/n) for k < n, each from an angle within an eighth turn, where sin and cos are most exact. */
export function unitRoots(n: number): ComplexArray {
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const eighth = Math.floor((8 * k) / n) % 8;
    const quarter = Math.floor((eighth + 1) / 2);
    const angle = (2 * Math.PI * (k - (quarter * n) / 4)) / n;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    re[k] = [cos, -sin, -cos, sin][quarter % 4]!;
    im[k] = -[sin, cos, -sin, -cos][quarter % 4]!;
  }
  return { re, im };
}

/**
 * Stockham's stages. After radices of product l, with m = n/l: a[k·m + j] = Σ_t x[j + m·t]·w_l^(k·t), k < l, j < m.
 * A stage of radix r: a'[(k + l·q)·m' + j] = Σ_s w_(l·r)^(s·k) · w_r^(s·q) · a[k·m + s·m' + j], m' = m/r, q < r.
 */
export function transformStages(
  n: number,
  roots: ComplexArray,
  radices: readonly number[],
  data: ComplexArray,
): ComplexArray {
  let from = data;
  let to: ComplexArray = { re: new Float64Array(n), im: new Float64Array(n) };
  let l = 1;
  for (const r of radices) {
    const m = n / (l * r);
    if (r === 4) stage4(from, to, roots, l, m);
    else if (r === 2) stage2(from, to, roots, l, m);
    else stageOdd(from, to, roots, l, m, r);
    [from, to] = [to, from];
    l *= r;
  }
  return from;
}

function stage2(from: ComplexArray, to: ComplexArray, roots: ComplexArray, l: number, m: number): void {
  for (let k = 0; k < l; k++) {
    const wRe = roots.re[k * m]!;
    const wIm = roots.im[k * m]!;
    for (let j = 0, a = 2 * k * m, b = k * m; j < m; j++, a++, b++) {
      const xRe = from.re[a + m]! * wRe - from.im[a + m]! * wIm;
      const xIm = from.re[a + m]! * wIm + from.im[a + m]! * wRe;
      to.re[b] = from.re[a]! + xRe;
      to.im[b] = from.im[a]! + xIm;
      to.re[b + l * m] = from.re[a]! - xRe;
      to.im[b + l * m] = from.im[a]! - xIm;
    }
  }
}

function stage4(from: ComplexArray, to: ComplexArray, roots: ComplexArray, l: number, m: number): void {
  const { re, im } = from;
  const step = l * m;
  for (let k = 0; k < l; k++) {
    const w1Re = roots.re[k * m]!;
    const w1Im = roots.im[k * m]!;
    const w2Re = roots.re[2 * k * m]!;
    const w2Im = roots.im[2 * k * m]!;
    const w3Re = roots.re[3 * k * m]!;
    const w3Im = roots.im[3 * k * m]!;
    for (let j = 0, a = 4 * k * m, b = k * m; j < m; j++, a++, b++) {
      const x1Re = re[a + m]! * w1Re - im[a + m]! * w1Im;
      const x1Im = re[a + m]! * w1Im + im[a + m]! * w1Re;
      const x2Re = re[a + 2 * m]! * w2Re - im[a + 2 * m]! * w2Im;
      const x2Im = re[a + 2 * m]! * w2Im + im[a + 2 * m]! * w2Re;
      const x3Re = re[a + 3 * m]! * w3Re - im[a + 3 * m]! * w3Im;
      const x3Im = re[a + 3 * m]! * w3Im + im[a + 3 * m]! * w3Re;
      const sumRe = re[a]! + x2Re;
      const sumIm = im[a]! + x2Im;
      const differenceRe = re[a]! - x2Re;
      const differenceIm = im[a]! - x2Im;
      to.re[b] = sumRe + x1Re + x3Re;
      to.im[b] = sumIm + x1Im + x3Im;
      to.re[b + step] = differenceRe + x1Im - x3Im;
      to.im[b + step] = differenceIm - x1Re + x3Re;
      to.re[b + 2 * step] = sumRe - x1Re - x3Re;
      to.im[b + 2 * step] = sumIm - x1Im - x3Im;
      to.re[b + 3 * step] = differenceRe - x1Im + x3Im;
      to.im[b + 3 * step] = differenceIm + x1Re - x3Re;
    }
  }
}

/** Odd radix r: the inputs s and r − s share their cosines, which halves the products. */
function stageOdd(
  from: ComplexArray,
  to: ComplexArray,
  roots: ComplexArray,
  l: number,
  m: number,
  r: number,
): void {
  const half = (r - 1) / 2;
  const step = l * m;
  const small = unitRoots(r);
  const [sumRe, sumIm] = [new Float64Array(half + 1), new Float64Array(half + 1)];
  const [differenceRe, differenceIm] = [new Float64Array(half + 1), new Float64Array(half + 1)];
  for (let k = 0; k < l; k++) {
    for (let j = 0; j < m; j++) {
      const a = k * r * m + j;
      const b = k * m + j;
      const x0Re = from.re[a]!;
      const x0Im = from.im[a]!;
      let totalRe = x0Re;
      let totalIm = x0Im;
      for (let s = 1; s <= half; s++) {
        const i1 = a + s * m;
        const i2 = a + (r - s) * m;
        const k1 = s * k * m;
        const k2 = (r - s) * k * m;
        const uRe = from.re[i1]! * roots.re[k1]! - from.im[i1]! * roots.im[k1]!;
        const uIm = from.re[i1]! * roots.im[k1]! + from.im[i1]! * roots.re[k1]!;
        const vRe = from.re[i2]! * roots.re[k2]! - from.im[i2]! * roots.im[k2]!;
        const vIm = from.re[i2]! * roots.im[k2]! + from.im[i2]! * roots.re[k2]!;
        totalRe += sumRe[s] = uRe + vRe;
        totalIm += sumIm[s] = uIm + vIm;
        differenceRe[s] = uRe - vRe;
        differenceIm[s] = uIm - vIm;
      }
      to.re[b] = totalRe;
      to.im[b] = totalIm;
      for (let q = 1; q <= half; q++) {
        let cosRe = x0Re;
        let cosIm = x0Im;
        let sinRe = 0;
        let sinIm = 0;
        for (let s = 1, i = q; s <= half; s++, i = (i + q) % r) {
          cosRe += sumRe[s]! * small.re[i]!;
          cosIm += sumIm[s]! * small.re[i]!;
          sinRe += differenceRe[s]! * small.im[i]!;
          sinIm += differenceIm[s]! * small.im[i]!;
        }
        to.re[b + q * step] = cosRe - sinIm;
        to.im[b + q * step] = cosIm + sinRe;
        to.re[b + (r - q) * step] = cosRe + sinIm;
        to.im[b + (r - q) * step] = cosIm - sinRe;
      }
    }
  }
}
