/** The tables of pre-training and fusion in docs/results.md, from what `heartmind probe` and `heartmind reproduce` wrote. */

/** By name of the table; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const scienceTables = {
  ptbxl: (read) => {
    const result = read('reproduce-ptbxl');
    if (!result) return 'Not measured yet.\n';
    const labels = Object.keys(result.tested.labels);
    const rows = result.blocks.flatMap((block) =>
      block.rows
        .filter(({ labelShare }) => labelShare === 1)
        .map(({ model, auroc, labels: own }) => {
          const cells = labels.map((name) => digits(own.find((label) => label.name === name)?.auroc.mean));
          return `| ${leadsOf(block)} | \`${model}\` | ${[interval(auroc), ...cells].join(' | ')} |`;
        }),
    );
    const published = result.published.map(
      ({ model, scores }) =>
        `| *all 12, published* | *${model}* | ${[digits(scores.auroc), ...labels.map(() => '')].join(' | ')} |`,
    );
    return table(['leads', 'model', 'macro AUROC', ...labels], [...rows, ...published]);
  },
  'ptbxl-differences': (read) => {
    const result = read('reproduce-ptbxl');
    if (!result) return 'Not measured yet.\n';
    const rows = result.blocks.flatMap((block) =>
      block.comparisons
        .filter(({ labelShare }) => labelShare === 1)
        .map((one) => `| ${leadsOf(block)} | \`${one.model}\` − \`${one.against}\` | ${gain(one)} |`),
    );
    return table(['leads', 'difference', 'macro AUROC'], rows);
  },
  'ptbxl-shares': (read) => {
    const result = read('reproduce-ptbxl');
    if (!result) return 'Not measured yet.\n';
    const models = [...new Set(result.blocks.flatMap(({ rows }) => rows.map(({ model }) => model)))].filter(
      (model) => model !== 'prior',
    );
    const rows = result.blocks.flatMap((block) => {
      const shares = [...new Set(block.rows.map(({ labelShare }) => labelShare))].sort((x, y) => x - y);
      return shares.map((share) => {
        const own = block.rows.filter(({ labelShare }) => labelShare === share);
        const cells = models.map((name) => digits(own.find(({ model }) => model === name)?.auroc.mean));
        const found = (model, against) =>
          block.comparisons.find(
            (one) => one.labelShare === share && one.model === model && one.against === against,
          );
        const gains = [
          found('ecg', 'ecg-untrained'),
          ...(result.tuned ? [found('ecg-tuned', 'ecg-scratch')] : []),
        ];
        const people = own.find(({ model }) => model === 'ecg').people;
        return `| ${leadsOf(block)} | ${Number((100 * share).toPrecision(3))} % (${people}) | ${[...cells, ...gains.map((one) => (one ? gain(one) : ''))].join(' | ')} |`;
      });
    });
    const header = [...models.map((model) => `\`${model}\``), '`ecg` − untrained'];
    return table(['leads', 'labelled people', ...header, ...(result.tuned ? ['tuned − scratch'] : [])], rows);
  },
  'eegmat-published': (read) => {
    const [short, long] = [read('eegmat-published'), read('eegmat-published-context')];
    const rows = [
      ...benchmarkRows(short, ''),
      // Without ECG, and in classical features, nothing differs.
      ...benchmarkRows(long, ', 30 s of ECG').filter((row) => /^\| (ecg|eeg\+ecg)/.test(row)),
    ];
    const published = short.published.map(
      ({ model, scores }) =>
        `| *${model}, published* | ${digits(scores.balancedAccuracy)} | ${digits(scores.auroc)} | ${digits(scores.auprc)} | | | |`,
    );
    return table(
      [
        'model',
        ...['', ', transductive'].flatMap((column) => scoreNames.map((name) => `${titles[name]}${column}`)),
      ],
      [...rows, ...published],
    );
  },
};

const scoreNames = ['balancedAccuracy', 'auroc', 'auprc'];
const titles = { balancedAccuracy: 'balanced accuracy', auroc: 'AUROC', auprc: 'AUC-PR' };

/** Deep and classical rows of the published split: as they stand, and standardised within people. */
function benchmarkRows(result, suffix) {
  if (!result) return [];
  const { rows } = result.tables.find(({ protocol }) => protocol === 'published');
  return rows
    .filter(({ kind, model }) => kind !== 'trivial' && !model.endsWith('-standardised'))
    .map(({ model, windows }) => {
      const standardised = rows.find((row) => row.model === `${model}-standardised`)?.windows ?? {};
      const cells = [windows, standardised].flatMap((scores) =>
        scoreNames.map((name) => interval(scores[name])),
      );
      return `| ${model}${suffix} | ${cells.join(' | ')} |`;
    });
}

function table(header, rows) {
  return [`| ${header.join(' | ')} |`, `|${header.map(() => '---').join('|')}|`, ...rows, ''].join('\n');
}

/** A difference, its interval, Holm's p. */
function gain({ difference, low, high, pHolm }) {
  const sign = difference < 0 ? '' : '+';
  return `${sign}${digits(difference)} [${digits(low)}, ${digits(high)}], p ${pHolm < 0.01 ? '< .01' : `= ${digits(pHolm)}`}`;
}

/** `all 12`, `I, II`. */
function leadsOf({ channels }) {
  return channels.length > 3 ? `all ${channels.length}` : channels.join(', ');
}

function interval(score) {
  return score === undefined || score.mean === null
    ? ''
    : `${digits(score.mean)} [${digits(score.low)}, ${digits(score.high)}]`;
}

/** `.726`, as the field writes scores. */
function digits(value) {
  return value === null || value === undefined
    ? ''
    : value
        .toFixed(3)
        .replace(/^(-?)0\./, '$1.')
        .replace('-', '−');
}
