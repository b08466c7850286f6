/**
 * `heartmind VERB [MODEL] FILE…`: is the first argument a model, or a recording already? A model is a released name, the
 * folder of a run, or a file of weights; where none is named, verbs that predict take the released one, and say so.
 */
import { open, stat } from 'node:fs/promises';
import { ConfigError, DataError } from '../core/errors.ts';
import { subjectsOf } from '../datasets/people.ts';
import { modalitiesOf } from '../model/config.ts';
import { decodeModel, type TrainedModel } from '../model/model-file.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { releasedDefaults } from '../model/released-weights.ts';
import { readReleased, releasedIndex } from '../model/released-weights-node.ts';
import { hasFile } from '../patches/store-node.ts';
import type { Progress } from '../train/progress.ts';
import { readModel } from './model-source.ts';

export interface ChosenModel {
  /** A released name, a run's folder, or a file. */
  readonly model: string;
  /** Nobody named it. */
  readonly isDefault: boolean;
}

/** The released model, where none is named. */
export const defaultChoice: ChosenModel = { model: releasedDefaults.model, isDefault: true };

/**
 * Arguments of a verb → its model and its recordings. ConfigError where a model stands alone or behind a recording;
 * DataError for a first argument that is nothing at all.
 */
export async function splitModel(
  verb: string,
  [first, ...rest]: readonly string[],
): Promise<ChosenModel & { readonly files: readonly string[] }> {
  if (first === undefined)
    throw new ConfigError(`${verb}: nothing is named. Give a recording, or a model and recordings.`, 'file');
  const what = await whatIs(first);
  if (what === 'nothing')
    throw new DataError(
      `${first}: neither a model nor a recording: no file, no folder, and none of the released models (${releasedModels().join(', ') || 'none'}). Check the path.`,
    );
  const isNamed = what === 'model';
  for (const file of rest)
    if (!isNamed && (await whatIs(file)) === 'model')
      throw new ConfigError(
        `${verb}: '${file}' is a model and stands behind the recording ${first}. Put it first.`,
        'model',
        'model, then recordings',
      );
  if (!isNamed) return { ...defaultChoice, files: [first, ...rest] };
  if (rest.length === 0)
    throw new ConfigError(
      `${verb}: '${first}' is a model. Name a recording after it.`,
      'file',
      'a recording',
    );
  return { model: first, isDefault: false, files: rest };
}

/** Read the model; of the released one that nobody named, a line says what it is. Errors as `readModel`. */
export async function readModelAndNote(
  verb: string,
  { model: path, isDefault }: ChosenModel,
  name: string | undefined,
  progress: Pick<Progress, 'log'>,
): Promise<TrainedModel & { readonly tensors: FloatTensors }> {
  if (isDefault && name !== undefined)
    throw new ConfigError(
      `--model: '${name}' is one of a run's models, and no run is named. Name it.`,
      '--model',
    );
  if (!isDefault) return readModel(path, name);
  // The released one, whatever lies in the present folder under its name.
  const model = decodeModel(await readReleased(path), path);
  progress.log(`${verb}: no model named, so ${describeModel(path, model)}`);
  return model;
}

/** What a model predicts, from what, and on whom it was trained: a line. */
export function describeModel(
  name: string,
  { config, classes, recipe, provenance = {} }: TrainedModel,
): string {
  const signals = modalitiesOf(config).map((modality) => modality.toUpperCase());
  const from =
    signals.length === 1
      ? signals[0]!
      : `${signals.join(', ')}${config.nullEmbeddings ? ' or both' : ' together'}`;
  const people = subjectsOf(provenance)?.length ?? 0;
  const trained =
    people > 0 ? `; trained and chosen on ${people} people of ${provenance.dataset ?? 'a dataset'}` : '';
  return `${name}: ${classes.join(' or ')} every ${recipe.window.stepSeconds} s, from ${from}${trained}. Card: weights/${name}.md.`;
}

/** A path that does not exist is nothing; standard input and streams are recordings. */
async function whatIs(path: string): Promise<'model' | 'recording' | 'nothing'> {
  if (path === '-' || path.startsWith('lsl:')) return 'recording';
  const status = await stat(path).catch(() => undefined);
  if (status?.isDirectory()) return 'model';
  if (!status) return releasedIndex().has(path) ? 'model' : 'nothing';
  if (/\.(safetensors|pth|pt)$/i.test(path)) return 'model';
  return status.isFile() && (await hasFile(path)) && (await isSafetensors(path)) ? 'model' : 'recording';
}

/** The length of a header of JSON (uint64, below 100 MB), then its brace: no recording begins so. */
async function isSafetensors(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const head = new DataView(new ArrayBuffer(9));
    await handle.read(head, 0, 9, 0);
    return head.getUint8(8) === 0x7b && head.getBigUint64(0, true) < 100_000_000n;
  } finally {
    await handle.close();
  }
}

function releasedModels(): string[] {
  return [...releasedIndex()].flatMap(([name, { kind }]) => (kind === 'model' ? [name] : []));
}
