/**
 * `npm run fuzz -- [--cases 100000] [--seed 1] [--jobs 2] [--format NAME]… [--case N] [--urls 600] [--url-case N] [--bombs all|none|NAME] [--shared FOLDER] [--out results/fuzz.json]`
 * Damaged files of every format through its reader, in processes of their own: errors, time, memory, prototypes. Then files on
 * servers that fail, by ranges, as a store and as a download: right bytes or an error of ours, in time. Then small files that
 * claim millions of elements, at full size: within 15 s of a processor and 1 GB each.
 */
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bombs } from './bombs.ts';
import { buildCorpus } from './corpus.ts';
import { type BombResult, runBombs } from './full-bombs.ts';
import { buildSharedCorpus } from './shared-corpus.ts';
import { runUrlCase } from './url-cases.ts';
import type { Message, Order } from './worker.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    format: { type: 'string', multiple: true, default: [] },
    case: { type: 'string' },
    urls: { type: 'string', default: '600' },
    'url-case': { type: 'string' },
    bombs: { type: 'string', default: 'all' },
    shared: { type: 'string', default: '../shared/data/conformance' },
    out: { type: 'string' },
  },
});
const worker = process.argv[1]!.replace(/main\.js$/, 'worker.js');
const [cases, seed, jobs] = [Number(values.cases), Number(values.seed), Number(values.jobs)];
/** A process that says nothing for so long hangs in one case. */
const hangMilliseconds = 20_000;

interface Tally {
  cases: number;
  opened: number;
  refused: number;
  violations: number;
  slowestMilliseconds: number;
  largestGrowthBytes: number;
}
const tallies = new Map<string, Tally>();
const violations: { number: number; name: string; fact: string }[] = [];
const tallyOf = (name: string): Tally => {
  const tally = tallies.get(name) ?? {
    cases: 0,
    opened: 0,
    refused: 0,
    violations: 0,
    slowestMilliseconds: 0,
    largestGrowthBytes: 0,
  };
  tallies.set(name, tally);
  return tally;
};

function note(message: Extract<Message, { kind: 'end' | 'violation' }>): void {
  const tally = tallyOf(message.name);
  tally.cases++;
  if (message.kind === 'end') {
    tally[message.outcome]++;
    tally.slowestMilliseconds = Math.max(tally.slowestMilliseconds, message.milliseconds);
    tally.largestGrowthBytes = Math.max(tally.largestGrowthBytes, message.growth);
    return;
  }
  tally.violations++;
  const { number, name, fact } = message;
  violations.push({ number, name, fact });
  console.log(`violation: case ${number} (${name}): ${fact.split('\n').slice(0, 4).join('\n  ')}`);
}

/** Run the numbers in a process, anew behind every case that kills or hangs it. */
async function runNumbers(numbers: readonly number[]): Promise<void> {
  let rest = numbers;
  while (rest.length > 0) {
    const { last, ended, why } = await runProcess(rest);
    if (ended || last === undefined) {
      if (!ended) throw new Error(`fuzz: a process ended before its first case (${why}).`);
      return;
    }
    note({ kind: 'violation', number: last.number, name: last.name, fact: why });
    rest = rest.slice(rest.indexOf(last.number) + 1);
  }
}

function runProcess(numbers: readonly number[]) {
  return new Promise<{ last?: { number: number; name: string }; ended: boolean; why: string }>((resolve) => {
    const child = fork(worker, { serialization: 'advanced' });
    let last: { number: number; name: string } | undefined;
    let [open, why, done] = [0, '', 0];
    let heard = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - heard < hangMilliseconds) return;
      why = `hangs: nothing for ${hangMilliseconds / 1000} s`;
      child.kill('SIGKILL');
    }, 1000);
    child.on('message', (message: Message) => {
      heard = Date.now();
      if (message.kind === 'begin') {
        last = message;
        open++;
        return;
      }
      open--;
      done++;
      note(message);
    });
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      const ended = done === numbers.length && open === 0;
      resolve({
        ...(last && open > 0 && { last }),
        ended,
        why: why || `the process died (${signal ?? `exit ${code}`})`,
      });
    });
    child.send({
      seed,
      numbers: [...numbers],
      formats: values.format,
      shared: values.shared,
    } satisfies Order);
  });
}

const shared = await buildSharedCorpus(values.shared);
const corpus = [...(await buildCorpus()), ...shared];
if (shared.length === 0) console.log(`No conformance files in ${values.shared}: built ones alone.`);
for (const name of values.format) {
  if (!corpus.some((entry) => entry.name === name)) {
    console.error(`fuzz: no format '${name}'. Known: ${corpus.map((entry) => entry.name).join(', ')}.`);
    process.exit(2);
  }
}
const started = Date.now();
const one = values.case ?? values['url-case'];
const all =
  values['url-case'] !== undefined
    ? []
    : values.case === undefined
      ? Array.from({ length: cases }, (_, i) => i)
      : [Number(values.case)];
const urlCases =
  values['url-case'] !== undefined
    ? [Number(values['url-case'])]
    : one === undefined && values.format.length === 0
      ? Array.from({ length: Number(values.urls) }, (_, i) => i)
      : [];
const timer = setInterval(() => {
  const done = [...tallies.values()].reduce((sum, tally) => sum + tally.cases, 0);
  const rate = done / ((Date.now() - started) / 1000);
  console.error(
    `${done} of ${all.length + urlCases.length} cases, ${Math.round(rate)}/s, ${violations.length} violations`,
  );
}, 10_000);
const batch = 2000;
const batches = Array.from({ length: Math.ceil(all.length / batch) }, (_, i) =>
  all.slice(i * batch, (i + 1) * batch),
);
await Promise.all(
  Array.from({ length: jobs }, async () => {
    for (let next = batches.shift(); next; next = batches.shift()) await runNumbers(next);
  }),
);
/** Most of the time of such a case is waiting: several at once. */
const urlQueue = urlCases.values();
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (const number of urlQueue) {
      try {
        const { way, ...report } = await runUrlCase(Number(seed), number);
        note({ kind: 'end', number, name: `url: ${way}`, growth: 0, bytes: 0, ...report });
      } catch (error) {
        note({ kind: 'violation', number, name: 'url', fact: (error as Error).message });
      }
    }
  }),
);
if (!['all', 'none', ...bombs.map(({ name }) => name)].includes(values.bombs)) {
  console.error(
    `fuzz: no bomb '${values.bombs}'. Known: all, none, ${bombs.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}
const withBombs = one === undefined && values.format.length === 0 ? values.bombs : 'none';
const exploded: Omit<BombResult, 'fact'>[] = [];
const bombWorker = worker.replace(/worker\.js$/, 'bomb-worker.js');
if (withBombs !== 'none')
  for await (const { fact, ...bomb } of runBombs(bombWorker, withBombs)) {
    const { name, outcome, cpuSeconds, megabytes } = bomb;
    exploded.push({
      ...bomb,
      cpuSeconds: Number(cpuSeconds.toFixed(2)),
      megabytes: Math.round(megabytes),
    });
    const bombed = { number: exploded.length - 1, name: `bomb: ${name}` };
    if (outcome === 'violation') note({ kind: 'violation', ...bombed, fact });
    else
      note({
        ...{ kind: 'end', ...bombed, outcome, bytes: bomb.bytes },
        ...{ milliseconds: 1000 * cpuSeconds, growth: megabytes * 2 ** 20 },
      });
  }
clearInterval(timer);
const formats = [...tallies.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
console.table(Object.fromEntries(formats));
if (values.out) {
  const result = {
    command: `npm run fuzz -- --cases ${cases} --seed ${seed} --out ${values.out}`,
    cases: all.length + urlCases.length + exploded.length,
    seed,
    seconds: Math.round((Date.now() - started) / 1000),
    violations,
    bombs: exploded,
    formats: Object.fromEntries(
      formats.map(([name, tally]) => [
        name,
        { ...tally, slowestMilliseconds: Math.round(tally.slowestMilliseconds) },
      ]),
    ),
  };
  writeFileSync(values.out, `${JSON.stringify(result, null, 1)}\n`);
}
console.log(`${all.length + urlCases.length + exploded.length} cases, ${violations.length} violations`);
process.exit(violations.length === 0 ? 0 : 1);
