/** MODEL arguments: a model file, an encoder's weights, or the folder of a run → what is in them. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, DataError, FormatError } from '../core/errors.ts';
import { noteInputPath } from '../core/input-files-node.ts';
import { readWholeFile } from '../core/read-file-node.ts';
import { sha256 } from '../core/sha256.ts';
import { publishedWeights } from '../datasets/published-weights.ts';
import type { StartingWeights } from '../evaluate/starting-weights.ts';
import { decodeModel, type TrainedModel } from '../model/model-file.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { readReleased, releasedIndex } from '../model/released-weights-node.ts';
import { decodeSafetensors } from '../model/safetensors.ts';
import { type EncoderWeights, loadEncoderWeights } from '../model/weights.ts';
import { hasFile } from '../patches/store-node.ts';
import type { Modality } from '../patches/windows.ts';
import type { FinetuneRecipe } from '../train/recipe.ts';
import { optionalText } from './command.ts';
import { dataFolder } from './data-folder.ts';

/** The names under which runs keep their models, best first. */
const modelNames = [
  'model.safetensors',
  ...['eeg+ecg', 'eeg', 'ecg'].map((name) => `models/${name}.safetensors`),
  'encoder.safetensors',
];

/** The file of a model; of a run's folder, its fused model unless `name` says which. DataError where there is none. */
export async function findModelFile(path: string, name?: string): Promise<string> {
  const isFolder = await stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
  if (!isFolder) return path;
  const candidates = name === undefined ? modelNames : [`models/${name}.safetensors`];
  for (const candidate of candidates) {
    const file = join(path, candidate);
    if (
      await stat(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  throw new DataError(
    `${path}: no model in this folder (looked for ${candidates.join(', ')}). Name a model file, or the folder of a finished run.`,
  );
}

/** Read a trained model: a file, a run's folder, or the name of a released one. */
export async function readModel(
  path: string,
  name?: string,
): Promise<TrainedModel & { readonly tensors: FloatTensors }> {
  const file = await findModelFile(path, name);
  return decodeModel(await readBytes(file), file);
}

/**
 * Read an encoder's weights of any known format, and the sha256 of their file: a file, `cbramod` once fetched, or the name
 * of released ones.
 */
export async function readEncoder(given: string): Promise<EncoderWeights & { readonly sha256: string }> {
  const path = await publishedPath(given);
  const bytes = await readBytes(path);
  return { ...loadEncoderWeights(bytes, path), sha256: await sha256(bytes) };
}

/** `cbramod` → the file that `heartmind fetch cbramod` brought; other paths as they are. */
async function publishedPath(given: string): Promise<string> {
  if (!Object.hasOwn(publishedWeights, given) || (await hasFile(given))) return given;
  const path = join(dataFolder(given), publishedWeights[given]!.file);
  if (await hasFile(path)) return path;
  throw new DataError(
    `${given}: the weights are not in ${path}. Run heartmind fetch ${given}, or give the path of a file.`,
  );
}

/** `--eeg`, `--ecg`. */
export const encoderFlags = {
  eeg: optionalText(
    'Weights of the EEG encoder: a file, a released name (eeg-4), or cbramod once fetched',
    'weights',
  ),
  ecg: optionalText('Weights of the ECG encoder: a file, or a released name (ecg-12)', 'weights'),
} as const;

/** The pre-trained encoders that a recipe is to start from. ConfigError for weights that it has no encoder for. */
export async function readEncodersFor(
  recipe: FinetuneRecipe,
  paths: { readonly [M in Modality]?: string | undefined },
) {
  const encoders: { [M in Modality]?: FloatTensors } = {};
  const provenance: { [M in Modality]?: Readonly<Record<string, string>> } = {};
  const weights: { [M in Modality]?: StartingWeights } = {};
  for (const modality of ['eeg', 'ecg'] as const) {
    const path = paths[modality];
    if (path === undefined) continue;
    if (!recipe.encoders[modality])
      throw new ConfigError(
        `--${modality}: the recipe has no ${modality} encoder. Add one to its encoders.`,
        `--${modality}`,
      );
    const { tensors, metadata, layers, sha256 } = await readEncoder(path);
    encoders[modality] = tensors;
    provenance[modality] = metadata;
    weights[modality] = { name: path, sha256, layers };
  }
  return { encoders, provenance, weights };
}

/** Does a file hold a whole model (heartmind's own metadata), not an encoder's weights alone? */
export async function isModelFile(path: string): Promise<boolean> {
  const bytes = await readBytes(path);
  try {
    return decodeSafetensors(bytes, path).metadata.heartmind !== undefined;
  } catch {
    return false;
  }
}

/** Of a file, or of released weights by their name (a file of that name goes first). */
async function readBytes(path: string): Promise<Uint8Array> {
  if (releasedIndex().has(path) && !(await hasFile(path))) return readReleased(path);
  try {
    noteInputPath(path);
    return await readWholeFile(path);
  } catch (cause) {
    throw new FormatError(
      `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? cause}). Check the path.`,
      path,
      undefined,
      { cause },
    );
  }
}
