/** What a section writes: its cases with the machine, the date and the commit. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import type { Outcome } from './race.ts';

export interface Case {
  readonly name: string;
  /** What was measured: sizes, batch. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Ours first. */
  readonly outcomes: readonly Outcome[];
}

export interface SectionResult {
  readonly section: string;
  readonly full: boolean;
  readonly date: string;
  readonly commit: string;
  readonly machine: Machine;
  /** Minutes that the section took. */
  readonly minutes: number;
  readonly cases: readonly Case[];
}

/** bench/results/SECTION.json. Figures keep four digits: more are noise. */
export function writeSection(root: string, result: SectionResult): void {
  const folder = join(root, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const rounded = JSON.stringify(
    result,
    (_, value) =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
    1,
  );
  writeFileSync(join(folder, `${result.section}.json`), `${rounded}\n`);
}
