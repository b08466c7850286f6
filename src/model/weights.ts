/**
 * An encoder's weights from a file of any known format and naming → tensors under CBraMod's official names, complete
 * and of the right shapes, or one error that lists what is not.
 */
import { FormatError } from '../core/errors.ts';
import type { Tensors } from '../core/tensor.ts';
import { type EncoderConfig, encoderConfig } from './config.ts';
import { encoderParameters } from './encoder-parameters.ts';
import { type FloatTensors, fitParameters } from './parameters.ts';
import { decodePth, isPth } from './pth.ts';
import { decodeSafetensors } from './safetensors.ts';

/** How published files name the encoder's tensors. Tried in order: the first whose every key fits wins. */
interface Naming {
  readonly name: string;
  /** In front of every key of the encoder. */
  readonly prefix: string;
  /** Beginnings of keys that belong to something else and are left out, and reported. */
  readonly beside: readonly string[];
}
const namings: readonly Naming[] = [
  { name: 'official', prefix: '', beside: [] },
  // torch.nn.DataParallel and DistributedDataParallel wrap the model.
  { name: 'official, data-parallel', prefix: 'module.', beside: [] },
  // braindecode.models.CBraMod keeps the official names and adds a classification layer after proj_out.
  { name: 'braindecode', prefix: '', beside: ['final_layer.'] },
];

export interface EncoderWeights {
  /** Every parameter of the encoder, in the model's order. */
  readonly tensors: FloatTensors;
  readonly layers: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** `official`, `braindecode`, … */
  readonly naming: string;
  /** Keys of other parts that were left out, for the report. */
  readonly ignored: readonly string[];
}

/** Named tensors of any weights file, told apart by content: safetensors, .pth (zip) or legacy .pth. */
export function decodeWeights(
  bytes: Uint8Array,
  name: string,
): { tensors: Tensors; metadata: Record<string, string> } {
  if (isPth(bytes)) return { tensors: decodePth(bytes, name), metadata: {} };
  return decodeSafetensors(bytes, name);
}

/**
 * Load an encoder's weights. The depth is read from the keys unless `config` gives it. FormatError for a damaged file,
 * and one that lists all keys that are missing, left over or misshapen.
 */
export function loadEncoderWeights(bytes: Uint8Array, name: string, config?: EncoderConfig): EncoderWeights {
  const { tensors, metadata } = decodeWeights(bytes, name);
  return { ...fitEncoder(tensors, name, config), metadata };
}

/** Fit already decoded tensors to an encoder; errors as `loadEncoderWeights`. */
export function fitEncoder(
  tensors: Tensors,
  name: string,
  config?: EncoderConfig,
): Omit<EncoderWeights, 'metadata'> {
  const keys = [...tensors.keys()];
  const naming =
    namings.find(({ prefix, beside }) =>
      keys.every((key) => isOurs(key, prefix) || startsWithAny(key, beside)),
    ) ??
    namings.find(({ prefix }) => prefix !== '' && keys.some((key) => isOurs(key, prefix))) ??
    namings[0]!;
  const ignored = keys.filter((key) => startsWithAny(key, naming.beside));
  const renamed = new Map(
    [...tensors]
      .filter(([key]) => !startsWithAny(key, naming.beside))
      .map(([key, value]) => [key.startsWith(naming.prefix) ? key.slice(naming.prefix.length) : key, value]),
  );
  const layers = config?.layers ?? countLayers(renamed.keys());
  if (layers === 0) {
    throw new FormatError(
      `${name}: none of ${keys.length} keys is an encoder layer's (encoder.layers.0.…); the first are ${keys.slice(0, 3).join(', ')}. Choose the weights of a CBraMod encoder.`,
      name,
    );
  }
  const specs = encoderParameters(config ?? encoderConfig({ layers: Math.min(layers, 256) }));
  return { tensors: fitParameters(renamed, specs, name), layers, naming: naming.name, ignored };
}

function isOurs(key: string, prefix: string): boolean {
  return startsWithAny(
    key,
    ['patch_embedding.', 'encoder.layers.', 'proj_out.'].map((start) => prefix + start),
  );
}

function startsWithAny(key: string, starts: readonly string[]): boolean {
  return starts.some((start) => key.startsWith(start));
}

/** Distinct layer numbers among the keys of an encoder: a gap shows as missing and left-over keys. */
export function countLayers(keys: Iterable<string>): number {
  const numbers = new Set<string>();
  for (const key of keys) {
    const found = /^encoder\.layers\.(\d+)\./.exec(key);
    if (found) numbers.add(found[1]!);
  }
  return numbers.size;
}
