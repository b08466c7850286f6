/** What `info` says of a folder: every recording found, what they have in common, which cannot be read. */
import { HeartmindError, InterruptedError } from '../core/errors.ts';
import { visibleLine } from '../core/visible-text.ts';
import { openRecordingFile } from '../read/file-node.ts';
import type { ReadOptions } from '../read/options.ts';
import type { Progress } from '../train/progress.ts';
import { formatSeconds } from './info-recording.ts';
import { findRecordings, tableExtensions } from './recordings-in.ts';
import { renderTable } from './table.ts';

const shownUnreadable = 10;
const shownNames = 40;

export interface FolderSummary {
  readonly folder: string;
  readonly recordings: number;
  /** Of all recordings that can be read. */
  readonly seconds: number;
  readonly formats: Readonly<Record<string, { readonly recordings: number; readonly seconds: number }>>;
  /** How many recordings have a channel of that name; most first. */
  readonly channels: readonly { readonly name: string; readonly recordings: number }[];
  /** How many recordings have a channel of that rate. */
  readonly rates: readonly { readonly rateHz: number; readonly recordings: number }[];
  readonly withNotes: number;
  readonly unreadable: readonly { readonly path: string; readonly error: string }[];
  /** Folders `sub-…`, where the folder is in BIDS. */
  readonly subjects?: number;
  readonly otherFiles: number;
}

/** Open every recording of a folder. DataError where there is no such folder, InterruptedError when stopped. */
export async function summariseFolder(
  folder: string,
  options: ReadOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<FolderSummary> {
  const found = await findRecordings(folder, signal);
  const stage = progress.stage(`look through ${folder}`, found.recordings.length, 'recordings');
  const formats = new Map<string, { recordings: number; seconds: number }>();
  const channels = new Map<string, number>();
  const rates = new Map<number, number>();
  const unreadable: { path: string; error: string }[] = [];
  let [seconds, count, withNotes, tables] = [0, 0, 0, 0];
  for (const [i, { path, inside }] of found.recordings.entries()) {
    if (signal.aborted)
      throw new InterruptedError(`${folder}: stopped after ${i} of ${found.recordings.length} recordings.`);
    try {
      const recording = await openRecordingFile(path, options);
      count++;
      seconds += recording.duration;
      if (recording.log.length > 0) withNotes++;
      const format = formats.get(recording.format) ?? { recordings: 0, seconds: 0 };
      format.recordings++;
      format.seconds += recording.duration;
      formats.set(recording.format, format);
      for (const name of new Set(recording.channels.map((channel) => channel.name))) increase(channels, name);
      for (const rate of new Set(recording.channels.map(({ rateHz }) => rateHz))) increase(rates, rate);
      await recording.close();
    } catch (error) {
      if (!(error instanceof HeartmindError)) throw error;
      // A table of something else: participants, labels, events.
      if (tableExtensions.test(inside)) tables++;
      else unreadable.push({ path: inside, error: error.message });
    }
    stage.update(i + 1);
  }
  stage.end();
  const people = new Set(
    found.recordings.flatMap(({ inside }) => /(?:^|\/)(sub-[^/_]+)\//.exec(inside)?.[1] ?? []),
  );
  const byCount = <K>(counts: ReadonlyMap<K, number>) => [...counts].sort((a, b) => b[1] - a[1]);
  return {
    folder,
    recordings: count,
    seconds,
    formats: Object.fromEntries(formats),
    channels: byCount(channels).map(([name, recordings]) => ({ name, recordings })),
    rates: byCount(rates).map(([rateHz, recordings]) => ({ rateHz, recordings })),
    withNotes,
    unreadable,
    ...(people.size > 0 && { subjects: people.size }),
    otherFiles: found.otherFiles + tables,
  };
}

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The summary as text. */
export function describeFolderSummary(summary: FolderSummary): string {
  const { folder, recordings, seconds, formats, channels, rates, unreadable } = summary;
  const people = summary.subjects === undefined ? '' : ` of ${summary.subjects} subjects (BIDS)`;
  const lines = [
    `${visibleLine(folder)}: ${recordings} recordings${people}, ${formatSeconds(seconds)} in all`,
    '',
  ];
  if (recordings > 0) {
    lines.push(
      renderTable(
        ['format', 'recordings', 'length'],
        Object.entries(formats).map(([name, of]) => [name, String(of.recordings), formatSeconds(of.seconds)]),
        ['left', 'right', 'right'],
      ),
      '',
    );
    const everywhere = channels.filter((channel) => channel.recordings === recordings);
    const somewhere = channels.filter((channel) => channel.recordings < recordings);
    const inAll = everywhere.map(({ name }) => visibleLine(name));
    lines.push(
      `channels in every recording: ${everywhere.length === 0 ? 'none' : `${cut(inAll)} (${everywhere.length})`}`,
    );
    const inSome = somewhere.map(({ name, recordings: of }) => `${visibleLine(name)} × ${of}`);
    if (somewhere.length > 0) lines.push(`in some: ${cut(inSome)} (${somewhere.length})`);
    lines.push(
      `rates: ${cut(rates.map(({ rateHz, recordings: of }) => `${Number(rateHz.toFixed(3))} Hz × ${of}`))}`,
    );
  }
  if (summary.withNotes > 0)
    lines.push(`with notes: ${summary.withNotes} recordings; heartmind info FILE shows them`);
  if (summary.otherFiles > 0) lines.push(`other files: ${summary.otherFiles}`);
  if (unreadable.length > 0) {
    lines.push(`cannot be read: ${unreadable.length}`);
    for (const { error } of unreadable.slice(0, shownUnreadable)) lines.push(`  ${visibleLine(error)}`);
    if (unreadable.length > shownUnreadable)
      lines.push(`  … and ${unreadable.length - shownUnreadable} more (--json lists all)`);
  }
  return `${lines.join('\n')}\n`;
}

function cut(names: readonly string[]): string {
  return names.length > shownNames ? `${names.slice(0, shownNames).join(', ')}, …` : names.join(', ');
}
