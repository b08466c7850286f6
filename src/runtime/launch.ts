/** How this process was launched: alone, or as one of several ranks. Read from the variables that launchers set. */
import { ConfigError } from '../core/errors.ts';

export interface Launch {
  readonly launcher: 'mpirun' | 'srun' | 'pmi';
  readonly rank: number;
  /** At least 2. */
  readonly size: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The launch, or undefined for a process of its own (`mpirun -n 1` included). ConfigError for tasks that `srun` started
 * without connecting them: each would do all the work and write over the others.
 */
export function detectLaunch(env: Environment): Launch | undefined {
  const found = readLaunch(env);
  if (found) return found.size > 1 ? found : undefined;
  const tasks = count(env.SLURM_STEP_NUM_TASKS);
  // The script of sbatch itself is no step of srun's, whatever number of tasks it may start.
  if (tasks === undefined || tasks < 2 || env.SLURM_STEP_ID === undefined || env.SLURM_PROCID === undefined)
    return undefined;
  throw new ConfigError(
    `srun: it started ${tasks} tasks that do not know of each other. Use srun --mpi=pmix (srun --mpi=list shows what there is), or -n 1.`,
    'srun --mpi',
    'pmix, pmi2',
  );
}

function readLaunch(env: Environment): Launch | undefined {
  const variants = [
    ['mpirun', env.OMPI_COMM_WORLD_RANK, env.OMPI_COMM_WORLD_SIZE],
    ['srun', env.PMIX_RANK, env.SLURM_STEP_NUM_TASKS],
    ['pmi', env.PMI_RANK, env.PMI_SIZE],
  ] as const;
  for (const [launcher, first, second] of variants) {
    const rank = count(first);
    const size = count(second);
    if (rank !== undefined && size !== undefined && rank < size) return { launcher, rank, size };
  }
  return undefined;
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Where a rank runs: the host, and the cores that it may use (`0-3,8`). */
export interface Place {
  readonly host: string;
  readonly cores: string;
}

/** Threads for a rank: the cores that it may use, shared with the ranks of its host that may use the same. */
export function shareCores(places: readonly Place[], rank: number): number {
  const { host, cores } = places[rank]!;
  const sharing = places.filter((place) => place.host === host && place.cores === cores).length;
  return Math.max(1, Math.floor(countCores(cores) / sharing));
}

/** How many cores a list names: `0-3,8` names 5. */
export function countCores(list: string): number {
  return list.split(',').reduce((sum, range) => {
    const [first, last = first] = range.split('-').map(Number);
    return sum + last! - first! + 1;
  }, 0);
}
