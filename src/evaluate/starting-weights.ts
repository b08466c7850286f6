/** What a result says of the pre-trained weights that its encoders began from: which, by their sha256, and whom they have seen. */
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
export type Origins = ByModality<Readonly<Record<string, string>>>;

/** The entries of `result.json`. */
export function describeWeights(
  weights: ByModality<StartingWeights>,
  origins: Origins,
): Pick<Result, 'weights'> {
  const entries = modalities(weights).map((modality) => {
    const { dataset, subjects } = origins[modality] ?? {};
    const people = subjects === undefined ? null : (JSON.parse(subjects) as string[]).length;
    return [modality, { ...weights[modality]!, dataset: dataset ?? null, people }] as const;
  });
  return entries.length === 0 ? {} : { weights: Object.fromEntries(entries) };
}

/**
 * Sentences for the report. Encoders that have seen, without labels, people on whom they are tested are allowed, and said;
 * so it is said of released ones that have not.
 */
export function noteSeenSubjects(
  dataset: string,
  subject: readonly string[],
  folds: readonly WindowFold[],
  origins: Origins,
  weights: ByModality<StartingWeights> = {},
): string[] {
  const tested = new Set(folds.flatMap(({ test }) => test.map((i) => subject[i]!)));
  return modalities(origins).flatMap((modality) => {
    const { dataset: seenOf, subjects } = origins[modality]!;
    if (subjects === undefined) return [];
    const seen = new Set<string>(JSON.parse(subjects));
    const both = seenOf === dataset ? [...tested].filter((one) => seen.has(one)).length : 0;
    if (both > 0)
      return [
        `The ${modality} encoder was pre-trained on unlabelled recordings of ${both} of the ${tested.size} tested subjects (transductive).`,
      ];
    const { name } = weights[modality] ?? {};
    if (name === undefined) return [];
    const whom = `unlabelled recordings of ${seen.size} people of ${seenOf ?? 'unknown data'}`;
    return [
      `The ${modality} encoder begins as ${name}, which has seen ${whom}, and none of the ${tested.size} tested subjects.`,
    ];
  });
}

function modalities<T>(by: ByModality<T>): Modality[] {
  return (['eeg', 'ecg'] as const).filter((modality) => by[modality] !== undefined);
}
