/** Rivals in turns, A B A B …, in one run: what slows the machine down for a while hits all of them. */
import { Contestant, type Ready, type Rival } from './contestant.ts';
import { type Spread, speedup, spreadOf } from './statistics.ts';

export interface RaceOptions {
  /** About so long for each rival. */
  readonly seconds: number;
  /** At least so many rounds, however long they take. */
  readonly rounds?: number;
  /** Largest relative difference between digests; a rival beyond it is not timed. */
  readonly tolerance?: number;
  readonly say: (line: string) => void;
}

export interface Outcome extends Ready {
  readonly name: string;
  /** Why it was not timed. */
  readonly absent?: string;
  readonly time?: Spread;
  /** Its time over the first rival's, round by round: above 1 where the first is faster. */
  readonly firstIsFasterBy?: Spread;
  /** Largest relative difference between its digest and the first rival's. */
  readonly difference?: number;
  readonly peakBytes?: number;
  readonly idleBytes?: number;
}

/** At least so long between two changes of the rival. */
const turnSeconds = 0.15;

/** Race; the first rival is ours, and the others are compared with it. Others may be absent or fail; ours may not. */
export async function race(rivals: readonly Rival[], options: RaceOptions): Promise<Outcome[]> {
  const { seconds, rounds = 5, tolerance, say } = options;
  const running: { contestant: Contestant; ready: Ready; times: number[]; means: number[]; count: number }[] =
    [];
  const outcomes = new Map<string, Outcome>();
  try {
    for (const rival of rivals) {
      const { name } = rival;
      const contestant = new Contestant(rival);
      try {
        const { absent, ...ready } = await contestant.prepare();
        if (absent !== undefined) throw new Error(absent);
        const reference = running[0]?.ready.digest;
        const difference = reference && ready.digest && differenceOf(ready.digest, reference);
        const [first] = running;
        if (first && ready.count !== first.ready.count)
          throw new Error(`it has ${ready.count} values, not ${first.ready.count}; it is not compared`);
        if (difference !== undefined && tolerance !== undefined && !(difference <= tolerance))
          throw new Error(
            `its results differ by ${difference.toExponential(1)} (relative), it is not compared`,
          );
        const [once] = await contestant.run(1);
        running.push({
          contestant,
          ready,
          times: [],
          means: [],
          count: Math.max(1, Math.round(turnSeconds / once!)),
        });
        outcomes.set(name, { name, ...ready, ...(difference === undefined ? {} : { difference }) });
      } catch (error) {
        contestant.kill();
        const reason = (error as Error).message;
        if (rival === rivals[0]) throw new Error(`bench: nothing to compare with: ${reason}`);
        say(`  ${name}: left out: ${reason}`);
        outcomes.set(name, { name, absent: reason });
      }
    }
    const begun = performance.now();
    const budgetMs = 1000 * seconds * running.length;
    for (let round = 0; round < rounds || performance.now() - begun < budgetMs; round++) {
      for (const one of running) {
        const times = await one.contestant.run(one.count);
        one.times.push(...times);
        one.means.push(times.reduce((sum, time) => sum + time, 0) / times.length);
      }
    }
    for (const { contestant, times, means } of running) {
      const { name } = contestant.rival;
      const time = spreadOf(times);
      const faster = speedup(running[0]!.means, means);
      say(
        `  ${name}: ${(1000 * time.median).toPrecision(3)} ms (least ${(1000 * time.min).toPrecision(3)}, ${time.repeats}×)`,
      );
      outcomes.set(name, {
        ...outcomes.get(name)!,
        time,
        ...(contestant === running[0]!.contestant ? {} : { firstIsFasterBy: faster }),
        ...(await contestant.end()),
      });
    }
  } finally {
    for (const { contestant } of running) contestant.kill();
  }
  return rivals.map(({ name }) => outcomes.get(name)!);
}

/** Largest difference of two digests relative to the reference's largest value; infinite where the sizes differ. */
export function differenceOf(values: readonly number[], reference: readonly number[]): number {
  if (values.length !== reference.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(...reference.map(Math.abs));
  return Math.max(...values.map((value, i) => Math.abs(value - reference[i]!))) / scale;
}
