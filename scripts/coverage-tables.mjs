/** How often intervals that are called 95 % cover, in docs/statistics.md, from results/interval-coverage.json. */
import { scoreTitles, table } from './table-cells.mjs';

/** By name of the table; each takes `read(name)`, which gives results/NAME.json or undefined. */
export const coverageTables = {
  'interval-coverage': (read) => {
    const result = read('interval-coverage');
    if (!result) return 'Not measured yet.\n';
    const groups = [
      ...new Map(result.rows.map(({ draw, people }) => [`${draw} ${people}`, { draw, people }])),
    ];
    const scores = [...new Set(result.rows.map(({ score }) => score))];
    const isDifference = ({ model }) => model.includes(' less ');
    const cell = (list) => {
      const values = list.map(({ coverage }) => 100 * coverage).sort((a, b) => a - b);
      const [low, high] = [values[0], values.at(-1)].map((value) => value.toFixed(0));
      return low === high ? `${low} %` : `${low}–${high} %`;
    };
    const rows = groups.map(([, { draw, people }]) => {
      const own = result.rows.filter((row) => row.draw === draw && row.people === people);
      const cells = scores.map((score) =>
        cell(own.filter((row) => row.score === score && !isDifference(row))),
      );
      return `| ${people} | ${draw === 'with' ? 'with' : 'without'} | ${[...cells, cell(own.filter(isDifference))].join(' | ')} |`;
    });
    return table(
      ['tested people', 'drawn from 36', ...scores.map((score) => scoreTitles[score]), 'difference of AUROC'],
      rows,
    );
  },
};
