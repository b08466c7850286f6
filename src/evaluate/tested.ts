/** What was predicted: probabilities of tested windows under every seed, and those of the validation windows beside them. */

/** Window by window or trial by trial. */
export interface Tested {
  readonly truth: Int32Array;
  readonly subject: readonly string[];
  /** Class probabilities [W, K] of each seed. */
  readonly probabilities: readonly Float64Array[];
  /** For whatever must be chosen before the test is looked at: temperatures, thresholds. */
  readonly validation?: readonly Validated[];
}

/** One training's validation windows. */
export interface Validated {
  /** Place of the seed. */
  readonly seed: number;
  /** Rows of the windows that this training tested. */
  readonly rows: readonly number[];
  readonly truth: ArrayLike<number>;
  /** [W, K] of the validation windows. */
  readonly probabilities: ArrayLike<number>;
}

/** One row a trial: the mean of its windows' probabilities. Trials are named apart by subject and label. */
export function groupByTrial(tested: Tested, trial: readonly string[], classCount: number): Tested {
  const groups = new Map<string, number[]>();
  for (const [i, name] of trial.entries()) {
    const key = `${tested.subject[i]}\n${name}\n${tested.truth[i]}`;
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  }
  const rows = [...groups.values()];
  return {
    truth: Int32Array.from(rows, ([first]) => tested.truth[first!]!),
    subject: rows.map(([first]) => tested.subject[first!]!),
    probabilities: tested.probabilities.map((one) =>
      Float64Array.from({ length: rows.length * classCount }, (_, at) => {
        const indices = rows[Math.floor(at / classCount)]!;
        const sum = indices.reduce((total, i) => total + one[i * classCount + (at % classCount)]!, 0);
        // Equal probabilities must stay equal whatever the number of windows: ties count in a ranking.
        return Number((sum / indices.length).toPrecision(12));
      }),
    ),
  };
}

/** Rows of some windows out of probabilities [W, K]. */
export function rowsOf(
  probabilities: ArrayLike<number>,
  indices: ArrayLike<number>,
  classCount: number,
): Float64Array {
  const rows = new Float64Array(indices.length * classCount);
  for (let row = 0; row < indices.length; row++)
    for (let k = 0; k < classCount; k++)
      rows[row * classCount + k] = probabilities[indices[row]! * classCount + k]!;
  return rows;
}

/** The windows of every subject, subjects in order of their names. */
export function rowsBySubject(subject: readonly string[]): Map<string, Int32Array> {
  const rows = new Map<string, number[]>();
  for (const [i, person] of subject.entries()) {
    const known = rows.get(person);
    if (known) known.push(i);
    else rows.set(person, [i]);
  }
  return new Map([...rows.keys()].sort().map((person) => [person, Int32Array.from(rows.get(person)!)]));
}
