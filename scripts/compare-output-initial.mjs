#!/usr/bin/env node
/**
 * How should the reconstruction layer begin: at zero, or as drawn by CBraMod's code? Pre-trains the EEG encoder of `demo --pretrain`
 * both ways on the embedded EEGMAT and writes results/output-initial.json. Run after `npm run setup`; a few minutes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findDataset, loadWindows, parsePretrainRecipe, pretrain } from 'heartmind';
import { createNodeBackend, openFolder, sampleDataFolder } from 'heartmind/node';

const root = join(import.meta.dirname, '..');
const recipe = JSON.parse(readFileSync(join(root, 'recipes/demo-pretrain.json'), 'utf8')).pretrain.eeg;
const dataset = findDataset('eegmat');
const { train, validation } = dataset.splits.published;
const windows = await loadWindows(dataset, await openFolder(sampleDataFolder('eegmat')), undefined, {
  subjects: [...train, ...validation],
});
const backend = await createNodeBackend();
const runs = {};
for (const outputInitial of ['zeros', 'official']) {
  const { curves } = await pretrain({
    backend,
    windows,
    recipe: parsePretrainRecipe({ ...recipe, outputInitial }),
    validationSubjects: validation,
  });
  runs[outputInitial] = curves;
  console.log(
    outputInitial,
    curves
      .map(
        (row) =>
          `epoch ${row.epoch}: ${row.loss.toPrecision(4)} (predicting 0: ${row['zero.random'].toPrecision(4)})`,
      )
      .join(', '),
  );
}
writeFileSync(
  join(root, 'results/output-initial.json'),
  `${JSON.stringify({ command: 'node scripts/compare-output-initial.mjs', engine: backend.description, recipe, runs }, null, 1)}\n`,
);
