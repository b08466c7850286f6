/**
 * A store of windows as Zarr v3 (https://zarr-specs.readthedocs.io/en/latest/v3/core/): one group, and in it
 *
 *     eeg, ecg          [W, C, T]  int16 or float16; a shard holds many windows, an inner chunk one
 *     window_…, trial_…, subject_…, target_…, beats   the index: small arrays, one row a window, trial or subject
 *
 * A window in microvolt is `stored × scale_factor` (an attribute of its array, as CF and xarray know it). What Zarr has no
 * word for stands in the group's attribute `heartmind`, validated here.
 */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { storedRecipeSchema } from './recipe.ts';
import type { Modality } from './windows.ts';

export const storeVersion = 1;
/** Everything that is not finished lies below it; a store is whole when its root `zarr.json` is there. */
export const unfinishedFolder = '.unfinished';

export const sampleTypes = ['int16', 'float16'] as const;
export type SampleType = (typeof sampleTypes)[number];

/** Steps of int16 in a unit of the model: 0.1 µV for EEG (µV/100), 1 µV for ECG (mV); the range is ± 32.767 units. */
export const int16StepsPerUnit = 1000;

const count = z.number().int().min(0);
const text = z.string();

const signalSchema = z.strictObject({
  channels: z.array(text).min(1),
  /** Patches in a window, and samples in a patch: T is their product. */
  patches: z.number().int().min(1),
  patchSamples: z.number().int().min(1),
  /** Microvolt in one step. */
  scaleFactor: z.number().positive(),
});

const targetSchema = z.strictObject({
  name: text,
  /** The array: an int32 class index (−1: none), a float64 number (NaN: none), or a text (empty: none), one a trial. */
  array: text,
  kind: z.enum(['class', 'number', 'text']),
  classes: z.array(text),
});

const foldSchema = z.strictObject({
  name: text,
  train: z.array(text),
  validation: z.array(text),
  test: z.array(text),
});

export const datasetInfoSchema = z.strictObject({
  name: text,
  title: text,
  licence: text,
  url: text,
  citation: text,
  splits: z.record(text, foldSchema),
});
/** What a store keeps of the dataset that it was made of. */
export type DatasetInfo = z.infer<typeof datasetInfoSchema>;

const droppedSchema = z.strictObject({ what: text, reason: text, count, examples: z.array(text) });

export const storeInfoSchema = z.strictObject({
  version: z.literal(storeVersion),
  recipe: storedRecipeSchema,
  dataset: datasetInfoSchema,
  type: z.enum(sampleTypes),
  count,
  /** Trials of the dataset, and its subjects. */
  trials: count,
  subjects: count,
  windowsPerShard: z.number().int().min(1),
  signals: z.strictObject({ eeg: signalSchema.optional(), ecg: signalSchema.optional() }),
  /** Length and sha256 of every shard, in order. */
  shards: z.partialRecord(
    z.enum(['eeg', 'ecg']),
    z.array(z.strictObject({ bytes: count, sha256: z.string().length(64) })),
  ),
  targets: z.array(targetSchema),
  dropped: z.array(droppedSchema),
  /** sha256 over shards, index, recipe and classes: names the data in checkpoints and results. */
  hash: z.string().length(64),
});
export type StoreInfo = z.infer<typeof storeInfoSchema>;
export type StoredTarget = z.infer<typeof targetSchema>;
export type StoredSignal = z.infer<typeof signalSchema>;

/** Validate a group's attribute; ConfigError names the wrong key. */
export function parseStoreInfo(value: unknown, where: string): StoreInfo {
  return parseConfig(storeInfoSchema, value, where);
}

/** Samples of one channel of a window. */
export function windowSamples({
  patches,
  patchSamples,
}: Pick<StoredSignal, 'patches' | 'patchSamples'>): number {
  return patches * patchSamples;
}

/** Values in a window. */
export function windowSize(signal: Pick<StoredSignal, 'channels' | 'patches' | 'patchSamples'>): number {
  return signal.channels.length * windowSamples(signal);
}

/** Path of a shard: Zarr's default chunk keys with dots, so that a folder holds all shards of an array. */
export function shardPath(modality: Modality, shard: number): string {
  return `${modality}/c.${shard}.0.0`;
}

/** `zarr.json` of the windows of a modality. */
export function windowsMetadata(info: StoreInfo, modality: Modality) {
  const signal = info.signals[modality]!;
  const shape = [signal.channels.length, windowSamples(signal)];
  const checked = { name: 'crc32c' };
  const bytes = { name: 'bytes', configuration: { endian: 'little' } };
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: [info.count, ...shape],
    data_type: info.type,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [info.windowsPerShard, ...shape] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '.' } },
    fill_value: 0,
    codecs: [
      {
        name: 'sharding_indexed',
        configuration: {
          chunk_shape: [1, ...shape],
          codecs: [bytes, checked],
          index_codecs: [bytes, checked],
          index_location: 'end',
        },
      },
    ],
    dimension_names: ['window', 'channel', 'sample'],
    attributes: {
      scale_factor: signal.scaleFactor,
      add_offset: 0,
      units: 'uV',
      channels: signal.channels,
      rate_hz: info.recipe.signals[modality]!.rateHz,
    },
  };
}

/** `zarr.json` of the group; the metadata of its arrays are repeated in it, so that one request brings them all. */
export function groupMetadata(info: StoreInfo, arrays: Readonly<Record<string, unknown>>) {
  return {
    zarr_format: 3,
    node_type: 'group',
    attributes: { heartmind: info },
    consolidated_metadata: { kind: 'inline', must_understand: false, metadata: arrays },
  };
}
