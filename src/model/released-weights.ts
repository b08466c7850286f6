/** heartmind's own weights, `weights/`: an index of what is there, and the proof that a file is what the index says. */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { FormatError } from '../core/errors.ts';
import { sha256 } from '../core/sha256.ts';

const entrySchema = z.strictObject({
  /** encoder: official names, for fine-tuning and embedding. model: with its head, ready to predict. */
  kind: z.enum(['encoder', 'model']),
  title: z.string(),
  modalities: z.array(z.enum(['eeg', 'ecg'])).min(1),
  layers: z.number().int().min(1),
  /** Beside the index. */
  file: z.string(),
  bytes: z.number().int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ReleasedWeights = z.infer<typeof entrySchema>;

const indexSchema = z.strictObject({ version: z.literal(1), weights: z.record(z.string(), entrySchema) });

/** What is taken where nobody names a model or an encoder. */
export const releasedDefaults = { model: 'workload', eeg: 'eeg-4', ecg: 'ecg-12' } as const;

/** By name. */
export type ReleasedIndex = ReadonlyMap<string, ReleasedWeights>;

/** Read `weights/index.json`. ConfigError names a wrong key. */
export function parseReleasedIndex(text: string, where = 'weights/index.json'): ReleasedIndex {
  return new Map(Object.entries(parseConfig(indexSchema, JSON.parse(text), where).weights));
}

/** Check the bytes of released weights against the index: FormatError where they are others. */
export async function verifyReleased(
  name: string,
  bytes: Uint8Array,
  { bytes: length, sha256: expected, file }: ReleasedWeights,
): Promise<void> {
  const found = bytes.length === length ? await sha256(bytes) : `${bytes.length} bytes`;
  if (found === expected) return;
  throw new FormatError(
    `${name}: ${file} is not what the index says (${found}; due are ${length} bytes, sha256 ${expected.slice(0, 12)}…). Install heartmind again.`,
    file,
  );
}
