/** A finished model on labelled recordings of people whom it has not seen → a result. */
import { appendAll } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import { findSeenPeople, type SeenPeople } from '../datasets/people.ts';
import { modalitiesOf } from '../model/config.ts';
import type { TrainedModel } from '../model/model-file.ts';
import { Predictor } from '../model/predict.ts';
import { selectWindows } from '../patches/window-set.ts';
import type { Modality, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { Progress } from '../train/progress.ts';
import { describeTraining } from './describe.ts';
import { checkDuplicates } from './duplicates.ts';
import { assertSeveralClasses } from './fold-classes.ts';
import type { Result } from './result.ts';
import { noteSeenByEncoders } from './starting-weights.ts';
import { summarisePredictions } from './summary.ts';
import type { Tested } from './tested.ts';

export interface FinishedModelOptions {
  readonly name: string;
  readonly backend: Backend;
  readonly model: TrainedModel;
  readonly dataset: DatasetSpec;
  readonly target: string;
  /** Labelled, prepared by the model's recipe. */
  readonly windows: WindowSet;
  /** Test a model of both signals that can do without one also without each: rows `eeg+ecg, ECG missing`. */
  readonly testMissing?: boolean;
  /** Equal windows under several subjects are a note, not an error. */
  readonly allowDuplicates?: boolean | undefined;
  readonly progress: Progress;
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Test it. Subjects of its own training data are left out, and those who have their names; DataError where nobody else is
 * there, or where the classes are not the model's.
 */
export async function evaluateModel(options: FinishedModelOptions): Promise<Result> {
  const { backend, model, dataset, progress } = options;
  const windows = matchClasses(options.windows, model.classes);
  const begun = performance.now();
  const { seed = '0' } = model.provenance ?? {};
  const known = findSeenPeople(model.provenance, { ...windows, dataset: dataset.name });
  const leftOut = new Set([...known.seen, ...known.namesakes]);
  const indices = [...windows.subject.keys()].filter((i) => !leftOut.has(windows.subject[i]!));
  if (indices.length === 0) throw nobodyLeft(known, dataset.name);
  const tested = selectWindows(windows, indices);
  assertSeveralClasses('evaluate', tested);
  const duplicates = checkDuplicates('evaluate', tested, dataset, options.allowDuplicates);
  const predictor = new Predictor(backend, model.config, model.tensors);
  const stage = progress.stage('predict', tested.count);
  const modalities = modalitiesOf(model.config);
  const name = modalities.join('+');
  const without: (Modality | undefined)[] = [undefined];
  if (options.testMissing && model.config.nullEmbeddings) appendAll(without, modalities);
  const predictions = new Map<string, Tested>();
  for (const missing of without) {
    const signals = Object.fromEntries(
      Object.entries(tested.signals).filter(([modality]) => modality !== missing),
    );
    const probabilities = await predictor.probabilities(signals, {
      ...(missing === undefined && { onProgress: (done: number) => stage.update(done) }),
    });
    predictions.set(missing ? `${name}, ${missing.toUpperCase()} missing` : name, {
      ...{ truth: tested.label!, subject: tested.subject },
      probabilities: [Float64Array.from(probabilities)],
    });
  }
  stage.end();
  await predictor.dispose();
  const people = [...new Set(tested.subject)].sort();
  const unknown = known.unknown.length - known.namesakes.length;
  return {
    ...describeTraining({
      ...options,
      windows: tested,
      protocol:
        unknown > 0
          ? `finished model on ${people.length} subjects, of whom ${unknown} may be among those it was trained on`
          : `finished model on ${people.length} subjects that it was not trained on`,
      seed: Number(seed),
      versions: { ...options.versions, engine: backend.description },
      curves: [],
      notes: [
        ...duplicates,
        ...noteLeftOut(known),
        ...(unknown > 0
          ? [
              `Whether the model was trained on ${unknown} of the ${people.length} tested subjects is not known: names in its training data and here cannot be compared.`,
            ]
          : []),
        ...noteSeenByEncoders(model.provenance, { ...tested, dataset: dataset.name }),
      ],
      recipe: model.provenance ?? {},
      seconds: (performance.now() - begun) / 1000,
    }),
    ...summarisePredictions(predictions, tested.trial, model.classes.length),
  };
}

function nobodyLeft({ namesakes, tested }: SeenPeople, dataset: string): DataError {
  const [whom, unless] =
    namesakes.length === 0
      ? ['', '']
      : ['people with the names of ', '; where these are others, give them other names'];
  return new DataError(
    `evaluate: the model was trained on ${whom}all ${tested.length} subjects of ${dataset}. Test it on other people${unless}.`,
  );
}

function noteLeftOut({ seen, namesakes }: SeenPeople): string[] {
  const count = (n: number) => `${n} subject${n === 1 ? ' was' : 's were'} left out`;
  return [
    ...(seen.length > 0 ? [`${count(seen.length)}: the model was trained on them.`] : []),
    ...(namesakes.length > 0
      ? [`${count(namesakes.length)}: the model was trained on people of the same names, who may be they.`]
      : []),
  ];
}

/** Labels as indices of the model's classes, by name. DataError for a class that the model does not know. */
function matchClasses(windows: WindowSet, classes: readonly string[]): WindowSet {
  const places = windows.classes.map((name) => classes.indexOf(name));
  if (places.includes(-1))
    throw new DataError(
      `evaluate: the model tells ${classes.join(', ')} apart, the data has ${windows.classes.join(', ')}. Choose another target or model.`,
    );
  if (!windows.label) return windows;
  return { ...windows, classes, label: windows.label.map((label) => places[label]!) };
}
