/**
 * Floating-point operations of a training step that the model's definition asks for, however they are computed: each
 * convolution by its own taps, attention over what it attends to. Backward is twice forward. The yardstick that is the
 * same for every engine; src/graph/flops.ts counts what our graphs really do.
 */

export interface StepSize {
  readonly batch: number;
  readonly channels: number;
  readonly patches: number;
  readonly layers: number;
}

const dim = 200;

export function modelFlops(size: StepSize): number {
  return 3 * forwardFlops(size);
}

/** Patches → reconstruction, once. */
export function forwardFlops({ batch, channels, patches, layers }: StepSize): number {
  const maps = 25;
  const steps = 8;
  const embedding =
    2 * steps * maps * 49 + // first convolution
    2 * (2 * steps * maps * maps * 3) + // second and third
    2 * 101 * dim + // spectral projection
    2 * 19 * 7 * dim; // position, a kernel a feature
  const projections = 2 * (2 * (3 * 100 * 100 + 100 * 100)); // q, k, v and out along both axes
  const attention = 2 * (2 * 100 * channels) + 2 * (2 * 100 * patches); // scores and mixing along both axes
  const feedForward = 2 * (2 * dim * 4 * dim);
  const reconstruction = 2 * dim * dim;
  const perToken = embedding + layers * (projections + attention + feedForward) + reconstruction;
  return batch * channels * patches * perToken;
}
