/** `heartmind reproduce`: a published benchmark as one table, every protocol beside the others, trivial baselines included. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError, DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { Random } from '../core/random.ts';
import { amigosWith } from '../datasets/amigos.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import { dreamerWith } from '../datasets/dreamer.ts';
import { eegmat } from '../datasets/eegmat.ts';
import { openFolder } from '../datasets/folder-node.ts';
import { sampleDataFolder } from '../datasets/sample-node.ts';
import { reproduce } from '../evaluate/reproduce.ts';
import type { ChosenEncoder, KeptFiles } from '../evaluate/reproduce-data.ts';
import { parseReproduceRecipe, type ReproduceRecipe } from '../evaluate/reproduce-recipe.ts';
import { renderReproduction } from '../evaluate/reproduce-report.ts';
import type { Reproduction } from '../evaluate/reproduce-result.ts';
import { targetCells } from '../evaluate/reproduce-table.ts';
import type { KeptTrainings } from '../evaluate/reproduce-tuned.ts';
import { encoderConfig } from '../model/config.ts';
import { encoderParameters } from '../model/encoder-parameters.ts';
import { initialParameters } from '../model/parameters.ts';
import { releasedIndex } from '../model/released-weights-node.ts';
import { encodeSafetensors } from '../model/safetensors.ts';
import { sha256 } from '../patches/window-set.ts';
import type { Modality } from '../patches/windows.ts';
import { writeFileAtomically } from '../train/checkpoint-node.ts';
import { readChosenEncoders } from './choose-encoders.ts';
import {
  type Context,
  createBackend,
  createWorkProgress,
  jsonFlag,
  optionalText,
  type WorkFlags,
  workFlags,
} from './command.ts';
import { fetchedFolder } from './data-folder.ts';
import { readRecipe } from './recipe-file.ts';
import { describeVersions, keepIn, prepareRunFolder } from './run-folder.ts';
import { renderTable } from './table.ts';

interface Flags extends WorkFlags {
  readonly data?: string;
  readonly recipe?: string;
  readonly eeg?: string;
  readonly ecg?: string;
  readonly tune: boolean;
  readonly out?: string;
  readonly json: boolean;
}

/** The benchmarks: a further one is a further row. */
const benchmarks: Readonly<
  Record<string, { spec(recipe: ReproduceRecipe): DatasetSpec; readonly embedded?: 'eegmat' }>
> = {
  dreamer: { spec: ({ threshold }) => dreamerWith(threshold === undefined ? {} : { threshold }) },
  amigos: { spec: ({ threshold }) => amigosWith(threshold === undefined ? {} : { threshold }) },
  eegmat: { spec: () => eegmat, embedded: 'eegmat' },
};

export const reproduceCommand = buildCommand<Flags, [string], Context>({
  docs: {
    brief: 'A published benchmark as one table: protocols side by side, baselines, published figures',
    customUsage: [
      { input: 'dreamer --data DREAMER.mat', brief: 'Valence, arousal, dominance under five protocols' },
      { input: 'eegmat', brief: "EEGMAT, embedded: CBraMod's split and leave-one-subject-out" },
      { input: 'amigos --data FOLDER', brief: 'AMIGOS, the preprocessed files' },
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
      ...workFlags,
      ...jsonFlag,
    },
  },
  async func(flags, name) {
    const recipeName = flags.recipe ?? `reproduce-${name}`;
    const recipe = parseReproduceRecipe(readRecipe(recipeName), recipeName);
    if (recipe.benchmark !== name)
      throw new ConfigError(
        `--recipe: ${recipeName} is of ${recipe.benchmark}, not of ${name}. Choose another.`,
        '--recipe',
      );
    const folder = flags.out ?? join('runs', `reproduce-${name}`);
    await prepareRunFolder(folder);
    const progress = createWorkProgress(flags);
    const spec = benchmarks[name]!.spec(recipe);
    const data = await openData(name, flags.data);
    const { encoders, sources, notes } = await chooseEncoders(recipe, spec, flags);
    for (const note of notes) progress.log(note);
    const backend = await createBackend(flags);
    const result = await reproduce({
      ...{ backend, spec, recipe, encoders, sources, notes, progress },
      folder: data,
      signal: this.signal,
      tune: flags.tune,
      kept: keptFiles(folder),
      trainings: keptTrainings(folder),
      command: commandOf(name, flags),
      versions: describeVersions(),
    });
    const path = resolve(folder, `reproduce-${name}.json`);
    const report = resolve(folder, 'report.html');
    const encode = (text: string) => new TextEncoder().encode(text);
    await writeFileAtomically(path, encode(`${JSON.stringify(result, null, 1)}\n`));
    await writeFileAtomically(report, encode(renderReproduction(result)));
    this.process.stdout.write(
      flags.json
        ? `${JSON.stringify({ result: path, report })}\n`
        : `\n${renderReproductionTables(result)}\n\nResult: ${path}\nReport: ${report}\n`,
    );
  },
});

/** What was asked for, as one would type it; where data and results lie is no part of it. */
function commandOf(name: string, { recipe, eeg, ecg, tune }: Flags): string {
  const given = Object.entries({ recipe, eeg, ecg }).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag} ${value}`],
  );
  return ['heartmind reproduce', name, ...given, ...(tune ? ['--tune'] : [])].join(' ');
}

function parseBenchmark(input: string): string {
  if (Object.hasOwn(benchmarks, input)) return input;
  const known = Object.keys(benchmarks).join(', ');
  throw new ConfigError(`reproduce: there is no benchmark '${input}'. Known: ${known}.`, 'benchmark', known);
}

/** A table a target, for the terminal. */
export function renderReproductionTables(result: Reproduction): string {
  const targets = [...new Set(result.tables.map(({ target }) => target))];
  const drawn = [...new Set(result.tables.map((table) => table.drawn))].join(' or ');
  return [
    `${result.dataset.title}: ${result.data.windows} windows of ${result.data.subjects} people`,
    `per window; 95 % intervals, ${drawn} drawn again`,
    ...targets.flatMap((target) => {
      const { header, rows } = targetCells(result, target);
      return [
        '',
        target,
        renderTable(
          header,
          rows,
          header.map((_, i) => (i < 2 ? 'left' : 'right')),
        ),
      ];
    }),
    ...(result.notes.length > 0 ? ['', ...result.notes] : []),
  ].join('\n');
}

async function openData(name: string, path: string | undefined): Promise<ByteFolder> {
  const { embedded } = benchmarks[name]!;
  const place = path ?? (embedded ? sampleDataFolder(embedded) : await fetchedFolder(name));
  if (place === undefined)
    throw new ConfigError(`reproduce ${name}: give its folder or file as --data.`, '--data');
  const status = await stat(place).catch(() => undefined);
  if (!status) throw new DataError(`--data: there is no ${place}. Check the path.`);
  if (status.isDirectory()) return openFolder(place);
  if (name !== 'dreamer')
    throw new ConfigError(
      `--data: ${name} is a folder of files, ${place} is a file. Name the folder.`,
      '--data',
    );
  // Whatever the file is called.
  const folder = await openFolder(dirname(place));
  return {
    name: place,
    list: async () => ['DREAMER.mat'],
    open: () => folder.open(basename(place)),
  };
}

/** Given weights, else heartmind's own, else from scratch, which is said. */
async function chooseEncoders(recipe: ReproduceRecipe, spec: DatasetSpec, flags: Flags) {
  const encoders: { [M in Modality]?: ChosenEncoder } = {};
  const sources: Record<string, string> = {};
  const notes: string[] = [];
  const wanted = new Set(
    recipe.models.flatMap((model) => model.replace(/-(late|rate)$/, '').split(/[+×]/) as Modality[]),
  );
  for (const modality of ['eeg', 'ecg'] as const) {
    if (!wanted.has(modality)) continue;
    const path = flags[modality] ?? releasedName(modality);
    if (path === undefined) {
      const config = encoderConfig(recipe.encoders[modality] ?? { layers: 2 });
      const tensors = initialParameters(
        encoderParameters(config),
        Random.derive(recipe.seeds[0]!, modality, 'scratch'),
      );
      encoders[modality] = { config, tensors, sha256: await sha256(encodeSafetensors(tensors)) };
      sources[modality] = 'from scratch';
      notes.push(
        `The ${modality} encoder is from scratch${flags.tune ? '' : ': frozen, its features are random'}. Give weights by --${modality}.`,
      );
      continue;
    }
    // Weights of one's own are taken whole; of released ones as many layers as the recipe says.
    const { dropout = 0.1, layers } = recipe.encoders[modality] ?? {};
    const chosen = await readChosenEncoders(path, {
      ...{ dataset: spec.name, dropout },
      ...(flags[modality] === undefined && layers !== undefined ? { layers } : {}),
    });
    encoders[modality] = chosen;
    sources[modality] = chosen.source;
    // Of several, each protocol's note says whether its folds find one.
    if (chosen.seen?.length && !chosen.others)
      notes.push(
        `The ${modality} encoder was pre-trained on unlabelled recordings of ${chosen.seen.length} people of ${spec.name}: where they are tested, it is transductive.`,
      );
  }
  return { encoders, sources, notes };
}

/** heartmind's own weights of a modality, where they are there. */
function releasedName(modality: Modality): string | undefined {
  const index = releasedIndex();
  return [...index].find(([, { kind, modalities }]) => kind === 'encoder' && modalities[0] === modality)?.[0];
}

function keptFiles(folder: string): KeptFiles {
  const place = (name: string) => join(folder, 'kept', name);
  return {
    load: (name) =>
      readFile(place(name)).then(
        (bytes) => new Uint8Array(bytes),
        () => undefined,
      ),
    save: (name, bytes) => writeFileAtomically(place(name), bytes),
  };
}

function keptTrainings(folder: string): KeptTrainings {
  const place = join(folder, 'training');
  return {
    keep: keepIn(folder),
    async forget(beginning) {
      const names = await readdir(place).catch(() => []);
      for (const one of names.filter((found) => found.startsWith(`${beginning}-fold`)))
        await rm(join(place, one), { recursive: true, force: true });
    },
  };
}
