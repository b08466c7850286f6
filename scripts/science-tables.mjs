/** The tables of pre-training and fusion in docs/results.md, from what `heartmind probe` and `heartmind reproduce` wrote. */
import { questionTitles } from './statement-words.mjs';
import {
  digits,
  hasInterval,
  interval,
  leadsOf,
  percent,
  probability,
  scoreNames,
  scoreTitles,
  signed,
  statedProbability,
  table,
} from './table-cells.mjs';

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
          return `| ${leadsOf(block)} | \`${model}\` | ${[interval(auroc, result.tested.subjects), ...cells].join(' | ')} |`;
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
        .map((one) => {
          const difference = gain(one, result.tested.subjects);
          return `| ${leadsOf(block)} | \`${one.model}\` − \`${one.against}\` | ${difference} | ${probability(one.p)} | ${probability(one.pHolm)} | ${one.family} choices of leads: ${questionTitles[one.question]} |`;
        }),
    );
    return table(['leads', 'difference', 'macro AUROC', 'p alone', 'p (Holm)', 'Holm over'], rows);
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
        return `| ${leadsOf(block)} | ${percent(share)} (${people}) | ${[...cells, ...gains.map((one) => (one ? gain(one, result.tested.subjects, true) : ''))].join(' | ')} |`;
      });
    });
    const header = [...models.map((model) => `\`${model}\``), '`ecg` − untrained'];
    return table(['leads', 'labelled people', ...header, ...(result.tuned ? ['tuned − scratch'] : [])], rows);
  },
  'ptbxl-tuned-shares': (read) => {
    const rows = [12, 2, 1].flatMap((leads) =>
      (read(`ptbxl-tuned-shares-${leads}`)?.comparisons ?? []).map(
        ({ labelShare, difference, low, high, p }) => {
          const cells = ['ecg-12', 'untrained'].map((name) =>
            digits(meanScore(read(`ptbxl-tuned-shares-${leads}`), name, labelShare)),
          );
          // It is written as scratch less pre-trained.
          const people = read(`ptbxl-tuned-shares-${leads}`).rows[0].subjects.test;
          const less = interval({ mean: -difference, low: -high, high: -low }, people, true);
          return `| ${leads} | ${percent(labelShare)} | ${cells.join(' | ')} | ${less} | ${probability(p)} |`;
        },
      ),
    );
    if (rows.length === 0) return 'Not measured yet.\n';
    return table(
      ['leads', 'labels of', '`ecg-12`, tuned', 'from scratch', 'tuned − scratch', 'p alone'],
      rows,
    );
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
  'dreamer-synthetic': (read) => {
    const result = read('dreamer-synthetic');
    if (!result) return 'Not measured yet.\n';
    const models = ['eeg', 'ecg', 'eeg+ecg', 'eeg×ecg', 'classical-eeg', 'classical-ecg', 'stimulus-prior'];
    const rows = Object.entries(result.results).flatMap(([planted, { tables }]) =>
      tables.map(({ protocol, tested, rows: own }) => {
        const cells = models.map((name) => {
          const auroc = own.find(({ model }) => model === name)?.trials.auroc;
          return auroc && hasInterval(tested.subjects) && auroc.low > 0.5
            ? `**${digits(auroc.mean)}**`
            : digits(auroc?.mean);
        });
        return `| ${planted} | ${protocol} | ${cells.join(' | ')} |`;
      }),
    );
    return table(['planted in', 'protocol', ...models.map((name) => `\`${name}\``)], rows);
  },
  'eegmat-short': (read) => {
    const result = read('eegmat-loso-hybrid');
    if (!result) return 'Not measured yet.\n';
    const { rows, tested } = result.tables.find(({ protocol }) => protocol === 'leave-one-subject-out');
    const cells = Object.entries(shortRows).map(([model, title]) => {
      const { windows } = rows.find((row) => row.model === model);
      return `| ${title} | ${scoreNames.map((name) => interval(windows[name], tested.subjects)).join(' | ')} |`;
    });
    const header = ['model', ...scoreNames.map((name) => scoreTitles[name])];
    return `${table(header, cells)}\nThe thirty seconds: ${contextsOf(result)}.\n`;
  },
  'eegmat-seams': eegmatSeams,
  'eegmat-loso-differences': (read) => eegmatDifferences(read, 'eegmat-loso'),
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
        interval(scores.balancedAccuracy, result.people),
        interval(scores.auroc, result.people),
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
        `| ${from} → ${to} | ${cause} | ${interval(inductive, result.people, true)} | ${interval(transductive, result.people, true)} |`,
    );
    return table(['step', 'what changes', 'AUROC', 'AUROC, transductive'], rows);
  },
};

const shortRows = {
  ecg: 'ECG encoder',
  eeg: 'EEG encoder',
  'eeg+ecg-rate': '**both: EEG, and the heart rate that the ECG encoder tells**',
  'classical-eeg+ecg-even': 'classical: band power and heart rate',
  'eeg+classical': '**EEG encoder, band power and heart rate**',
};

/** Who is better than whom, AUROC, everyone left out once. */
function eegmatDifferences(read, name) {
  const rows = [
    [read(name), ''],
    [read(`${name}-context`), ', 30 s of ECG'],
    [read(`${name}-hybrid`), ', 30 s of both'],
  ].flatMap(([result, seconds]) => {
    const tables = result?.tables.filter(({ protocol }) => protocol === 'leave-one-subject-out') ?? [];
    const all = tables.flatMap(({ comparisons }) => comparisons).filter(({ score }) => score === 'auroc');
    return (
      all
        .filter(({ model }) => !model.endsWith('-standardised'))
        // One signal alone is in the other two.
        .filter(({ model }) => seconds !== ', 30 s of ECG' || model.startsWith('eeg+ecg'))
        .map((one) => {
          const within = all.find(
            ({ model, against }) =>
              model === `${one.model}-standardised` && against === `${one.against}-standardised`,
          );
          const people = tables[0].tested.subjects;
          return `| ${one.model} − ${one.against}${seconds} | ${[...gainOver(one, people), ...gainOver(within, people)].join(' | ')} |`;
        })
    );
  });
  if (rows.length === 0) return 'Not measured yet.\n';
  const columns = [
    'AUROC over all windows',
    'AUROC within a person',
    'people',
    'p by person (question, tests)',
  ];
  const header = ['difference', ...columns, ...columns.map((column) => `${column}, transductive`)];
  return table(header, rows) + contextLines([read(`${name}-context`), read(`${name}-hybrid`)]);
}

/** What contexts of a result reach over: the words of describeContexts in src/patches/context.ts. */
function contextsOf({ recipe: { prepare } }) {
  const { contextAcross, contextAtStart } = prepare.window;
  if (contextAcross === 'session') return "over the person's session so far, as in live use";
  return `within one condition${contextAtStart === 'drop' ? '' : ' (contexts may reach into the future)'}`;
}

/** Lines below a table that has rows over thirty seconds of ECG, and of both. */
function contextLines([long, hybrid]) {
  const lines = [
    [long, 'ECG'],
    [hybrid, 'both'],
  ].flatMap(([result, what]) => (result ? [`Rows over 30 s of ${what}: ${contextsOf(result)}.`] : []));
  return `\n${lines.join(' ')} \`classical-ecg\` over five seconds looks, as published, at the beats up to 5 s after its window.\n`;
}

/** What the seam between a session's two files tells: scores with and without the windows that hold it. */
function eegmatSeams(read) {
  const results = [
    ['eegmat-published-context', '30 s of ECG'],
    ['eegmat-loso-context', '30 s of ECG'],
    ['eegmat-loso-hybrid', '30 s of both'],
  ];
  const rows = results.flatMap(([name, seconds]) =>
    (read(name)?.tables ?? [])
      .filter(
        ({ tested, protocol }) =>
          tested.seamless && name.includes('published') === (protocol === 'published'),
      )
      .flatMap(({ protocol, rows: own, tested }) =>
        own
          .filter(({ kind, model }) => kind !== 'trivial' && !model.endsWith('-standardised'))
          .map(({ model, windows, seamless }) => {
            const cells = [windows, seamless].flatMap((scores) =>
              ['balancedAccuracy', 'auroc'].map((score) => interval(scores[score], tested.subjects)),
            );
            return `| ${protocol} | ${model}, ${seconds} | ${cells.join(' | ')} |`;
          }),
      ),
  );
  if (rows.length === 0) return 'Not measured yet.\n';
  const header = [
    'protocol',
    'model',
    'balanced accuracy',
    'AUROC',
    'balanced accuracy, no seam',
    'AUROC, no seam',
  ];
  return table(header, rows);
}

/** Difference of the pooled score, mean of those within people, people who gain and who lose, adjusted p and its family. */
function gainOver(one, people) {
  if (!one) return ['', '', '', ''];
  const { difference, subjects, test } = one;
  const p = test.adjusted === null ? '' : `${probability(test.adjusted)} (${test.question}, ${test.family})`;
  return [
    interval(difference, people, true),
    signed(subjects.mean),
    `${subjects.better} : ${subjects.worse}`,
    p,
  ];
}

/** EEGMAT under a protocol: five seconds of both signals, thirty of ECG, thirty of both; published figures last. */
function eegmatTable(read, protocol, name) {
  // The last one holds both protocols.
  const [short, long, hybrid] = [read(name), read(`${name}-context`), read('eegmat-loso-hybrid')];
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
    scoreNames.map((score) => `${scoreTitles[score]}${column}`),
  );
  return table(['model', ...columns], [...rows, ...published]) + contextLines([long, hybrid]);
}

/** Deep, hybrid and classical rows of a protocol: as they stand, and standardised within people. */
function benchmarkRows(result, protocol, suffix) {
  if (!result) return [];
  const { rows, tested } = result.tables.find((one) => one.protocol === protocol);
  return rows
    .filter(({ kind, model }) => kind !== 'trivial' && !model.endsWith('-standardised'))
    .map(({ model, windows }) => {
      const standardised = rows.find((row) => row.model === `${model}-standardised`)?.windows ?? {};
      const cells = [windows, standardised].flatMap((scores) =>
        scoreNames.map((name) => interval(scores[name], tested.subjects)),
      );
      return `| ${model}${suffix} | ${cells.join(' | ')} |`;
    });
}

/** A difference and its interval; with Holm's p where that has no column of its own. */
function gain({ difference, low, high, pHolm }, people, withP = false) {
  const text = interval({ mean: difference, low, high }, people, true);
  return withP ? `${text}, ${statedProbability(pHolm)}` : text;
}

/** Mean over an encoder's trainings of what `heartmind probe` says at a share of the labels. */
function meanScore({ rows }, encoder, labelShare) {
  const own = rows.filter((row) => row.encoder === encoder && row.labelShare === labelShare);
  return own.reduce((sum, { scores }) => sum + scores.auroc.mean, 0) / own.length;
}
