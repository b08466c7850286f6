/** What a figure was measured on. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  /** Vector instructions that matter to products. */
  readonly vectors: string;
  readonly system: string;
  readonly node: string;
  readonly onnxruntime: string;
  /** How busy it was before: the mean number of running processes of the last minute. */
  readonly load: number;
}

export function describeMachine(root: string): Machine {
  const info = textOf('/proc/cpuinfo');
  const flags = /^flags\s*:(.*)$/m.exec(info)?.[1] ?? '';
  const vectors = ['avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_bf16'].filter((flag) =>
    flags.split(' ').includes(flag),
  );
  const version = JSON.parse(textOf(`${root}/node_modules/onnxruntime-node/package.json`) || '{}').version;
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 1e9),
    vectors: vectors.join(' '),
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    onnxruntime: version ?? 'absent',
    load: Number(textOf('/proc/loadavg').split(' ')[0] ?? Number.NaN),
  };
}

/** The commit, with `+` where the tree holds changes of the code. */
export function describeCommit(root: string): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', 'src', 'bench/ours', 'package.json');
    return git('rev-parse', '--short', 'HEAD') + (changed === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
