/** Ladders of docs/results.md: variants of one recipe on the same folds, seeds and budget, each beside the first. */
import { digits, interval, table } from './table-cells.mjs';

/** By name of the table; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const ladderTables = {
  'fusion-ladder': (read) => ladder(read('eegmat-fusion-ladder')),
  'adaptation-ladder': (read) => ladder(read('eegmat-adaptation-ladder')),
};

function ladder(result) {
  if (!result) return 'Not measured yet.\n';
  const { models, comparisons } = result;
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
      interval(scores.balancedAccuracy),
      interval(scores.auroc),
      ...(isTested ? ['ECG', 'EEG'].map((signal) => digits(without(rung, signal)?.auroc.mean)) : []),
      against ? interval(against.difference, true) : '',
    ];
    return `| ${rung.slice('eeg+ecg-'.length)} | ${cells.join(' | ')} |`;
  });
  const alone = ['eeg', 'ecg']
    .filter((name) => models[name])
    .map(
      (name) =>
        `| *${name.toUpperCase()} alone* | ${interval(models[name].balancedAccuracy)} | ${interval(models[name].auroc)} |${isTested ? ' | |' : ''} |`,
    );
  const missing = isTested ? ['AUROC, ECG missing', 'AUROC, EEG missing'] : [];
  const head = ['rung', 'balanced accuracy', 'AUROC', ...missing, `AUROC less ${first.slice(8)}`];
  return table(head, [...rows, ...alone]);
}
