/** Who takes part: our worker, Python's, a JavaScript engine; and how each is started. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rival } from './contestant.ts';
import type { Options } from './options.ts';

export type Job = Readonly<Record<string, unknown>>;

export interface Rivals {
  /** Folder for generated data and caches, not in the repository. */
  readonly scratch: string;
  readonly peers: boolean;
  ours(job: Job, name?: string): Rival;
  /** `peer`: torch, scipy, mne, wfdb, pyedflib. */
  python(peer: string, name: string, job: Job, environment?: Readonly<Record<string, string>>): Rival;
  jax(job: Job): Rival;
}

/** glibc otherwise gives large arrays back to the system and has their pages cleared again in every step. */
export const keepPages = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '100000000000',
  MALLOC_TOP_PAD_: '268435456',
};

const jaxVersion = '0.1.25';

export function chooseRivals(root: string, worker: string, { peers, python }: Options): Rivals {
  const scratch = join(root, 'node_modules/.cache/heartmind-bench');
  mkdirSync(scratch, { recursive: true });
  const jaxFolder = join(scratch, 'peers');
  if (peers === 'install') installJax(jaxFolder);
  const peerPath = join(root, 'bench/peers');
  const blas = peers === 'off' ? {} : blasSettings(python);
  return {
    scratch,
    peers: peers !== 'off',
    ours: (job, name = 'heartmind') => ({ name, command: [process.execPath, worker], job }),
    python: (peer, name, job, environment = {}) => ({
      name,
      command: [python, join(peerPath, 'worker.py')],
      environment: {
        // Compiled kernels are kept, so that a second run need not wait for the compiler.
        TORCHINDUCTOR_CACHE_DIR: join(scratch, 'inductor'),
        ...(peer === 'torch' ? blas : {}),
        ...environment,
      },
      job: { ...job, peer },
    }),
    jax: (job) => ({
      name: 'jax-js',
      command: [process.execPath, join(peerPath, 'jax-worker.mjs'), jaxFolder],
      job,
    }),
  };
}

/**
 * OpenBLAS, as Debian builds PyTorch with, takes some virtual machines for old ones and computes 5 to 10 times slower: it
 * is told the kernels that the processor has. Nothing for other libraries, or where the user has said it.
 */
function blasSettings(python: string): Readonly<Record<string, string>> {
  if (process.env.OPENBLAS_CORETYPE !== undefined) return {};
  try {
    const program = 'import torch; print(torch.__config__.show())';
    const show = execFileSync(python, ['-c', program], { encoding: 'utf8', stdio: 'pipe' });
    if (!/BLAS_INFO=open/i.test(show)) return {};
    const flags = readFileSync('/proc/cpuinfo', 'utf8');
    if (/ avx512f /.test(flags)) return { OPENBLAS_CORETYPE: 'SkylakeX' };
    return / avx2 /.test(flags) ? { OPENBLAS_CORETYPE: 'Haswell' } : {};
  } catch {
    return {};
  }
}

/** Is this module there for that Python? */
export function hasModule(python: string, name: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function installJax(folder: string): void {
  if (existsSync(join(folder, 'node_modules/@jax-js/jax'))) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  execFileSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', `@jax-js/jax@${jaxVersion}`],
    {
      cwd: folder,
      stdio: 'inherit',
    },
  );
}
