/** `heartmind probe`: what frozen encoders tell of labels, by linear probes. */
import { basename, dirname } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { checkOutput, writeFileAtomically } from '../core/output-node.ts';
import type { Origin } from '../datasets/people.ts';
import { targetKinds, targetsOf } from '../datasets/targets.ts';
import { checkDuplicates } from '../evaluate/duplicates.ts';
import {
  type ProbedEncoder,
  type ProbePool,
  probePools,
  takeChannels,
  untrainedEncoder,
} from '../evaluate/probe-features.ts';
import {
  type ProbedReconstruction,
  probeReconstruction,
  reconstructs,
} from '../evaluate/probe-reconstruction.ts';
import { prober, tuner } from '../evaluate/probe-ways.ts';
import { planFolds, protocolSchema } from '../evaluate/protocol.ts';
import { noteSeenSubjects } from '../evaluate/starting-weights.ts';
import type { Modality, SignalWindows } from '../patches/windows.ts';
import { parseFinetuneRecipe } from '../train/recipe.ts';
import {
  type Context,
  createBackend,
  createWorkProgress,
  describeCommand,
  optionalText,
  parseCount,
  parseText,
  requiredText,
  type WorkFlags,
  workFlags,
} from './command.ts';
import { chooseData, choosePeople, dataBrief, duplicatesFlag, loadData } from './data.ts';
import { readEncoder } from './model-source.ts';
import {
  compareRows,
  type ProbeRow,
  renderComparisons,
  renderReconstruction,
  renderRows,
} from './probe-tables.ts';
import { inputOptionsOf, type StatedFlags, statedFlags } from './read-flags.ts';
import { readRecipe } from './recipe-file.ts';
import { describeVersions, keepIn, prepareRunFolder } from './run-folder.ts';

interface Flags extends WorkFlags, StatedFlags {
  readonly data: string;
  readonly target: readonly string[];
  readonly modality?: Modality;
  readonly leaveOut?: readonly string[];
  readonly leads?: string;
  readonly pool: ProbePool;
  readonly layers?: readonly number[];
  readonly crops: number;
  readonly folds?: number;
  readonly shares: readonly number[];
  readonly seeds: readonly number[];
  readonly tune?: string;
  readonly reconstruction: boolean;
  readonly draws: boolean;
  readonly allowDuplicates: boolean;
  readonly out?: string;
}

export const probeCommand = buildCommand<Flags, [string, ...string[]], Context>({
  docs: {
    brief: 'What frozen encoders tell of labels: linear probes',
    customUsage: [
      {
        input: 'runs/ecg/encoder.safetensors --data ptbxl --target superclasses',
        brief: "PTB-XL's five super-classes, official folds",
      },
      {
        input:
          'A=a.safetensors untrained:12 --data ludb=FOLDER --target rhythm --target age --folds 5 --leads II',
        brief: 'Two encoders on one lead, people in five folds',
      },
      {
        input:
          'dual=a0.safetensors dual=a1.safetensors random=b0.safetensors random=b1.safetensors … --reconstruction',
        brief: 'Equal names are seeds of one training: the names are compared',
      },
    ],
  },
  parameters: {
    flags: {
      data: requiredText(dataBrief, 'data'),
      target: {
        kind: 'parsed',
        parse: parseText,
        brief: 'Repeatable: a class, several labels at once, or a number (see heartmind info NAME)',
        variadic: true,
        placeholder: 'name',
      },
      modality: {
        kind: 'enum',
        values: ['eeg', 'ecg'] as const,
        brief: 'Where the dataset has both',
        optional: true,
      },
      leaveOut: {
        kind: 'parsed',
        parse: parseText,
        brief: "Repeatable: people whose names match ('cinc HR*'; * stands for anything) are not taken",
        variadic: true,
        optional: true,
        placeholder: 'pattern',
      },
      leads: optionalText('Only these channels: I,II or V1', 'names'),
      pool: {
        kind: 'enum',
        values: probePools,
        brief: "mean of all tokens; leads: of each channel's, side by side; spread: with their deviations",
        default: 'mean',
      },
      layers: {
        kind: 'parsed',
        parse: (input: string) => input.split(',').map(parseCount('--layers')),
        brief: "Tokens after so many of the encoder's layers; of several (2,4) side by side",
        optional: true,
        placeholder: 'n',
      },
      crops: {
        kind: 'parsed',
        parse: parseCount('--crops'),
        brief: 'Embed each window so many times, cut into patches from another sample on, and take the mean',
        default: '1',
        placeholder: 'n',
      },
      folds: {
        kind: 'parsed',
        parse: parseCount('--folds', 2),
        brief: 'k folds by subject instead of the published split',
        optional: true,
        placeholder: 'k',
      },
      shares: {
        kind: 'parsed',
        parse: parseShares,
        brief: 'Shares of the training subjects whose labels are used',
        default: '1',
        placeholder: '.01,.1,1',
      },
      seeds: {
        kind: 'parsed',
        parse: (input: string) => input.split(',').map((one) => parseCount('--seeds', 0)(one)),
        brief: 'Which folds and which subjects of a share are drawn',
        default: '0',
        placeholder: '0,1,2',
      },
      tune: optionalText(
        'A recipe of fine-tuning: encoders learn too, by it, and `untrained` ones start from scratch',
        'recipe',
      ),
      reconstruction: {
        kind: 'boolean',
        brief: 'Also how well hidden patches of the tested windows are filled, by kind of mask',
        default: false,
      },
      draws: {
        kind: 'boolean',
        brief: 'Write the resamples behind the intervals too',
        default: false,
      },
      out: optionalText('Write everything as JSON', 'file.json'),
      ...duplicatesFlag,
      ...statedFlags,
      ...workFlags,
    },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        parse: parseText,
        brief: "Weights, 'NAME=weights', or 'untrained:LAYERS' for initial values",
        placeholder: 'encoder',
      },
    },
  },
  async func(flags, ...encoderArguments) {
    const { data, folds, leads, pool, layers, crops, shares, seeds, reconstruction, draws, out } = flags;
    const { signal } = this;
    const progress = createWorkProgress(flags);
    const encoders = await Promise.all(encoderArguments.map(readProbed));
    const tune =
      flags.tune === undefined ? undefined : parseFinetuneRecipe(readRecipe(flags.tune), flags.tune);
    await checkOutput(out);
    const runs = out === undefined ? undefined : `${out.replace(/\.json$/, '')}-runs`;
    if (tune && runs !== undefined) await prepareRunFolder(runs, 'probe', { files: ['training/'] });
    const chosen = await chooseData(data, undefined, { signal });
    const { spec, folder } = chosen;
    const kinds = targetKinds(spec);
    if (flags.target.length === 0)
      throw new ConfigError(
        `--target: none was given. ${spec.name} has: ${[...kinds.keys()].join(', ')}.`,
        '--target',
      );
    const modality = flags.modality ?? spec.modalities[0]!;
    const subjects = await choosePeople(chosen, { leaveOut: flags.leaveOut }, progress);
    const windows = await loadData(chosen, undefined, progress, {
      ...{ signal, subjects, input: inputOptionsOf(flags, signal) },
    });
    const duplicates = checkDuplicates('probe', windows, spec, flags.allowDuplicates);
    const trials = await spec.trials(folder);
    const targets = flags.target.map((name) => targetsOf(spec, trials, windows, name));
    const whole = windows.signals[modality];
    if (!whole)
      throw new ConfigError(
        `--modality: ${spec.name} has no ${modality}.`,
        '--modality',
        spec.modalities.join(),
      );
    const taken = leads === undefined ? whole : takeChannels(whole, leads.split(','));
    const backend = await createBackend(flags);
    const plans = seeds.map((seed) => ({
      seed,
      folds: planFolds(
        protocolSchema.parse(
          folds === undefined
            ? { kind: 'published' }
            : { kind: 'k-fold', k: folds, validationSubjects: validationCount(windows.subject, folds) },
        ),
        windows,
        spec,
        seed,
      ),
    }));
    const keep = runs === undefined ? undefined : keepIn(runs);
    const rows: ProbeRow[] = [];
    const filled: ProbedReconstruction[] = [];
    for (const [i, encoder] of encoders.entries()) {
      const { tensors, untrained } = encoder;
      // Equal names are trainings that differ by their seed: each is kept by itself.
      const same = encoders.slice(0, i).filter(({ name }) => name === encoder.name).length;
      const name = same === 0 ? encoder.name : `${encoder.name}-${same}`;
      const asking = { windows, modality, taken, backend, progress, signal };
      const score = tune
        ? tuner({ name, tensors: untrained ? undefined : tensors }, { ...asking, recipe: tune, keep })
        : await prober(encoder, { ...asking, pool, layers, crops });
      for (const target of targets)
        for (const { seed, folds: plan } of plans)
          for (const labelShare of shares)
            rows.push({
              ...{ encoder: encoder.name, seed, labelShare },
              result: await score({ targets: target, folds: plan, labelShare, seed }),
            });
      if (reconstruction && reconstructs(encoder)) {
        const tested = [...new Set(plans[0]!.folds.flatMap(({ test }) => test))].sort((a, b) => a - b);
        const own = takeWindows(taken, tested);
        filled.push(await probeReconstruction(encoder, own, { backend, modality }));
      }
    }
    const tested = plans.flatMap((plan) => plan.folds);
    const seen = encoders.flatMap(({ name, origin }) =>
      origin
        ? noteSeenSubjects(
            { dataset: spec.name, windows, folds: tested },
            { [modality]: origin },
            { [modality]: { name, sha256: '', layers: 0 } },
          ).map((note) => `${name}: ${note}`)
        : [],
    );
    const notes = [...duplicates, ...seen];
    const comparisons = compareRows(rows, targets);
    this.process.stdout.write(`${renderRows(rows, targets)}\n`);
    if (comparisons.length > 0) this.process.stdout.write(`\n${renderComparisons(comparisons)}\n`);
    if (filled.length > 0) this.process.stdout.write(`\n${renderReconstruction(filled)}\n`);
    if (notes.length > 0) this.process.stdout.write(`\n${[...new Set(notes)].join('\n')}\n`);
    if (out === undefined) return;
    const json = {
      ...{ kind: 'probe', version: 1, created: new Date().toISOString(), command: describeCommand() },
      versions: { ...describeVersions(), engine: backend.description },
      dataset: { name: spec.name, title: spec.title, windows: windows.count, hash: windows.hash },
      protocol: folds === undefined ? 'published' : `${folds}-fold by subject`,
      ...{ modality, channels: taken.channels, leaveOut: flags.leaveOut ?? [] },
      ...(tune ? { tune } : { pool, layers: layers ?? null, crops }),
      rows: rows.map(
        ({ result: { tested: _t, predictions: _p, draws: drawn, labelDraws: _l, ...kept }, ...row }) => ({
          ...{ ...row, ...kept },
          ...(draws && { draws: Array.from(drawn, (value) => Number(value.toFixed(5))) }),
        }),
      ),
      comparisons,
      reconstruction: filled,
      notes: [...new Set(notes)],
    };
    await writeFileAtomically(out, new TextEncoder().encode(`${JSON.stringify(json, null, 1)}\n`));
    this.process.stdout.write(`Written: ${out}\n`);
  },
});

function takeWindows(signal: SignalWindows, indices: readonly number[]): SignalWindows {
  const size = signal.channels.length * signal.patches * signal.patchSamples;
  const data = new Float32Array(indices.length * size);
  for (const [row, i] of indices.entries())
    data.set(signal.data.subarray(i * size, (i + 1) * size), row * size);
  return { ...signal, data };
}

/** A fifth of the training people of a fold choose the penalty. */
function validationCount(subjects: readonly string[], folds: number): number {
  const people = new Set(subjects).size;
  return Math.max(1, Math.round((people * (folds - 1)) / folds / 5));
}

async function readProbed(
  argument: string,
): Promise<ProbedEncoder & { readonly untrained?: true; readonly origin?: Origin }> {
  const untrained = /^(?:([^=]+)=)?untrained:(\d+)$/.exec(argument);
  if (untrained)
    return { ...untrainedEncoder(untrained[1] ?? argument, Number(untrained[2])), untrained: true };
  const named = /^([^=/]+)=(.+)$/.exec(argument);
  const path = named?.[2] ?? argument;
  const { tensors, metadata } = await readEncoder(path);
  const short = basename(path) === 'encoder.safetensors' ? basename(dirname(path)) : basename(path);
  return { name: named?.[1] ?? short, tensors, origin: metadata };
}

function parseShares(input: string): number[] {
  const shares = input.split(',').map(Number);
  if (shares.every((share) => share > 0 && share <= 1)) return shares;
  throw new ConfigError(
    `--shares: '${input}' are not all within 0 and 1. Write .01,.1,1.`,
    '--shares',
    '0–1',
  );
}
