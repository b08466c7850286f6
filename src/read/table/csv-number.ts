/**
 * Decimal text → float64, correctly rounded, straight from bytes. Up to 15 digits: one exact division (Clinger 1990);
 * up to 19: a quotient in two doubles, taken where rounding it is beyond doubt (Dekker 1971); else the engine's own.
 */

/** 10^k, exact. */
export const powers = Float64Array.from({ length: 23 }, (_, k) => Number(`1e${k}`)); // exact up to 10²²
const splitter = 2 ** 27 + 1;
/** Relative error that a quotient's second part may have: well above what it has. */
const doubt = 2 ** -46;

/** The byte after what the last call of `readNumber` took. */
let stopped = 0;
export const numberEnd = (): number => stopped;

/**
 * The number that starts at byte `at`, before `end`; NaN, and nothing taken, where there is none. `mark`: the byte
 * between whole and fraction. Letters (`nan`, `inf`) are no numbers here.
 */
export function readNumber(bytes: Uint8Array, at: number, end: number, mark: number): number {
  let i = at;
  let byte = bytes[i]!;
  const isNegative = byte === 45;
  if (isNegative || byte === 43) byte = bytes[++i]!;
  let [high, low, digits, exponent] = [0, 0, 0, 0]; // value = (high · 10^max(0, digits − 15) + low) · 10^exponent
  const first = i;
  for (; i < end && byte >= 48 && byte <= 57; byte = bytes[++i]!) {
    if (digits < 15) high = high * 10 + (byte - 48);
    else low = low * 10 + (byte - 48);
    if (digits > 0 || byte !== 48) digits++;
  }
  let seen = i - first;
  if (i < end && byte === mark) {
    byte = bytes[++i]!;
    const fraction = i;
    for (; i < end && byte >= 48 && byte <= 57; byte = bytes[++i]!) {
      if (digits < 15) high = high * 10 + (byte - 48);
      else low = low * 10 + (byte - 48);
      if (digits > 0 || byte !== 48) digits++;
    }
    exponent = fraction - i;
    seen += i - fraction;
  }
  if (seen === 0) {
    stopped = at;
    return Number.NaN;
  }
  if (i < end && (byte === 101 || byte === 69)) {
    const sign = bytes[i + 1];
    let k = sign === 45 || sign === 43 ? i + 2 : i + 1;
    const from = k;
    let power = 0;
    for (; k < end && bytes[k]! >= 48 && bytes[k]! <= 57; k++)
      power = Math.min(99999, power * 10 + bytes[k]! - 48);
    if (k > from) {
      exponent += sign === 45 ? -power : power;
      i = k;
    }
  }
  stopped = i;
  if (digits <= 15 && exponent >= -22 && exponent <= 22) {
    const value = exponent < 0 ? high / powers[-exponent]! : high * powers[exponent]!;
    return isNegative ? -value : value;
  }
  const value =
    digits <= 19 && exponent < 0 && exponent >= -22 ? longQuotient(high, low, digits, exponent) : Number.NaN;
  if (Number.isNaN(value)) return slowNumber(bytes, at, i, mark);
  return isNegative ? -value : value;
}

/** (high · 10^k + low) / 10^−exponent, or NaN where its rounding is in doubt. */
function longQuotient(high: number, low: number, digits: number, exponent: number): number {
  const scale = powers[Math.max(0, digits - 15)]!;
  const whole = high * scale;
  const rest = productError(high, scale, whole) + low;
  const a = whole + rest;
  const b = rest - (a - whole);
  const divisor = powers[-exponent]!;
  const quotient = a / divisor;
  const product = quotient * divisor;
  const second = (a - product - productError(quotient, divisor, product) + b) / divisor;
  const below = quotient + second * (1 - doubt);
  return below === quotient + second * (1 + doubt) ? below : Number.NaN;
}

/** x · y − product, exactly. */
function productError(x: number, y: number, product: number): number {
  const [xs, ys] = [x * splitter, y * splitter];
  const xHigh = xs - (xs - x);
  const yHigh = ys - (ys - y);
  const [xLow, yLow] = [x - xHigh, y - yHigh];
  return xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
}

function slowNumber(bytes: Uint8Array, start: number, end: number, mark: number): number {
  let text = '';
  // Digits beyond 800 cannot change a double; a file of digits only shall not cost a text of it.
  for (let i = start; i < end; i++) text += bytes[i] === mark ? '.' : String.fromCharCode(bytes[i]!);
  return Number(text);
}
