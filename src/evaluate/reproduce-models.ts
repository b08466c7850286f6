/**
 * The rows of a benchmark's table: the trivial ones, logistic regression on classical features, and heads on embeddings,
 * each of them also with features standardised within people where the recipe asks for it. One interface: labels and a
 * fold → probabilities of class 1.
 */
import type { Modality } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { standardisePerSubject } from '../signal/standardise.ts';
import { fillMissing, runClassical } from './baselines.ts';
import { isHybrid, modalitiesIn } from './model-names.ts';
import type { GroupFold } from './protocol-groups.ts';
import type { BenchmarkData, ChosenEncoders } from './reproduce-data.ts';
import { embeddingsFor } from './reproduce-encoders.ts';
import { runHead } from './reproduce-head.ts';
import { type FoldTask, type Head, headOn, joinFeatures, joinHeads, trainedOnce } from './reproduce-heads.ts';
import { productFeatures } from './reproduce-products.ts';
import { readRates } from './reproduce-rate.ts';
import type { ReproduceRecipe } from './reproduce-recipe.ts';

export interface BenchmarkModel {
  readonly name: string;
  /** hybrid: embeddings and classical features. */
  readonly kind: 'deep' | 'hybrid' | 'classical' | 'trivial';
  /** Another seed gives another model. */
  readonly seeded?: true;
  /** How heads are joined, where it is not the plain mean of their logits. */
  readonly joined?: 'even';
  /** Probabilities of class 1 of the fold's test windows. */
  run(task: FoldTask): ArrayLike<number> | Promise<ArrayLike<number>>;
}

export interface ModelOptions {
  readonly backend: Backend;
  readonly data: BenchmarkData;
  readonly recipe: ReproduceRecipe;
  /** Whose embeddings the data hold. */
  readonly encoders: ChosenEncoders;
  readonly signal?: AbortSignal | undefined;
}

/** All of a table, deep ones first. */
export function benchmarkModels(options: ModelOptions): BenchmarkModel[] {
  const { data, recipe } = options;
  const ways = recipe.standardise.map((way) => ({
    suffix: way === 'none' ? '' : '-standardised',
    prepare: onceForEach((rows: readonly Float64Array[]) =>
      way === 'none' ? rows : standardisePerSubject(rows, data.subject).rows,
    ),
  }));
  const embedded = (modality: Modality) => data.embeddings[modality] !== undefined;
  const deep = ways.flatMap(({ suffix, prepare }) => {
    const head = (own: readonly Modality[]) =>
      headOn(options, ({ test }) =>
        own.map((modality) => prepare(embeddingsFor(data, options.encoders, modality, test)!)),
      );
    // Alone, averaged and in a hybrid they are the same heads.
    const [eeg, ecg] = [trainedOnce(head(['eeg'])), trainedOnce(head(['ecg']))];
    const rate = trainedOnce(headOn(options, (fold) => [prepare(ratesFor(options, fold))]));
    return recipe.models.flatMap((model) => {
      const name = `${model}${suffix}`;
      if (model === 'eeg×ecg') return productModel(name, options, prepare);
      const modalities = modalitiesIn(model);
      if (!modalities.every(embedded)) return [];
      const heads = modalities.map((modality) => {
        if (modality === 'eeg') return eeg;
        return isRate(model) ? rate : ecg;
      });
      if (isHybrid(model))
        return [averaged(name, 'hybrid', [...heads, ...classicalHeads(options, prepare)], 'even')];
      if (isRate(model)) return [averaged(name, 'deep', heads, 'even')];
      return [averaged(name, 'deep', isLate(model) || heads.length === 1 ? heads : [head(modalities)])];
    });
  });
  const classical = ways.flatMap(({ suffix, prepare }) =>
    recipe.models.flatMap((model) => {
      if (model === 'eeg×ecg' || isHybrid(model) || isRate(model)) return [];
      const name = `classical-${model}${suffix}`;
      const parts = modalitiesIn(model).map((modality) => data.classical[modality]);
      if (parts.some((part) => part === undefined)) return [];
      if (isLate(model)) {
        const heads = classicalHeads(options, prepare);
        // On equal terms with rows that are joined so.
        const even = recipe.models.some((other) => isHybrid(other) || isRate(other));
        const evenName = `classical-${model.replace(/late$/, 'even')}${suffix}`;
        return [
          averaged(name, 'classical', heads),
          ...(even ? [averaged(evenName, 'classical', heads, 'even')] : []),
        ];
      }
      const prepared = parts.map((part) => prepare(part!));
      const rows = prepared[0]!.map((_, i) => Float64Array.from(prepared.flatMap((part) => [...part[i]!])));
      return [classicalModel(name, rows)];
    }),
  );
  return [...deep, ...classical, ...trivialModels(data)];
}

function isLate(model: string): boolean {
  return model.endsWith('-late');
}

function isRate(model: string): boolean {
  return model.endsWith('-rate');
}

/** Heart rate as the ECG embeddings of a fold's encoder tell it. */
function ratesFor({ data, encoders }: ModelOptions, { train, test }: GroupFold): Float64Array[] {
  const features = joinFeatures([embeddingsFor(data, encoders, 'ecg', test)!]);
  const rates = Float64Array.from(data.classical.ecg!, (row) => row[0]!);
  return readRates(features, rates, data.subject, train);
}

/**
 * The recipe's head on band powers, and one on the heart's rate and variability, where there are such. What is undefined in
 * a window takes the training windows' median.
 */
function classicalHeads(options: ModelOptions, prepare: Prepare): Head[] {
  return (['eeg', 'ecg'] as const).flatMap((modality) => {
    const rows = options.data.classical[modality];
    if (!rows) return [];
    const prepared = prepare(rows);
    return [headOn(options, ({ train }) => [fillMissing(prepared, train)])];
  });
}

/** A row of heads that are joined. */
function averaged(
  name: string,
  kind: BenchmarkModel['kind'],
  heads: readonly Head[],
  joined?: 'even',
): BenchmarkModel {
  return { ...{ name, kind, seeded: true }, ...(joined && { joined }), run: joinHeads(heads, joined) };
}

type Prepare = (rows: readonly Float64Array[]) => readonly Float64Array[];

/** The same result for the same rows: encoders serve several folds and models. */
function onceForEach(prepare: Prepare): Prepare {
  const known = new WeakMap<readonly Float64Array[], readonly Float64Array[]>();
  return (rows) => {
    const found = known.get(rows) ?? prepare(rows);
    known.set(rows, found);
    return found;
  };
}

/** A linear head on products. */
function productModel(
  name: string,
  { backend, data, recipe, encoders, signal }: ModelOptions,
  prepare: Prepare,
): BenchmarkModel[] {
  if (!data.embeddings.eeg || !data.embeddings.ecg) return [];
  const rowsFor = (modality: Modality, test: readonly number[]) =>
    prepare(embeddingsFor(data, encoders, modality, test)!);
  const trials = data.trial.map((one, i) => `${data.subject[i]}\n${one}`);
  return [
    {
      ...{ name, kind: 'deep', seeded: true },
      run: ({ labels, fold, seed }) =>
        runHead({
          ...{ backend, labels, seed, signal, recipe: { ...recipe.head, kind: 'linear' } },
          features: productFeatures(rowsFor('eeg', fold.test), rowsFor('ecg', fold.test), trials, fold),
          training: fold.train,
          validation: fold.validation,
          test: fold.test,
        }),
    },
  ];
}

function classicalModel(name: string, rows: readonly Float64Array[]): BenchmarkModel {
  return {
    ...{ name, kind: 'classical' },
    run({ labels, fold: { train, test } }) {
      const probabilities = runClassical(rows, labels, train, test, 2);
      return Float64Array.from(test, (_, i) => probabilities[2 * i + 1]!);
    },
  };
}

/** What can be said without looking at the signals; by how often class 1 occurs in training. */
function trivialModels({ subject, stimulus }: BenchmarkData): BenchmarkModel[] {
  const trivial = (name: string, run: BenchmarkModel['run']): BenchmarkModel => ({
    name,
    kind: 'trivial',
    run,
  });
  const shareOf = (labels: Int32Array, indices: readonly number[]) =>
    indices.reduce((sum, i) => sum + labels[i]!, 0) / indices.length;
  /** The share among the training windows of the same key, one window of the overall share added. */
  const shareByKey =
    (keys: readonly string[]): BenchmarkModel['run'] =>
    ({ labels, fold: { train, test } }) => {
      const overall = shareOf(labels, train);
      const sums = new Map<string, { ones: number; count: number }>();
      for (const i of train) {
        const { ones, count } = sums.get(keys[i]!) ?? { ones: overall, count: 1 };
        sums.set(keys[i]!, { ones: ones + labels[i]!, count: count + 1 });
      }
      return Float64Array.from(test, (i) => {
        const { ones, count } = sums.get(keys[i]!) ?? { ones: overall, count: 1 };
        return ones / count;
      });
    };
  return [
    trivial('majority', ({ labels, fold: { train, test } }) =>
      new Float64Array(test.length).fill(Number(shareOf(labels, train) > 0.5)),
    ),
    trivial('prior', ({ labels, fold: { train, test } }) =>
      new Float64Array(test.length).fill(shareOf(labels, train)),
    ),
    trivial('subject-prior', shareByKey(subject)),
    ...(stimulus ? [trivial('stimulus-prior', shareByKey(stimulus))] : []),
  ];
}
