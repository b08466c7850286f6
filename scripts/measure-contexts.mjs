#!/usr/bin/env node
/**
 * What contexts of live use cost: EEGMAT, band power over thirty seconds (the mean of the last six windows of five), logistic
 * regression, every person left out once. "Condition": contexts stay within a file, and at its start they reach into the
 * future. "Live": they run over the person's session, rest and then task, and never see what comes after the window;
 * "full": windows whose session has not yet lasted thirty seconds are left out.
 *
 *   node scripts/measure-contexts.mjs [eegmat=FOLDER]
 * Writes results/eegmat-contexts.json; about a minute on one core.
 */
import { writeFileSync } from 'node:fs';
import { auroc, baselineFeatures, findDataset, loadWindows, runClassical } from 'heartmind';
import { openFolder, sampleDataFolder } from 'heartmind/node';

const windowsInContext = 6;
const given = process.argv.find((one) => one.startsWith('eegmat='))?.slice('eegmat='.length);
const dataset = findDataset('eegmat');
const folder = await openFolder(given ?? sampleDataFolder('eegmat'));
const set = await loadWindows(dataset, folder, dataset.recipe, { target: 'task' });
const { subject, trial, start, label, count } = set;
/** Logarithms of band powers, by window. */
const powers = baselineFeatures(set).get('classical-eeg');
const people = [...new Set(subject)];
// Rest is recorded first: Subject00_1, then Subject00_2. Windows stand in that order.
const isRest = (w) => trial[w].endsWith('_1');
const isFull = (w) => !isRest(w) || start[w] >= 5 * (windowsInContext - 1);

const condition = contexts((other, own) => trial[other] === trial[own], true);
const live = contexts(() => true, false);
const always = () => true;
const rows = [
  { trained: 'condition', tested: 'condition', full: false, ...evaluate(condition, condition, always) },
  { trained: 'condition', tested: 'live', full: false, ...evaluate(condition, live, always) },
  { trained: 'live', tested: 'live', full: false, ...evaluate(live, live, always) },
  { trained: 'live', tested: 'live', full: true, ...evaluate(live, live, isFull) },
];
const round = (value) => Number(value.toFixed(6));
const result = {
  version: 1,
  command: 'node scripts/measure-contexts.mjs',
  people: people.length,
  rows: rows.map((row) => ({
    ...row,
    balancedAccuracy: round(row.balancedAccuracy),
    auroc: round(row.auroc),
  })),
};
writeFileSync(
  new URL('../results/eegmat-contexts.json', import.meta.url),
  `${JSON.stringify(result, null, 1)}\n`,
);
for (const row of result.rows) console.log(JSON.stringify(row));

/** Mean power over the context of every window, as a logarithm. `isShifted`: at the start, what comes after fills it. */
function contexts(isTogether, isShifted) {
  return Array.from({ length: count }, (_, w) => {
    const own = [...subject.keys()].filter((i) => subject[i] === subject[w] && isTogether(i, w));
    const at = own.indexOf(w);
    const from = Math.max(0, at - windowsInContext + 1);
    const part = own.slice(from, isShifted ? from + windowsInContext : at + 1);
    return powers[0].map((_power, k) =>
      Math.log(part.reduce((sum, i) => sum + Math.exp(powers[i][k]), 0) / part.length),
    );
  });
}

/** Scores of all tested windows, every person left out once. */
function evaluate(trained, tested, isUsed) {
  const both = [...trained, ...tested];
  const labels = Int32Array.from([...label, ...label]);
  const [truth, probability] = [[], []];
  for (const person of people) {
    const of = (isOwn) => [...subject.keys()].filter((i) => (subject[i] === person) === isOwn && isUsed(i));
    const test = of(true);
    const found = runClassical(
      both,
      labels,
      of(false),
      test.map((i) => i + count),
      2,
    );
    for (const [i, w] of test.entries()) {
      truth.push(label[w]);
      probability.push(found[2 * i + 1]);
    }
  }
  const recall = (k) =>
    truth.filter((one, i) => one === k && probability[i] > 0.5 === (k === 1)).length /
    truth.filter((one) => one === k).length;
  return {
    windows: truth.length,
    balancedAccuracy: (recall(0) + recall(1)) / 2,
    auroc: auroc(truth, probability),
  };
}
