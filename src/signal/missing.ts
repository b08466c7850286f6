/** Missing samples (NaN where a file marks them): x [T] → bridged values, so that one hole does not spoil what is filtered around it. */

export interface Bridged {
  /** Holes filled by straight lines; before the first and after the last sample by that sample; 0 where all is missing. */
  readonly values: Float64Array;
  /** Half-open ranges of samples that were missing, in order. */
  readonly holes: readonly (readonly [start: number, end: number])[];
}

/** Fill what is not finite; x itself where nothing is. */
export function bridgeMissing(x: Float64Array): Bridged {
  const holes: [number, number][] = [];
  for (let start = 0; start < x.length; start++) {
    if (Number.isFinite(x[start])) continue;
    let end = start + 1;
    while (end < x.length && !Number.isFinite(x[end])) end++;
    holes.push([start, end]);
    start = end;
  }
  if (holes.length === 0) return { values: x, holes };
  const values = x.slice();
  for (const [start, end] of holes) {
    const before = start > 0 ? x[start - 1]! : (x[end] ?? 0);
    const after = end < x.length ? x[end]! : before;
    for (let i = start; i < end; i++)
      values[i] = before + ((after - before) * (i - start + 1)) / (end - start + 1);
  }
  return { values, holes };
}
