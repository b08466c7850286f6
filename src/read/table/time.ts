/** How regular the times of a table's rows are, and at which rate: what tells the best of several columns of times. Seconds. */

/** Rates that devices have, in hertz. */
const usualRates = [
  1, 2, 4, 5, 8, 10, 16, 20, 25, 30, 32, 40, 50, 51.2, 52, 60, 62.5, 64, 75, 80, 100, 104, 110, 120, 125, 128,
  130, 150, 160, 180, 200, 204.8, 208, 220, 240, 250, 256, 300, 320, 350, 360, 400, 416, 480, 500, 512, 600,
  700, 720, 800, 960, 1000, 1024, 1200, 1250, 1500, 1600, 2000, 2048, 2400, 2500, 3000, 3200, 4000, 4096,
  4800, 5000, 8000, 8192, 9600, 10000, 10240, 12500, 16000, 16384, 19200, 20000, 25000, 30000, 32000, 38400,
  44100, 48000, 50000, 100000,
];

export interface RowTimes {
  readonly rateHz: number;
  /** Of all steps, those within half a step of the usual one. 1: regular. */
  readonly regularity: number;
  /** Rate by the stamps, before it was taken to the nearest usual one. */
  readonly measuredHz: number;
}

/** The rate of rows at `times`; undefined where fewer than three go forward. */
export function rateOf(times: Float64Array): RowTimes | undefined {
  // A hundred thousand steps tell the usual one; all of them are looked at below.
  const stride = Math.max(1, Math.floor(times.length / 100_000));
  const steps = new Float64Array(Math.ceil(times.length / stride));
  let [count, isUniform] = [0, true];
  for (let i = stride; i < times.length; i += stride) {
    const step = times[i]! - times[i - 1]!;
    if (!(step > 0)) continue;
    if (step !== steps[0] && count > 0) isUniform = false;
    steps[count++] = step;
  }
  if (count < 2) return undefined;
  const usual = isUniform ? steps[0]! : steps.subarray(0, count).sort()[count >> 1]!;
  let [near, nearSum, all, allSum] = [0, 0, 0, 0];
  const longest = Math.max(1, 20 * usual);
  for (let i = 1; i < times.length; i++) {
    const step = times[i]! - times[i - 1]!;
    if (step >= 0 && step < longest) {
      all++;
      allSum += step;
    }
    if (Math.abs(step - usual) < 0.5 * usual) {
      near++;
      nearSum += step;
    }
  }
  const regularity = near / (times.length - 1);
  const isRegular = regularity >= 0.9;
  const measuredHz = isRegular ? near / nearSum : all / allSum;
  if (!Number.isFinite(measuredHz) || measuredHz <= 0) return undefined;
  return { rateHz: snapRate(measuredHz, isRegular ? 0.004 : 0.02), regularity, measuredHz };
}

/** The usual rate within that part of it, or five digits. */
export function snapRate(hertz: number, tolerance: number): number {
  let best = Number(hertz.toPrecision(5));
  let away = tolerance;
  for (const rate of usualRates) {
    const distance = Math.abs(hertz / rate - 1);
    if (distance < away) [best, away] = [rate, distance];
  }
  return best;
}
