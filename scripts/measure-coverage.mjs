#!/usr/bin/env node
/**
 * How often an interval that is called 95 % covers the true score when few people are tested. EEGMAT's 36 people stand for
 * all people: each is predicted once by classical features under logistic regression trained on the other 35 (the
 * committed results keep no predictions by window, so they are computed again). Groups of 4, 6, 9 … people are drawn from
 * the 36; of each group the interval is made as everywhere in heartmind (people drawn again 1,000 times, percentiles),
 * and it covers where the score of all 36 lies within.
 *
 * Groups are drawn in two ways. Without replacement, as an issue of this project measured first: a group of 18 is then half
 * of everybody, so its score lies closer to that of all than a new group's would, and coverage is too high. With
 * replacement, the 36 stand for endlessly many people like them.
 *
 *   node scripts/measure-coverage.mjs [eegmat=FOLDER] [--groups 600]
 * Writes results/interval-coverage.json; about two minutes on one core.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  auroc,
  averagePrecision,
  baselineFeatures,
  bootstrapAll,
  findDataset,
  leaveOneSubjectOut,
  loadWindows,
  Random,
  runClassical,
} from 'heartmind';
import { openFolder, sampleDataFolder } from 'heartmind/node';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { groups: { type: 'string', default: '600' } },
});
const groups = Number(values.groups);
const samples = 1000;
const sizes = { without: [4, 6, 9, 12, 18], with: [4, 6, 9, 10, 12, 18, 36] };
const models = ['classical-eeg', 'classical-ecg', 'classical-eeg+ecg'];
const scores = ['balancedAccuracy', 'auroc', 'auprc'];

const given = positionals.find((one) => one.startsWith('eegmat='))?.slice('eegmat='.length);
const dataset = findDataset('eegmat');
const folder = await openFolder(given ?? sampleDataFolder('eegmat'));
const set = await loadWindows(dataset, folder, dataset.recipe, { target: 'task' });
const features = baselineFeatures(set);
const people = [...new Set(set.subject)].sort();
const windowsOf = new Map(people.map((person) => [person, []]));
for (const [i, person] of set.subject.entries()) windowsOf.get(person).push(i);

const predictions = Object.fromEntries(models.map((model) => [model, predict(features.get(model))]));
const everybody = [...set.subject.keys()];
const truth = statisticsOf(everybody)(everybody);
checkStatistics();

const rows = [];
for (const draw of ['without', 'with'])
  for (const size of sizes[draw]) {
    const random = Random.derive(0, 'coverage', `${draw} ${size}`);
    const covered = truth.map(() => 0);
    const widths = truth.map(() => 0);
    for (let group = 0; group < groups; group++) {
      const drawn = drawGroup(random, size, draw);
      // A person who is drawn twice counts as two people.
      const subjects = drawn.flatMap((person, k) => windowsOf.get(person).map(() => `${k}`));
      const places = drawn.flatMap((person) => windowsOf.get(person));
      const intervals = bootstrapAll(subjects, statisticsOf(places), { samples });
      for (const [k, { low, high }] of intervals.entries()) {
        if (low <= truth[k] && truth[k] <= high) covered[k]++;
        widths[k] += (high - low) / groups;
      }
    }
    for (const [k, name] of statisticNames().entries()) {
      const [model, score] = name;
      rows.push({ draw, people: size, model, score, coverage: covered[k] / groups, width: widths[k] });
    }
    console.log(draw, size, covered.map((count) => (count / groups).toFixed(3)).join(' '));
  }

const result = {
  ...{ kind: 'interval-coverage', command: describeCommand(), created: new Date().toISOString() },
  versions: { node: process.version },
  protocol: 'EEGMAT, one person left out, classical features, logistic regression',
  ...{ windows: set.count, people: people.length, level: 0.95, samples, groups },
  truth: Object.fromEntries(statisticNames().map(([model, score], k) => [`${model} ${score}`, truth[k]])),
  rows,
};
writeFileSync(
  join(import.meta.dirname, '../results/interval-coverage.json'),
  `${JSON.stringify(result, null, 1)}\n`,
);

function describeCommand() {
  return [
    'node scripts/measure-coverage.mjs',
    ...(given ? ['eegmat=FOLDER'] : []),
    ...(groups === 600 ? [] : [`--groups ${groups}`]),
  ].join(' ');
}

/** Every window's probability of arithmetic, by a model that has not seen its person. */
function predict(rowsOfFeatures) {
  const p = new Float64Array(set.count);
  for (const { test } of leaveOneSubjectOut(set.subject, 1, 0)) {
    const held = new Set(test);
    const own = set.subject.flatMap((person, i) => (held.has(person) ? [i] : []));
    const train = set.subject.flatMap((person, i) => (held.has(person) ? [] : [i]));
    const probabilities = runClassical(rowsOfFeatures, set.label, train, own, 2);
    for (const [j, i] of own.entries()) p[i] = probabilities[2 * j + 1];
  }
  return p;
}

function statisticNames() {
  return [
    ...models.flatMap((model) => scores.map((score) => [model, score])),
    ['classical-eeg+ecg less classical-ecg', 'auroc'],
  ];
}

/**
 * In the order of `statisticNames`, for any resample of some windows, which are sorted once: `indices` are places in
 * `windows`, named as often as they count.
 */
function statisticsOf(windows) {
  const counts = new Int32Array(windows.length);
  const labels = Int32Array.from(windows, (i) => set.label[i]);
  const sorted = models.map((model) => {
    const p = Float64Array.from(windows, (i) => predictions[model][i]);
    return { p, order: Int32Array.from(windows.keys()).sort((a, b) => p[b] - p[a]) };
  });
  return (indices) => {
    counts.fill(0);
    for (const i of indices) counts[i]++;
    const own = sorted.map(({ p, order }) => scoresOf(p, order, labels, counts));
    return [...own.flat(), own[2][1] - own[1][1]];
  };
}

/** Balanced accuracy, AUROC, average precision by counting along falling probabilities: no sorting for each resample. */
function scoresOf(p, order, labels, counts) {
  let [hits, rejections, yes, no, area, precision] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < order.length; ) {
    const value = p[order[k]];
    let [positive, negative] = [0, 0];
    for (; k < order.length && p[order[k]] === value; k++) {
      const i = order[k];
      if (labels[i] === 1) positive += counts[i];
      else negative += counts[i];
    }
    if (value > 0.5) hits += positive;
    else rejections += negative;
    area += negative * (yes + positive / 2);
    yes += positive;
    no += negative;
    if (positive > 0) precision += (positive * yes) / (yes + no);
  }
  return [(hits / yes + rejections / no) / 2, area / (yes * no), precision / yes];
}

/** The fast statistics are those of the library. */
function checkStatistics() {
  const labels = Int32Array.from(set.label);
  for (const [k, model] of models.entries()) {
    const p = predictions[model];
    const expected = [auroc(labels, p), averagePrecision(labels, p)];
    const found = truth.slice(3 * k + 1, 3 * k + 3);
    if (expected.some((value, i) => Math.abs(value - found[i]) > 1e-12))
      throw new Error(`measure-coverage: ${model} is ${found}, the library says ${expected}.`);
  }
}

function drawGroup(random, size, draw) {
  if (draw === 'with') return Array.from({ length: size }, () => people[random.integer(people.length)]);
  const left = [...people];
  return Array.from({ length: size }, () => left.splice(random.integer(left.length), 1)[0]);
}
