/** Probes of the masking study → one table: scores of every arm and seed, and differences to `dual`. */
import { compareProbes } from '../dist/index.js';

/**
 * `answers`: what `heartmind probe --draws` wrote, by dataset and number of leads. Differences of single measures are its
 * own; those over all measures of one kind are the mean of their resamples, as the datasets' people are drawn apart.
 */
export function collate({ answers, arms, seeds, command, base }) {
  const probes = answers.flatMap(({ dataset, leads, probe }) =>
    probe.rows.map((row, i) => {
      const [score, { mean, low, high }] = Object.entries(row.scores)[0];
      // Rows of one encoder follow each other; equal names come in the order of their seeds.
      const before = probe.rows
        .slice(0, i)
        .filter((one) => one.encoder === row.encoder && one.target === row.target);
      const key = { arm: row.encoder, seed: seeds[before.length] ?? 0, dataset, target: row.target, leads };
      return { ...key, score, value: mean, low, high, draws: row.draws };
    }),
  );
  const comparisons = answers.flatMap(({ dataset, leads, probe }) =>
    probe.comparisons.map(({ name, against, target, score, difference, low, high, p, pHolm }) => ({
      ...{ arm: name, against, measure: `${dataset} ${target}, ${leads} leads`, score },
      ...{ difference, low, high, p, pHolm },
    })),
  );
  const overall = ['12', '2', '1', 'all'].flatMap((leads) => {
    const measured = probes.filter(
      (one) => one.score === 'auroc' && (leads === 'all' || one.leads === leads),
    );
    if (measured.length === 0) return [];
    const means = meansOf(measured);
    return compareProbes(means, { against: 'dual' }).map(({ name, encoders, ...rest }) => ({
      ...{ arm: name, measure: leads === 'all' ? 'mean AUROC' : `mean AUROC, ${leads} leads` },
      ...rest,
    }));
  });
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
    probes: probes.map(({ draws: _, ...kept }) => kept),
    finetuned: [],
    overall,
    comparisons,
  };
}

/** Each encoder's mean over its measures, and of each resample. */
function meansOf(measured) {
  const groups = new Map();
  for (const one of measured) {
    const key = `${one.arm} ${one.seed}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((group) => ({
    name: group[0].arm,
    score: group.reduce((sum, { value }) => sum + value, 0) / group.length,
    draws: group[0].draws.map(
      (_, sample) => group.reduce((sum, { draws }) => sum + draws[sample], 0) / group.length,
    ),
  }));
}
