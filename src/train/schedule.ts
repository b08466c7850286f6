/** Learning rate by update: linear warm-up, then half a cosine down to a minimum. */

export interface Schedule {
  /** Updates in the whole run. */
  readonly totalSteps: number;
  /** Updates of linear rise; 0 for none. */
  readonly warmupSteps: number;
  /** Where the cosine ends. */
  readonly minimum: number;
}

/**
 * The rate of update `step` (0-based) for a group whose highest rate is `base`. Without warm-up this is
 * torch.optim.lr_scheduler.CosineAnnealingLR with T_max = totalSteps, stepped once per update.
 */
export function learningRateAt(step: number, base: number, schedule: Schedule): number {
  const { totalSteps, warmupSteps, minimum } = schedule;
  if (step < warmupSteps) return (base * (step + 1)) / warmupSteps;
  const span = Math.max(1, totalSteps - warmupSteps);
  const progress = Math.min(1, (step - warmupSteps) / span);
  const low = Math.min(minimum, base);
  return low + ((base - low) * (1 + Math.cos(Math.PI * progress))) / 2;
}
