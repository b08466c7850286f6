/** results/int8.json (made by measure-int8.mjs) as tables of Markdown. */
import { digits, scoreNames } from './table-cells.mjs';

/** Trained models, then encoders alone. */
export function int8Tables({ trained, encoders }) {
  const models = Object.entries(trained).map(([path, model]) =>
    row(
      path
        .split('/')
        .at(-1)
        .replace(/\.\w+$/, ''),
      model.layers,
      ...scoreNames.map(
        (score) => `${digits(model.scores.float32[score])} → ${digits(model.scores.int8[score])}`,
      ),
      `${digits(model.probabilities.mean, 4)} / ${digits(model.probabilities.largest)}`,
      `${(100 * model.sameDecision).toFixed(1)} %`,
      Object.values(model.embeddings).map(cosine).join('; '),
      megabytes(model.bytes),
      ratio(model.oneWindow),
      ratio(model.windows64),
    ),
  );
  const alone = Object.entries(encoders).map(([name, encoder]) =>
    row(
      name,
      `${encoder.channels} × ${encoder.patches}`,
      cosine(encoder.pooled),
      cosine(encoder.tokens),
      megabytes(encoder.bytes),
      ratio(encoder.oneWindow),
      ratio(encoder.windows16),
    ),
  );
  return [
    row(
      ...['model', 'layers', 'balanced accuracy', 'AUROC', 'AUC-PR', 'probability moves by (mean / most)'],
      ...['same decision', 'cosine of embeddings', 'file, MB', 'time of 1 window', 'of 64'],
    ),
    row(...Array(11).fill('---')),
    ...models,
    '',
    row(
      ...['encoder', 'C × N', 'cosine, mean of tokens', 'cosine, every token', 'file, MB'],
      ...['time of 1 window', 'of 16'],
    ),
    row(...Array(7).fill('---')),
    ...alone,
    '',
  ].join('\n');
}

const row = (...cells) => `| ${cells.join(' | ')} |`;
/** mean (smallest). */
const cosine = ({ mean, smallest }) => `${digits(mean, 4)} (${digits(smallest, 4)})`;
const megabytes = ({ float32, int8 }) => `${(float32 / 1e6).toFixed(1)} → ${(int8 / 1e6).toFixed(1)}`;
/** INT8 over float32, medians. */
const ratio = (times) => `× ${times.ratio.toFixed(2)}`;
