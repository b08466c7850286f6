/** `heartmind evaluate`: train and test under a protocol, or test a finished model on people it has not seen. */
import { join, resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/output-node.ts';
import { evaluateModel } from '../evaluate/finished-model.ts';
import { parseLadderRecipe } from '../evaluate/ladder.ts';
import { type Protocol, protocolKinds, protocolSchema } from '../evaluate/protocol.ts';
import type { Result } from '../evaluate/result.ts';
import { runEvaluation } from '../evaluate/study.ts';
import { mayLack } from '../model/lacking.ts';
import { encodeModel } from '../model/model-file.ts';
import { parseFinetuneRecipe } from '../train/recipe.ts';
import {
  type Context,
  createBackend,
  describeCommand,
  jsonFlag,
  optionalText,
  parseCount,
  requiredText,
  workFlags,
} from './command.ts';
import { chooseData, chooseTarget, dataBrief, duplicatesFlag, loadData } from './data.ts';
import { encoderFlags, readEncodersFor, readModel } from './model-source.ts';
import { onRanks, type RanksFlags, ranksFlag, type Team } from './ranks.ts';
import { inputOptionsOf, type StatedFlags, statedFlags } from './read-flags.ts';
import { readRecipe } from './recipe-file.ts';
import { describeVersions, keepIn, prepareRunFolder, runFiles, writeResult } from './run-folder.ts';
import { renderScores } from './scores-table.ts';

interface Flags extends RanksFlags, StatedFlags {
  readonly data: string;
  readonly target?: string;
  readonly model?: string;
  readonly recipe?: string;
  readonly eeg?: string;
  readonly ecg?: string;
  readonly protocol: (typeof protocolKinds)[number];
  readonly folds: number;
  readonly validationSubjects: number;
  readonly seeds: readonly number[];
  readonly out: string;
  readonly testMissing: boolean;
  readonly allowDuplicates: boolean;
  readonly json: boolean;
}

export const evaluateCommand = buildCommand<Flags, [], Context>({
  docs: {
    brief: 'Train and test under a protocol with the baselines beside it, or test a finished model',
    customUsage: [
      {
        input:
          '--data sample-eegmat --recipe finetune --eeg E.safetensors --ecg C.safetensors --out runs/eegmat',
        brief: "EEGMAT's published split",
      },
      {
        input:
          '--data my/labels.csv --target stress --recipe finetune --protocol leave-one-subject-out --seeds 0,1,2 --out runs/mine',
        brief: 'Your data, everyone tested once, three seeds',
      },
      {
        input: '--data my/new.csv --target stress --model runs/mine --out runs/new',
        brief: 'A finished model on new people',
      },
    ],
  },
  parameters: {
    flags: {
      data: requiredText(dataBrief, 'data'),
      target: optionalText('What to predict (default: the only target)', 'name'),
      model: optionalText('A finished model or its run, instead of a recipe', 'model'),
      recipe: optionalText(
        'A fine-tuning recipe, or a ladder of variants of one: a name of recipes/ or a JSON file',
        'recipe',
      ),
      ...encoderFlags,
      protocol: {
        kind: 'enum',
        values: protocolKinds,
        brief: 'Who trains and who tests',
        default: 'published',
      },
      folds: {
        kind: 'parsed',
        parse: parseCount('--folds', 2),
        brief: 'Folds of k-fold, subject-dependent, leave-trials-out and segment-random',
        default: '5',
        placeholder: 'k',
      },
      validationSubjects: {
        kind: 'parsed',
        parse: parseCount('--validation-subjects'),
        brief: 'Training subjects of each fold that choose the best epoch',
        default: '4',
        placeholder: 'n',
      },
      seeds: {
        kind: 'parsed',
        parse: parseSeeds,
        brief: 'Seeds, with commas',
        default: '0',
        placeholder: '0,1,2',
      },
      out: requiredText('Folder of the run; a stopped run goes on there', 'folder'),
      testMissing: {
        kind: 'boolean',
        brief: 'Test models of both signals also without each',
        default: false,
      },
      ...duplicatesFlag,
      ...statedFlags,
      ...workFlags,
      ...ranksFlag,
      ...jsonFlag,
    },
  },
  func: onRanks<Flags>(async function (flags, team) {
    if ((flags.model === undefined) === (flags.recipe === undefined))
      throw new ConfigError(
        'evaluate: give --recipe to train and test, or --model to test a finished one; one of them.',
        '--recipe',
      );
    await prepareRunFolder(flags.out, 'evaluate', { writes: team.writes, files: [...runFiles, 'models/'] });
    // A finished model is tested by rank 0 alone.
    if (flags.model !== undefined && !team.writes) return;
    const tested = flags.model === undefined ? await train(flags, team) : await test(flags, team);
    if (!team.writes) return;
    const result = { command: describeCommand(), ...tested };
    const report = await writeResult(flags.out, result);
    const path = resolve(flags.out, 'result.json');
    if (flags.json)
      this.process.stdout.write(`${JSON.stringify({ result: path, report, models: result.models })}\n`);
    else this.process.stdout.write(`\n${renderScores(result)}\n\nReport: ${report}\n`);
  }),
});

async function train(flags: Flags, { ranks, signal, engine, progress }: Team): Promise<Result> {
  const { finetune: recipe, ...ladder } = parseTraining(readRecipe(flags.recipe!), flags.recipe!);
  const released = await readEncodersFor(recipe, flags);
  const chosen = await chooseData(flags.data, recipe.prepare, { signal });
  const target = chooseTarget(chosen.spec, flags.target);
  const backend = await createBackend(engine);
  const windows = await loadData(chosen, recipe.prepare, progress, {
    target,
    signal,
    input: inputOptionsOf(flags, signal),
  });
  return runEvaluation({
    name: `${chosen.spec.name}: ${target}`,
    backend,
    dataset: chosen.spec,
    target,
    windows,
    progress,
    signal,
    ranks,
    ...ladder,
    finetune: recipe,
    testMissing: flags.testMissing || ladder.testMissing,
    allowDuplicates: flags.allowDuplicates,
    protocol: protocolOf(flags),
    seeds: flags.seeds,
    ...released,
    versions: describeVersions(),
    keep: keepIn(flags.out),
    onModel: (name, model) =>
      writeFileAtomically(join(flags.out, 'models', `${name}.safetensors`), encodeModel(model)),
  });
}

/** A fine-tuning recipe, or a ladder of variants of one. */
function parseTraining(value: unknown, where: string) {
  const isLadder = typeof value === 'object' && value !== null && 'task' in value && value.task === 'ladder';
  if (!isLadder) return { finetune: parseFinetuneRecipe(value, where), testMissing: false };
  const { finetune, ladder, models, testMissing } = parseLadderRecipe(value, where);
  return { finetune, ladder, models, testMissing };
}

async function test(flags: Flags, { signal, engine, progress }: Team): Promise<Result> {
  const model = await readModel(flags.model!);
  const chosen = await chooseData(flags.data, model.recipe, { signal });
  const target = chooseTarget(chosen.spec, flags.target);
  const backend = await createBackend(engine);
  // It does without what prediction does without.
  const windows = await loadData(chosen, model.recipe, progress, {
    ...{ target, signal, input: inputOptionsOf(flags, signal), mayLack: mayLack(model.config, {}) },
  });
  return evaluateModel({
    name: `${flags.model} on ${chosen.spec.name}`,
    backend,
    model,
    dataset: chosen.spec,
    target,
    windows,
    testMissing: flags.testMissing,
    allowDuplicates: flags.allowDuplicates,
    progress,
    versions: describeVersions(),
  });
}

function protocolOf({ protocol, folds, validationSubjects }: Flags): Protocol {
  if (protocol === 'published') return protocolSchema.parse({ kind: protocol });
  if (protocol === 'segment-random' || protocol === 'leave-trials-out') return { kind: protocol, k: folds };
  if (protocol === 'subject-dependent') return protocolSchema.parse({ kind: protocol, k: folds });
  if (protocol === 'leave-stimulus-out') return protocolSchema.parse({ kind: protocol });
  return protocol === 'k-fold'
    ? { kind: protocol, k: folds, validationSubjects }
    : { kind: protocol, validationSubjects };
}

function parseSeeds(input: string): number[] {
  const seeds = input.split(',').map(Number);
  const wrong = seeds.find((seed) => !Number.isInteger(seed) || seed < 0 || seed > 0xffffffff);
  if (wrong !== undefined || new Set(seeds).size < seeds.length)
    throw new ConfigError(
      `--seeds: '${input}' are no distinct whole numbers. Write 0,1,2.`,
      '--seeds',
      '0,1,2',
    );
  return seeds;
}
