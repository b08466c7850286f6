/** What a result says of the pre-trained weights that its encoders began from: which, by their sha256, and whom they have seen. */
import {
  encoderOrigins,
  findSeenPeople,
  type Origin,
  subjectsOf,
  type TestedPeople,
} from '../datasets/people.ts';
import type { WindowIndex } from '../patches/window-reader.ts';
import type { Modality } from '../patches/windows.ts';
import type { WindowFold } from './protocol.ts';
import type { Result } from './result.ts';

type ByModality<T> = { readonly [M in Modality]?: T };

/** A file of weights as it was read. */
export interface StartingWeights {
  /** As named: `eeg-4`, or a path. */
  readonly name: string;
  /** Of the file. */
  readonly sha256: string;
  /** In the file; a model of fewer takes the first. */
  readonly layers: number;
}

/** Metadata of encoders by modality: `dataset`, and `subjects` as JSON. */
export type Origins = ByModality<Origin>;

/** The entries of `result.json`. */
export function describeWeights(
  weights: ByModality<StartingWeights>,
  origins: Origins,
): Pick<Result, 'weights'> {
  const entries = modalities(weights).map((modality) => {
    const origin = origins[modality] ?? {};
    const { dataset } = origin;
    const people = subjectsOf(origin)?.length ?? null;
    return [modality, { ...weights[modality]!, dataset: dataset ?? null, people }] as const;
  });
  return entries.length === 0 ? {} : { weights: Object.fromEntries(entries) };
}

/** The windows that are tested, as far as it must be known whose they are. */
export type TestedWindows = Pick<TestedPeople, 'dataset' | 'sameNames'> & {
  readonly windows: Pick<WindowIndex, 'subject' | 'trial'>;
  readonly folds: readonly Pick<WindowFold, 'test'>[];
};

/**
 * Sentences for the report. Encoders that have seen, without labels, people on whom they are tested are allowed, and said;
 * so it is said of released ones that have not, and where it cannot be known.
 */
export function noteSeenSubjects(
  { windows, folds, ...people }: TestedWindows,
  origins: Origins,
  weights: ByModality<StartingWeights> = {},
): string[] {
  const test = [...new Set(folds.flatMap((fold) => fold.test))];
  const pick = (values: readonly string[]) => test.map((i) => values[i]!);
  const tested = { ...people, subject: pick(windows.subject), trial: pick(windows.trial) };
  return modalities(origins).flatMap((modality) => {
    const name = weights[modality]?.name;
    // An encoder that was pre-trained in the same run has seen names of the same table.
    return noteSeen(`${modality} encoder`, origins[modality]!, {
      ...{ ...tested, sameNames: name === undefined },
      ...(name !== undefined && { name }),
    });
  });
}

interface SeenWords {
  /** Of released weights. */
  readonly name?: string;
  /** Whether it is said too that nobody was seen, or that it cannot be known. Default: of released weights. */
  readonly isSaid?: boolean;
}

/** What must be said of weights before their scores on these people are believed. */
export function noteSeen(
  what: string,
  origin: Origin,
  { name, isSaid = name !== undefined, ...people }: TestedPeople & SeenWords,
): string[] {
  const { seen, unknown, namesakes, tested } = findSeenPeople(origin, people);
  const count = (n: number) => `${n} of the ${tested.length} tested subjects`;
  const begins = name === undefined ? `The ${what}` : `The ${what} begins as ${name}, which`;
  const named = subjectsOf(origin);
  if (named === undefined || origin.dataset === undefined)
    return !isSaid || tested.length === 0
      ? []
      : [`${begins} does not say whom it has seen: tested subjects may be among them.`];
  if (seen.length > 0) {
    const rest = unknown.length === 0 ? '' : `; of ${count(unknown.length)} it is not known`;
    return [
      `The ${what} was pre-trained on unlabelled recordings of ${count(seen.length)} (transductive)${rest}.`,
    ];
  }
  if (namesakes.length > 0)
    return [
      `${begins} has seen unlabelled recordings of people with the names of ${count(namesakes.length)}. Whether they are the same people is not known; where they are, its scores are transductive.`,
    ];
  const whom = `has seen unlabelled recordings of ${named.length} people of ${origin.dataset}`;
  if (unknown.length > 0)
    return [
      `${begins} ${whom}. Whether they are ${count(unknown.length)} is not known: names there and here cannot be compared.`,
    ];
  return !isSaid ? [] : [`${begins} ${whom}, and none of the ${tested.length} tested subjects.`];
}

/**
 * What must be said of a finished model's encoders, which were pre-trained before labels were learned: a model of today
 * names whom they had seen (`encoders` of its provenance), one of before does not.
 */
export function noteSeenByEncoders(provenance: Origin | undefined, people: TestedPeople): string[] {
  const origins: Origins | undefined = encoderOrigins(provenance);
  if (!origins)
    return [
      'The model does not say whom its encoders had seen before they were fine-tuned: tested subjects may be among them.',
    ];
  return modalities(origins).flatMap((modality) =>
    noteSeen(`model's ${modality} encoder`, origins[modality]!, { ...people, isSaid: true }),
  );
}

function modalities<T>(by: ByModality<T>): Modality[] {
  return (['eeg', 'ecg'] as const).filter((modality) => by[modality] !== undefined);
}
