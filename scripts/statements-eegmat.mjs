/** Sentences of the documents on EEG and both signals, of EEGMAT's results (statements.mjs). */
import { besides, highest, lines, questionTitles, range, significanceLevel } from './statement-words.mjs';
import { digits, scoreNames, table } from './table-cells.mjs';

/** By name of the block; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const eegmatStatements = {
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
  'int8-moves': (read) => {
    const trained = Object.values(read('int8').trained);
    const moves = trained.flatMap(({ scores }) =>
      scoreNames.map((name) => Math.abs(scores.int8[name] - scores.float32[name])),
    );
    const same = Math.min(...trained.map(({ sameDecision }) => sameDecision));
    return `On the four test people no score moves by more than ${digits(Math.max(...moves))}; decisions agree on ${(100 * same).toFixed(1)} % of the windows.\n`;
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

function plain(scores) {
  return Object.fromEntries(Object.entries(scores).map(([name, mean]) => [name, { mean }]));
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
