/** `heartmind info`: what a recording, a folder or a dataset holds, and whether it can be trusted; without one, the devices. */
import { stat } from 'node:fs/promises';
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { noteInputPath } from '../core/input-files-node.ts';
import { checkOutput, writeFileAtomically } from '../core/output-node.ts';
import { datasets } from '../datasets/registry.ts';
import { renderTraces } from '../evaluate/traces.ts';
import { readTraces, type Traces } from '../evaluate/traces-read.ts';
import { type DeviceReport, tryDevices } from '../runtime/devices.ts';
import { createNodeBackend } from '../runtime/ort-node.ts';
import type { Progress, ProgressMode } from '../train/progress.ts';
import { type Context, createWorkProgress, jsonFlag, optionalText, workFlags } from './command.ts';
import { fetchedFolder } from './data-folder.ts';
import { describeDataset, summariseDataset } from './info-dataset.ts';
import { describeFolderSummary, summariseFolder } from './info-folder.ts';
import { describeRecording, summariseRecording } from './info-recording.ts';
import { inputOptionsOf, openInput, type ReadFlags, readFlags, statedFlagOf } from './read-flags.ts';
import { findRecordings } from './recordings-in.ts';
import { styled } from './standard-streams.ts';
import { renderTable } from './table.ts';

/** Recordings of a folder that a page shows: each takes up to a megabyte of it. */
const pageRecordings = 20;
/** Samples that a page's overview looks at; longer recordings are looked at in part, which is said. */
const pageSamples = 2 ** 28;

interface Flags extends ReadFlags {
  readonly json: boolean;
  readonly html?: string;
  readonly picture: boolean;
  readonly progress: ProgressMode;
}

export const infoCommand = buildCommand<Flags, string[], Context>({
  docs: {
    brief: 'Show what a recording, a folder or a dataset holds, or which devices can compute here',
    customUsage: [
      { input: 'my.edf', brief: 'One file' },
      { input: 'recordings/ --html traces.html', brief: 'A folder, and a page with every trace' },
      { input: 'eegmat=FOLDER', brief: 'A dataset: is the copy complete, who, which labels' },
      { input: 'ptbxl', brief: 'What it is, its licence, how to get it' },
      { input: '--json 100.hea | jq .channels', brief: 'A WFDB record, for machines' },
      { input: '--tolerant broken.edf', brief: 'A truncated file, up to its last whole record' },
      { input: '- < my.edf', brief: 'Standard input' },
      { input: '', brief: 'Which of cpu, webgpu and cuda are usable here' },
    ],
  },
  parameters: {
    flags: {
      ...jsonFlag,
      html: optionalText('Write a page of traces: overview, ten seconds in full, quality, spectra', 'file'),
      picture: { kind: 'boolean', brief: 'Draw every channel over time', default: true },
      ...readFlags,
      progress: workFlags.progress,
    },
    positional: {
      kind: 'array',
      parameter: {
        brief: 'Recordings, folders, datasets (NAME or NAME=FOLDER), or - for standard input',
        parse: String,
        placeholder: 'what',
      },
    },
  },
  async func(flags, ...names) {
    const { stdout } = this.process;
    if (names.length === 0) {
      const reports = await tryDevices(['cpu', 'webgpu', 'cuda'], (device) => createNodeBackend({ device }));
      stdout.write(flags.json ? `${JSON.stringify(reports)}\n` : describeDevices(reports));
      return;
    }
    const work: Work = {
      flags,
      progress: createWorkProgress({ progress: flags.progress, device: 'auto' }),
      signal: this.signal,
      columns: process.stdout.columns || 100,
      coloured: Boolean(process.stdout.isTTY) && !process.env.NO_COLOR,
      traces: [],
    };
    const summaries = [];
    for (const name of names) noteInputPath(name);
    await checkOutput(flags.html);
    for (const name of names) {
      const { summary, text } = await lookAt(name, work);
      if (flags.json) summaries.push(summary);
      else if (work.coloured) styled(process.stdout).write(`${text}\n`);
      else stdout.write(`${text}\n`);
    }
    if (flags.json) stdout.write(`${JSON.stringify(names.length === 1 ? summaries[0] : summaries)}\n`);
    if (flags.html === undefined) return;
    if (work.traces.length === 0)
      throw new ConfigError(
        '--html: there is no recording to draw. Name one, or a folder of them.',
        '--html',
      );
    await writeFileAtomically(flags.html, new TextEncoder().encode(renderTraces(work.traces)));
    if (!flags.json) stdout.write(`Traces: ${flags.html}\n`);
  },
});

interface Work {
  readonly flags: Flags;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly columns: number;
  readonly coloured: boolean;
  /** For the page. */
  readonly traces: Traces[];
}

/** What an argument names, in this order: a file or folder that is there, NAME=FOLDER, NAME. */
async function lookAt(name: string, work: Work): Promise<{ summary: unknown; text: string }> {
  const { flags, progress, signal } = work;
  const there = name === '-' ? undefined : await stat(name).catch(() => undefined);
  const [, dataset, path] = /^([\w-]+)(?:=(.+))?$/.exec(name) ?? [];
  const isKnown = dataset !== undefined && Object.hasOwn(datasets, dataset);
  if (!there && isKnown) {
    const stated = statedFlagOf(inputOptionsOf(flags, signal));
    if (stated !== undefined)
      throw new ConfigError(
        `${stated}: ${name} is a dataset; ${stated} is for recordings. Name a file or a folder.`,
        stated,
      );
    const folder = path ?? (await fetchedFolder(dataset));
    const summary = await summariseDataset(datasets[dataset]!, folder, progress, signal);
    if (folder !== undefined) await drawFolder(folder, work);
    return { summary, text: describeDataset(summary) };
  }
  if (there?.isDirectory()) {
    const summary = await summariseFolder(name, inputOptionsOf(flags, signal), progress, signal);
    await drawFolder(name, work);
    return { summary, text: describeFolderSummary(summary) };
  }
  const recording = await openInput(name, inputOptionsOf(flags, signal));
  try {
    const { columns, coloured } = work;
    const { picture, ...summary } = await summariseRecording(
      recording,
      flags.picture ? { columns, coloured } : undefined,
    );
    if (flags.html !== undefined) work.traces.push(await readTraces(recording, { maxSamples: pageSamples }));
    const text = describeRecording(picture === undefined ? summary : { ...summary, picture });
    return { summary, text };
  } finally {
    await recording.close();
  }
}

async function drawFolder(folder: string, { flags, progress, signal, traces }: Work): Promise<void> {
  if (flags.html === undefined) return;
  const { recordings } = await findRecordings(folder, signal);
  const drawn = recordings.slice(0, pageRecordings);
  if (drawn.length < recordings.length)
    progress.log(
      `--html: the first ${drawn.length} of ${recordings.length} recordings of ${folder} are drawn.`,
    );
  const stage = progress.stage('draw', drawn.length, 'recordings');
  for (const [i, { path }] of drawn.entries()) {
    if (signal.aborted) break;
    try {
      const recording = await openInput(path, inputOptionsOf(flags, signal));
      try {
        traces.push(await readTraces(recording, { maxSamples: pageSamples }));
      } finally {
        await recording.close();
      }
    } catch (error) {
      progress.log(`${path}: not drawn: ${error instanceof Error ? error.message : error}`);
    }
    stage.update(i + 1);
  }
  stage.end();
}

function describeDevices(reports: readonly DeviceReport[]): string {
  const yesNo = (value: boolean) => (value ? 'yes' : 'no');
  const table = renderTable(
    ['device', 'usable', 'float16', 'keeps the state'],
    reports.map(({ device, usable, float16, resident }) => [
      device,
      yesNo(usable),
      usable ? yesNo(float16) : '–',
      usable ? yesNo(resident || device === 'cpu') : '–',
    ]),
  );
  return `${table}\n\n${reports.map(({ description }) => description).join('\n')}\n`;
}
