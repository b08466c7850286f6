/** The masking study in docs/results.md: tables and the picture docs/masking.svg, from results/masking*.json. */
import { digits, interval, meanOf, table } from './table-cells.mjs';

const kindsOfMask = ['intra', 'inter', 'dual', 'span'];
const leadCounts = ['12', '2', '1', 'all'];
/** Tested people of the smallest dataset, EEGMAT: enough for intervals of every measure. */
const fewestTested = 36;
const scoreTitles = { auroc: 'AUROC', mae: 'mean absolute error', r2: 'R²' };
const kindArms = ['none', 'random', 'intra', 'inter', 'span', 'dual'];

/** Results that hold tuned encoders, with what was asked of them. */
const tunedSets = [
  ['masking', 'super-classes, 1 lead'],
  ['masking-tuned', 'diagnoses, 2 and 1'],
  ['masking-tuned-12', 'diagnoses, 12'],
  ['masking-tuned-people', 'sex, task, 1'],
];

/** By name of the table; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const maskingTables = {
  'masking-reconstruction': (read) => {
    const result = read('masking');
    if (!result) return 'Not measured yet.\n';
    const rows = result.arms
      .filter(({ name }) => name !== 'none')
      .map(({ name, asks }) => {
        const cells = kindsOfMask.map((kind) => {
          const own = result.reconstruction.filter((one) => one.arm === name && one.kind === kind);
          return spread(own.map(({ loss, zero }) => loss / zero));
        });
        return `| ${name}: ${asks} | ${cells.join(' | ')} |`;
      });
    return table(['pre-trained with', ...kindsOfMask], rows);
  },
  'masking-probes': (read) => probed(read('masking')),
  'masking-measures': (read) => measures([read('masking')], 'probe'),
  'masking-tuned-measures': (read) =>
    measures(
      tunedSets.map(([name]) => read(name)),
      'tuned',
    ),
  'masking-tuned': (read) => {
    const rows = kindArms
      .filter((arm) => arm !== 'dual')
      .map(
        (arm) =>
          `| ${arm} | ${tunedSets.map(([name]) => differenceCell(read(name), 'tuned', arm)).join(' | ')} |`,
      );
    return table(['pre-trained with', ...tunedSets.map(([, title]) => title)], rows);
  },
};

/** Every label asked in one way, mean over seeds of the arms that differ in the kind of mask. */
function measures(results, way) {
  const scores = results.flatMap((result) => (result?.scores ?? []).filter((one) => one.way === way));
  if (scores.length === 0) return 'Not measured yet.\n';
  const nameOf = ({ dataset, target, leads }) => `| ${dataset} ${target} | ${leads} |`;
  const rows = [...new Map(scores.map((one) => [nameOf(one), one]))].map(([name, { score }]) => {
    const values = kindArms.map((arm) => {
      const own = scores.filter((one) => one.arm === arm && nameOf(one) === name);
      return own.length === 0 ? undefined : meanOf(own.map(({ value }) => value));
    });
    // Of every score here more is better.
    const most = Math.max(...values.filter((value) => value !== undefined));
    const cells = values.map((value) => {
      if (value === undefined) return '';
      return digits(value) === digits(most) ? `**${digits(value)}**` : digits(value);
    });
    return `${name} ${scoreTitles[score] ?? score} | ${cells.join(' | ')} |`;
  });
  return table(['labels', 'leads', 'score', ...kindArms], rows);
}

/** Of frozen encoders: mean AUROC over all labels of each number of leads, and the difference to dual over all of them. */
function probed(result) {
  if (!result) return 'Not measured yet.\n';
  const rows = result.arms.flatMap(({ name, asks }) => {
    const own = result.scores.filter(
      (one) => one.arm === name && one.way === 'probe' && one.score === 'auroc',
    );
    if (own.length === 0) return [];
    const cells = leadCounts.map((leads) =>
      digits(meanOf(own.filter((one) => leads === 'all' || one.leads === leads).map(({ value }) => value))),
    );
    const against = differenceCell(result, 'probe', name);
    return [`| ${name}: ${asks} | ${cells.join(' | ')} | ${against} |`];
  });
  const heads = leadCounts.map((leads) =>
    leads === 'all' ? 'all' : `${leads} lead${leads === '1' ? '' : 's'}`,
  );
  return table(['pre-trained with', ...heads, 'less dual, all'], rows);
}

/** An arm less dual, mean AUROC over all that a result asked in one way; empty of dual itself. */
function differenceCell(result, way, arm) {
  const one = result?.comparisons.find(
    (row) => row.way === way && row.arm === arm && row.measure === 'mean AUROC, all',
  );
  if (!one) return '';
  return `${interval({ mean: one.difference, ...one }, fewestTested, true)}${one.pHolm < 0.05 ? ' *' : ''}`;
}

/** Every arm less dual, mean AUROC of probes: points and intervals by number of leads. */
export function drawMasking(result) {
  const arms = result.arms.map(({ name }) => name).filter((name) => name !== 'dual');
  const points = result.comparisons.filter(
    ({ way, measure }) => way === 'probe' && measure.startsWith('mean AUROC'),
  );
  const [width, left, top, row] = [720, 150, 34, 26];
  const height = top + arms.length * row + 44;
  const least = Math.min(-0.01, ...points.map(({ low }) => low));
  const most = Math.max(0.01, ...points.map(({ high }) => high));
  const x = (value) => left + ((width - left - 20) * (value - least)) / (most - least);
  const colours = { all: '#222', 12: '#0b6e99', 2: '#c05a00', 1: '#6a9a1f' };
  const marks = arms.flatMap((arm, i) =>
    leadCounts.flatMap((leads, j) => {
      const one = points.find(({ arm: name, measure }) => name === arm && measure === `mean AUROC, ${leads}`);
      if (!one) return [];
      const y = (top + i * row + 5 + j * 5).toFixed(1);
      const [from, to, at] = [one.low, one.high, one.difference].map((value) => x(value).toFixed(1));
      return [
        `<path d="M${from},${y}H${to}" stroke="${colours[leads]}" stroke-width="${leads === 'all' ? 2.5 : 1.2}"/>`,
        `<circle cx="${at}" cy="${y}" r="${leads === 'all' ? 3 : 2}" fill="${colours[leads]}"/>`,
      ];
    }),
  );
  const names = arms.map(
    (arm, i) => `<text x="${left - 10}" y="${top + i * row + 17}" text-anchor="end">${arm}</text>`,
  );
  const step = most - least > 0.12 ? 0.04 : most - least > 0.06 ? 0.02 : 0.01;
  const ticks = Array.from(
    { length: Math.floor(most / step) - Math.ceil(least / step) + 1 },
    (_, i) => (Math.ceil(least / step) + i) * step,
  ).map(
    (value) =>
      `<path d="M${x(value).toFixed(1)},${top - 4}V${height - 40}" stroke="${Math.abs(value) < 1e-9 ? '#666' : '#ddd'}"/><text x="${x(value).toFixed(1)}" y="${height - 26}" text-anchor="middle">${digits(value)}</text>`,
  );
  const key = leadCounts.map(
    (leads, i) =>
      `<text x="${left + i * 90}" y="18" fill="${colours[leads]}">${leads === 'all' ? 'all measures' : `${leads} lead${leads === '1' ? '' : 's'}`}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>Mean AUROC of linear probes: every way of masking less dual masking</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${[...ticks, ...key, ...names, ...marks].join('\n')}
<text x="${width - 20}" y="${height - 8}" text-anchor="end">mean AUROC of linear probes less that of dual masking, 95 % intervals</text>
</svg>
`;
}

/** Mean over seeds (smallest–largest). */
function spread(values) {
  if (values.length === 0) return '';
  if (values.length === 1) return digits(values[0]);
  return `${digits(meanOf(values))} (${digits(Math.min(...values))}–${digits(Math.max(...values))})`;
}
