/** What `info` says of a dataset: what it is and how to get it; with a folder, what is there, whose, labelled how. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { appendAll } from '../core/arrays.ts';
import { HeartmindError, InterruptedError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { visibleLine } from '../core/visible-text.ts';
import { type DatasetSpec, describeFolder, type Trial } from '../datasets/dataset.ts';
import { compareLayout, type LayoutReport } from '../datasets/fetch-layout.ts';
import { openFolder } from '../datasets/folder-node.ts';
import { TrialFiles } from '../datasets/trial-files.ts';
import type { Progress } from '../train/progress.ts';
import { formatSeconds } from './info-recording.ts';
import { renderTable } from './table.ts';

const shownUnreadable = 10;
const shownValues = 12;

export interface TargetCounts {
  /** Trials by value; absent for numbers. */
  readonly counts?: Readonly<Record<string, number>>;
  readonly range?: readonly [low: number, high: number];
  readonly trials: number;
}

export interface DatasetCopy {
  readonly folder: string;
  readonly layout: LayoutReport | null;
  readonly trials: number;
  readonly subjects: number;
  readonly seconds: number;
  readonly labels: Readonly<Record<string, TargetCounts>>;
  readonly unreadable: readonly { readonly trial: string; readonly error: string }[];
}

export interface DatasetSummary
  extends Pick<
    DatasetSpec,
    'name' | 'title' | 'licence' | 'url' | 'citation' | 'targets' | 'facts' | 'notes'
  > {
  readonly splits: Readonly<Record<string, { train: number; validation: number; test: number }>>;
  readonly copy?: DatasetCopy;
}

/** Facts of a dataset, and of a copy where a folder is given. DataError where there is no such folder. */
export async function summariseDataset(
  known: DatasetSpec,
  path: string | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<DatasetSummary> {
  const folder = path === undefined ? undefined : await openFolder(path);
  const spec = folder ? await describeFolder(known, folder) : known;
  const { name, title, licence, url, citation, targets, facts } = spec;
  const splits = Object.entries(spec.splits).map(([key, { train, validation, test }]) => [
    key,
    { train: train.length, validation: validation.length, test: test.length },
  ]);
  return {
    ...{ name, title, licence, url, citation, targets },
    ...(facts && { facts }),
    ...(spec.notes && { notes: spec.notes }),
    splits: Object.fromEntries(splits),
    ...(folder && { copy: await summariseCopy(spec, folder, progress, signal) }),
  };
}

async function summariseCopy(
  spec: DatasetSpec,
  folder: ByteFolder,
  progress: Progress,
  signal: AbortSignal,
): Promise<DatasetCopy> {
  const files = await Promise.all(
    (await folder.list())
      .filter((path) => !isHidden(path))
      .map(async (path) => ({
        path,
        bytes: await stat(join(folder.name, path)).then(
          ({ size }) => size,
          () => 0,
        ),
      })),
  );
  const layout = spec.facts ? compareLayout(spec.facts.layout, files) : null;
  const trials = await spec.trials(folder);
  const stage = progress.stage(`look through ${folder.name}`, trials.length, 'trials');
  const unreadable: { trial: string; error: string }[] = [];
  const opened = new TrialFiles(folder);
  let seconds = 0;
  try {
    for (const [i, trial] of trials.entries()) {
      if (signal.aborted)
        throw new InterruptedError(`${spec.name}: stopped after ${i} of ${trials.length} trials.`);
      try {
        const { duration } = await opened.open(trial);
        seconds += Math.max(0, Math.min(trial.end ?? duration, duration) - (trial.start ?? 0));
      } catch (error) {
        if (!(error instanceof HeartmindError)) throw error;
        unreadable.push({ trial: trial.id, error: error.message });
      }
      stage.update(i + 1);
    }
  } finally {
    await opened.close();
  }
  stage.end();
  return {
    folder: folder.name,
    layout,
    trials: trials.length,
    subjects: new Set(trials.map(({ subject }) => subject)).size,
    seconds,
    labels: countLabels(trials),
    unreadable,
  };
}

/** Marks of a file system or of `fetch`. */
function isHidden(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.'));
}

function countLabels(trials: readonly Trial[]): Record<string, TargetCounts> {
  const values = new Map<string, (string | number)[]>();
  for (const { targets } of trials)
    for (const [target, value] of Object.entries(targets)) {
      if (value === '') continue;
      const list = values.get(target);
      if (list) list.push(value);
      else values.set(target, [value]);
    }
  const counted = Array.from(values, ([target, list]): [string, TargetCounts] => {
    const numbers = list.filter((value) => typeof value === 'number');
    const isNumber = numbers.length === list.length && new Set(numbers).size > 2;
    if (isNumber)
      return [
        target,
        {
          trials: list.length,
          range: [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))],
        },
      ];
    const counts = new Map<string, number>();
    for (const value of list) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    return [
      target,
      { trials: list.length, counts: Object.fromEntries([...counts].sort((a, b) => b[1] - a[1])) },
    ];
  });
  return Object.fromEntries(counted);
}

/** The summary as text. */
export function describeDataset({ facts, copy, ...spec }: DatasetSummary): string {
  const lines = [
    `${spec.name}: ${spec.title}`,
    `  licence: ${spec.licence}`,
    `  where: ${spec.url}`,
    `  citation: ${spec.citation}`,
  ];
  if (facts) {
    const { access, how, applyUrl, subjects, recordings, signals, labels, layout, notes } = facts;
    lines.push(`  access: ${access}. ${how}${applyUrl === undefined ? '' : ` ${applyUrl}`}`);
    if (subjects !== undefined || recordings !== undefined)
      lines.push(
        `  holds: ${[subjects === undefined ? '' : `${subjects} subjects`, recordings === undefined ? '' : `${recordings} recordings`].filter((part) => part !== '').join(', ')}`,
      );
    for (const { kind, channels, ratesHz, unit, note } of signals)
      lines.push(
        `  ${kind}: ${channels.join(', ')}; ${ratesHz.join(' or ')} Hz, ${unit}${note === undefined ? '' : ` (${note})`}`,
      );
    lines.push('', 'labels:');
    appendAll(
      lines,
      Object.entries(labels).map(([name, what]) => `  ${name}: ${what}`),
    );
    if (!copy)
      lines.push(
        '',
        renderTable(
          ['files', 'count', 'what'],
          layout.map(({ path, what, count }) => [path, count === undefined ? '' : String(count), what]),
          ['left', 'right', 'left'],
        ),
      );
    for (const note of notes ?? []) lines.push(`note: ${note}`);
  }
  for (const note of spec.notes ?? []) lines.push(`note: ${note}`);
  for (const [name, { train, validation, test }] of Object.entries(spec.splits))
    lines.push(`split '${name}': ${train} train, ${validation} validate, ${test} test`);
  if (copy) {
    lines.push('');
    appendAll(lines, describeCopy(copy));
  }
  return `${lines.join('\n')}\n`;
}

function describeCopy({
  folder,
  layout,
  trials,
  subjects,
  seconds,
  labels,
  unreadable,
}: DatasetCopy): string[] {
  const lines = [
    `${visibleLine(folder)}: ${trials} trials of ${subjects} subjects, ${formatSeconds(seconds)}`,
    '',
  ];
  if (layout) {
    lines.push(
      renderTable(
        ['files', 'there', 'expected', '', 'what'],
        layout.rows.map(({ path, what, found, expected, state }) => [
          path,
          String(found),
          expected === undefined ? 'some' : String(expected),
          state === 'complete' ? '' : state,
          what,
        ]),
        ['left', 'right', 'right', 'left', 'left'],
      ),
      layout.complete ? 'The copy is complete.' : 'The copy is not complete.',
    );
    if (layout.empty.length > 0)
      lines.push(
        `empty files: ${layout.empty.slice(0, 5).map(visibleLine).join(', ')}${layout.empty.length > 5 ? ', …' : ''}`,
      );
    lines.push('');
  }
  for (const [target, { counts, range, trials: labelled }] of Object.entries(labels)) {
    const values = Object.entries(counts ?? {});
    const shown = values.slice(0, shownValues).map(([value, count]) => `${visibleLine(value)} × ${count}`);
    const text = range
      ? `${range[0]} to ${range[1]}`
      : `${shown.join(', ')}${values.length > shownValues ? `, … (${values.length} values)` : ''}`;
    lines.push(
      `${visibleLine(target)}: ${text}${labelled < trials ? `; ${trials - labelled} trials without` : ''}`,
    );
  }
  if (unreadable.length > 0) {
    lines.push(`cannot be read: ${unreadable.length} trials`);
    for (const { trial, error } of unreadable.slice(0, shownUnreadable))
      lines.push(`  ${visibleLine(trial)}: ${visibleLine(error)}`);
  }
  return lines;
}
