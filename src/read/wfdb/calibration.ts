/** Which gains and baselines a WFDB signal may have: reader and writer ask the same function. */

/**
 * Is physical = (stored − baseline) / gain a number for every sample that a file may hold? Those are at most 2³², but for
 * sums of differences. `gain` may be negative, never 0.
 */
export function isCalibration(gain: number, baseline: number): boolean {
  const most = (Math.abs(baseline) + 2 ** 53) / gain;
  return gain !== 0 && Number.isFinite(gain) && Number.isFinite(most);
}
