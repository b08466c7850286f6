/** Ladders of docs/results.md: variants of one recipe on the same folds, seeds and budget, each beside the first. */
import { differenceOf, digits, interval, signed, table } from './table-cells.mjs';

/** By name of the table; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const ladderTables = {
  'fusion-ladder': (read) => ladder(read('eegmat-fusion-ladder')),
  'adaptation-ladder': (read) => ladder(read('eegmat-adaptation-ladder')),
};

function ladder(result) {
  if (!result) return 'Not measured yet.\n';
  const { models, comparisons, folds } = result;
  const people = new Set(folds.flatMap(({ test }) => test)).size;
  const rungs = Object.keys(models).filter((name) => /^eeg\+ecg-[^,]+$/.test(name));
  const [first] = rungs;
  const without = (rung, signal) =>
    models[`${rung}, ${signal} missing`] ?? models[`${rung}, ${signal} zeros`];
  const isTested = rungs.some((rung) => without(rung, 'ECG'));
  const rows = rungs.map((rung) => {
    const scores = models[rung];
    const against = comparisons.find(
      ({ score, model, against: other }) => score === 'auroc' && model === rung && other === first,
    );
    const cells = [
      interval(scores.balancedAccuracy, people),
      interval(scores.auroc, people),
      ...(isTested ? ['ECG', 'EEG'].map((signal) => digits(without(rung, signal)?.auroc.mean)) : []),
      against ? interval(differenceOf(against), people, true) : '',
      against ? signed(against.subjects.mean) : '',
      against ? `${against.subjects.better} : ${against.subjects.worse}` : '',
    ];
    return `| ${rung.slice('eeg+ecg-'.length)} | ${cells.join(' | ')} |`;
  });
  const alone = ['eeg', 'ecg']
    .filter((name) => models[name])
    .map(
      (name) =>
        `| *${name.toUpperCase()} alone* | ${interval(models[name].balancedAccuracy, people)} | ${interval(models[name].auroc, people)} |${isTested ? ' | |' : ''} | | |`,
    );
  const missing = isTested ? ['AUROC, ECG missing', 'AUROC, EEG missing'] : [];
  const less = `less ${first.slice(8)}`;
  const head = [
    ...['rung', 'balanced accuracy', 'AUROC', ...missing, `AUROC ${less}, all windows (people)`],
    ...[`${less}, mean within people`, 'people better : worse'],
  ];
  return table(head, [...rows, ...alone]);
}
