/** How well encoders fill what is hidden, on the same windows under the same masks, whatever each was trained on. */
import { DataError } from '../core/errors.ts';
import { encoderConfig } from '../model/config.ts';
import { maskKinds, maskRecipeSchema } from '../patches/mask.ts';
import type { Modality, SignalWindows } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { ReconstructionValidation } from '../train/reconstruction.ts';
import { layersOf, type ProbedEncoder } from './probe-features.ts';

export interface ProbedReconstruction {
  readonly encoder: string;
  /** Mean squared error over hidden samples, in model units, by kind of mask; dual's parts as `dual.intra`, `dual.inter`. */
  readonly losses: Readonly<Record<string, number>>;
  /** The same of predicting zero, and each lead's mean. */
  readonly zero: Readonly<Record<string, number>>;
  readonly mean: Readonly<Record<string, number>>;
}

export interface ProbeReconstructionOptions {
  readonly backend: Backend;
  readonly modality: Modality;
  /** Share of patches, and chance of whole leads, that is hidden. */
  readonly ratio?: number;
  readonly seed?: number;
}

/** Whether the tensors can reconstruct at all. */
export function reconstructs({ tensors }: ProbedEncoder): boolean {
  return [...tensors.keys()].some((name) => name.startsWith('proj_out.'));
}

/** Every kind of mask, on these windows. DataError for an encoder without its reconstruction layer. */
export async function probeReconstruction(
  encoder: ProbedEncoder,
  windows: SignalWindows,
  { backend, modality, ratio = 0.5, seed = 0 }: ProbeReconstructionOptions,
): Promise<ProbedReconstruction> {
  if (!reconstructs(encoder))
    throw new DataError(
      `probe: ${encoder.name} has no reconstruction layer (proj_out). Take the encoder.safetensors of a pre-training.`,
    );
  const mixture = Object.fromEntries(maskKinds.map((kind) => [kind, 1]));
  const validation = new ReconstructionValidation({
    ...{ backend, modality, windows, seed },
    mask: maskRecipeSchema.parse({ mixture, ratio, leadProbability: ratio }),
    config: encoderConfig({ layers: layersOf(encoder.tensors) }),
    batch: 32,
  });
  try {
    const scores = await validation.scores(encoder.tensors);
    const of = (prefix: string) =>
      Object.fromEntries(
        Object.entries(scores).flatMap(([key, value]) =>
          key.startsWith(`${prefix}.`) ? [[key.slice(prefix.length + 1), value] as const] : [],
        ),
      );
    return { encoder: encoder.name, losses: of('loss'), zero: of('zero'), mean: of('mean') };
  } finally {
    await validation.dispose();
  }
}
