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

/** The classes that each subject has windows of. */
export type ClassesOf = ReadonlyMap<string, ReadonlySet<number>>;

/**
 * k folds; each subject is tested once. `validationCount` subjects of each fold's training part choose the model. `label`:
 * the class of each window. Where chance leaves a class out of a part, people are dealt by class, as far as they allow.
 */
export function kFoldBySubject(
  subjects: readonly string[],
  k: number,
  seed: number,
  validationCount = 0,
  label?: ArrayLike<number>,
): Fold[] {
  const unique = [...new Set(subjects)].sort();
  if (!Number.isInteger(k) || k < 2 || k > unique.length) {
    throw new ConfigError(
      `folds: k is ${k} for ${unique.length} subjects. Use 2 to ${unique.length}.`,
      'k',
      `2–${unique.length}`,
    );
  }
  const classes = classesOf(subjects, label);
  const drawn = Random.derive(seed, 'folds').shuffle(unique);
  const testOf = (order: readonly string[], fold: number) => order.filter((_, i) => i % k === fold);
  const all = gather(drawn, classes);
  // Only where chance left a class out: folds that were good stay as they were.
  const isGood = Array.from({ length: k }, (_, fold) => gather(testOf(drawn, fold), classes)).every(
    (own) => own.size === all.size,
  );
  const keyOf = (subject: string) => [...(classes?.get(subject) ?? [])].sort((a, b) => a - b).join();
  const order = isGood
    ? drawn
    : drawn.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
  return Array.from({ length: k }, (_, fold) =>
    makeFold(`fold ${fold + 1} of ${k}`, order, testOf(order, fold), { validationCount, seed, classes }),
  );
}

/** One fold a subject; `label` as above. */
export function leaveOneSubjectOut(
  subjects: readonly string[],
  validationCount: number,
  seed: number,
  label?: ArrayLike<number>,
): Fold[] {
  const unique = [...new Set(subjects)].sort();
  const classes = classesOf(subjects, label);
  return unique.map((subject) =>
    makeFold(`without ${subject}`, unique, [subject], { validationCount, seed, classes }),
  );
}

function makeFold(
  name: string,
  subjects: readonly string[],
  test: readonly string[],
  {
    validationCount,
    seed,
    classes,
  }: { readonly validationCount: number; readonly seed: number; readonly classes: ClassesOf | undefined },
): Fold {
  const rest = Random.derive(seed, 'validation', name).shuffle(
    subjects.filter((subject) => !test.includes(subject)),
  );
  const { validation, train } = completeClasses(
    rest.slice(0, validationCount),
    rest.slice(validationCount),
    classes,
  );
  return assertDisjoint({
    name,
    train: train.toSorted(),
    validation: validation.toSorted(),
    test: [...test].sort(),
  });
}

/**
 * Who validates and who trains, as drawn where both parts have every class; else people change places as long as that
 * brings classes. `classes` absent: as drawn.
 */
export function completeClasses(
  validation: readonly string[],
  train: readonly string[],
  classes: ClassesOf | undefined,
): { readonly validation: readonly string[]; readonly train: readonly string[] } {
  const own = (subject: string) => classes?.get(subject) ?? none;
  const names = [...gather([...validation, ...train], classes)];
  const count = (part: readonly string[]) =>
    names.map((name) => part.filter((subject) => own(subject).has(name)).length);
  let parts = { validation, train };
  for (;;) {
    const [held, learnt] = [count(parts.validation), count(parts.train)];
    // A class that nobody trains cannot be learnt; that nobody validates it is less bad.
    const worth = (out?: string, into?: string) =>
      names.reduce((sum, name, k) => {
        const moved =
          Number(into !== undefined && own(into).has(name)) - Number(out !== undefined && own(out).has(name));
        return sum + 100 * Number(learnt[k]! - moved > 0) + Number(held[k]! + moved > 0);
      }, 0);
    const now = worth();
    if (now === 101 * names.length) return parts;
    const swap = findSwap(parts, (out, into) => worth(out, into) > now);
    if (!swap) return parts;
    const [i, j] = swap;
    parts = {
      validation: parts.validation.with(i, parts.train[j]!),
      train: parts.train.with(j, parts.validation[i]!),
    };
  }
}

const none: ReadonlySet<number> = new Set();

/** Places of the first two people whose change is better. */
function findSwap(
  { validation, train }: { readonly validation: readonly string[]; readonly train: readonly string[] },
  isBetter: (out: string, into: string) => boolean,
): readonly [number, number] | undefined {
  for (const [i, out] of validation.entries())
    for (const [j, into] of train.entries()) if (isBetter(out, into)) return [i, j];
  return undefined;
}

function gather(subjects: readonly string[], classes: ClassesOf | undefined): Set<number> {
  return new Set(subjects.flatMap((subject) => [...(classes?.get(subject) ?? [])]));
}

/** From the class of each window. */
export function classesOf(
  subjects: readonly string[],
  label: ArrayLike<number> | undefined,
): ClassesOf | undefined {
  if (!label) return undefined;
  const result = new Map<string, Set<number>>();
  for (const [i, subject] of subjects.entries()) {
    const own = result.get(subject) ?? new Set();
    result.set(subject, own.add(label[i]!));
  }
  return result;
}
