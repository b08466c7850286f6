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
 *   node scripts/measure-coverage.mjs [eegmat=FOLDER] [--groups 200]
 * Writes results/interval-coverage.json; about three minutes on one core.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  auroc,
  averagePrecision,
  baselineFeatures,
  findDataset,
  leaveOneSubjectOut,
  loadWindows,
  Random,
  runClassical,
  subjectBootstrap,
} from 'heartmind';
import { openFolder, sampleDataFolder } from 'heartmind/node';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { groups: { type: 'string', default: '200' } },
});
const groups = Number(values.groups);
const samples = 1000;
const sizes = { with: [4, 9, 10, 18], without: [4, 9, 18], 'with, many': [36] };
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
const truth = statisticsOf(people)(new Int32Array(people.length).fill(1));
checkStatistics();

const rows = [];
for (const [draw, counts] of Object.entries(sizes))
  for (const size of counts) {
    const random = Random.derive(0, 'coverage', `${draw} ${size}`);
    const covered = truth.map(() => 0);
    const widths = truth.map(() => 0);
    for (let group = 0; group < groups; group++) {
      const drawn = drawGroup(random, size, draw !== 'without');
      const intervals = intervalsOf(drawn);
      if (group === 0) checkIntervals(drawn, intervals);
      for (const [k, { low, high }] of intervals.entries()) {
        if (low <= truth[k] && truth[k] <= high) covered[k]++;
        widths[k] += (high - low) / groups;
      }
    }
    for (const [k, [model, score]] of statisticNames().entries())
      rows.push({
        ...{ draw: draw === 'without' ? 'without' : 'with', people: size, model, score },
        ...{ coverage: covered[k] / groups, width: widths[k] },
      });
    console.log(draw, size, covered.map((count) => (count / groups).toFixed(3)).join(' '));
    write();
  }

/** After every size: what is measured is kept where the rest is stopped. */
function write() {
  const result = {
    ...{ kind: 'interval-coverage', command: describeCommand(), created: new Date().toISOString() },
    versions: { node: process.version },
    protocol: 'EEGMAT, one person left out, classical features, logistic regression',
    ...{ windows: set.count, people: people.length, level: 0.95, samples, groups },
    truth: Object.fromEntries(statisticNames().map(([model, score], k) => [`${model} ${score}`, truth[k]])),
    rows,
  };
  const path = join(import.meta.dirname, '../results/interval-coverage.json');
  writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`);
}

function describeCommand() {
  return [
    'node scripts/measure-coverage.mjs',
    ...(given ? ['eegmat=FOLDER'] : []),
    ...(groups === 200 ? [] : [`--groups ${groups}`]),
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

/** The interval of every statistic for a group of people; who is drawn twice counts as two people. */
function intervalsOf(group) {
  const statistics = statisticsOf(group);
  const draws = truth.map(() => new Float64Array(samples));
  // The same draws as the library's bootstrap, as weights of people.
  const random = Random.derive(0, 'bootstrap');
  const weights = new Int32Array(group.length);
  for (let sample = 0; sample < samples; sample++) {
    weights.fill(0);
    for (let i = 0; i < group.length; i++) weights[random.integer(group.length)]++;
    for (const [k, value] of statistics(weights).entries()) draws[k][sample] = value;
  }
  return draws.map((values) => {
    const sorted = values.sort();
    return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
  });
}

function quantile(sorted, q) {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  return sorted[below] + (position - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

/** Weights of a group's people → values in the order of `statisticNames`; windows are sorted once. */
function statisticsOf(group) {
  const windows = group.flatMap((person) => windowsOf.get(person));
  const person = Int32Array.from(group.flatMap((name, k) => windowsOf.get(name).map(() => k)));
  const sorted = models.map((model) => {
    const order = [...windows.keys()].sort(
      (a, b) => predictions[model][windows[b]] - predictions[model][windows[a]],
    );
    return {
      p: Float64Array.from(order, (i) => predictions[model][windows[i]]),
      label: Uint8Array.from(order, (i) => set.label[windows[i]]),
      person: Int32Array.from(order, (i) => person[i]),
    };
  });
  return (weights) => {
    const own = sorted.map((rows) => scoresOf(rows, weights));
    return [...own.flat(), own[2][1] - own[1][1]];
  };
}

/** Balanced accuracy, AUROC, average precision by counting along falling probabilities. */
function scoresOf({ p, label, person }, weights) {
  let [hits, rejections, yes, no, area, precision] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < p.length; ) {
    const value = p[k];
    let [positive, negative] = [0, 0];
    for (; k < p.length && p[k] === value; k++) {
      if (label[k] === 1) positive += weights[person[k]];
      else negative += weights[person[k]];
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

/** The fast intervals are those that every table has. */
function checkIntervals(group, intervals) {
  // Names in the order in which the library sorts them.
  const subjects = group.flatMap((name, k) => windowsOf.get(name).map(() => String(k).padStart(3, '0')));
  const windows = group.flatMap((name) => windowsOf.get(name));
  const p = predictions[models[0]];
  const labels = (indices) => Int32Array.from(indices, (i) => set.label[windows[i]]);
  const area = (indices) =>
    auroc(
      labels(indices),
      Float64Array.from(indices, (i) => p[windows[i]]),
    );
  const { low, high } = subjectBootstrap(subjects, area, { samples });
  if (Math.abs(low - intervals[1].low) > 1e-12 || Math.abs(high - intervals[1].high) > 1e-12)
    throw new Error(
      `measure-coverage: an interval is ${JSON.stringify(intervals[1])}, the library's ${low} to ${high}.`,
    );
}

function drawGroup(random, size, isReplaced) {
  if (isReplaced) return Array.from({ length: size }, () => people[random.integer(people.length)]);
  const left = [...people];
  return Array.from({ length: size }, () => left.splice(random.integer(left.length), 1)[0]);
}
