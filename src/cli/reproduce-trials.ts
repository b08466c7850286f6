/** Benchmarks of trials (DREAMER, AMIGOS, EEGMAT): two classes, several protocols, one or both modalities. */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { ConfigError, DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { Random } from '../core/random.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import { openFolder } from '../datasets/folder-node.ts';
import { sampleDataFolder } from '../datasets/sample-node.ts';
import { modalitiesIn } from '../evaluate/model-names.ts';
import { reproduce } from '../evaluate/reproduce.ts';
import type { ChosenEncoder } from '../evaluate/reproduce-data.ts';
import { parseReproduceRecipe, type ReproduceRecipe } from '../evaluate/reproduce-recipe.ts';
import { renderReproduction } from '../evaluate/reproduce-report.ts';
import type { Reproduction } from '../evaluate/reproduce-result.ts';
import { countUnits, targetCells } from '../evaluate/reproduce-table.ts';
import { explainSpread } from '../evaluate/score-spread.ts';
import { encoderConfig } from '../model/config.ts';
import { encoderParameters } from '../model/encoder-parameters.ts';
import { initialParameters } from '../model/parameters.ts';
import { releasedDefaults } from '../model/released-weights.ts';
import { releasedIndex } from '../model/released-weights-node.ts';
import { hashTensors } from '../model/safetensors.ts';
import type { Modality } from '../patches/windows.ts';
import { readChosenEncoders } from './choose-encoders.ts';
import { createBackend } from './command.ts';
import { fetchedFolder } from './data-folder.ts';
import type { Benchmark, ReproduceFlags } from './reproduce-run.ts';
import { renderTable } from './table.ts';

/** `embedded`: comes with the package. */
export function trialBenchmark(
  specOf: (recipe: ReproduceRecipe) => DatasetSpec,
  embedded?: 'eegmat',
): Benchmark {
  return async ({ name, recipe: plain, recipeName, flags, progress, ...run }) => {
    const recipe = parseReproduceRecipe(plain, recipeName);
    const spec = specOf(recipe);
    const folder = await openData(name, flags.data, embedded);
    const { encoders, sources, notes } = await chooseEncoders(recipe, spec, flags);
    for (const note of notes) progress.log(note);
    const backend = await createBackend(flags);
    const result = await reproduce({
      ...{ ...run, backend, spec, recipe, encoders, sources, notes, progress, folder },
      tune: flags.tune,
      allowDuplicates: flags.allowDuplicates,
    });
    return { result, report: renderReproduction(result), tables: renderReproductionTables(result) };
  };
}

/** A table a target, for the terminal. */
function renderReproductionTables(result: Reproduction): string {
  const targets = [...new Set(result.tables.map(({ target }) => target))];
  const spreads = result.tables.map((table) =>
    explainSpread(countUnits(table), { drawn: table.drawn === 'stimuli' ? 'stimuli' : 'people' }),
  );
  return [
    `${result.dataset.title}: ${result.data.windows} windows of ${result.data.subjects} people`,
    `per window, over all windows pooled; ${[...new Set(spreads)].join('; or ')}`,
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

async function openData(name: string, path: string | undefined, embedded?: 'eegmat'): Promise<ByteFolder> {
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

/** Given weights, else those of the recipe, else heartmind's own, else from scratch, which is said. */
async function chooseEncoders(recipe: ReproduceRecipe, spec: DatasetSpec, flags: ReproduceFlags) {
  const encoders: { [M in Modality]?: ChosenEncoder } = {};
  const sources: Record<string, string> = {};
  const notes: string[] = [];
  const wanted = new Set(recipe.models.flatMap(modalitiesIn));
  for (const modality of ['eeg', 'ecg'] as const) {
    if (!wanted.has(modality)) continue;
    const path = flags[modality] ?? recipe.weights[modality]?.join(',') ?? releasedName(modality);
    if (path === undefined) {
      const config = encoderConfig(recipe.encoders[modality] ?? { layers: 2 });
      const tensors = initialParameters(
        encoderParameters(config),
        Random.derive(recipe.seeds[0]!, modality, 'scratch'),
      );
      encoders[modality] = { config, tensors, sha256: hashTensors(tensors) };
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
    const silent = [chosen, ...(chosen.others ?? [])].filter(({ seen }) => seen === undefined);
    if (silent.length > 0)
      notes.push(
        `The ${modality} encoder ${silent.map(({ source }) => source).join(', ')} does not say whom it was pre-trained on: people of ${spec.name} may be among them.`,
      );
    if (chosen.seen?.length && !chosen.others)
      notes.push(
        `The ${modality} encoder was pre-trained on unlabelled recordings of ${chosen.seen.length} people of ${spec.name}: where they are tested, it is transductive.`,
      );
  }
  return { encoders, sources, notes };
}

/** heartmind's own weights of a modality, where they are there. */
function releasedName(modality: Modality): string | undefined {
  const name = releasedDefaults[modality];
  return releasedIndex().has(name) ? name : undefined;
}
