/** The tables of pre-training and fusion in docs/results.md, from what `heartmind probe` and `heartmind reproduce` wrote. */

/** By name of the table; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const scienceTables = {
  'ptbxl-probes': (read) => {
    const rows = ['12', '2', '1'].flatMap((leads) => {
      const result = read(`ptbxl-probe-${leads}`);
      if (!result) return [];
      const of = (name) => result.rows.find(({ encoder }) => encoder === name).scores.auroc;
      const [difference] = result.comparisons;
      return [
        `| ${result.channels.length === 12 ? 'all 12' : result.channels.join(', ')} | ${interval(of('ecg-12'))} | ${interval(of('untrained'))} | ${gain(difference)} |`,
      ];
    });
    return table(['leads', '`ecg-12`', 'the same, untrained', 'gain'], rows);
  },
  'ptbxl-shares': (read) => {
    const result = read('ptbxl-shares-2');
    if (!result) return 'Not measured yet.\n';
    const shares = [...new Set(result.rows.map(({ labelShare }) => labelShare))];
    const rows = shares.map((share) => {
      const own = result.rows.filter(({ labelShare }) => labelShare === share);
      const mean = (name) => {
        const values = own.filter(({ encoder }) => encoder === name).map(({ scores }) => scores.auroc.mean);
        return digits(values.reduce((sum, value) => sum + value, 0) / values.length);
      };
      const difference = result.comparisons.find(({ labelShare }) => labelShare === share);
      return `| ${Number((100 * share).toPrecision(3))} % (${own[0].subjects.train}) | ${mean('ecg-12')} | ${mean('untrained')} | ${gain(difference)} |`;
    });
    return table(['labelled people', '`ecg-12`', 'untrained', 'gain'], rows);
  },
  'demo-choices': (read) => {
    const result = read('demo-choices');
    if (!result) return 'Not measured yet.\n';
    const cell = (scores) =>
      scores ? `${digits(scores.balancedAccuracy)} / ${digits(scores.auroc)} / ${digits(scores.auprc)}` : '–';
    const rows = Object.entries(result.candidates).map(([name, { validation, crossValidation = {} }]) => {
      const alone = (signal, missing) =>
        cell(crossValidation[signal] ?? crossValidation[`eeg+ecg, ${missing} missing`]);
      return `| ${name} | ${cell(validation['eeg+ecg'])} | ${cell(crossValidation['eeg+ecg'])} | ${alone('eeg', 'ECG')} | ${alone('ecg', 'EEG')} |`;
    });
    return table(
      ['candidate', 'people 28–31, both', 'folds, both', 'folds, EEG alone', 'folds, ECG alone'],
      rows,
    );
  },
  'eegmat-published': (read) => eegmatTable(read, 'published', 'eegmat-published'),
  'eegmat-loso': (read) => eegmatTable(read, 'leave-one-subject-out', 'eegmat-loso'),
  'heart-rate-readable': (read) => {
    const result = read('heart-rate');
    if (!result) return 'Not measured yet.\n';
    const of = (encoder, seconds, layers, pool) => {
      const same = (row) => row.encoder === encoder && row.seconds === seconds && row.pool === pool;
      const found = result.readable.find((row) => same(row) && row.layers === layers);
      if (!found) return '';
      const { r2, meanAbsoluteError } = found.sameSeconds;
      return `${digits(r2)}, ${meanAbsoluteError.toFixed(1)}`;
    };
    const layers = [...new Set(result.readable.map((row) => row.layers))];
    const rows = layers.map((layer) => {
      const cells = [5, 30].flatMap((seconds) => [
        of('ecg-12', seconds, layer, 'mean'),
        of('ecg-12', seconds, layer, 'mean, deviation'),
        of('untrained', seconds, layer, 'mean'),
      ]);
      return `| ${layer} | ${cells.join(' | ')} |`;
    });
    const header = [5, 30].flatMap((seconds) => [
      `\`ecg-12\`, ${seconds} s`,
      `and deviations, ${seconds} s`,
      `untrained, ${seconds} s`,
    ]);
    return table(['layers', ...header], rows);
  },
  'heart-rate-task': (read) => {
    const result = read('heart-rate');
    if (!result) return 'Not measured yet.\n';
    const rows = result.rows.map(({ model, features, inductive, transductive }) => {
      const cells = [inductive, transductive].flatMap((scores) => [
        interval(scores.balancedAccuracy),
        interval(scores.auroc),
      ]);
      return `| ${model} | ${features} | ${cells.join(' | ')} |`;
    });
    const scores = ['balanced accuracy', 'AUROC'];
    return table(['from', 'numbers', ...scores, ...scores.map((score) => `${score}, transductive`)], rows);
  },
  'heart-rate-steps': (read) => {
    const result = read('heart-rate');
    if (!result) return 'Not measured yet.\n';
    const rows = result.steps.map(
      ({ cause, from, to, inductive, transductive }) =>
        `| ${from} → ${to} | ${cause} | ${change(inductive)} | ${change(transductive)} |`,
    );
    return table(['step', 'what changes', 'AUROC', 'AUROC, transductive'], rows);
  },
};

const scoreNames = ['balancedAccuracy', 'auroc', 'auprc'];
const titles = { balancedAccuracy: 'balanced accuracy', auroc: 'AUROC', auprc: 'AUC-PR' };

/** EEGMAT under a protocol: five seconds of both signals, thirty of ECG, thirty of both; published figures last. */
function eegmatTable(read, protocol, name) {
  const [short, long, hybrid] = [read(name), read(`${name}-context`), read(`${name}-hybrid`)];
  if (!short) return 'Not measured yet.\n';
  const rows = [
    ...benchmarkRows(short, protocol, ''),
    // Without ECG, and in classical features, nothing differs.
    ...benchmarkRows(long, protocol, ', 30 s of ECG').filter((row) => /^\| (ecg|eeg\+ecg)/.test(row)),
    ...benchmarkRows(hybrid, protocol, ', 30 s of both'),
  ];
  // Papers have no other split.
  const published = (protocol === 'published' ? short.published : []).map(
    ({ model, scores }) =>
      `| *${model}, published* | ${digits(scores.balancedAccuracy)} | ${digits(scores.auroc)} | ${digits(scores.auprc)} | | | |`,
  );
  const columns = ['', ', transductive'].flatMap((column) =>
    scoreNames.map((score) => `${titles[score]}${column}`),
  );
  return table(['model', ...columns], [...rows, ...published]);
}

/** Deep, hybrid and classical rows of a protocol: as they stand, and standardised within people. */
function benchmarkRows(result, protocol, suffix) {
  if (!result) return [];
  const { rows } = result.tables.find((one) => one.protocol === protocol);
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

/** Of the released encoder over the untrained one: comparisons are of the latter against the former. */
function gain({ difference, low, high, pHolm }) {
  return `+${digits(-difference)} [${digits(-high)}, ${digits(-low)}], p ${pHolm < 0.01 ? '< .01' : `= ${digits(pHolm)}`}`;
}

function interval(score) {
  return score === undefined || score.mean === null
    ? ''
    : `${digits(score.mean)} [${digits(score.low)}, ${digits(score.high)}]`;
}

/** `−.046 [−.120, .031]`. */
function change({ mean, low, high }) {
  return `${mean > 0 ? '+' : ''}${digits(mean)} [${digits(low)}, ${digits(high)}]`;
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
