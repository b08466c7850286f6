/** Probes and fine-tunings of the masking study → one result: scores of every arm and seed, and differences to `dual`. */
import { compareProbes } from '../dist/index.js';
import { questionOfArm } from './masking-arms.mjs';

/**
 * `answers`: what `heartmind probe --draws` wrote, by dataset and number of leads; with a `seed`, of encoders that learned
 * too. People are drawn again for each dataset apart, the same for every encoder; differences over several measures are
 * those of their means. p values are adjusted over the arms that answer the same question in one measure.
 */
export function collate({ answers, arms, seeds, command, base }) {
  const scores = answers.flatMap(({ dataset, leads, seed, probe }) =>
    probe.rows.map((row, i) => {
      const [score, { mean, low, high }] = Object.entries(row.scores)[0];
      // Rows of equal names come in the order of their seeds.
      const before = probe.rows
        .slice(0, i)
        .filter((one) => one.encoder === row.encoder && one.target === row.target);
      return {
        ...{ arm: row.encoder, seed: seed ?? seeds[before.length] ?? 0, dataset, target: row.target, leads },
        ...{ way: seed === undefined ? 'probe' : 'tuned', score, value: mean, low, high, draws: row.draws },
      };
    }),
  );
  const rankings = scores.filter(({ score }) => score === 'auroc');
  const measures = [
    ...group(scores, ({ way, dataset, target, leads }) => `${way} ${dataset} ${target}, ${leads}`),
    ...group(rankings, ({ way, leads }) => `${way} mean AUROC, ${leads}`),
    ...group(rankings, ({ way }) => `${way} mean AUROC, all`),
  ];
  const comparisons = measures.flatMap(([measure, measured]) =>
    compareProbes(meansOf(measured), { against: 'dual', questionOf: questionOfArm }).map(
      ({ name, encoders, ...rest }) => ({
        ...{ arm: name, way: measure.split(' ')[0], measure: measure.replace(/^\S+ /, '') },
        ...{ score: measured[0].score, ...rest },
      }),
    ),
  );
  const reconstruction = answers.flatMap(({ probe }) =>
    probe.reconstruction.flatMap(({ encoder, losses, zero }, i) => {
      const before = probe.reconstruction.slice(0, i).filter((one) => one.encoder === encoder);
      return Object.entries(losses).map(([kind, loss]) => ({
        ...{ arm: encoder, seed: seeds[before.length] ?? 0, kind, ratio: 0.5, loss, zero: zero[kind] },
      }));
    }),
  );
  return {
    ...{ kind: 'masking-study', command, created: new Date().toISOString() },
    versions: answers[0]?.probe.versions ?? {},
    recipe: JSON.parse(base),
    arms: [
      { name: 'none', asks: 'initial values' },
      ...Object.entries(arms).map(([name, { asks }]) => ({ name, asks })),
    ],
    seeds,
    reconstruction,
    scores: scores.map(({ draws: _, ...kept }) => kept),
    comparisons,
  };
}

function group(rows, keyOf) {
  const groups = new Map();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return [...groups];
}

/** Each encoder's mean over its measures, and of each resample. */
function meansOf(measured) {
  return group(measured, ({ arm, seed }) => `${arm} ${seed}`).map(([, own]) => ({
    name: own[0].arm,
    score: own.reduce((sum, { value }) => sum + value, 0) / own.length,
    draws: own[0].draws.map(
      (_, sample) => own.reduce((sum, { draws }) => sum + draws[sample], 0) / own.length,
    ),
  }));
}
