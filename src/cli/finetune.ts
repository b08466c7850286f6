/** `heartmind finetune`: one model from labelled recordings, to be used; scores on new people come from `evaluate`. */
import { join } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError, DataError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/output-node.ts';
import { Random } from '../core/random.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import { classesOf, completeClasses } from '../datasets/folds.ts';
import { type Targets, targetKinds, targetsOf } from '../datasets/targets.ts';
import { describeTraining } from '../evaluate/describe.ts';
import { checkReader } from '../evaluate/duplicates.ts';
import { assertSeveralClasses, noteMissingClasses } from '../evaluate/fold-classes.ts';
import { encodeModel } from '../model/model-file.ts';
import type { WindowIndex } from '../patches/window-reader.ts';
import { noteDivergence } from '../train/divergence.ts';
import { finetune } from '../train/finetune.ts';
import { parseFinetuneRecipe } from '../train/recipe.ts';
import {
  type Context,
  createBackend,
  jsonFlag,
  optionalText,
  parseCount,
  requiredText,
  workFlags,
} from './command.ts';
import { chooseData, chooseTarget, dataBrief, duplicatesFlag, memoryFlag, openWindows } from './data.ts';
import { encoderFlags, readEncodersFor } from './model-source.ts';
import { onRanks, type RanksFlags, ranksFlag } from './ranks.ts';
import { inputOptionsOf, type StatedFlags, statedFlags } from './read-flags.ts';
import { readRecipe } from './recipe-file.ts';
import { describeVersions, keepIn, prepareRunFolder, runFiles, writeResult } from './run-folder.ts';

interface Flags extends RanksFlags, StatedFlags {
  readonly data: string;
  readonly target?: string;
  readonly recipe: string;
  readonly eeg?: string;
  readonly ecg?: string;
  readonly validationSubjects: number;
  readonly published: boolean;
  readonly out: string;
  readonly allowDuplicates: boolean;
  readonly memory?: number;
  readonly json: boolean;
}

export const finetuneCommand = buildCommand<Flags, [], Context>({
  docs: {
    brief: 'Fine-tune one model on labelled recordings; a stopped run goes on where it was',
    customUsage: [
      {
        input:
          '--data my/labels.csv --target stress --recipe finetune --eeg cbramod.pth --ecg runs/ecg/encoder.safetensors --out runs/mine',
        brief: 'Both modalities from pre-trained encoders',
      },
      { input: '--data eegmat=FOLDER --recipe finetune --out runs/mine', brief: 'From scratch' },
      {
        input:
          '--data ptbxl=FOLDER --target superclasses --recipe finetune-ecg --ecg ecg-12 --published --out runs/ptbxl',
        brief: "Several labels at once; who trains and who validates as PTB-XL's authors say",
      },
    ],
  },
  parameters: {
    flags: {
      data: requiredText(dataBrief, 'data'),
      target: optionalText(
        'What to predict: a class, several labels at once, or a number (default: the only class)',
        'name',
      ),
      recipe: requiredText('A name of recipes/ or a JSON file', 'recipe'),
      ...encoderFlags,
      validationSubjects: {
        kind: 'parsed',
        parse: parseCount('--validation-subjects'),
        brief: 'How many subjects choose the best epoch',
        default: '4',
        placeholder: 'n',
      },
      published: {
        kind: 'boolean',
        brief:
          "Train and validate on those parts of the dataset's published split; its test people are left alone",
        default: false,
      },
      out: requiredText('Folder of the run', 'folder'),
      ...duplicatesFlag,
      ...statedFlags,
      ...memoryFlag,
      ...workFlags,
      ...ranksFlag,
      ...jsonFlag,
    },
  },
  func: onRanks<Flags>(async function (flags, { ranks, signal, engine, progress, writes }) {
    const { data, recipe: recipeName, eeg, ecg, validationSubjects, out, memory, json } = flags;
    const recipe = parseFinetuneRecipe(readRecipe(recipeName), recipeName);
    await prepareRunFolder(out, 'finetune', { writes, files: [...runFiles, 'model.safetensors'] });
    const { encoders, provenance } = await readEncodersFor(recipe, { eeg, ecg });
    const path = join(out, 'model.safetensors');
    const chosen = await chooseData(data, recipe.prepare, { signal });
    const { spec, folder, store } = chosen;
    // Labels and numbers are asked of the trials; a store keeps classes alone.
    const kind = flags.target === undefined || store ? 'class' : targetKinds(spec).get(flags.target);
    const target = kind === 'class' || !kind ? chooseTarget(spec, flags.target) : flags.target!;
    const backend = await createBackend(engine);
    const windows = await openWindows(chosen, recipe.prepare, progress, {
      ...{ signal, memory, input: inputOptionsOf(flags, signal) },
      ...(kind === 'class' || !kind ? { target } : {}),
    });
    const targets =
      kind === 'class' || !kind ? undefined : targetsOf(spec, await spec.trials(folder), windows, target);
    const comparing = windows.far ? progress.stage('compare', windows.count) : undefined;
    const duplicates = await checkReader('finetune', windows, spec, {
      ...{ allow: flags.allowDuplicates, signal },
      onProgress: (done) => comparing?.update(done),
    });
    comparing?.end();
    if (!targets) assertSeveralClasses('finetune', windows);
    const { training, validation, subjects } = flags.published
      ? publishedSubjects(windows, spec)
      : splitSubjects(windows, validationSubjects, recipe.seed);
    const begun = performance.now();
    const { model, curves, bestEpoch } = await finetune({
      ...keepIn(out)('finetune'),
      backend,
      windows,
      dataset: chosen.spec.name,
      recipe,
      training: known(training, targets),
      validation: known(validation, targets),
      ...(targets && { targets }),
      encoders,
      origins: provenance,
      signal,
      ranks,
      progress: (total) => progress.stage('fine-tune', total),
    });
    if (!writes) return;
    await writeFileAtomically(path, encodeModel(model));
    const described = describeTraining({
      name: 'fine-tuning',
      dataset: chosen.spec,
      windows,
      target,
      protocol: `fine-tuning; ${subjects.length} subjects validate (${subjects.slice(0, 20).join(', ')}${subjects.length > 20 ? ', …' : ''}); nobody tests`,
      seed: recipe.seed,
      versions: { ...describeVersions(), engine: backend.description },
      curves: [{ name: 'fine-tune', rows: [...curves], bestEpoch }],
      notes: [
        ...duplicates,
        ...(targets || !windows.label
          ? []
          : noteMissingClasses(
              [{ name: 'fine-tuning', train: training, validation, test: [] }],
              windows.label,
              windows.classes,
            )),
        'The validation subjects chose the epoch: for scores that hold for new people, use heartmind evaluate.',
      ],
      recipe,
      seconds: (performance.now() - begun) / 1000,
    });
    for (const note of noteDivergence(described.curves, windows.classes.length)) progress.log(note);
    const report = await writeResult(out, described);
    const best = curves.find(({ epoch }) => epoch === bestEpoch) ?? {};
    if (json)
      this.process.stdout.write(`${JSON.stringify({ model: path, report, bestEpoch, validation: best })}\n`);
    else {
      const figures = ['loss', 'balancedAccuracy', 'auroc', 'r2', 'mae'].flatMap((key) =>
        best[key] === undefined ? [] : [`${key} ${Number(best[key]).toFixed(3)}`],
      );
      this.process.stdout.write(
        `Best epoch ${bestEpoch}, on the validation subjects: ${figures.join(', ')}\nModel: ${path}\nReport: ${report}\n`,
      );
    }
  }),
});

/** Windows of which something is known. */
function known(indices: readonly number[], targets: Targets | undefined): readonly number[] {
  if (!targets) return indices;
  const { names, values } = targets;
  return indices.filter((i) => names.some((_, k) => !Number.isNaN(values[i * names.length + k]!)));
}

/** The training and validation parts of the dataset's own split. ConfigError where it has none. */
function publishedSubjects({ subject }: WindowIndex, { name, splits }: DatasetSpec) {
  const split = splits.published;
  if (!split)
    throw new ConfigError(`--published: ${name} has no published split. Leave it out.`, '--published');
  const of = (people: readonly string[]) => {
    const wanted = new Set(people);
    return [...subject.keys()].filter((i) => wanted.has(subject[i]!));
  };
  return { subjects: split.validation, training: of(split.train), validation: of(split.validation) };
}

/** Some subjects validate, the others train. DataError where nobody would be left. */
function splitSubjects({ subject, label }: WindowIndex, count: number, seed: number) {
  const people = [...new Set(subject)].sort();
  if (people.length <= count)
    throw new DataError(
      `finetune: ${people.length} subjects, of which ${count} would validate and none train. Lower --validation-subjects.`,
    );
  const drawn = Random.derive(seed, 'validation', 'finetune').shuffle(people);
  const parts = completeClasses(drawn.slice(0, count), drawn.slice(count), classesOf(subject, label));
  const subjects = parts.validation.toSorted();
  const held = new Set(subjects);
  const indices = [...subject.keys()];
  return {
    subjects,
    training: indices.filter((i) => !held.has(subject[i]!)),
    validation: indices.filter((i) => held.has(subject[i]!)),
  };
}
