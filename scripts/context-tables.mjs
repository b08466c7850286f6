/** What contexts of live use cost, in docs/results.md, from results/eegmat-contexts.json (scripts/measure-contexts.mjs). */
import { digits, table } from './table-cells.mjs';

const kinds = { condition: 'within one condition', live: 'as live use has them' };

/** By name of the table; it takes `read(name)`, which gives results/NAME.json or undefined. */
export const contextTables = {
  'eegmat-contexts': (read) => {
    const result = read('eegmat-contexts');
    if (!result) return 'Not measured yet.\n';
    const rows = result.rows.map(({ trained, tested, full, windows, balancedAccuracy, auroc }) =>
      [
        '',
        kinds[trained],
        `${kinds[tested]}${tested === 'live' ? (full ? ', full pasts only' : ", shorter at the session's start") : ''}`,
        windows.toLocaleString('en-US'),
        digits(balancedAccuracy),
        digits(auroc),
        '',
      ]
        .join(' | ')
        .trim(),
    );
    return table(
      ['trained on contexts', 'tested on contexts', 'windows', 'balanced accuracy', 'AUROC'],
      rows,
    );
  },
};
