/** The cards of released weights (`release-weights.mjs`): what was seen, how it was trained, its curve, its limits. */
import { digits, hasInterval, interval, table } from './table-cells.mjs';

export function encoderCard({ name, title, entry, result, curve, metadata, tensors }) {
  const recipe = JSON.parse(metadata.recipe);
  const subjects = JSON.parse(metadata.subjects);
  const last = curve.at(-1);
  const parameters = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
  const kinds = Object.keys(last).filter((key) => key.startsWith('loss.'));
  const { dataset } = result;
  const trained = recipe.encoder.layers;
  const depth =
    entry.layers === trained ? `${trained} layers` : `the first ${entry.layers} of ${trained} layers`;
  return `# ${title}

\`${name}\`: ${entry.modalities[0].toUpperCase()} encoder (CBraMod architecture), ${depth}, ${(parameters / 1e6).toFixed(1)} M parameters,
float16, ${(entry.bytes / 1e6).toFixed(1)} MB. sha256 \`${entry.sha256}\`

\`\`\`
heartmind embed ${name} RECORDING --out embeddings.safetensors
heartmind probe ${name} --data NAME=FOLDER --target LABEL
heartmind finetune --data NAME=FOLDER --recipe finetune --${entry.modalities[0]} ${name} --out runs/mine
\`\`\`

## What it has seen

- Unlabelled recordings of ${subjects.length} people: ${dataset.title}.
- Licences of the recordings: ${dataset.licence}. The weights: Apache-2.0.
- Citations: ${dataset.citation}
- Whom exactly is in the file's metadata (\`subjects\`): heartmind says so where an evaluation tests on them.

## How it was trained

Masked reconstruction; seed ${metadata.seed}; ${metadata.engine}. Recipe:

\`\`\`json
${JSON.stringify(recipe, null, 1)}
\`\`\`

Mean squared error over hidden samples of held-out people, in model units, after ${last.epoch} epochs; predicting zero beside it:

| mask | error | predicting zero |
|---|---|---|
${kinds.map((key) => `| ${key.slice(5)} | ${last[key].toPrecision(3)} | ${last[`zero.${key.slice(5)}`].toPrecision(3)} |`).join('\n')}

![Loss by epoch](${name}.svg)

## Limits

- Trained on what openly licensed recordings were at hand, not on millions: see docs/results.md for what its embeddings
  tell of labels, and from which layer.
- No medical device; nothing here is a diagnosis.
`;
}

/** A model with its head: what it predicts, how well beside the baselines, and where it ends. */
export function modelCard({ name, title, entry, result, curve, model }) {
  const { config, recipe, classes, provenance } = model;
  const { dataset, folds, seeds } = result;
  const [{ train, validation, test }] = folds;
  const parameters = [...model.tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
  const signals = entry.modalities.map((modality) => {
    const { channels, patches, encoder } = config.signals[modality];
    return `${modality.toUpperCase()}: ${channels.length} channel${channels.length === 1 ? '' : 's'} (${channels.join(' ')}), ${patches} s, ${encoder.layers} layers`;
  });
  const people = (list) => `${list.length} (${list[0]} to ${list.at(-1)})`;
  return `# ${title}

\`${name}\`: a model with its head, ${classes.join(' or ')} every ${recipe.window.stepSeconds} s, ${(parameters / 1e6).toFixed(1)} M parameters, float16,
${(entry.bytes / 1e6).toFixed(1)} MB. sha256 \`${entry.sha256}\`

\`\`\`
heartmind predict my.edf                    # a timeline; this model is taken where none is named
heartmind predict my.edf --step 1 --format json --out timeline.json
heartmind explain my.edf --out why.html     # which channels, seconds and bands moved it
heartmind evaluate --data my/labels.csv --target task --model ${name} --out runs/mine
\`\`\`

Signals: ${signals.join('; ')}. ${config.nullEmbeddings ? 'It was trained with one of them missing now and then: it serves EEG alone, ECG alone and both, and channels that a recording lacks are left out.' : 'It needs both.'}

## What it has seen

- ${dataset.title}: ${people(train)} people trained it, ${people(validation)} chose its epoch, ${people(test)} tested it and were seen by none of its parts.
- Its encoders began as ${Object.entries(result.weights ?? {})
    .map(
      ([modality, { name: from, people: count, dataset: of }]) =>
        `${from} (${modality.toUpperCase()}, unlabelled recordings of ${count} people of ${of})`,
    )
    .join(' and ')}.
- Licence of the recordings: ${dataset.licence}. The weights: Apache-2.0.
- Citation: ${dataset.citation}

## How well it does

On the tested people, ${result.folds[0].windows.test} windows: scores of all their windows, mean over the seeds ${seeds.join(', ')}. Released is seed ${provenance.seed}, which
was not chosen: it is the first.

<!-- table ${name}-card -->
${cardScores(result)}<!-- /table -->

"Missing": the same model without that signal. Seed ${provenance.seed} alone:
${describeSeed(result.details['eeg+ecg'].perSeed[0])}.

## How it was trained

\`${result.command}\`; ${provenance.engine}. Best of ${curve.rows.length} epochs by the validation people: ${curve.bestEpoch}. Recipe:

\`\`\`json
${JSON.stringify({ ...result.recipes.finetune, prepare: recipe }, null, 1)}
\`\`\`

![Loss by epoch](${name}.svg)

## Limits

- "${classes[1]}" means subtracting numbers in the head, as ${dataset.name} has it. Other effort, other people, other amplifiers: not known.
- In ${dataset.name} rest comes first and lasts longer, so that drifts of a recording go with the task: part of what was learned
  may be those.
- Its EEG was cleaned of eye, muscle and heart artefacts by its authors; yours may not be.
- Heart rate and band power under a logistic regression stand in the table: compare before you choose this model.
- No medical device; nothing here is a diagnosis.
`;
}

const rowNames = {
  'eeg+ecg': '**EEG + ECG**',
  'eeg+ecg, ECG missing': '**the same, ECG missing**',
  'eeg+ecg, EEG missing': '**the same, EEG missing**',
  eeg: 'trained on EEG alone',
  ecg: 'trained on ECG alone',
  majority: 'majority class',
  'classical-eeg': 'band power, logistic regression',
  'classical-ecg': 'heart rate and variability, logistic regression',
  'classical-eeg+ecg': 'both, logistic regression',
};

/** The card's scores beside the baselines', and what stands in brackets. */
export function cardScores({ models, folds }) {
  const people = new Set(folds.flatMap(({ test }) => test)).size;
  const rows = Object.entries(rowNames)
    .filter(([key]) => models[key])
    .map(([key, label]) => {
      const { balancedAccuracy, auroc, auprc } = models[key];
      const cells = [balancedAccuracy, auroc, auprc].map((score) => interval(score, people) || '–');
      return `| ${label} | ${cells.join(' | ')} |`;
    });
  const words = hasInterval(people)
    ? 'In [ ]: 95 % interval, people drawn again.'
    : `In ( ): the score of each tested person, lowest to highest. ${people} people are too few for a 95 % interval, and to show that a model is better. The score over all windows also compares windows of different people, so it may lie outside.`;
  return `${table(['model', 'balanced accuracy', 'AUROC', 'AUC-PR'], rows)}\n${words}\n`;
}

function describeSeed({ balancedAccuracy, auroc, auprc }) {
  return `balanced accuracy ${digits(balancedAccuracy)}, AUROC ${digits(auroc)}, AUC-PR ${digits(auprc)}`;
}

/** Validation loss by epoch, one line; `what` says what the loss is. */
export function drawCurve(rows, what = 'mean squared error of hidden samples') {
  const points = rows.filter(({ loss }) => loss !== undefined);
  const [width, height, left, top] = [480, 200, 56, 12];
  const most = Math.max(...points.map(({ loss }) => loss));
  const lastEpoch = points.at(-1).epoch;
  const x = (epoch) => left + ((width - left - 12) * epoch) / lastEpoch;
  const y = (loss) => top + (height - top - 36) * (1 - loss / most);
  const line = points.map(({ epoch, loss }) => `${x(epoch).toFixed(1)},${y(loss).toFixed(1)}`).join(' ');
  const ticks = [0, most / 2, most].map(
    (value) =>
      `<text x="${left - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${value.toPrecision(2)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<title>Validation loss by epoch</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<path d="M${left},${top}V${y(0).toFixed(1)}H${width - 12}" fill="none" stroke="#888"/>
<polyline points="${line}" fill="none" stroke="#0b6e99" stroke-width="2"/>
${ticks.join('\n')}
<text x="${width - 12}" y="${height - 20}" text-anchor="end">${lastEpoch} epochs</text>
<text x="${left}" y="${height - 6}">validation loss (${what})</text>
</svg>
`;
}
