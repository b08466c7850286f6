/**
 * Sentences of the documents that depend on figures: which row is the highest, which differences the intervals and tests
 * show. Written from results/*.json between the same marks as tables, so that no word outlives its figure.
 */
import { digits, hasInterval, table } from './table-cells.mjs';

const scoreNames = ['balancedAccuracy', 'auroc', 'auprc'];
const titles = { balancedAccuracy: 'balanced accuracy', auroc: 'AUROC', auprc: 'AUC-PR' };
/** As src/evaluate/question-families.ts names them; a test holds that both are the same. */
export const questionTitles = {
  fusion: 'both signals against one alone',
  classical: 'deep against classical',
  hybrid: 'embeddings added to classical features, against those alone',
  pretraining: 'pre-trained against initial values',
  tuning: 'tuned from pre-trained against tuned from initial values',
  masks: 'kinds of mask against dual',
  variants: 'variants of dual masks against dual',
};
const significanceLevel = 0.05;

/** By name of the block; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const statements = {
  'demo-highest': (read) => {
    const { models } = read('demo');
    const names = Object.keys(models).filter((name) => !/ missing$|^majority$|^prior$/.test(name));
    const group = (title, test) => highest(title, names.filter(test), (name) => models[name]);
    return lines([
      group('Highest of the deep models', (name) => !name.startsWith('classical')),
      group(
        'Of the classical ones, window by window',
        (name) => name.startsWith('classical') && !name.endsWith('-standardised'),
      ),
      group('Of the classical ones, transductive', (name) => name.endsWith('-standardised')),
    ]);
  },
  'demo-readme': (read) => {
    const { models } = read('demo');
    const span = (test) => {
      const values = Object.keys(models)
        .filter(test)
        .map((name) => models[name].auroc.mean)
        .sort((a, b) => a - b);
      return [values[0], values.at(-1)];
    };
    const deep = span((name) => /^e[ec]g/.test(name));
    const classical = span((name) => name.startsWith('classical') && !name.endsWith('-standardised'));
    const order =
      classical[0] > deep[1]
        ? 'every one of them above every deep model'
        : classical[1] > deep[1]
          ? 'the highest of them above every deep model'
          : 'none of them above the highest deep model';
    return `On these test people band power and heart rate reach an AUROC of ${range(classical)}, the deep models ${range(deep)}: ${order}.\n`;
  },
  'eegmat-published-highest': (read) => eegmatHighest(read, 'published', 'eegmat-published'),
  'eegmat-loso-highest': (read) => eegmatHighest(read, 'leave-one-subject-out', 'eegmat-loso'),
  'eegmat-loso-shown': (read) => {
    const rows = [
      ['eegmat-loso', '5 s of both'],
      ['eegmat-loso-context', '30 s of ECG'],
      ['eegmat-loso-hybrid', '30 s of both'],
    ].flatMap(([name, seconds]) => {
      const found = read(name)?.tables.find(({ protocol }) => protocol === 'leave-one-subject-out');
      const all = (found?.comparisons ?? []).filter(({ score }) => score === 'auroc');
      return ['fusion', 'classical', 'hybrid'].flatMap((question) =>
        [false, true].flatMap((transductive) => {
          const own = all.filter(
            ({ model, test }) =>
              test.question === question && model.endsWith('-standardised') === transductive,
          );
          if (own.length === 0) return [];
          const [above, below] = besides(own, ({ difference }) => difference, found.tested.subjects);
          const tested = own.filter(
            ({ test }) => test.adjusted !== null && test.adjusted < significanceLevel,
          );
          const terms = transductive ? ', transductive' : '';
          return [
            `| ${questionTitles[question]} | ${seconds}${terms} | ${own.length} | ${namesOf(above, own)} | ${namesOf(below, own)} | ${namesOf(tested, own, true)} |`,
          ];
        }),
      );
    });
    return table(
      [
        ...['question', 'seconds', 'compared', 'interval over all windows above zero', 'below zero'],
        'p by person below .05 (Holm)',
      ],
      rows,
    );
  },
  'ptbxl-shown': (read) => {
    const { blocks, tested } = read('reproduce-ptbxl');
    const all = blocks.flatMap((block) =>
      block.comparisons.map((one) => ({ ...one, leads: leadsOf(block) })),
    );
    const shares = [...new Set(all.map(({ labelShare }) => labelShare))].sort((a, b) => b - a);
    const rows = ['pretraining', 'classical', 'tuning'].flatMap((question) =>
      shares.flatMap((share) => {
        const own = all.filter((one) => one.question === question && one.labelShare === share);
        if (own.length === 0) return [];
        const [above, below] = besides(own, (one) => one, tested.subjects);
        const shown = own.filter(({ pHolm }) => pHolm < significanceLevel);
        const cell = (list) => list.map(({ leads }) => leads).join('; ') || 'none';
        const values = own.map(({ difference }) => difference).sort((a, b) => a - b);
        return [
          `| ${questionTitles[question]} | ${percent(share)} | ${range([values[0], values.at(-1)], signed)} | ${cell(above)} | ${cell(below)} | ${cell(shown)} |`,
        ];
      }),
    );
    return table(
      [
        ...['question', 'labels of', 'differences over the choices of leads', 'interval above zero'],
        ...['below zero', 'p below .05 (Holm)'],
      ],
      rows,
    );
  },
  'ptbxl-highest': (read) => {
    const { blocks } = read('reproduce-ptbxl');
    return lines(
      blocks.map((block) => {
        const own = block.rows.filter(({ labelShare }) => labelShare === 1);
        return `- ${leadsOf(block)}: the highest macro AUROC is that of ${highestOf(own.map(({ model, auroc }) => [model, auroc.mean]))}.`;
      }),
    );
  },
  'ptbxl-tuned-shown': (read) => {
    const found = [12, 2, 1].flatMap((leads) => {
      const result = read(`ptbxl-tuned-shares-${leads}`);
      const people = result.rows[0].subjects.test;
      // It is written as scratch less pre-trained.
      return result.comparisons.map(({ difference, low, high, p, labelShare }) => ({
        ...{ leads, people, labelShare, p, difference: -difference, low: -high, high: -low },
      }));
    });
    const shares = [...new Set(found.map(({ labelShare }) => labelShare))].sort((a, b) => a - b);
    const four = read('ptbxl-tuned-1');
    const mean = (name) =>
      digits(
        meanOf(four.rows.filter(({ encoder }) => encoder === name).map(({ scores }) => scores.auroc.mean)),
      );
    return lines([
      ...shares.map((share) => {
        const own = found.filter(({ labelShare }) => labelShare === share);
        const [above, below] = besides(own, (one) => one, own[0].people);
        const values = own.map(({ difference }) => difference).sort((a, b) => a - b);
        const leads = (list) =>
          list.map((one) => `${one.leads} lead${one.leads === 1 ? '' : 's'}`).join(', ') || 'none';
        return `- ${percent(share)} of the labels: ${range([values[0], values.at(-1)], signed)}; interval above zero: ${leads(above)}; below: ${leads(below)}.`;
      }),
      `- Four layers instead of two, lead I, all labels (\`results/ptbxl-tuned-1.json\`): ${mean('ecg-12')} from pre-trained, ${mean('untrained')} from scratch.`,
    ]);
  },
  'masking-fill-lowest': (read) => {
    const { reconstruction } = read('masking');
    const kinds = ['intra', 'inter', 'dual', 'span'];
    const arms = [...new Set(reconstruction.map(({ arm }) => arm))];
    const error = (arm, kind) =>
      meanOf(
        reconstruction
          .filter((one) => one.arm === arm && one.kind === kind)
          .map(({ loss, zero }) => loss / zero),
      );
    const cells = kinds.map((kind) => {
      const least = Math.min(...arms.map((arm) => error(arm, kind)));
      const first = arms.filter((arm) => digits(error(arm, kind)) === digits(least));
      return `${kind} ${first.map((arm) => `\`${arm}\``).join(' and ')} (${digits(least)})`;
    });
    return `Lowest error under each kind of mask: ${cells.join(', ')}.\n`;
  },
  'masking-highest': (read) => {
    const { scores } = read('masking');
    const own = scores.filter(({ way, score }) => way === 'probe' && score === 'auroc');
    const arms = [...new Set(own.map(({ arm }) => arm))];
    const cells = ['12', '2', '1', 'all'].map((leads) => {
      const of = (arm) =>
        meanOf(
          own
            .filter((one) => one.arm === arm && (leads === 'all' || one.leads === leads))
            .map(({ value }) => value),
        );
      const title = leads === 'all' ? 'over all' : `${leads} lead${leads === '1' ? '' : 's'}`;
      return `${title} ${highestOf(arms.map((arm) => [arm, of(arm)]))}`;
    });
    return `Highest mean AUROC: ${cells.join(', ')}.\n`;
  },
  'masking-shown': (read) => maskingShown([['masking', 'probe', 'frozen, every measure']], read),
  'masking-tuned-shown': (read) =>
    maskingShown(
      [
        ['masking', 'tuned', 'super-classes, 1 lead'],
        ['masking-tuned', 'tuned', 'diagnoses, 2 and 1'],
        ['masking-tuned-12', 'tuned', 'diagnoses, 12'],
        ['masking-tuned-people', 'tuned', 'sex, task, 1'],
      ],
      read,
    ),
  'ecg-pretraining': (read) => {
    const result = read('ecg-pretraining');
    const people = 36; // all of EEGMAT are tested
    const cell = ({ mean, low, high }) =>
      hasInterval(people) ? `${digits(mean)} [${digits(low)}, ${digits(high)}]` : digits(mean);
    const row = (title, scores, last) => {
      const error = last
        ? `${last['loss.intra'].toFixed(4)} / ${last['loss.inter'].toFixed(4)} (${last['zero.intra'].toFixed(4)} / ${last['zero.inter'].toFixed(4)})`
        : '–';
      return `| ${title} | ${scoreNames.map((name) => cell(scores[name])).join(' | ')} | ${error} |`;
    };
    const arms = {
      scratch: 'nothing',
      sample: 'ten-second ECGs (embedded)',
      whole: "ten-second ECGs (PTB-XL's subset, LUDB, Challenge 2021)",
    };
    const rows = Object.entries(arms).map(([arm, title]) => {
      const { pretraining, window } = result[arm];
      const count = pretraining ? `${pretraining.windows.toLocaleString('en-US')} ` : '';
      const epochs = pretraining ? `, ${pretraining.last.epoch} epochs` : '';
      return row(`${count}${title}${epochs}`, window, pretraining?.last);
    });
    const heart = row('*heart rate and variability, logistic regression*', result.scratch.classical);
    const seeds = result.scratch.seeds.length;
    return `${table(
      [
        'pre-trained on',
        ...scoreNames.map((name) => titles[name]),
        'error, hidden patches / hidden leads (predicting 0)',
      ],
      [...rows, heart],
    )}\nEach row is ${seeds === 1 ? 'one training of one seed' : `the mean of ${seeds} seeds`}: the rows differ by the seed's luck too, which one seed cannot tell apart from what pre-training is worth. The study of masks ([above](#what-each-mask-of-pre-training-is-worth)) has three.\n`;
  },
  'output-initial': (read) => {
    const { runs } = read('output-initial');
    const zero = runs.zeros[0]['zero.random'];
    const row = (title, list) =>
      `| ${title} | ${list.map((one) => one['loss.random'].toFixed(4)).join(' | ')} |`;
    const above = runs.official.filter((one) => one['loss.random'] > zero).length;
    return `${table(
      ['begins', ...runs.zeros.map(({ epoch }) => `epoch ${epoch}`)],
      [row('at zero (default)', runs.zeros), row("as CBraMod's code draws it", runs.official)],
    )}\nPredicting zero: ${zero.toFixed(4)}. Drawn as officially, ${above} of ${runs.official.length} epochs are above that.\n`;
  },
  'int8-moves': (read) => {
    const trained = Object.values(read('int8').trained);
    const moves = trained.flatMap(({ scores }) =>
      scoreNames.map((name) => Math.abs(scores.int8[name] - scores.float32[name])),
    );
    const same = Math.min(...trained.map(({ sameDecision }) => sameDecision));
    return `On the four test people no score moves by more than ${digits(Math.max(...moves))}; decisions agree on ${(100 * same).toFixed(1)} % of the windows.\n`;
  },
  'demo-choices-highest': (read) => {
    const { candidates } = read('demo-choices');
    const of = (title, pick) => {
      const known = Object.entries(candidates).flatMap(([name, one]) => {
        const scores = pick(one);
        return scores ? [[name, scores]] : [];
      });
      return highest(
        title,
        known.map(([name]) => name),
        (name) => plain(Object.fromEntries(known)[name]),
      );
    };
    return lines([
      of('Highest on people 28–31, both signals', ({ validation }) => validation['eeg+ecg']),
      of('In the folds, both signals', ({ crossValidation }) => crossValidation?.['eeg+ecg']),
    ]);
  },
  'heart-rate-reading': (read) => {
    const { readable } = read('heart-rate');
    const of = (encoder, seconds) =>
      readable.filter((row) => row.encoder === encoder && row.seconds === seconds && row.pool === 'mean');
    const best = (rows) =>
      rows.reduce((most, row) => (row.sameSeconds.r2 > most.sameSeconds.r2 ? row : most), rows[0]);
    return lines(
      [5, 30].map((seconds) => {
        const [own, untrained] = [best(of('ecg-12', seconds)), best(of('untrained', seconds))];
        return `- **${seconds === 5 ? 'Five' : 'Thirty'} seconds of ECG.** R² is highest after ${own.layers} layer${own.layers === 1 ? '' : 's'} of \`ecg-12\` (${digits(own.sameSeconds.r2)}) and ${untrained.layers} of the untrained encoder (${digits(untrained.sameSeconds.r2)}); \`ecg-12\` misses the detector's rate by ${own.sameSeconds.meanAbsoluteError.toFixed(1)} beats a minute there, and knowing nothing by ${own.sameSeconds.errorOfMean.toFixed(1)}.`;
      }),
    );
  },
  'heart-rate-shown': (read) => {
    const { steps, people } = read('heart-rate');
    return lines(
      ['inductive', 'transductive'].map((way) => {
        const [above, below] = besides(steps, (step) => step[way], people);
        const cell = (list) =>
          list.map(({ cause, seconds }) => `${cause} (${seconds} s)`).join(', ') || 'none';
        return `- ${way === 'inductive' ? 'Window by window' : 'Transductive'}: steps that lose, their interval below zero: ${cell(below)}; that gain: ${cell(above)}.`;
      }),
    );
  },
};

/** Highest rows of everything that the EEGMAT tables show, by terms and kind. */
function eegmatHighest(read, protocol, name) {
  const rows = [
    [name, ''],
    [`${name}-context`, ', 30 s of ECG'],
    ['eegmat-loso-hybrid', ', 30 s of both'],
  ].flatMap(([file, seconds]) => {
    const own = read(file)?.tables.find((one) => one.protocol === protocol)?.rows ?? [];
    return own.map((row) => ({ ...row, title: `${row.model.replace(/-standardised$/, '')}${seconds}` }));
  });
  return lines(
    [false, true].flatMap((transductive) =>
      ['deep', 'hybrid', 'classical'].map((kind) => {
        const own = rows.filter((row) => row.kind === kind && row.transductive === transductive);
        const names = own.map(({ title }) => title);
        return highest(
          `${kind}, ${transductive ? 'transductive' : 'window by window'}`,
          names,
          (title) => own[names.indexOf(title)].windows,
        );
      }),
    ),
  );
}

/** What a masking study shows of the mean over everything that a set asks. */
function maskingShown(sets, read) {
  const rows = sets.flatMap(([name, way, title]) => {
    const own = (read(name)?.comparisons ?? []).filter(
      (one) => one.way === way && one.measure === 'mean AUROC, all',
    );
    return ['pretraining', 'masks', 'variants'].flatMap((question) => {
      const asked = own.filter((one) => one.question === question);
      if (asked.length === 0) return [];
      const shown = asked.filter(({ pHolm }) => pHolm < significanceLevel);
      const least = asked.reduce((first, one) => (one.pHolm < first.pHolm ? one : first));
      const cell = ({ arm, difference, low, high, pHolm }) =>
        `${arm} ${signed(difference)} [${digits(low)}, ${digits(high)}], p ${pHolm < 0.001 ? '< .001' : `= ${digits(pHolm)}`}`;
      return [
        `| ${questionTitles[question]} | ${title} | ${asked.length} | ${shown.map(cell).join('; ') || 'none'} | ${cell(least)} |`,
      ];
    });
  });
  return table(['question', 'asked', 'arms', 'less dual, p below .05 (Holm)', 'smallest p'], rows);
}

/** `Title: balanced accuracy \`x\` (.769), AUROC …`: the highest row in each score, all of them where several are equal. */
function highest(title, names, scoresOf) {
  const cells = scoreNames.flatMap((score) => {
    const known = names.filter((name) => scoresOf(name)?.[score]?.mean != null);
    if (known.length === 0) return [];
    const text = (name) => digits(scoresOf(name)[score].mean);
    const most = Math.max(...known.map((name) => scoresOf(name)[score].mean));
    // Rows that are written alike are called alike.
    const first = known.filter((name) => text(name) === digits(most));
    return [`${titles[score]} ${first.map((name) => `\`${name}\``).join(' and ')} (${digits(most)})`];
  });
  return cells.length === 0 ? '' : `- ${title}: ${cells.join(', ')}.`;
}

/** `x` (.875), and whoever is written alike. */
function highestOf(pairs) {
  const most = Math.max(...pairs.map(([, value]) => value));
  const first = pairs.filter(([, value]) => digits(value) === digits(most));
  return `${first.map(([name]) => `\`${name}\``).join(' and ')} (${digits(most)})`;
}

function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function plain(scores) {
  return Object.fromEntries(Object.entries(scores).map(([name, mean]) => [name, { mean }]));
}

/** Those whose interval is above zero, and below; none where too few people are tested for one. */
function besides(list, of, people) {
  if (!hasInterval(people)) return [[], []];
  return [list.filter((one) => of(one).low > 0), list.filter((one) => of(one).high < 0)];
}

/** Of the compared ones, by name; `withSide` says which is better within people. */
function namesOf(list, all, withSide = false) {
  const sides = new Set(list.map(({ subjects }) => subjects.mean > 0));
  if (list.length > 1 && list.length === all.length && (!withSide || sides.size === 1)) {
    const side = sides.has(true) ? 'better' : 'worse';
    return withSide ? `all (${side})` : 'all';
  }
  const words = list.map(({ model, against, subjects }) => {
    const name = `${model} − ${against}`.replaceAll('-standardised', '');
    return withSide ? `${name} (${subjects.mean > 0 ? 'better' : 'worse'})` : name;
  });
  return words.join('; ') || 'none';
}

function lines(list) {
  return `${list.filter((line) => line !== '').join('\n')}\n`;
}

function range([low, high], write = digits) {
  return `${write(low)} to ${write(high)}`;
}

function signed(value) {
  return `${value > 0 ? '+' : ''}${digits(value)}`;
}

function percent(share) {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function leadsOf({ channels }) {
  return channels.length > 3 ? `all ${channels.length}` : channels.join(', ');
}
