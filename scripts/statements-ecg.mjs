/** Sentences of the documents on ECG and pre-training: PTB-XL, kinds of mask (statements.mjs). */
import { besides, highestOf, lines, questionTitles, range, significanceLevel } from './statement-words.mjs';
import {
  digits,
  hasInterval,
  leadsOf,
  meanOf,
  percent,
  scoreNames,
  scoreTitles,
  signed,
  statedProbability,
  table,
} from './table-cells.mjs';

/** By name of the block; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const ecgStatements = {
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
        ...scoreNames.map((name) => scoreTitles[name]),
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
};

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
        `${arm} ${signed(difference)} [${digits(low)}, ${digits(high)}], ${statedProbability(pHolm)}`;
      return [
        `| ${questionTitles[question]} | ${title} | ${asked.length} | ${shown.map(cell).join('; ') || 'none'} | ${cell(least)} |`,
      ];
    });
  });
  return table(['question', 'asked', 'arms', 'less dual, p below .05 (Holm)', 'smallest p'], rows);
}
