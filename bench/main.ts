/**
 * `npm run bench`: measures, writes bench/results/*.json and the tables made from them. A section can be run alone and
 * writes only its own file, so that a run can go on where it was stopped.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { measureCeiling } from './ceiling.ts';
import { measureChoices } from './choices.ts';
import { measureLatency } from './latency.ts';
import { describeCommit, describeMachine } from './machine.ts';
import { parseOptions, type Section } from './options.ts';
import { measureReaders } from './readers.ts';
import { type Case, writeSection } from './report.ts';
import { chooseRivals, type Rivals } from './rivals.ts';
import { measureSignals } from './signals.ts';
import { measureSteps } from './step.ts';

const measure: Readonly<
  Record<Section, (rivals: Rivals, full: boolean, say: (line: string) => void) => Promise<Case[]>>
> = {
  ceiling: measureCeiling,
  step: measureSteps,
  latency: measureLatency,
  signals: measureSignals,
  readers: measureReaders,
  choices: measureChoices,
};

const root = process.cwd();
const say = (line: string) => console.log(line);

try {
  const options = parseOptions(process.argv.slice(3), process.env);
  const machine = describeMachine(root);
  say(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, onnxruntime ${machine.onnxruntime}`);
  if (machine.load > 0.3 * machine.cores)
    say(`The machine is busy (load ${machine.load}): figures will be too low. Wait, or close what runs.`);
  const rivals = chooseRivals(root, process.argv[2]!, options);
  for (const section of options.only) {
    say(`▸ ${section}`);
    const begun = performance.now();
    const cases = await measure[section](rivals, options.full, say);
    writeSection(root, {
      ...{ section, full: options.full, date: new Date().toISOString(), commit: describeCommit(root) },
      ...{ machine: describeMachine(root), minutes: (performance.now() - begun) / 60_000, cases },
    });
  }
  execFileSync(process.execPath, [join(root, 'scripts/write-tables.mjs')], { stdio: 'inherit' });
  say('Written: bench/results, and the tables of docs/benchmarks.md.');
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
