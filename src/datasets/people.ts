/**
 * Who is who across datasets: a subject's name is a name within a space of names, and several datasets name the same people.
 * `sample-ecg` calls `15709` whom PTB-XL calls `ptbxl 15709`; the challenges call PTB-XL's record 1 `HR00001`.
 */
import { isObject } from '../core/plain.ts';
import { cincSource } from './cinc.ts';
import { datasets } from './registry.ts';

/** A name and where it is one. People of an `open` space (a user's own tables) may go by other names elsewhere. */
export interface Identity {
  readonly space: string;
  readonly name: string;
}

/** What weights say of their training data: `dataset` (names joined by +) and `subjects` (names as JSON). */
export type Origin = Readonly<Record<string, string>>;

export interface SeenPeople {
  /** Tested people whose recordings were seen. */
  readonly seen: readonly string[];
  /** Tested people of whom it cannot be known. */
  readonly unknown: readonly string[];
  /** Those of the unknown who have the name of somebody seen, in a table that may be another. */
  readonly namesakes: readonly string[];
  /** All tested people. */
  readonly tested: readonly string[];
}

export interface TestedPeople {
  readonly dataset: string;
  /** Of each window. */
  readonly subject: readonly string[];
  readonly trial?: readonly string[] | undefined;
  /** Names are those of the origin's own table: equal names are one person, and others are others. */
  readonly sameNames?: boolean;
}

/** Of one table, and no one knows which: `p1` of two tables may be two people, and `p2` of one may be `p1` of the other. */
const openSpace = (dataset: string) => `open ${dataset}`;
const isOpen = (space: string) => space.startsWith('open ');

interface Naming {
  /** Names of the dataset's people; any where absent. */
  readonly pattern?: RegExp;
  identify(subject: string, trial?: string): Identity[];
}

const ptbxlNaming: Naming = {
  pattern: /^ptbxl \d+$/,
  identify: (subject, trial) => {
    const record = /^ptbxl(?:-100)? (\d+)$/.exec(trial ?? '')?.[1];
    return [
      { space: 'ptbxl people', name: subject },
      ...(record === undefined
        ? []
        : [{ space: 'ptbxl records', name: `HR${String(Number(record)).padStart(5, '0')}` }]),
    ];
  },
};

const cincNaming: Naming = {
  pattern: /^[A-Z]+\d{4,5}$/,
  identify(subject) {
    const source = cincSource(`${subject}.hea`);
    if (source === undefined) return [{ space: openSpace('cinc'), name: subject }];
    if (source === 'PTB-XL') return [{ space: 'ptbxl records', name: subject }];
    return [{ space: subject.startsWith('JS') ? 'chapman' : 'cinc', name: subject }];
  },
};

/** Datasets that name people of others, or whose names have a pattern. */
const namings: Readonly<Record<string, Naming>> = {
  ptbxl: ptbxlNaming,
  'ptbxl-100': ptbxlNaming,
  'sample-ecg': {
    pattern: /^\d+$/,
    identify: (subject) => [{ space: 'ptbxl people', name: `ptbxl ${Number(subject)}` }],
  },
  cinc2020: cincNaming,
  cinc2021: cincNaming,
  chapman: { pattern: /^JS\d+$/, identify: (name) => [{ space: 'chapman', name }] },
  ludb: { pattern: /^ludb \d+$/, identify: (name) => [{ space: 'ludb', name }] },
  eegmat: { pattern: /^Subject\d\d$/, identify: (name) => [{ space: 'eegmat', name }] },
  'mitdb-beats': { identify: (name) => [{ space: 'mitdb', name }] },
  // Any folder in that layout: sub-01 of one is not sub-01 of another.
  bids: { identify: (name) => [{ space: openSpace('bids'), name }] },
  'bids-events': { identify: (name) => [{ space: openSpace('bids'), name }] },
};

/** Spaces with the same people in them, whose names only a table that is not at hand translates. */
const overlaps: readonly (readonly [string, string])[] = [['ptbxl people', 'ptbxl records']];

/** The names by which a dataset's subject is known; of `open` space where the dataset is none of the registry. */
export function identitiesOf(dataset: string, subject: string, trial?: string): Identity[] {
  const naming = Object.hasOwn(namings, dataset) ? namings[dataset]! : undefined;
  if (naming) return naming.identify(subject, trial);
  return [{ space: Object.hasOwn(datasets, dataset) ? dataset : openSpace(dataset), name: subject }];
}

/** Whom of the tested people the weights of this origin have seen. The one place that decides it. */
export function findSeenPeople(origin: Origin | undefined, people: TestedPeople): SeenPeople {
  const identities = new Map<string, Identity[]>();
  for (const [i, subject] of people.subject.entries()) {
    const known = identities.get(subject) ?? [];
    identities.set(subject, known);
    for (const one of identitiesOf(people.dataset, subject, people.trial?.[i]))
      if (!known.some((other) => keyOf(other) === keyOf(one))) known.push(one);
  }
  const tested = [...identities.keys()];
  const learnt = peopleOf(origin);
  if (!learnt) return { seen: [], unknown: tested, namesakes: [], tested };
  const names = new Set(learnt.map(keyOf));
  const isSameTable = people.sameNames === true && partsOf(origin ?? {}).includes(people.dataset);
  const ownSpaces = new Set([...identities.values()].flat().map(({ space }) => space));
  const isComparable = (space: string) => !isOpen(space) || (isSameTable && ownSpaces.has(space));
  const spaces = new Set(learnt.map(({ space }) => space));
  const canTell = [...spaces].every(isComparable);
  const seen: string[] = [];
  const unknown: string[] = [];
  const namesakes: string[] = [];
  for (const [subject, own] of identities) {
    const equal = own.filter((one) => names.has(keyOf(one)));
    if (equal.some(({ space }) => isComparable(space))) {
      seen.push(subject);
      continue;
    }
    if (equal.length > 0) namesakes.push(subject);
    const isOther = canTell && own.every(({ space }) => isComparable(space)) && !isTranslated(own, spaces);
    if (!isOther) unknown.push(subject);
  }
  return { seen, unknown, namesakes, tested };
}

/** Whom weights have seen that began from others: theirs, and those of the others. `subjects` is absent where either's is. */
export function joinOrigins(own: Origin, earlier: Origin): { dataset?: string; subjects?: string } {
  const names = [own, earlier].flatMap(partsOf);
  const joined = names.length === 0 ? {} : { dataset: [...new Set(names)].join('+') };
  const [mine, theirs] = [subjectsOf(own), subjectsOf(earlier)];
  if (!mine || !theirs || own.dataset === undefined || earlier.dataset === undefined) return joined;
  return { ...joined, subjects: JSON.stringify([...new Set([...mine, ...theirs])].sort()) };
}

/** Those names of a dataset's people whom weights of this origin have seen; undefined where it cannot be known. */
export function namesSeen(origin: Origin, dataset: string): string[] | undefined {
  const learnt = peopleOf(origin);
  if (!learnt || learnt.some(({ space }) => isOpen(space))) return undefined;
  return findSeenPeople(origin, { dataset, subject: subjectsOf(origin)! }).seen.slice();
}

/** Do only translated names tell whether these people are among those of the spaces? */
function isTranslated(own: readonly Identity[], spaces: ReadonlySet<string>): boolean {
  const mine = new Set(own.map(({ space }) => space));
  return overlaps.some(
    ([a, b]) =>
      (spaces.has(a) && mine.has(b) && !mine.has(a)) || (spaces.has(b) && mine.has(a) && !mine.has(b)),
  );
}

/** The datasets that weights learnt from. */
function partsOf({ dataset }: Origin): string[] {
  return dataset?.split('+') ?? [];
}

/** The names in the metadata of weights; undefined where there are none, and where a foreign file has something else there. */
export function subjectsOf({ subjects }: Origin): string[] | undefined {
  if (subjects === undefined) return undefined;
  try {
    const names: unknown = JSON.parse(subjects);
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
}

/** What a finished model says of its encoders (`encoders` as JSON, by modality); undefined where it says nothing or nonsense. */
export function encoderOrigins({ encoders }: Origin = {}): Readonly<Record<string, Origin>> | undefined {
  if (encoders === undefined) return undefined;
  try {
    const origins: unknown = JSON.parse(encoders);
    return isObject(origins) && Object.values(origins).every(isOrigin)
      ? (origins as Record<string, Origin>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isOrigin(value: unknown): value is Origin {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}

/** Everybody whom weights have seen; undefined where they do not say. */
function peopleOf(origin: Origin = {}): Identity[] | undefined {
  const subjects = subjectsOf(origin);
  if (origin.dataset === undefined || !subjects) return undefined;
  const parts = partsOf(origin);
  return subjects.flatMap((subject) => {
    const patterns = parts.filter((part) => namings[part]?.pattern?.test(subject));
    const free = parts.filter((part) => !namings[part]?.pattern);
    const from = [...patterns, ...free];
    return (from.length === 0 ? parts : from).flatMap((part) => identitiesOf(part, subject));
  });
}

function keyOf({ space, name }: Identity): string {
  return `${space}\n${name}`;
}
