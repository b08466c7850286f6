/** Case by number: seed and number → a damaged file of the corpus, and what its reader makes of it. */
import { Random } from '../../src/core/random.ts';
import type { CorpusEntry } from './corpus.ts';
import { type Files, mutate } from './mutate.ts';
import { type Outcome, probe, Violation } from './probe.ts';

export interface Case {
  readonly entry: CorpusEntry;
  readonly files: Files;
  readonly tolerant: boolean;
  /** Bytes of all its files. */
  readonly bytes: number;
}

export interface CaseReport {
  readonly outcome: Outcome;
  readonly milliseconds: number;
}

/** A case may take this long; the issue of a slow machine is met by trying thrice. */
export const maxMilliseconds = 1000;

export function makeCase(corpus: readonly CorpusEntry[], seed: number, number: number): Case {
  const random = Random.derive(seed, 'fuzz', number);
  // By format in turns: one of many files does not crowd out the others.
  const names = [...new Set(corpus.map(({ name }) => name))];
  const group = corpus.filter(({ name }) => name === names[number % names.length]);
  const entry = group[random.integer(group.length)]!;
  const others = corpus.flatMap(({ files }) => Object.values(files));
  const files = mutate(entry.files, random, others);
  return {
    entry,
    files,
    tolerant: random.uniform() < 0.5,
    bytes: Object.values(files).reduce((sum, { length }) => sum + length, 0),
  };
}

/** Violation where a promise is broken. */
export async function runCase({ entry, files, tolerant }: Case): Promise<CaseReport> {
  let milliseconds = Number.POSITIVE_INFINITY;
  for (let attempt = 0; ; attempt++) {
    const before = performance.now();
    const outcome = await probe(entry.open, files, { tolerant, ...entry.options });
    milliseconds = Math.min(milliseconds, performance.now() - before);
    if (milliseconds <= maxMilliseconds) return { outcome, milliseconds };
    if (attempt === 2) throw new Violation(`took ${Math.round(milliseconds)} ms at best of three`);
  }
}
