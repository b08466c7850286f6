/**
 * A benchmark's whole table: every target under every protocol by every model, each unit of it (target, protocol, model,
 * seed) kept when done, so that a stopped run goes on → a result that the table and the report are drawn from.
 */
import { InterruptedError } from '../core/errors.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import type { Compared } from './comparisons.ts';
import { identityOf, loadUnit, saveUnit } from './kept-files.ts';
import { describeProtocol, type Protocol, planFolds, type WindowFold } from './protocol.ts';
import { figuresOf } from './published-figures.ts';
import { noteContexts, noteHeart } from './reach-notes.ts';
import { comparedOf, compareTables } from './reproduce-comparisons.ts';
import { type BenchmarkData, type BenchmarkDataOptions, readBenchmark } from './reproduce-data.ts';
import { describeEncoders, encodersOf, noteSeen } from './reproduce-encoders.ts';
import { type BenchmarkModel, benchmarkModels } from './reproduce-models.ts';
import type { ReproduceRecipe } from './reproduce-recipe.ts';
import type { Reproduction, ReproductionRow, ReproductionTable } from './reproduce-result.ts';
import { aurocWithin, drawBinary, intervalsOf, scoreBinary } from './reproduce-scores.ts';
import { type KeptTrainings, tunedModels } from './reproduce-tuned.ts';

export interface ReproduceOptions extends Omit<BenchmarkDataOptions, 'keepSignals'> {
  /** Where encoders come from, for the result. */
  readonly sources: Readonly<Record<string, string>>;
  /** Encoders learn too. */
  readonly tune?: boolean;
  /** Checkpoints of trainings of `tune`. */
  readonly trainings?: KeptTrainings | undefined;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly notes?: readonly string[];
}

/** Run it, or go on with it. Errors of reading, of protocols and of training; InterruptedError where it was stopped. */
export async function reproduce(options: ReproduceOptions): Promise<Reproduction> {
  const { spec, recipe, encoders, tune = false, progress, backend } = options;
  const begun = performance.now();
  const data = await readBenchmark({ ...options, keepSignals: tune });
  const read = performance.now();
  const models = [
    ...(tune ? tunedModels({ ...options, data }) : []),
    ...benchmarkModels({ ...options, data }),
  ];
  const plans = recipe.targets.flatMap((target) =>
    recipe.protocols.map((protocol) => planTable(data, spec, recipe, target, protocol)),
  );
  /** Who is tested is the same under every seed; who of the others validates is drawn again, where one person is left out. */
  const replanned = new Map<string, TablePlan>();
  const planFor = (plan: TablePlan, seed: number): TablePlan => {
    const { target, protocol } = plan;
    if (foldSeed(protocol, recipe, seed) === recipe.seeds[0]) return plan;
    const key = `${target} ${protocol.kind} ${seed}`;
    const found = replanned.get(key) ?? planTable(data, spec, recipe, target, protocol, seed);
    replanned.set(key, found);
    return found;
  };
  const seedsOf = ({ seeded }: BenchmarkModel) => (seeded ? recipe.seeds : [recipe.seeds[0]!]);
  const total = plans.reduce(
    (sum, { folds }) => sum + folds.length * models.reduce((n, model) => n + seedsOf(model).length, 0),
    0,
  );
  const stage = progress.stage(`evaluate ${recipe.benchmark}`, total, 'folds');
  const tables: ReproductionTable[] = [];
  const compared: Map<string, Compared>[] = [];
  let done = 0;
  for (const plan of plans) {
    const rows: ReproductionRow[] = [];
    const known = new Map<string, Compared>();
    for (const model of models) {
      const probabilities: Float64Array[] = [];
      for (const seed of seedsOf(model)) {
        const onFold = () => stage.update(++done);
        probabilities.push(await runUnit(options, data, planFor(plan, seed), model, seed, onFold));
      }
      const scored = scoreRow(data, plan, model, probabilities);
      rows.push(scored.row);
      known.set(model.name, scored.compared);
    }
    compared.push(known);
    const { target, protocol, folds } = plan;
    tables.push({
      ...{ target, protocol: protocol.kind, folds: folds.length, rows, drawn: drawnIn(protocol) },
      classes: [...spec.targets[target]!],
      description: describeProtocol(protocol, spec),
      leaky: protocol.kind === 'segment-random',
      tested: {
        ...countTested(data, plan.tested),
        ...(data.seamed && { seamless: plan.tested.filter((i) => !data.seamed![i]).length }),
      },
      comparisons: [],
    });
  }
  stage.end();
  const comparisons = compareTables(
    tables.map(({ protocol, rows }, t) => ({ protocol, rows, models: compared[t]! })),
  );
  for (const [t, table] of tables.entries()) table.comparisons = comparisons[t]!;
  return {
    ...{ version: 1, benchmark: recipe.benchmark, created: new Date().toISOString() },
    command: options.command,
    versions: { ...options.versions, engine: backend.description },
    dataset: {
      ...{ name: spec.name, title: spec.title, licence: spec.licence, citation: spec.citation },
      hash: data.hash,
    },
    encoders: describeEncoders(encoders, options.sources, plans),
    tuned: tune,
    tables,
    published: figuresOf(recipe.benchmark).map((figure) => ({ ...figure, scores: { ...figure.scores } })),
    data: {
      ...countTested(data, [...data.subject.keys()]),
      classes: Object.fromEntries(
        recipe.targets.map((target) => [
          target,
          countClasses(spec.targets[target]!, data.labels.get(target)!),
        ]),
      ),
      dropped: [...data.dropped],
    },
    notes: [
      ...(options.notes ?? []),
      ...(data.notes ?? []),
      ...noteSeen(encoders, plans),
      ...noteContexts(data.recipe),
      ...noteHeart(data.recipe),
      ...noteBaseline(recipe, tune),
      ...noteClasses(plans),
    ],
    recipe,
    seconds: {
      read: (read - begun) / 1000,
      evaluate: (performance.now() - read) / 1000,
    },
  };
}

/** A target under a protocol. */
interface TablePlan {
  readonly target: string;
  readonly protocol: Protocol;
  readonly labels: Int32Array;
  readonly folds: readonly WindowFold[];
  /** Tested windows, ascending. */
  readonly tested: readonly number[];
}

/** Folds of the labelled windows, as indices of all windows. */
function planTable(
  data: BenchmarkData,
  spec: DatasetSpec,
  recipe: ReproduceRecipe,
  target: string,
  protocol: Protocol,
  seed = recipe.seeds[0]!,
): TablePlan {
  const labels = data.labels.get(target)!;
  const labelled = [...labels.keys()].filter((i) => labels[i]! >= 0);
  const pick = (values: readonly string[]) => labelled.map((i) => values[i]!);
  const view = {
    ...{ recipe: data.recipe, count: labelled.length },
    ...{ subject: pick(data.subject), trial: pick(data.trial) },
    ...(data.stimulus && { stimulus: pick(data.stimulus) }),
    label: Int32Array.from(labelled, (i) => labels[i]!),
  };
  const back = (indices: readonly number[]) => indices.map((i) => labelled[i]!);
  const folds = planFolds(protocol, view, spec, seed).map((fold) => ({
    ...fold,
    train: back(fold.train),
    validation: back(fold.validation),
    test: back(fold.test),
  }));
  const tested = [...new Set(folds.flatMap(({ test }) => test))].sort((a, b) => a - b);
  return { target, protocol, labels, folds, tested };
}

/** What folds are drawn by: the first seed for all, but for validation people where one person is left out. */
function foldSeed({ kind }: Protocol, { seeds }: ReproduceRecipe, seed: number): number {
  return kind === 'leave-one-subject-out' ? seed : seeds[0]!;
}

/** Probabilities of class 1 of the tested windows: kept ones where they are of the same data, recipe and folds. */
async function runUnit(
  options: ReproduceOptions,
  data: BenchmarkData,
  { target, protocol, labels, folds, tested }: TablePlan,
  model: BenchmarkModel,
  seed: number,
  onFold: () => void,
): Promise<Float64Array> {
  const { kept, recipe, encoders, signal, tune = false } = options;
  const { kind } = model;
  const name = `${target}-${protocol.kind}-${model.name}-seed${seed}`;
  const path = `predictions/${tune && kind === 'deep' ? 'tuned-' : ''}${name}.json`;
  const shas = (['eeg', 'ecg'] as const).flatMap((modality) =>
    encodersOf(encoders, modality).map(({ sha256: hash }) => hash),
  );
  const own = model.seeded ? [tune && kind === 'deep' ? recipe.tuned : recipe.head, shas] : [];
  const identity = await identityOf([
    data.hash,
    target,
    protocol,
    model.name,
    seed,
    foldSeed(protocol, recipe, seed),
    recipe.baseline,
    own,
    ...(model.joined ? [model.joined] : []),
  ]);
  const before = await loadUnit(kept, path, identity, (result) => readUnit(result, tested.length));
  if (before) {
    for (const _ of folds) onFold();
    return before;
  }
  const row = new Map(tested.map((window, i) => [window, i]));
  const result = new Float64Array(tested.length);
  for (const [f, fold] of folds.entries()) {
    if (signal?.aborted)
      throw new InterruptedError(`reproduce: stopped in ${name}. What is done is kept; run again to go on.`);
    const values =
      oneClass(labels, fold) ?? (await model.run({ labels, fold, seed, name: `${name}-fold${f + 1}` }));
    // Written as text: the same digits whether computed now or before.
    for (const [i, window] of fold.test.entries())
      result[row.get(window)!] = Number(values[i]!.toPrecision(7));
    onFold();
  }
  await saveUnit(kept, path, identity, [...result]);
  await options.trainings?.forget(name);
  return result;
}

function readUnit(value: unknown, length: number): Float64Array | undefined {
  if (!Array.isArray(value)) return undefined;
  const result = Float64Array.from(value as number[]);
  return result.length === length && result.every(Number.isFinite) ? result : undefined;
}

/** Whoever has seen one class only predicts it. */
function oneClass(labels: Int32Array, { train, test }: WindowFold): Float64Array | undefined {
  const first = labels[train[0]!]!;
  return train.every((i) => labels[i] === first) ? new Float64Array(test.length).fill(first) : undefined;
}

function noteBaseline({ baseline }: ReproduceRecipe, tune: boolean): string[] {
  if (!tune || baseline !== 'features') return [];
  return [
    'Tuned encoders see signals as they are: neutral stretches are subtracted in the classical rows only.',
  ];
}

function noteClasses(plans: readonly TablePlan[]): string[] {
  return plans.flatMap(({ target, protocol, labels, folds }) => {
    const single = folds.filter((fold) => oneClass(labels, fold)).length;
    return single === 0
      ? []
      : [
          `${target}, ${protocol.kind}: in ${single} of ${folds.length} folds the training part has one class only; every model predicts it there.`,
        ];
  });
}

/** A protocol that leaves stimuli out tells of new stimuli: those are drawn again. */
function drawnIn({ kind }: Protocol): 'subjects' | 'stimuli' {
  return kind === 'leave-stimulus-out' ? 'stimuli' : 'subjects';
}

function scoreRow(
  data: BenchmarkData,
  { labels, tested, protocol }: TablePlan,
  { name, kind }: BenchmarkModel,
  probabilities: readonly Float64Array[],
): { readonly row: ReproductionRow; readonly compared: Compared } {
  const units = drawnIn(protocol) === 'stimuli' ? data.stimulus! : data.subject;
  const truth = Int32Array.from(tested, (i) => labels[i]!);
  const unit = tested.map((i) => units[i]!);
  const subject = tested.map((i) => data.subject[i]!);
  const trials = new Map<string, number[]>();
  for (const [row, i] of tested.entries()) {
    const key = `${data.subject[i]}\n${data.trial[i]}`;
    trials.set(key, [...(trials.get(key) ?? []), row]);
  }
  const groups = [...trials.values()];
  const meanOf = (p: Float64Array) =>
    Float64Array.from(groups, (rows) =>
      // Equal probabilities stay equal whatever the number of windows: ties count in a ranking.
      Number((rows.reduce((sum, row) => sum + p[row]!, 0) / rows.length).toPrecision(12)),
    );
  const predictions = { truth, probabilities, unit };
  const drawn = drawBinary(predictions);
  const whole = data.seamed && [...tested.keys()].filter((row) => !data.seamed![tested[row]!]);
  const row = {
    ...{ model: name, kind, seeds: probabilities.length, transductive: name.endsWith('-standardised') },
    windows: intervalsOf(predictions, drawn),
    trials: scoreBinary({
      truth: groups.map(([first]) => truth[first!]!),
      probabilities: probabilities.map(meanOf),
      unit: groups.map(([first]) => unit[first!]!),
    }),
    ...(whole && {
      seamless: scoreBinary({
        truth: whole.map((row) => truth[row]!),
        probabilities: probabilities.map((p) => Float64Array.from(whole, (row) => p[row]!)),
        unit: whole.map((row) => unit[row]!),
      }),
    }),
    aurocWithinSubjects: aurocWithin({ truth, probabilities, unit: subject }),
  };
  return { row, compared: comparedOf(predictions, drawn) };
}

function countTested({ subject, trial }: BenchmarkData, tested: readonly number[]) {
  return {
    windows: tested.length,
    trials: new Set(tested.map((i) => `${subject[i]}\n${trial[i]}`)).size,
    subjects: new Set(tested.map((i) => subject[i]!)).size,
  };
}

function countClasses(classes: readonly string[], labels: Int32Array): Record<string, number> {
  return Object.fromEntries(classes.map((name, k) => [name, labels.filter((label) => label === k).length]));
}
