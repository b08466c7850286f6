/**
 * Several encoders of one modality, pre-trained without different people of the benchmark itself: every fold is given one
 * that has not seen the people it tests. With one encoder there is nothing to choose.
 */
import { minOf } from '../core/arrays.ts';
import type { Modality } from '../patches/windows.ts';
import type { Protocol, WindowFold } from './protocol.ts';
import type { BenchmarkData, ChosenEncoder, ChosenEncoders } from './reproduce-data.ts';

/** A protocol's folds, as far as encoders are chosen for them. */
export interface EncoderPlan {
  readonly protocol: Pick<Protocol, 'kind'>;
  readonly folds: readonly Pick<WindowFold, 'name' | 'subjects'>[];
}

/** All encoders of a modality, in the order in which they were named. */
export function encodersOf(encoders: ChosenEncoders, modality: Modality): readonly ChosenEncoder[] {
  const first = encoders[modality];
  return first ? [first, ...(first.others ?? [])] : [];
}

/** Place of the encoder that has seen fewest of the tested people, the first named of several; −1 for no encoder. */
export function pickEncoder(all: readonly ChosenEncoder[], tested: ReadonlySet<string>): number {
  const counts = all.map((encoder) => countSeen(encoder, tested));
  return counts.indexOf(minOf(counts));
}

function countSeen({ seen = [] }: ChosenEncoder, tested: ReadonlySet<string>): number {
  return seen.filter((person) => tested.has(person)).length;
}

/** Embeddings [W][F] by the encoder that a fold is given, which test windows decide; undefined without an encoder. */
export function embeddingsFor(
  { embeddings, further, subject }: Pick<BenchmarkData, 'embeddings' | 'further' | 'subject'>,
  encoders: ChosenEncoders,
  modality: Modality,
  test: readonly number[],
): readonly Float64Array[] | undefined {
  const place = pickEncoder(encodersOf(encoders, modality), new Set(test.map((i) => subject[i]!)));
  return place <= 0 ? embeddings[modality] : further?.[modality]?.[place - 1];
}

/** For the result: source, depth and sha256 of each; of several also the names of the folds that each served, by protocol. */
export function describeEncoders(
  encoders: ChosenEncoders,
  sources: Readonly<Record<string, string>>,
  plans: readonly EncoderPlan[],
) {
  return Object.fromEntries(
    (['eeg', 'ecg'] as const).flatMap((modality) => {
      const all = encodersOf(encoders, modality);
      return all.map((encoder, place) => {
        const { config, sha256, source = sources[modality] ?? 'unknown' } = encoder;
        const one = { source, layers: config.layers, sha256 };
        if (all.length === 1) return [modality, one] as const;
        const folds = Object.fromEntries(
          plans.map(({ protocol, folds: planned }) => [
            protocol.kind,
            planned
              .filter(({ subjects }) => pickEncoder(all, new Set(subjects.test)) === place)
              .map(({ name }) => name),
          ]),
        );
        return [`${modality} ${place + 1}`, { ...one, folds }] as const;
      });
    }),
  );
}

/** Of several encoders: under which protocols every fold has one that has not seen its people, and under which not. */
export function noteSeen(encoders: ChosenEncoders, plans: readonly EncoderPlan[]): string[] {
  const protocols = new Map(plans.map((plan) => [plan.protocol.kind, plan.folds]));
  return (['eeg', 'ecg'] as const).flatMap((modality) => {
    const all = encodersOf(encoders, modality);
    if (all.length < 2) return [];
    return [...protocols].map(([kind, folds]) => {
      const bad = folds.filter(({ subjects }) => {
        const tested = new Set(subjects.test);
        return countSeen(all[pickEncoder(all, tested)]!, tested) > 0;
      }).length;
      if (all.some(({ seen }) => seen === undefined))
        return `${kind}: one of ${all.length} ${modality} encoders does not say whom it has seen: rows with it may be transductive.`;
      return bad === 0
        ? `${kind}: each fold's ${modality} encoder is one of ${all.length}, and has not seen the people it tests.`
        : `${kind}: in ${bad} of ${folds.length} folds each of ${all.length} ${modality} encoders has seen tested people: rows with it are transductive.`;
    });
  });
}
