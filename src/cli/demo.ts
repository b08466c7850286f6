/**
 * `heartmind demo`: the main job on the embedded sample data, from the released encoders; `--pretrain`: from encoders that it
 * pre-trains for minutes; `--full`: the real thing.
 */
import { join, resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/output-node.ts';
import type { Result } from '../evaluate/result.ts';
import { parseStudyRecipe, runStudy, type StudyRecipe } from '../evaluate/study.ts';
import { encodeModel } from '../model/model-file.ts';
import type { WindowSet } from '../patches/windows.ts';
import { encodePretrained } from '../train/pretrain.ts';
import {
  type Context,
  createBackend,
  describeCommand,
  jsonFlag,
  optionalText,
  workFlags,
} from './command.ts';
import { chooseData, loadData } from './data.ts';
import { readEncodersFor } from './model-source.ts';
import { onRanks, type RanksFlags, ranksFlag } from './ranks.ts';
import { readRecipe } from './recipe-file.ts';
import { describeVersions, keepIn, prepareRunFolder, runFiles, writeResult } from './run-folder.ts';
import { renderScores } from './scores-table.ts';

interface Flags extends RanksFlags {
  readonly full: boolean;
  readonly pretrain: boolean;
  readonly ecg?: string;
  readonly out?: string;
  readonly json: boolean;
}

export const demoCommand = buildCommand<Flags, [], Context>({
  docs: {
    brief: 'Fuse, fine-tune and evaluate pre-trained encoders on the embedded recordings; write a report',
    customUsage: [
      { input: '', brief: 'From the released encoders: a few minutes on a laptop, into runs/demo/' },
      { input: '--pretrain', brief: 'Pre-trains small ones first, into runs/demo-pretrain/' },
      {
        input: '--full',
        brief: 'The 12-layer model and longer pre-training: hours on a laptop, into runs/full/',
      },
      { input: '--full --ecg ptbxl=FOLDER', brief: 'The same, pre-trained on your copy of PTB-XL' },
    ],
  },
  parameters: {
    flags: {
      full: { kind: 'boolean', brief: 'Run the real thing instead of the short one', default: false },
      pretrain: {
        kind: 'boolean',
        brief: 'Pre-train small encoders first instead of taking the released ones',
        default: false,
      },
      ecg: optionalText('12-lead ECGs to pre-train on, as --data of pretrain (default: sample-ecg)', 'data'),
      out: optionalText(
        'Folder of the run; a stopped run goes on there (default: runs/demo, runs/demo-pretrain or runs/full)',
        'folder',
      ),
      ...workFlags,
      ...ranksFlag,
      ...jsonFlag,
    },
  },
  func: onRanks<Flags>(async function (flags, { ranks, signal, engine, progress, writes }) {
    const name = flags.full ? 'full' : flags.pretrain ? 'demo-pretrain' : 'demo';
    if (flags.full && flags.pretrain)
      throw new ConfigError('demo: --full pre-trains already. Leave --pretrain out.', '--pretrain');
    const recipe: StudyRecipe = parseStudyRecipe(readRecipe(name), `recipes/${name}.json`);
    if (flags.ecg !== undefined && !recipe.pretrain.ecg)
      throw new ConfigError(
        `--ecg: ${flags.ecg} is to pre-train on, and the released ${recipe.encoders.ecg} needs none. Add --pretrain or --full.`,
        '--ecg',
      );
    const released = await readEncodersFor(recipe.finetune, recipe.encoders);
    const folder = flags.out ?? join('runs', name);
    await prepareRunFolder(folder, 'demo', { writes, files: [...runFiles, 'encoders/', 'models/'] });
    const backend = await createBackend(engine);
    progress.log(`heartmind ${name}: ${backend.description}; into ${folder}`);

    const labelled = await chooseData('sample-eegmat', undefined);
    const windows = await loadData(labelled, recipe.finetune.prepare, progress, {
      target: 'task',
      signal,
    });
    const leads = await chooseData(flags.ecg ?? 'sample-ecg', undefined, { signal });
    const prepare = recipe.pretrain.ecg?.prepare;
    const ecg: WindowSet | undefined =
      recipe.pretrain.ecg && (await loadData(leads, prepare, progress, { signal, skipBroken: true }));
    for (const [modality, { name: weights, sha256 }] of Object.entries(released.weights))
      progress.log(`${modality}: ${weights}, sha256 ${sha256.slice(0, 12)}…`);

    const study = await runStudy({
      backend,
      recipe,
      dataset: labelled.spec,
      target: 'task',
      windows,
      pretraining: {
        ...(ecg && { ecg: { dataset: leads.spec.name, windows: ecg } }),
        eeg: { dataset: labelled.spec.name },
      },
      released,
      progress,
      signal,
      ranks,
      versions: describeVersions(),
      keep: keepIn(folder),
      onEncoder: async (modality, pretrained) => {
        const path = join(folder, 'encoders', `${modality}.safetensors`);
        if (writes) await writeFileAtomically(path, encodePretrained(pretrained));
      },
      onModel: (model, trained) =>
        writeFileAtomically(join(folder, 'models', `${model}.safetensors`), encodeModel(trained)),
    });
    if (!writes) return;
    const result = { command: describeCommand(), ...study, ...describeEffort(study) };
    const report = await writeResult(folder, result);
    if (flags.json) {
      this.process.stdout.write(
        `${JSON.stringify({ result: resolve(folder, 'result.json'), report, models: result.models })}\n`,
      );
      return;
    }
    this.process.stdout.write(`\n${renderScores(result)}\n\nReport: ${report}\n`);
  }),
});

/** What the whole command took so far: seconds, and the largest memory. */
function describeEffort({ versions, seconds }: Result): Pick<Result, 'versions' | 'seconds'> {
  const gigabytes = process.resourceUsage().maxRSS / 1e6; // Node gives kilobytes
  return {
    versions: { ...versions, 'peak memory': `${gigabytes.toFixed(2)} GB` },
    seconds: { ...seconds, total: performance.now() / 1000 },
  };
}
