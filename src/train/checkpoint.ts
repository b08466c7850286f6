/**
 * A training run at rest: everything that going on exactly needs, as one safetensors file with a JSON header in its
 * metadata. Where it is kept is a `CheckpointStore`; `checkpoint-node.ts` keeps it in a folder.
 */
import { z } from 'zod';
import { ConfigError, FormatError } from '../core/errors.ts';
import { findDifference } from '../core/plain.ts';
import type { Tensor } from '../core/tensor.ts';
import { decodeSafetensors, encodeSafetensors } from '../model/safetensors.ts';

export interface CheckpointStore {
  /** The last checkpoint, if there is one. */
  load(): Promise<Uint8Array | undefined>;
  /** Replace it at once or not at all. StorageError where it cannot be written: the previous one is intact. */
  save(bytes: Uint8Array): Promise<void>;
  /** Keep a file beside it; where it is. */
  saveBeside(name: string, bytes: Uint8Array): Promise<string>;
}

const scores = z.record(z.string(), z.number().nullable());

const progressSchema = z.strictObject({
  /** Updates taken; epochs finished; updates taken in the one that is under way. */
  step: z.number().int().min(0),
  epoch: z.number().int().min(0),
  position: z.number().int().min(0),
  finished: z.boolean(),
  /** Sum of the losses of the epoch under way. */
  lossSum: z.number(),
  best: z.strictObject({ score: z.number(), epoch: z.number().int() }).nullable(),
  /** A row for every epoch: `epoch`, `step`, `loss`, `learningRate`, and the validation's scores. */
  curves: z.array(scores),
});
export type TrainingProgress = z.infer<typeof progressSchema>;

const headerSchema = z.strictObject({
  version: z.literal(2),
  /** What must agree for the run to go on: recipe, data. */
  identity: z.record(z.string(), z.unknown()),
  progress: progressSchema,
});

export interface Checkpoint {
  readonly identity: Readonly<Record<string, unknown>>;
  readonly progress: TrainingProgress;
  /** `parameter/…`, `first/…`, `second/…`, and `best/…` where a best epoch is known. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Encode a checkpoint. */
export function encodeCheckpoint({ identity, progress, tensors }: Checkpoint): Uint8Array {
  const header = { version: 2, identity, progress };
  return encodeSafetensors(tensors, { format: 'heartmind', checkpoint: JSON.stringify(header) });
}

/** Decode a checkpoint; FormatError for damage and for other safetensors files. */
export function decodeCheckpoint(bytes: Uint8Array, name = 'checkpoint'): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  try {
    const { identity, progress } = headerSchema.parse(JSON.parse(metadata.checkpoint ?? 'null'));
    return { identity, progress, tensors };
  } catch (cause) {
    throw new FormatError(
      `${name}: no checkpoint of version 2. Remove it to start anew, or choose the folder of a training run.`,
      name,
      8,
      { cause },
    );
  }
}

/** The values of a tensor that a run needs to go on; FormatError where the checkpoint lacks it or has another shape. */
export function savedValues(
  tensors: ReadonlyMap<string, Tensor>,
  key: string,
  shape: readonly number[],
): Float32Array {
  const saved = tensors.get(key);
  if (saved?.dtype === 'float32' && saved.shape.join() === shape.join()) return saved.data as Float32Array;
  const fact = saved ? `is ${saved.dtype} [${saved.shape}] instead of float32 [${shape}]` : 'is missing';
  throw new FormatError(
    `checkpoint: its tensor '${key}' ${fact}. It is damaged; remove it to start anew.`,
    'checkpoint',
  );
}

/** ConfigError that names the first thing in which a checkpoint's run differs from the one that should go on. */
export function assertSameRun(
  saved: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): void {
  const difference = findDifference(saved, wanted);
  if (!difference) return;
  const { key, was, is } = difference;
  throw new ConfigError(
    `${key}: the checkpoint has ${was}, this run has ${is}. Use the same recipe and data to resume, or another folder to start anew.`,
    key,
    was,
  );
}
