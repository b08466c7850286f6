/** `heartmind pretrain`: an encoder by masked reconstruction. */
import { join } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/output-node.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import { describePretraining, describeTraining } from '../evaluate/describe.ts';
import { eegRecipe, twelveLeadRecipe } from '../patches/recipe.ts';
import type { WindowReader } from '../patches/window-reader.ts';
import { noteDivergence } from '../train/divergence.ts';
import { encodePretrained, pretrain } from '../train/pretrain.ts';
import { parsePretrainRecipe } from '../train/recipe.ts';
import {
  type Context,
  createBackend,
  jsonFlag,
  optionalText,
  parseText,
  requiredText,
  workFlags,
} from './command.ts';
import { chooseData, choosePeople, dataBrief, joinWindows, memoryFlag, openWindows, parts } from './data.ts';
import { readEncoder } from './model-source.ts';
import { onRanks, type RanksFlags, ranksFlag } from './ranks.ts';
import { inputOptionsOf, type StatedFlags, statedFlags } from './read-flags.ts';
import { readRecipe } from './recipe-file.ts';
import { describeVersions, keepIn, prepareRunFolder, runFiles, writeResult } from './run-folder.ts';

interface Flags extends RanksFlags, StatedFlags {
  readonly data: readonly string[];
  readonly recipe: string;
  readonly out: string;
  readonly initial?: string;
  readonly part?: (typeof parts)[number];
  readonly leaveOut?: readonly string[];
  readonly strict: boolean;
  readonly memory?: number;
  readonly json: boolean;
}

export const pretrainCommand = buildCommand<Flags, [], Context>({
  docs: {
    brief: 'Pre-train an encoder by masked reconstruction; a stopped run goes on where it was',
    customUsage: [
      {
        input: '--data ptbxl=FOLDER --part train --recipe pretrain-ecg-dual --out runs/ecg',
        brief: 'ECG with dual masks, on folds 1-8 alone',
      },
      {
        input: '--data ptbxl=A --data ludb=B --recipe pretrain-ecg-dual --out runs/ecg',
        brief: 'Several datasets as one',
      },
      {
        input: '--data my/files.csv --recipe my.json --initial cbramod.pth --out runs/eeg',
        brief: 'On from published weights',
      },
    ],
  },
  parameters: {
    flags: {
      data: {
        kind: 'parsed',
        parse: parseText,
        brief: `Repeatable: ${dataBrief}`,
        variadic: true,
        placeholder: 'data',
      },
      recipe: requiredText('A name of recipes/ or a JSON file', 'recipe'),
      out: requiredText('Folder of the run', 'folder'),
      initial: optionalText('Weights to go on from (.safetensors, .pth)', 'weights'),
      part: {
        kind: 'enum',
        values: parts,
        brief: "Only these people of each dataset's published split (all where it has none)",
        optional: true,
      },
      leaveOut: {
        kind: 'parsed',
        parse: parseText,
        brief: "Repeatable: people whose names match ('cinc HR*'; * stands for anything) are not taken",
        variadic: true,
        optional: true,
        placeholder: 'people',
      },
      strict: {
        kind: 'boolean',
        brief: 'Stop at a recording that cannot be read instead of counting it',
        default: false,
      },
      ...statedFlags,
      ...memoryFlag,
      ...workFlags,
      ...ranksFlag,
      ...jsonFlag,
    },
  },
  func: onRanks<Flags>(async function (
    { data, recipe: recipeName, out, initial, part, leaveOut, strict, memory, json, ...stated },
    { ranks, signal, engine, progress, writes },
  ) {
    const recipe = parsePretrainRecipe(readRecipe(recipeName), recipeName);
    if (data.length === 0)
      throw new ConfigError(`--data: none was given. Give ${dataBrief}.`, '--data', dataBrief);
    await prepareRunFolder(out, 'pretrain', { writes, files: [...runFiles, 'encoder.safetensors'] });
    const weights = initial === undefined ? undefined : await readEncoder(initial);
    const weightsPath = join(out, 'encoder.safetensors');
    const backend = await createBackend(engine);
    const prepare = recipe.prepare ?? (recipe.modality === 'ecg' ? twelveLeadRecipe : eegRecipe);
    const readers: WindowReader[] = [];
    const specs: DatasetSpec[] = [];
    for (const argument of data) {
      const chosen = await chooseData(argument, prepare, { asked: recipe.prepare ?? null, signal });
      specs.push(chosen.spec);
      const subjects = await choosePeople(chosen, { part, leaveOut }, progress);
      readers.push(
        await openWindows(chosen, prepare, progress, {
          ...{ signal, subjects, memory, skipBroken: !strict, input: inputOptionsOf(stated, signal) },
        }),
      );
    }
    const windows = await joinWindows(readers);
    const begun = performance.now();
    const result = await pretrain({
      ...keepIn(out)('pretrain'),
      backend,
      windows,
      recipe,
      dataset: specs.map(({ name }) => name).join('+'),
      signal,
      ranks,
      ...(weights && { initial: weights.tensors, initialOrigin: weights.metadata }),
      progress: (total) => progress.stage(`pre-train ${recipe.modality}`, total),
    });
    if (!writes) return;
    await writeFileAtomically(weightsPath, encodePretrained(result));
    const described = describeTraining({
      name: `pre-training ${recipe.modality}`,
      dataset: joinSpecs(specs),
      windows,
      protocol: `pre-training; ${result.validationSubjects.length} subjects validate`,
      seed: recipe.seed,
      versions: { ...describeVersions(), engine: backend.description },
      ...describePretraining(recipe.modality, result),
      recipe,
      seconds: (performance.now() - begun) / 1000,
    });
    for (const note of noteDivergence(described.curves)) progress.log(note);
    const report = await writeResult(out, described);
    const last = result.curves.at(-1) ?? {};
    if (json) this.process.stdout.write(`${JSON.stringify({ weights: weightsPath, report, last })}\n`);
    else {
      const kinds = Object.entries(last).filter(([key]) => key.startsWith('loss'));
      const losses = kinds.map(([key, value]) => `${key} ${Number(value).toPrecision(4)}`);
      this.process.stdout.write(`${losses.join(', ')}\nWeights: ${weightsPath}\nReport: ${report}\n`);
    }
  }),
});

/** Several datasets as one, for the report: all are named, cited and credited. */
function joinSpecs(specs: readonly DatasetSpec[]): DatasetSpec {
  const all = (key: 'name' | 'title' | 'licence' | 'citation') => specs.map((spec) => spec[key]).join(' + ');
  return {
    ...specs[0]!,
    name: all('name'),
    title: all('title'),
    licence: all('licence'),
    citation: all('citation'),
  };
}
