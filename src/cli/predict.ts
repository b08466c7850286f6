/** `heartmind predict [MODEL] FILE…`: a timeline of class probabilities. */
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { noteInputPath } from '../core/input-files-node.ts';
import { checkOutput, writeFileAtomically } from '../core/output-node.ts';
import type { Recording } from '../core/recording.ts';
import { missingChannelsKinds } from '../model/lacking.ts';
import type { InferencePrecision } from '../model/precision.ts';
import { type Timeline, TimelinePredictor } from '../model/timeline.ts';
import {
  type Context,
  createBackend,
  createWorkProgress,
  inferencePrecisionFlag,
  modelNameFlag,
  optionalText,
  parseText,
  type WorkFlags,
  workFlags,
} from './command.ts';
import { type LiveFlags, liveFlags, predictLive } from './live.ts';
import { readModelAndNote, splitModel } from './model-argument.ts';
import { inputOptionsOf, openInput, type ReadFlags, readFlags } from './read-flags.ts';
import { printData } from './standard-streams.ts';
import { formatTimelineHeader, formatTimelineRow } from './timeline-csv.ts';

interface Flags extends WorkFlags, LiveFlags, ReadFlags {
  readonly format: 'csv' | 'json';
  readonly out?: string;
  readonly model?: string;
  readonly step?: number;
  readonly session: boolean;
  readonly precision: InferencePrecision;
  readonly missingChannels?: (typeof missingChannelsKinds)[number];
}

export const predictCommand = buildCommand<Flags, [string, ...string[]], Context>({
  docs: {
    brief: 'Predict recordings window by window: start, duration, class probabilities',
    customUsage: [
      { input: 'my.edf', brief: 'With the released model: rest or mental arithmetic, from EEG, ECG or both' },
      { input: 'runs/demo my.edf', brief: 'With the fused model of a run, CSV to the terminal' },
      {
        input: 'model.safetensors a.edf b.edf --format json --out timeline.json',
        brief: 'Two files, as JSON',
      },
      {
        input: 'runs/demo --live growing.edf',
        brief: 'As the file grows; also - for a pipe, lsl:NAME for LSL',
      },
      { input: 'runs/demo my.edf --model ecg --step 1', brief: "The run's ECG model, a window every second" },
    ],
  },
  parameters: {
    flags: {
      format: { kind: 'enum', values: ['csv', 'json'], brief: 'Form of the timeline', default: 'csv' },
      out: optionalText('File to write (default: stdout)', 'file'),
      ...modelNameFlag,
      step: {
        kind: 'parsed',
        parse: parseSeconds,
        brief: "Seconds from window to window (default: the recipe's)",
        optional: true,
        placeholder: 'seconds',
      },
      session: {
        kind: 'boolean',
        brief: "The files are one person's session, in this order: contexts reach back from file to file",
        default: false,
      },
      ...readFlags,
      missingChannels: {
        kind: 'enum',
        values: missingChannelsKinds,
        brief:
          'What is missing or of no use: refuse it, or drop the channels (default: drop where the model was trained for it)',
        optional: true,
      },
      ...liveFlags,
      ...inferencePrecisionFlag,
      ...workFlags,
    },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        brief: 'A model (file, run, released name; default: workload), then recordings',
        parse: parseText,
        placeholder: 'model file…',
      },
    },
  },
  async func(flags, ...given) {
    const { files, ...chosen } = await splitModel('predict', given);
    const progress = createWorkProgress(flags);
    const model = await readModelAndNote('predict', chosen, flags.model, progress);
    if (flags.live) {
      if (files.length !== 1)
        throw new ConfigError(
          `--live: ${files.length} sources were given. Name one: a file, - or lsl:NAME[,NAME…].`,
          '--live',
        );
      await predictLive(this, await createBackend(flags), model, files[0]!, flags);
      return;
    }
    for (const file of files) noteInputPath(file);
    await checkOutput(flags.out);
    const predictor = new TimelinePredictor(await createBackend(flags), model, flags);
    const stage = progress.stage('predict', files.length, 'recordings');
    const timelines: Timeline[] = [];
    for (const [i, file] of files.entries()) {
      const recording = await openInput(file, inputOptionsOf(flags, this.signal));
      try {
        timelines.push(
          await predictor.predict(recording, {
            ...(flags.step === undefined ? {} : { stepSeconds: flags.step }),
            ...(flags.session && { earlier: () => openLatestFirst(files.slice(0, i), flags, this.signal) }),
          }),
        );
      } finally {
        await recording.close();
      }
      stage.update(i + 1);
    }
    stage.end();
    await predictor.dispose();
    for (const { source, dropped } of timelines)
      for (const { what, reason, count } of dropped) progress.log(`${source}: ${count} × ${what}: ${reason}`);
    const text = flags.format === 'csv' ? formatCsv(timelines) : `${JSON.stringify(timelines, null, 1)}\n`;
    if (flags.out === undefined) await printData(text);
    else await writeFileAtomically(flags.out, new TextEncoder().encode(text));
  },
});

async function* openLatestFirst(
  files: readonly string[],
  flags: Flags,
  signal: AbortSignal,
): AsyncGenerator<Recording> {
  for (const file of files.toReversed()) {
    const recording = await openInput(file, inputOptionsOf(flags, signal));
    try {
      yield recording;
    } finally {
      await recording.close();
    }
  }
}

function formatCsv(timelines: readonly Timeline[]): string {
  const rows = timelines.flatMap(({ source, entries }) =>
    entries.map((entry) => formatTimelineRow(source, entry)),
  );
  return [formatTimelineHeader(timelines[0]!.classes), ...rows].join('');
}

function parseSeconds(input: string): number {
  const value = Number(input);
  if (!(value > 0))
    throw new ConfigError(`--step: '${input}' is no time. Give more than 0 seconds.`, '--step', '> 0');
  return value;
}
