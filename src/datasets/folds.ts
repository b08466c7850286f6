/** Splits by subject: disjoint sets of people for training, validation and test. */
import { ConfigError, DataError } from '../core/errors.ts';
import { Random } from '../core/random.ts';

/** Subjects of each part. Disjoint: `assertDisjoint` is called wherever a fold is used. */
export interface Fold {
  readonly name: string;
  readonly train: readonly string[];
  readonly validation: readonly string[];
  readonly test: readonly string[];
}

/** DataError where a subject stands in two parts, or a part for fitting or testing is empty. */
export function assertDisjoint(fold: Fold): Fold {
  const parts = { train: fold.train, validation: fold.validation, test: fold.test };
  const seen = new Map<string, string>();
  for (const [part, subjects] of Object.entries(parts)) {
    for (const subject of subjects) {
      const other = seen.get(subject);
      if (other)
        throw new DataError(
          `fold ${fold.name}: subject ${subject} is in ${other} and in ${part}. Split by subject.`,
        );
      seen.set(subject, part);
    }
  }
  if (fold.train.length === 0 || fold.test.length === 0) {
    throw new DataError(
      `fold ${fold.name}: ${fold.train.length} subjects to train on, ${fold.test.length} to test on. Both need some.`,
    );
  }
  return fold;
}

/** k folds; each subject is tested once. `validationCount` subjects of each fold's training part choose the model. */
export function kFoldBySubject(
  subjects: readonly string[],
  k: number,
  seed: number,
  validationCount = 0,
): Fold[] {
  const unique = [...new Set(subjects)].sort();
  if (!Number.isInteger(k) || k < 2 || k > unique.length) {
    throw new ConfigError(
      `folds: k is ${k} for ${unique.length} subjects. Use 2 to ${unique.length}.`,
      'k',
      `2–${unique.length}`,
    );
  }
  const order = Random.derive(seed, 'folds').shuffle(unique);
  return Array.from({ length: k }, (_, fold) => {
    const test = order.filter((_, i) => i % k === fold);
    return makeFold(`fold ${fold + 1} of ${k}`, order, test, validationCount, seed);
  });
}

/** One fold a subject. */
export function leaveOneSubjectOut(
  subjects: readonly string[],
  validationCount: number,
  seed: number,
): Fold[] {
  const unique = [...new Set(subjects)].sort();
  return unique.map((subject) => makeFold(`without ${subject}`, unique, [subject], validationCount, seed));
}

function makeFold(
  name: string,
  subjects: readonly string[],
  test: readonly string[],
  validationCount: number,
  seed: number,
): Fold {
  const rest = Random.derive(seed, 'validation', name).shuffle(
    subjects.filter((subject) => !test.includes(subject)),
  );
  return assertDisjoint({
    name,
    train: rest.slice(validationCount).sort(),
    validation: rest.slice(0, validationCount).sort(),
    test: [...test].sort(),
  });
}
