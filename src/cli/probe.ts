/** `heartmind probe`: what frozen encoders tell of labels, by linear probes. */
import { basename, dirname } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { type Targets, targetKinds, targetsOf } from '../datasets/targets.ts';
import { type ProbeResult, runProbe } from '../evaluate/probe.ts';
import { type ProbedEncoder, probeFeatures, probePools, takeChannels } from '../evaluate/probe-features.ts';
import { planFolds, protocolSchema } from '../evaluate/protocol.ts';
import { encoderParameters } from '../model/cbramod.ts';
import { encoderConfig } from '../model/config.ts';
import { initialParameters } from '../model/parameters.ts';
import type { Modality } from '../patches/windows.ts';
import { writeFileAtomically } from '../train/checkpoint-node.ts';
import {
  type Context,
  createBackend,
  createWorkProgress,
  optionalText,
  parseCount,
  parseText,
  requiredText,
  type WorkFlags,
  workFlags,
} from './command.ts';
import { chooseData, dataBrief, loadData } from './data.ts';
import { readEncoder } from './model-source.ts';
import { describeVersions } from './run-folder.ts';
import { renderTable } from './table.ts';

interface Flags extends WorkFlags {
  readonly data: string;
  readonly target: readonly string[];
  readonly modality?: Modality;
  readonly leads?: string;
  readonly pool: (typeof probePools)[number];
  readonly layers?: number;
  readonly folds?: number;
  readonly shares: readonly number[];
  readonly seeds: readonly number[];
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
      leads: optionalText('Only these channels: I,II or V1', 'names'),
      pool: {
        kind: 'enum',
        values: probePools,
        brief: 'mean of all tokens, or of those of each channel side by side',
        default: 'mean',
      },
      layers: {
        kind: 'parsed',
        parse: parseCount('--layers'),
        brief: "Tokens after so many of the encoder's layers",
        optional: true,
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
      out: optionalText('Write everything as JSON', 'file.json'),
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
    const { data, folds, leads, pool, layers, shares, seeds, out } = flags;
    const { signal } = this;
    const progress = createWorkProgress(flags);
    const encoders = await Promise.all(encoderArguments.map(readProbed));
    const chosen = await chooseData(data, undefined);
    const { spec, folder } = chosen;
    const kinds = targetKinds(spec);
    if (flags.target.length === 0)
      throw new ConfigError(
        `--target: none was given. ${spec.name} has: ${[...kinds.keys()].join(', ')}.`,
        '--target',
      );
    const modality = flags.modality ?? spec.modalities[0]!;
    const windows = await loadData(chosen, undefined, progress, { signal });
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
    const rows: Row[] = [];
    for (const encoder of encoders) {
      const stage = progress.stage(`embed with ${encoder.name}`, windows.count, 'windows');
      const features = await probeFeatures(
        encoder,
        { signals: { [modality]: taken } },
        {
          ...{ backend, modality, pool, signal },
          ...(layers !== undefined && { layers }),
          onProgress: (done) => stage.update(done),
        },
      );
      stage.end();
      for (const target of targets)
        for (const seed of seeds) {
          const plan = planFolds(
            protocolSchema.parse(
              folds === undefined
                ? { kind: 'published' }
                : { kind: 'k-fold', k: folds, validationSubjects: validationCount(windows.subject, folds) },
            ),
            windows,
            spec,
            seed,
          );
          for (const labelShare of shares) {
            const { subject } = windows;
            const result = runProbe({ features, targets: target, folds: plan, subject, labelShare, seed });
            rows.push({ encoder: encoder.name, seed, labelShare, result });
          }
        }
    }
    this.process.stdout.write(`${renderRows(rows, targets)}\n`);
    if (out === undefined) return;
    const json = {
      version: 1,
      created: new Date().toISOString(),
      versions: { ...describeVersions(), engine: backend.description },
      dataset: { name: spec.name, title: spec.title, windows: windows.count, hash: windows.hash },
      protocol: folds === undefined ? 'published' : `${folds}-fold by subject`,
      ...{ modality, channels: taken.channels, pool, layers: layers ?? null },
      rows: rows.map(({ result: { tested: _t, predictions: _p, ...kept }, ...row }) => ({ ...row, ...kept })),
    };
    await writeFileAtomically(out, new TextEncoder().encode(`${JSON.stringify(json, null, 1)}\n`));
    this.process.stdout.write(`Written: ${out}\n`);
  },
});

interface Row {
  readonly encoder: string;
  readonly seed: number;
  readonly labelShare: number;
  readonly result: ProbeResult;
}

/** A fifth of the training people of a fold choose the penalty. */
function validationCount(subjects: readonly string[], folds: number): number {
  const people = new Set(subjects).size;
  return Math.max(1, Math.round((people * (folds - 1)) / folds / 5));
}

async function readProbed(argument: string): Promise<ProbedEncoder> {
  const untrained = /^(?:([^=]+)=)?untrained:(\d+)$/.exec(argument);
  if (untrained) {
    const config = encoderConfig({ layers: Number(untrained[2]) });
    const tensors = initialParameters(encoderParameters(config, 'features'), Random.derive(0, 'initial'));
    return { name: untrained[1] ?? argument, tensors };
  }
  const named = /^([^=/]+)=(.+)$/.exec(argument);
  const path = named?.[2] ?? argument;
  const { tensors } = await readEncoder(path);
  const short = basename(path) === 'encoder.safetensors' ? basename(dirname(path)) : basename(path);
  return { name: named?.[1] ?? short, tensors };
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

function renderRows(rows: readonly Row[], targets: readonly Targets[]): string {
  const cell = (value: { mean: number | null; low: number | null; high: number | null }) =>
    `${format(value.mean)} [${format(value.low)}, ${format(value.high)}]`;
  return targets
    .map(({ name, kind }) => {
      const own = rows.filter(({ result }) => result.target === name);
      const scores = Object.keys(own[0]!.result.scores);
      const { windows, subjects, leftOut, labels } = own[0]!.result;
      const what =
        kind === 'number'
          ? ''
          : `, ${labels.length} label${labels.length === 1 ? '' : 's'}${leftOut.length > 0 ? ` (${leftOut.length} too rare)` : ''}`;
      const head = `${name}${what}: ${subjects.train} people train, ${subjects.test} test (${windows.test} windows)`;
      const table = renderTable(
        ['encoder', 'labels of', 'seed', ...scores],
        own.map(({ encoder, labelShare, seed, result }) => [
          ...[encoder, `${Number((100 * labelShare).toPrecision(3))} %`, String(seed)],
          ...scores.map((score) => cell(result.scores[score]!)),
        ]),
      );
      return `${head}\n${table}`;
    })
    .join('\n\n');
}

function format(value: number | null): string {
  return value === null || !Number.isFinite(value) ? '–' : value.toFixed(3).replace(/^(-?)0\./, '$1.');
}
