/** `heartmind convert IN… OUT`: any readable recording → any writable format, channels, range and rate chosen on the way. */
import { rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError, DataError, HeartmindError, InterruptedError } from '../core/errors.ts';
import { noteInputPath } from '../core/input-files-node.ts';
import type { Recording } from '../core/recording.ts';
import { visibleLine } from '../core/visible-text.ts';
import { findWriter, type Writer, writeRecording, writers } from '../read/write.ts';
import { type Selection, selectRecording } from '../signal/select.ts';
import type { Progress, ProgressMode } from '../train/progress.ts';
import { type Context, createWorkProgress, jsonFlag, optionalText, parseText, workFlags } from './command.ts';
import { describeLosses, watchRecording } from './convert-notes.ts';
import { refuse, stopped, type WrittenFile, writeOutput } from './convert-output.ts';
import { inputOptionsOf, openInput, parseRate, parseTime, type ReadFlags, readFlags } from './read-flags.ts';
import { findRecordings, tableExtensions } from './recordings-in.ts';

export interface ConvertFlags extends ReadFlags {
  readonly to?: string;
  readonly start?: number;
  readonly end?: number;
  readonly rate?: number;
  readonly force: boolean;
  readonly progress: ProgressMode;
  readonly json: boolean;
}

export const convertCommand = buildCommand<ConvertFlags, [string, ...string[]], Context>({
  docs: {
    brief: 'Convert recordings to another format, or cut, thin and resample them',
    customUsage: [
      { input: 'my.xdf my.edf', brief: 'By the name of the output' },
      {
        input: 'night.bdf part.edf.gz --channels Fp1,Fp2,ECG --start 1:00:00 --end 1:30:00 --rate 200',
        brief: 'Half an hour of three channels at 200 Hz',
      },
      { input: 'recordings/ converted/ --to bdf', brief: 'Every recording below a folder' },
      { input: 'samples.csv samples.edf --input-rate 250 --input-unit uV', brief: 'A table of numbers' },
      { input: '- out.edf < in.edf.gz', brief: 'From standard input' },
    ],
  },
  parameters: {
    flags: {
      to: optionalText('Format to write, for folders (default: by the name of the output)', 'format'),
      start: {
        kind: 'parsed',
        parse: (input: string) => parseTime('--start', input),
        brief: "From here: seconds, m:s or h:m:s from the recording's start",
        optional: true,
        placeholder: 'time',
      },
      end: {
        kind: 'parsed',
        parse: (input: string) => parseTime('--end', input),
        brief: 'Up to here',
        optional: true,
        placeholder: 'time',
      },
      rate: {
        kind: 'parsed',
        parse: (input: string) => parseRate('--rate', input),
        brief: 'Resample every channel to this rate',
        optional: true,
        placeholder: 'Hz',
      },
      ...readFlags,
      force: { kind: 'boolean', brief: 'Replace files that are there', default: false },
      progress: workFlags.progress,
      ...jsonFlag,
    },
    positional: {
      kind: 'array',
      minimum: 2,
      parameter: {
        brief: 'Recordings or folders, then the output',
        parse: parseText,
        placeholder: 'in… out',
      },
    },
  },
  async func(flags, ...paths) {
    const jobs = await planJobs(paths.slice(0, -1), paths.at(-1)!, flags, this.signal);
    const progress = createWorkProgress({ progress: flags.progress, device: 'auto' });
    const results: Converted[] = [];
    const failures: string[] = [];
    for (const job of jobs) {
      try {
        const converted = await convertOne(job, flags, progress, this.signal);
        results.push(converted);
        if (!flags.json) this.process.stdout.write(describe(converted));
      } catch (error) {
        // One that cannot be read does not stop the others of a folder; what concerns all does.
        const isItsOwn = error instanceof HeartmindError && ownErrors.has(error.name);
        if (jobs.length === 1 || !isItsOwn) throw error;
        failures.push(error.message);
        this.process.stderr.write(`${visibleLine(error.message)}\n`);
      }
    }
    if (flags.json)
      this.process.stdout.write(`${JSON.stringify(jobs.length === 1 ? results[0] : results)}\n`);
    if (failures.length > 0)
      throw new DataError(
        `convert: ${failures.length} of ${jobs.length} recordings could not be converted (see above); the others are done.`,
      );
  },
});

const ownErrors: ReadonlySet<string> = new Set([
  'FormatError',
  'UnsupportedError',
  'ChannelError',
  'ConfigError',
  'DataError',
]);

interface Job {
  readonly input: string;
  readonly output: string;
  readonly to?: string;
}

/** One output for one input, or a folder of them. ConfigError where that does not fit together. */
async function planJobs(
  inputs: readonly string[],
  out: string,
  { to, force }: ConvertFlags,
  signal: AbortSignal,
): Promise<Job[]> {
  if (out === '-')
    throw new ConfigError('convert: the output is - and cannot be written as a stream. Name a file.', 'out');
  const kinds = await Promise.all(inputs.map(kindOf));
  const outIsFolder = (await kindOf(out)) === 'folder' || /[/\\]$/.test(out);
  const isSingle = inputs.length === 1 && kinds[0] !== 'folder' && !outIsFolder;
  const writer = to === undefined && !isSingle ? undefined : findWriter(out, to).writer;
  if (isSingle) return [{ input: inputs[0]!, output: out, ...(to === undefined ? {} : { to }) }];
  if (!writer)
    throw new ConfigError(
      `convert: ${out} is to be a folder of ${kinds.includes('folder') ? 'all recordings' : `${inputs.length} recordings`}. Say in which format: --to ${writers.map(({ name }) => name).join(' | ')}.`,
      '--to',
    );
  const found: { readonly input: string; readonly inside: string }[] = [];
  for (const [i, input] of inputs.entries()) {
    if (input === '-')
      throw new ConfigError('convert: standard input is one recording. Name an output file.', 'in');
    if (kinds[i] !== 'folder') {
      found.push({ input, inside: basename(input) });
      continue;
    }
    const { recordings } = await findRecordings(input, signal);
    const here = recordings.filter(({ inside }) => !tableExtensions.test(inside));
    if (here.length === 0)
      throw new DataError(`${input}: there is no recording in this folder. Check the path.`);
    for (const { path, inside } of here) found.push({ input: path, inside });
  }
  const jobs = nameOutputs(found, writer).map(({ input, name }) => ({
    input,
    output: join(out, name),
    to: writer.name,
  }));
  // Found out before the first is converted, not in the middle of the night.
  for (const { input } of jobs) noteInputPath(input);
  for (const { output } of jobs) await refuse(output, { force });
  return jobs;
}

/** `x.vhdr` → `x.edf`; where there is an `x.set` too, `x.vhdr.edf` and `x.set.edf`. ConfigError where names still meet. */
function nameOutputs(
  found: readonly { readonly input: string; readonly inside: string }[],
  writer: Writer,
): { input: string; name: string }[] {
  const [extension] = writer.extensions;
  const count = new Map<string, number>();
  for (const { inside } of found) {
    const short = stemOf(inside);
    count.set(short, (count.get(short) ?? 0) + 1);
  }
  const sources = new Map<string, string>();
  return found.map(({ input, inside }) => {
    const stem = count.get(stemOf(inside)) === 1 ? stemOf(inside) : inside.replace(/\.gz$/i, '');
    const name = `${writer.allowedName?.(stem) ?? stem}${extension}`;
    const other = sources.get(name);
    if (other !== undefined)
      throw new ConfigError(
        `convert: ${other} and ${input} would both become ${name}. Convert them one by one.`,
        'in',
      );
    sources.set(name, input);
    return { input, name };
  });
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  if (path === '-') return 'file';
  const there = await stat(path).catch(() => undefined);
  return there && (there.isDirectory() ? 'folder' : 'file');
}

/** `a/b.hea.gz` → `a/b`. */
function stemOf(path: string): string {
  const plain = path.replace(/\.gz$/i, '');
  const stem = plain.replace(/\.[A-Za-z]\w*$/, '');
  return /(^|\/)$/.test(stem) ? plain : stem;
}

interface Converted {
  readonly source: string;
  readonly format: string;
  readonly files: readonly WrittenFile[];
  readonly duration: number;
  readonly channels: number;
  /** What was lost or repaired on the way. */
  readonly notes: readonly string[];
}

async function convertOne(
  { input, output, to }: Job,
  flags: ConvertFlags,
  progress: Progress,
  signal: AbortSignal,
): Promise<Converted> {
  const opened = await openInput(input, inputOptionsOf(flags, signal));
  try {
    await refuse(output, { force: flags.force });
    const recording = selectRecording(opened, selectionOf(flags));
    const { watched, seen } = watchRecording(recording, () => {
      if (signal.aborted) throw stopped(output);
    });
    const stale = staleFiles(output, to, recording.annotations.length > 0);
    for (const path of stale) await refuse(path, { force: flags.force });
    const stage = progress.stage(basename(input), Math.ceil(recording.duration), 's');
    const fileName = basename(output);
    const files = await writeOutput(
      dirname(output),
      writeRecording(watched, fileName, {
        ...(to === undefined ? {} : { to }),
        onProgress: (seconds) => stage.update(Math.round(seconds)),
      }),
      { mainName: fileName, force: flags.force, signal },
    );
    stage.end();
    for (const path of stale) await rm(path, { force: true });
    const lost = await compareWritten(output, recording, seen, files);
    const { source, format, duration, channels, log } = recording;
    return { source, format, files, duration, channels: channels.length, notes: [...log, ...lost] };
  } finally {
    await opened.close();
  }
}

/** Files that a WFDB record would take for its own, left by another of its name: annotations, signals not compressed. */
function staleFiles(output: string, to: string | undefined, hasAnnotations: boolean): string[] {
  const { writer, isGzip, plainName } = findWriter(output, to);
  if (writer.name !== 'wfdb') return [];
  const stem = plainName.replace(/\.hea$/i, '');
  const plain = isGzip || !hasAnnotations ? [`${stem}.atr`] : [];
  return [...plain, ...(isGzip ? [`${stem}.dat`] : []), ...(hasAnnotations ? [] : [`${stem}.atr.gz`])];
}

/** Inflating a compressed output again takes its memory; longer ones are not compared. */
const comparedGzipBytes = 2 ** 26;

async function compareWritten(
  output: string,
  recording: Recording,
  seen: Parameters<typeof describeLosses>[2],
  files: readonly WrittenFile[],
): Promise<string[]> {
  if (/\.gz$/i.test(output) && files.some(({ bytes }) => bytes > comparedGzipBytes))
    return ['the compressed file is too large to be compared with what was read.'];
  let after: Recording;
  try {
    after = await openInput(output, {});
  } catch (error) {
    if (!(error instanceof HeartmindError) || error instanceof InterruptedError) throw error;
    return [`the file was not compared with what was read: ${error.message}`];
  }
  try {
    return await describeLosses(recording, after, seen);
  } finally {
    await after.close();
  }
}

function selectionOf({ start, end, rate }: ConvertFlags): Selection {
  return {
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(rate === undefined ? {} : { rateHz: rate }),
  };
}

function describe({ source, format, files, duration, channels, notes }: Converted): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const written = files.map(({ path }) => path).join(', ');
  const line = `${source} (${format}) → ${written}: ${channels} channels, ${Number(duration.toFixed(3))} s, ${bytes} bytes`;
  return `${visibleLine(line)}\n${notes.map((note) => `note: ${visibleLine(note)}\n`).join('')}`;
}
