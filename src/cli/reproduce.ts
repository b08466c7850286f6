/** `heartmind reproduce`: a published benchmark as one table, every protocol beside the others, trivial baselines included. */
import { join, resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/output-node.ts';
import { amigosWith } from '../datasets/amigos.ts';
import { dreamerWith } from '../datasets/dreamer.ts';
import { eegmat } from '../datasets/eegmat.ts';
import { ptbxl } from '../datasets/ptbxl.ts';
import {
  type Context,
  createWorkProgress,
  describeCommand,
  jsonFlag,
  optionalText,
  workFlags,
} from './command.ts';
import { duplicatesFlag } from './data.ts';
import { readRecipe } from './recipe-file.ts';
import { labelBenchmark } from './reproduce-labels.ts';
import { type Benchmark, keptFiles, keptTrainings, type ReproduceFlags } from './reproduce-run.ts';
import { trialBenchmark } from './reproduce-trials.ts';
import { describeVersions, prepareRunFolder } from './run-folder.ts';

/** A further one is a further row. */
const benchmarks: Readonly<Record<string, Benchmark>> = {
  dreamer: trialBenchmark(({ threshold }) => dreamerWith(threshold === undefined ? {} : { threshold })),
  amigos: trialBenchmark(({ threshold }) => amigosWith(threshold === undefined ? {} : { threshold })),
  eegmat: trialBenchmark(() => eegmat, 'eegmat'),
  ptbxl: labelBenchmark(ptbxl),
};

export const reproduceCommand = buildCommand<ReproduceFlags, [string], Context>({
  docs: {
    brief: 'A published benchmark as one table: protocols side by side, baselines, published figures',
    customUsage: [
      { input: 'dreamer --data DREAMER.mat', brief: 'Valence, arousal, dominance under five protocols' },
      { input: 'eegmat', brief: "EEGMAT, embedded: CBraMod's split and leave-one-subject-out" },
      { input: 'amigos --data FOLDER', brief: 'AMIGOS, the preprocessed files' },
      { input: 'ptbxl', brief: "PTB-XL's five super-classes, official folds: 12 leads, I and II, I" },
      {
        input: 'dreamer --data DREAMER.mat --eeg cbramod --ecg E.safetensors --tune',
        brief: 'Encoders of your choice, fine-tuned: hours',
      },
      {
        input: 'eegmat --eeg A.safetensors,B.safetensors',
        brief: 'Several, each pre-trained without other people',
      },
    ],
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: Object.keys(benchmarks).join(', '), parse: parseBenchmark, placeholder: 'benchmark' },
      ],
    },
    flags: {
      data: optionalText(
        "The dataset's folder or its file (default: where fetch put it; eegmat is embedded)",
        'path',
      ),
      recipe: optionalText(
        'Another recipe: a name of recipes/ or a JSON file (default: reproduce-NAME)',
        'recipe',
      ),
      eeg: optionalText(
        "Weights of the EEG encoder: a file, a released name (eeg-4), or cbramod once fetched; 'A,B': every fold takes one that has not seen its people; 'A:2': its first 2 layers",
        'weights',
      ),
      ecg: optionalText('Weights of the ECG encoder, in the same way', 'weights'),
      tune: {
        kind: 'boolean',
        brief: 'Let encoders learn too, by the recipe’s tuned part: hours',
        default: false,
      },
      out: optionalText(
        'Folder of the run; a stopped run goes on there (default: runs/reproduce-NAME)',
        'folder',
      ),
      ...duplicatesFlag,
      ...workFlags,
      ...jsonFlag,
    },
  },
  async func(flags, name) {
    const recipeName = flags.recipe ?? `reproduce-${name}`;
    const recipe = readRecipe(recipeName);
    const { benchmark } = (recipe ?? {}) as { readonly benchmark?: unknown };
    if (benchmark !== undefined && benchmark !== name)
      throw new ConfigError(
        `--recipe: ${recipeName} is of ${benchmark}, not of ${name}. Choose another.`,
        '--recipe',
      );
    const folder = flags.out ?? join('runs', `reproduce-${name}`);
    await prepareRunFolder(folder, 'reproduce', {
      files: [`reproduce-${name}.json`, 'report.html', 'kept/', 'training/'],
    });
    const { result, report, tables } = await benchmarks[name]!({
      ...{ name, recipe, recipeName, flags, signal: this.signal },
      progress: createWorkProgress(flags),
      kept: keptFiles(folder),
      trainings: keptTrainings(folder),
      command: describeCommand(),
      versions: describeVersions(),
    });
    const path = resolve(folder, `reproduce-${name}.json`);
    const page = resolve(folder, 'report.html');
    const encode = (text: string) => new TextEncoder().encode(text);
    await writeFileAtomically(path, encode(`${JSON.stringify(result, null, 1)}\n`));
    await writeFileAtomically(page, encode(report));
    this.process.stdout.write(
      flags.json
        ? `${JSON.stringify({ result: path, report: page })}\n`
        : `\n${tables}\n\nResult: ${path}\nReport: ${page}\n`,
    );
  },
});

function parseBenchmark(input: string): string {
  if (Object.hasOwn(benchmarks, input)) return input;
  const known = Object.keys(benchmarks).join(', ');
  throw new ConfigError(`reproduce: there is no benchmark '${input}'. Known: ${known}.`, 'benchmark', known);
}
