/**
 * A verb on several ranks: `mpirun -n K heartmind pretrain …`, `srun --mpi=pmix heartmind …`. Rank 0 prints and writes;
 * threads are shared on a host; a rank that fails ends the others; one that is stopped stops the others.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { TypedFlagParameter } from '@stricli/core';
import { BackendError, InterruptedError } from '../core/errors.ts';
import { freeLocks } from '../core/folder-lock-node.ts';
import { countCores, detectLaunch, type Launch, type Place, shareCores } from '../runtime/launch.ts';
import { type Mpi, openMpi } from '../runtime/mpi-node.ts';
import { createProgress, type Progress } from '../train/progress.ts';
import type { Ranks } from '../train/ranks.ts';
import {
  type Context,
  createWorkProgress,
  describeError,
  type EngineFlags,
  exitCodeOf,
  type WorkFlags,
} from './command.ts';

export interface RanksFlags extends WorkFlags {
  readonly ranks: 'auto' | 'mpi' | 'off';
}

/** `--ranks`. */
export const ranksFlag = {
  ranks: {
    kind: 'enum',
    values: ['auto', 'mpi', 'off'],
    brief: 'Many machines: OpenMPI where mpirun or srun launched this (auto), always, or never',
    default: 'auto',
  } satisfies TypedFlagParameter<'auto' | 'mpi' | 'off'>,
} as const;

/** Whether there is nothing to do here: only these verbs share their work, all others are done by rank 0 alone. */
export function isIdle(verb: string | undefined, env = process.env): boolean {
  if (['pretrain', 'finetune', 'evaluate', 'demo'].includes(verb ?? '')) return false;
  return Number(env.OMPI_COMM_WORLD_RANK ?? env.PMIX_RANK ?? env.PMI_RANK ?? 0) > 0;
}

/** What a verb works with on its rank. */
export interface Team {
  /** Undefined for a process of its own. */
  readonly ranks: Ranks | undefined;
  readonly signal: AbortSignal;
  /** What the engine is made with: threads that are not given are this rank's share of its host's cores. */
  readonly engine: EngineFlags;
  /** Silent on all ranks but 0. */
  readonly progress: Progress;
  /** Whether this rank prints and writes results. */
  readonly writes: boolean;
}

/** Milliseconds between two looks for a stop on another rank. */
const relayEvery = 200;
/** Milliseconds that a stopped rank waits for the others: where all agreed to stop they are there already. */
const leaveWithin = 5_000;
/** Milliseconds by which rank 0 is first to say what went wrong everywhere. */
const precedence = 1000;

type Work<Flags> = (this: Context, flags: Flags, team: Team) => Promise<void>;

/** A verb that may run on several ranks. Errors of its work; BackendError where MPI cannot be had. */
export function onRanks<Flags extends RanksFlags>(work: Work<Flags>) {
  return function (this: Context, flags: Flags): Promise<void> {
    return runTeam(flags, this, (team) => work.call(this, flags, team));
  };
}

async function runTeam(
  flags: RanksFlags,
  { signal }: Context,
  work: (team: Team) => Promise<void>,
): Promise<void> {
  const launch = flags.ranks === 'off' ? undefined : detectLaunch(process.env);
  if (launch === undefined && flags.ranks !== 'mpi') {
    const progress = createWorkProgress(flags);
    return work({ ranks: undefined, signal, engine: flags, progress, writes: true });
  }
  let mpi: Mpi;
  try {
    mpi = await joinRanks(launch);
  } catch (error) {
    if (launch && launch.rank > 0) await delay(precedence);
    throw error;
  }
  const relay = relayStop(mpi, signal);
  try {
    await work(teamOf(mpi, flags, relay.signal));
    relay.end();
    mpi.finalize();
  } catch (error) {
    relay.end();
    await leave(mpi, error);
  }
}

async function joinRanks(launch: Launch | undefined): Promise<Mpi> {
  const mpi = await openMpi({ library: process.env.HEARTMIND_MPI_LIBRARY });
  if (launch === undefined || mpi.size === launch.size) return mpi;
  mpi.finalize();
  const fix = {
    mpirun: 'Use the mpirun of the same installation, or name its libmpi.so in HEARTMIND_MPI_LIBRARY.',
    srun: 'Use --mpi=pmix and an OpenMPI that was built with PMIx.',
    pmi: 'Use srun --mpi=pmix, or the mpirun of OpenMPI: this launcher is of another MPI, or PMI-2 is not built in.',
  }[launch.launcher];
  throw new BackendError(
    `mpi: ${launch.launcher} launched ${launch.size} ranks, but ${mpi.version.split(',')[0]} finds ${mpi.size}. ${fix}`,
  );
}

function teamOf(mpi: Mpi, flags: RanksFlags, signal: AbortSignal): Team {
  const place: Place = { host: hostname(), cores: allowedCores() };
  const places = mpi
    .gather(new TextEncoder().encode(JSON.stringify(place)))
    .map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as Place);
  const threads = flags.threads ?? Math.min(shareCores(places, mpi.rank), availableParallelism());
  const writes = mpi.rank === 0;
  const progress = writes ? createWorkProgress(flags) : createProgress('none', process.stderr);
  const hosts = new Set(places.map(({ host }) => host)).size;
  progress.log(
    `${mpi.size} ranks on ${hosts} host${hosts > 1 ? 's' : ''}, ${threads} thread${threads > 1 ? 's' : ''} each`,
  );
  const local = places.filter(({ host }) => host === place.host).length;
  const spare = countCores(allCores()) >= 2 * local;
  if (flags.threads === undefined && threads === 1 && spare)
    progress.log('The launcher bound each rank to one core: with mpirun, give --bind-to none.');
  return { ranks: mpi, signal, engine: { ...flags, threads }, progress, writes };
}

/** A signal that is aborted with this rank's or any other's. */
function relayStop(mpi: Mpi, own: AbortSignal): { readonly signal: AbortSignal; end(): void } {
  const stop = new AbortController();
  const stopAll = () => {
    mpi.tell();
    stop.abort();
  };
  if (own.aborted) stopAll();
  else own.addEventListener('abort', stopAll, { once: true });
  const timer = setInterval(() => {
    if (mpi.told()) stop.abort();
  }, relayEvery);
  const end = () => {
    clearInterval(timer);
    own.removeEventListener('abort', stopAll);
  };
  return { signal: stop.signal, end };
}

/** Leave together where all were stopped; else end all with this rank's error. */
async function leave(mpi: Mpi, error: unknown): Promise<void> {
  if (error instanceof InterruptedError) {
    const arrived = mpi.arrive();
    const begun = performance.now();
    while (!arrived() && performance.now() - begun < leaveWithin) await delay(10);
    if (arrived()) {
      mpi.finalize();
      // One exit code of the job; mpirun ends the others at once where one has another than 0.
      if (mpi.rank === 0) throw error;
      return;
    }
  }
  // What goes wrong everywhere is said once, by rank 0.
  if (mpi.rank > 0) await delay(precedence);
  const text = describeError(error, process.argv.includes('--debug'));
  process.stderr.write(`${mpi.rank > 0 ? `rank ${mpi.rank}: ` : ''}${text}\n`);
  freeLocks();
  mpi.abort(exitCodeOf(error));
}

/** The cores that this process may use, as Linux lists them: `0-3,8`. */
function allowedCores(): string {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? firstCores();
  } catch {
    return firstCores();
  }
}

/** All cores of this host. */
function allCores(): string {
  try {
    return readFileSync('/sys/devices/system/cpu/online', 'utf8').trim();
  } catch {
    return firstCores();
  }
}

function firstCores(): string {
  return `0-${availableParallelism() - 1}`;
}
