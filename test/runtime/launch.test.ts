import { expect, test } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { countCores, detectLaunch, shareCores } from '../../src/runtime/launch.ts';

test('a process that nobody launched as a rank works alone', () => {
  expect(detectLaunch({})).toBeUndefined();
  expect(detectLaunch({ OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '1' })).toBeUndefined();
  expect(detectLaunch({ PMIX_RANK: '0' })).toBeUndefined();
  // The script of sbatch, in an allocation of four tasks.
  expect(detectLaunch({ SLURM_JOB_ID: '7', SLURM_NTASKS: '4', SLURM_PROCID: '0' })).toBeUndefined();
  expect(detectLaunch({ SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '1', SLURM_PROCID: '0' })).toBeUndefined();
});

test('mpirun, srun and PMI tell rank and size', () => {
  expect(detectLaunch({ OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '4' })).toEqual({
    launcher: 'mpirun',
    rank: 1,
    size: 4,
  });
  expect(detectLaunch({ PMIX_RANK: '2', SLURM_STEP_NUM_TASKS: '3', SLURM_STEP_ID: '0' })).toEqual({
    launcher: 'srun',
    rank: 2,
    size: 3,
  });
  expect(detectLaunch({ PMI_RANK: '0', PMI_SIZE: '2' })).toEqual({ launcher: 'pmi', rank: 0, size: 2 });
});

test('tasks that srun does not connect are refused: each would do all the work', () => {
  const env = { SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '4', SLURM_PROCID: '2' };
  expect(() => detectLaunch(env)).toThrow(
    'srun: it started 4 tasks that do not know of each other. Use srun --mpi=pmix',
  );
  expect(() => detectLaunch(env)).toThrow(ConfigError);
});

test('cores are shared by the ranks of a host that may use the same ones', () => {
  expect(countCores('0')).toBe(1);
  expect(countCores('0-3,8,10-11')).toBe(7);
  const free = [
    { host: 'a', cores: '0-7' },
    { host: 'a', cores: '0-7' },
    { host: 'b', cores: '0-7' },
  ];
  expect(free.map((_, rank) => shareCores(free, rank))).toEqual([4, 4, 8]);
  const bound = [
    { host: 'a', cores: '0-3' },
    { host: 'a', cores: '4-7' },
  ];
  expect(bound.map((_, rank) => shareCores(bound, rank))).toEqual([4, 4]);
  const crowded = Array.from({ length: 5 }, () => ({ host: 'a', cores: '0-1' }));
  expect(shareCores(crowded, 3)).toBe(1);
});
