/** `--eeg`, `--ecg` of `reproduce`: one encoder, or several of which every fold is given one that has not seen its people. */
import { basename, dirname } from 'node:path';
import { ConfigError } from '../core/errors.ts';
import { namesSeen, type Origin } from '../datasets/people.ts';
import type { ChosenEncoder } from '../evaluate/reproduce-data.ts';
import { encoderConfig } from '../model/config.ts';
import { firstLayers } from '../model/encoder-parameters.ts';
import { hashTensors } from '../model/safetensors.ts';
import { hasFile } from '../patches/store-node.ts';
import { readEncoder } from './model-source.ts';

export interface EncoderChoice {
  /** Of the benchmark, as weights name it. */
  readonly dataset: string;
  /** Layers that are taken; all where the weights have fewer, or absent. */
  readonly layers?: number;
  readonly dropout?: number;
}

/**
 * `a.safetensors,b.safetensors` → the first with its `others`; `a.safetensors:2` takes the first two layers. ConfigError for
 * an empty name, for more layers than there are, and for one that is given twice; errors of reading.
 */
export async function readChosenEncoders(
  given: string,
  choice: EncoderChoice,
): Promise<ChosenEncoder & { readonly source: string }> {
  const names = (await hasFile(given)) ? [given] : given.split(',').map((name) => name.trim());
  const all: (ChosenEncoder & { readonly source: string })[] = [];
  for (const name of names) {
    const encoder = await readOne(name, given, choice);
    const same = all.find((other) => other.sha256 === encoder.sha256);
    if (same)
      throw new ConfigError(
        `${given}: ${encoder.source} and ${same.source} hold the same weights. Name each once.`,
        'encoders',
      );
    all.push(encoder);
  }
  const [first, ...others] = all;
  return others.length === 0 ? first! : { ...first!, others };
}

async function readOne(name: string, given: string, { dataset, layers: preferred, dropout }: EncoderChoice) {
  if (name === '')
    throw new ConfigError(`${given}: a name is empty. Separate names by one comma.`, 'encoders');
  const [, path = name, asked] = ((await hasFile(name)) ? undefined : /^(.+):(\d+)$/.exec(name)) ?? [];
  const { tensors, layers, metadata } = await readEncoder(path);
  const depth = asked === undefined ? Math.min(layers, preferred ?? layers) : Number(asked);
  if (depth < 1 || depth > layers)
    throw new ConfigError(
      `${name}: ${depth} of ${layers} layers. Give 1 to ${layers}.`,
      'encoders',
      `1–${layers}`,
    );
  const taken = firstLayers(tensors, depth);
  const config = encoderConfig({ layers: depth, ...(dropout === undefined ? {} : { dropout }) });
  return {
    ...{ config, tensors: taken, sha256: hashTensors(taken) },
    source: `${titleOf(path)}${depth < layers ? `, ${depth} of ${layers} layers` : ''}`,
    ...whomSeen(metadata, dataset),
  };
}

/** Nothing where it cannot be known. */
function whomSeen(origin: Origin, dataset: string): Pick<ChosenEncoder, 'seen'> {
  const seen = namesSeen(origin, dataset);
  return seen ? { seen } : {};
}

/** `without-00-08/encoder.safetensors`: runs name their weights alike. */
function titleOf(path: string): string {
  const name = basename(path);
  return name === 'encoder.safetensors' ? `${basename(dirname(path))}/${name}` : name;
}
