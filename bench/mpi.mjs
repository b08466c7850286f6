#!/usr/bin/env node
/**
 * Communication against computation on this machine → bench/results/mpi.json.
 *   node bench/mpi.mjs            needs OpenMPI and a built heartmind (npm run build); as root with iproute2 also two hosts
 * Allreduce of 1 kB to 20 MB between two ranks, over shared memory and over TCP (two network namespaces joined by
 * virtual cards where this is root, else the loopback), and updates of the 12-layer encoder in both: the run's own
 * timers tell computing, waiting for the slower rank, and summing apart.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const rounds = 15;
const sizes = [1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 19.7e6]; // bytes; the last: all gradients of 4.9 M parameters
if (process.argv[2] === '--rank') await measureAllreduce();
else measureAll();

/** On every rank: the seconds of an Allreduce by size; rank 0 prints them. */
async function measureAllreduce() {
  const { openMpi } = await import(join(root, 'dist/node.js'));
  const mpi = await openMpi();
  const cases = sizes.map((bytes) => ({ bytes, values: new Float32Array(bytes / 4), seconds: [] }));
  // Size after size, over and over: what else the machine does falls on all of them.
  for (let round = 0; round < rounds; round++) {
    for (const { bytes, values, seconds } of cases) {
      const repeats = Math.max(4, Math.min(200, Math.round(4e6 / bytes)));
      for (let i = -2; i < repeats; i++) {
        mpi.sum(new Float32Array(1)); // together
        const begun = performance.now();
        mpi.sum(values);
        if (i >= 0) seconds.push((performance.now() - begun) / 1000);
      }
    }
  }
  const rows = cases.map(({ bytes, seconds }) => ({
    ...{ bytes, repeats: seconds.length },
    ...summarise(seconds),
  }));
  if (mpi.rank === 0) console.log(JSON.stringify({ version: mpi.version.split(',')[0], rows }));
  mpi.finalize();
}

function measureAll() {
  const folder = mkdtempSync(join(tmpdir(), 'heartmind-mpi-'));
  const hosts = makeHosts(folder);
  try {
    const ways = {
      sharedMemory: { note: 'two ranks on one host, OpenMPI vader', launch: local([]) },
      tcp: hosts
        ? { note: 'two network namespaces joined by virtual cards, OpenMPI tcp', launch: hosts.launch }
        : { note: 'the loopback, OpenMPI tcp', launch: local(['--mca', 'btl', 'tcp,self']) },
    };
    const result = {
      date: new Date().toISOString(),
      machine: { processor: `${cpus().length} × ${cpus()[0].model.trim()}`, node: process.versions.node },
      commit: execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
        cwd: root,
        encoding: 'utf8',
      }).trim(),
      // Above 0: other work ran on the machine, and the best is nearer to the truth than the median.
      loadBefore: loadavg()[0],
      ranks: 2,
      allreduce: {},
      update: {},
    };
    for (const [way, { note, launch }] of Object.entries(ways)) {
      say(`▸ Allreduce: ${note}`);
      const text = launch([process.execPath, fileURLToPath(import.meta.url), '--rank']);
      const { version, rows } = JSON.parse(text.trim().split('\n').at(-1));
      result.openmpi = version;
      result.allreduce[way] = { note, rows };
      for (const { bytes, median, best } of rows)
        say(`${String(bytes).padStart(9)} B  median ${ms(median)}  best ${ms(best)}`);
    }
    for (const [way, { launch }] of Object.entries(ways)) {
      say(`▸ updates of the 12-layer encoder: ${way}`);
      result.update[way] = measureUpdates(folder, way, launch);
      const { compute, wait, sum } = result.update[way];
      say(
        `compute ${ms(compute.median)}  wait ${ms(wait.median)}  sum ${ms(sum.median)} (best ${ms(sum.best)})`,
      );
    }
    const path = join(root, 'bench/results/mpi.json');
    mkdirSync(join(root, 'bench/results'), { recursive: true });
    writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`);
    say(`Written: ${path}. Then: node scripts/cluster/write-scaling.mjs`);
  } finally {
    hosts?.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A short pre-training of the 12-layer encoder by two ranks, one thread each; seconds from its own figures. */
function measureUpdates(folder, way, launch) {
  const recipe = join(folder, 'recipe.json');
  const batch = 16;
  const optimization = { epochs: 1, batch, minimumLearningRate: 1e-5 };
  const encoder = { layers: 12 };
  const task = { version: 1, task: 'pretrain', modality: 'ecg', encoder, validationShare: 0.1, optimization };
  writeFileSync(recipe, JSON.stringify({ ...task, mask: { mixture: { dual: 1 } } }));
  const out = join(folder, way);
  const flags = [
    '--data',
    'sample-ecg',
    '--recipe',
    recipe,
    '--device',
    'cpu',
    '--threads',
    '1',
    '--out',
    out,
  ];
  launch([process.execPath, join(root, 'dist/cli.js'), 'pretrain', ...flags, '--progress', 'none']);
  const lines = readFileSync(join(out, 'training/pretrain/metrics.jsonl'), 'utf8').trim().split('\n');
  const rows = lines
    .map((line) => JSON.parse(line))
    .filter((row) => row['seconds/update'] !== undefined)
    .slice(2); // the first two warm up
  const column = (of) => summarise(rows.map(of));
  return {
    windowsPerRank: batch / 2,
    tokensPerWindow: 12 * 10,
    threadsPerRank: 1,
    updates: rows.length,
    compute: column((row) => row['seconds/update'] - row['seconds/wait'] - row['seconds/sum']),
    wait: column((row) => row['seconds/wait']),
    sum: column((row) => row['seconds/sum']),
  };
}

function summarise(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { best: sorted[0], median: at(0.5), upperQuartile: at(0.75) };
}

function local(further) {
  const flags = ['--oversubscribe', '--bind-to', 'none', '-n', '2', ...further];
  return (command) => run('mpirun', [...flags, ...command]);
}

/** Two hosts on this one: network namespaces with private addresses, which exist inside them alone. */
function makeHosts(folder) {
  if (process.getuid?.() !== 0 || spawnSync('ip', ['-V']).status !== 0) return undefined;
  const [one, two] = ['a', 'b'].map((name) => `heartmind-bench-${name}-${process.pid}`);
  const [cardOne, cardTwo] = ['a', 'b'].map((name) => `hb-${name}-${process.pid}`);
  const remove = () => {
    for (const name of [one, two]) spawnSync('ip', ['netns', 'delete', name]);
  };
  try {
    for (const name of [one, two]) run('ip', ['netns', 'add', name]);
    const pair = ['type', 'veth', 'peer', 'name', cardTwo, 'netns', two];
    run('ip', ['link', 'add', cardOne, 'netns', one, ...pair]);
    for (const [name, card, address] of [
      [one, cardOne, '10.77.1.1/24'],
      [two, cardTwo, '10.77.1.2/24'],
    ]) {
      run('ip', ['-n', name, 'address', 'add', address, 'dev', card]);
      run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
      run('ip', ['-n', name, 'link', 'set', card, 'up']);
    }
  } catch (error) {
    remove();
    say(`no namespaces (${error.message}): the loopback instead`);
    return undefined;
  }
  const agent = join(folder, 'enter');
  const script = `shift\nexec ip netns exec ${two} unshare --uts bash -c 'hostname host-b; exec bash -c "$0"' "$*"`;
  writeFileSync(agent, `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  const only = (framework) => ['--mca', `${framework}_tcp_if_include`, '10.77.1.0/24'];
  const flags = ['--host', '10.77.1.1:1,10.77.1.2:1', '--bind-to', 'none', '--mca', 'plm_rsh_agent', agent];
  const launch = (command) =>
    run('ip', [
      ...[
        'netns',
        'exec',
        one,
        'unshare',
        '--uts',
        'bash',
        '-c',
        'hostname host-a; exec "$@"',
        '-',
        'mpirun',
      ],
      ...[
        ...flags,
        '--mca',
        'btl',
        'tcp,self',
        '--mca',
        'pml',
        'ob1',
        ...only('btl'),
        ...only('oob'),
        ...command,
      ],
    ]);
  return { launch, remove };
}

function run(command, args) {
  const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
  return execFileSync(command, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: root,
  });
}

function ms(seconds) {
  return `${(1000 * seconds).toPrecision(3)} ms`;
}

function say(line) {
  console.log(line);
}
