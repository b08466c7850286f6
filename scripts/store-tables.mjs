/** Tables of docs/data-at-scale.md, by the name of their JSON in results/. */

const count = (x) => Math.round(x).toLocaleString('en-US');

export const storeTables = {
  'store-simulation': (result) => {
    const { store, write, open, order, epoch, windowsPerSecond, trainer } = result;
    const memory = ({ rssMegabytes: { largestInFirstHalf: first, largestInSecondHalf: second } }) =>
      `${count(first)} MB, ${count(second)} MB`;
    const { stream, singleWindows, http, singleWindowsInTurn } = windowsPerSecond;
    const ratios = Object.entries(trainer.loaderOverTrainer).map(
      ([layers, ratio]) =>
        `${count(ratio)}× (${layers} layers, ${trainer.windowsPerSecond[layers]} windows/s)`,
    );
    return table(
      ['what', 'measured'],
      [
        [
          'records, as int16, on disk',
          `${count(store.records)}, ${store.gigabytes} GB, ${store.gigabytesOnDisk} GB`,
        ],
        [
          'writing: records/s; memory, largest in the first and second half',
          `${count(write.recordsPerSecond)}; ${memory(write)}`,
        ],
        ...(write.finish
          ? [
              [
                'its index, at the end: seconds; largest memory',
                `${write.finish.seconds} s; ${count(write.finish.rssMegabytes)} MB`,
              ],
            ]
          : []),
        ['opening the index', `${open.seconds} s`],
        [
          `order of an epoch: blocks of ${order.blockWindows}, pools of ${count(order.poolWindows)}`,
          `${order.seconds} s`,
        ],
        ['correlation of a window and its place (Spearman)', String(order.rankCorrelation)],
        [
          `reading the epoch: windows/s; memory, the pool's ${order.memoryMegabytes} MB included`,
          `${count(epoch.windowsPerSecond)}; ${memory(epoch)}`,
        ],
        [
          'streaming, nothing cached by the system; cached',
          `${count(stream.cold)}; ${count(stream.warm)} windows/s`,
        ],
        [
          'windows one by one at random, nothing cached; cached',
          `${count(singleWindows.cold)}; ${count(singleWindows.warm)} windows/s`,
        ],
        ['streaming over HTTP, server and reader in one process', `${count(http)} windows/s`],
        [
          'one by one, in turns: ours; zarrita',
          `${count(singleWindowsInTurn.ours)}; ${count(singleWindowsInTurn.zarrita)} windows/s`,
        ],
        ['streaming against training, right after it', ratios.join(', ')],
      ],
    );
  },
  'store-mixing': (result) =>
    table(
      ["a person's windows, one after another", 'people in a batch of 64', 'fully shuffled', 'share'],
      result.mixing.map(({ windowsOfAPerson, peopleInABatch, fullShuffle, share }) => [
        String(windowsOfAPerson),
        String(peopleInABatch),
        String(fullShuffle),
        `${(100 * share).toFixed(0)} %`,
      ]),
    ),
  'store-codecs': ({ codecs }) =>
    table(
      ['codec', 'size', 'decoding, windows/s'],
      Object.entries(codecs).map(([name, { share, decodedWindowsPerSecond }]) => [
        name,
        `${(100 * share).toFixed(0)} %`,
        count(decodedWindowsPerSecond),
      ]),
    ),
};

/** The file of results/ that a table is drawn from. */
export const storeTableFile = (name) => (name === 'store-mixing' ? 'store-simulation' : name);

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''].join('\n');
}
