/** Benchmarks of several labels at once (PTB-XL): the official folds, one table by leads. */
import { basename } from 'node:path';
import { ConfigError } from '../core/errors.ts';
import { describeFolder, type PublishedDataset } from '../datasets/dataset.ts';
import { openFolder } from '../datasets/folder-node.ts';
import { reproduceLabels } from '../evaluate/reproduce-labels.ts';
import { parseLabelsRecipe } from '../evaluate/reproduce-labels-recipe.ts';
import { renderLabelReproduction } from '../evaluate/reproduce-labels-report.ts';
import type { LabelReproduction } from '../evaluate/reproduce-labels-result.ts';
import { differenceCells, labelCells, shareCells } from '../evaluate/reproduce-labels-table.ts';
import { explainSpread } from '../evaluate/score-spread.ts';
import { createBackend } from './command.ts';
import { dataFolder, fetchedFolder } from './data-folder.ts';
import { readEncoder } from './model-source.ts';
import { readRecipe } from './recipe-file.ts';
import type { Benchmark } from './reproduce-run.ts';
import { renderTable } from './table.ts';

export function labelBenchmark(dataset: PublishedDataset): Benchmark {
  return async ({ name, recipe: plain, recipeName, flags, ...run }) => {
    const recipe = parseLabelsRecipe(withTunedRecipe(plain), recipeName);
    if (flags.eeg !== undefined)
      throw new ConfigError(`--eeg: ${name} has ECG alone. Give --ecg, or neither.`, '--eeg');
    const path = flags.data ?? (await fetchedFolder(dataset.name));
    if (path === undefined)
      throw new ConfigError(
        `reproduce ${name}: ${dataset.name} is not in ${dataFolder(dataset.name)}. Run heartmind fetch ${dataset.name}, or give its folder as --data.`,
        '--data',
      );
    const folder = await openFolder(path);
    const { tensors, metadata } = await readEncoder(flags.ecg ?? recipe.encoder);
    const backend = await createBackend(flags);
    const result = await reproduceLabels({
      ...{ ...run, backend, recipe, folder },
      spec: await describeFolder(dataset, folder),
      encoder: {
        tensors,
        source: basename(flags.ecg ?? recipe.encoder),
        origin: metadata,
      },
      tune: flags.tune,
      allowDuplicates: flags.allowDuplicates,
    });
    return { result, report: renderLabelReproduction(result), tables: renderLabelTables(result) };
  };
}

/** A name of recipes/ in the place of the recipe of fine-tuning becomes what it names. */
export function withTunedRecipe(plain: unknown): unknown {
  const recipe = plain as { readonly tuned?: { readonly recipe?: unknown } } | null;
  const named = recipe?.tuned?.recipe;
  return typeof named === 'string'
    ? { ...recipe, tuned: { ...recipe!.tuned, recipe: readRecipe(named) } }
    : plain;
}

/** For the terminal. */
function renderLabelTables(result: LabelReproduction): string {
  const { dataset, data, tested, notes } = result;
  const [differences, shares] = [differenceCells(result), shareCells(result)];
  const table = ({ header, rows }: { header: readonly string[]; rows: readonly string[][] }) =>
    renderTable(
      header,
      rows,
      header.map((_, i) => (i < 2 ? 'left' : 'right')),
    );
  return [
    `${dataset.title}: ${data.windows} windows of ${data.subjects} people, ${tested.subjects} of them tested`,
    explainSpread(tested.subjects, { also: ' and seeds' }),
    ...['', table(labelCells(result))],
    ...(differences.rows.length > 0 ? ['', 'Differences', table(differences)] : []),
    ...(shares.rows.length > 0 ? ['', 'Fewer labels', table(shares)] : []),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ].join('\n');
}
