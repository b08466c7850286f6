/** `predict --live`: a growing file, standard input or LSL streams → predictions, a line each, as they become known. */
import { Readable } from 'node:stream';
import { maxOf } from '../core/arrays.ts';
import { ConfigError } from '../core/errors.ts';
import { appendOutput } from '../core/output-node.ts';
import { unitOf } from '../core/units.ts';
import { visibleLine } from '../core/visible-text.ts';
import type { LackingOptions } from '../model/lacking.ts';
import { LivePredictor } from '../model/live.ts';
import type { TrainedModel } from '../model/model-file.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { InferencePrecision } from '../model/precision.ts';
import { followRecording } from '../read/live/follow-node.ts';
import type { LiveSource } from '../read/live/live.ts';
import { lslSource } from '../read/live/lsl-node.ts';
import type { NoteListener } from '../read/live/notes.ts';
import { type PipeType, pipeSource, pipeTypes } from '../read/live/pipe.ts';
import type { Backend } from '../runtime/backend.ts';
import { chooseChannels } from '../signal/select-channels.ts';
import type { Context } from './command.ts';
import { LiveOutput } from './live-output.ts';
import { inputOptionsOf, type ReadFlags } from './read-flags.ts';
import { printData } from './standard-streams.ts';
import { formatTimelineHeader, formatTimelineRow } from './timeline-csv.ts';

export interface LiveFlags {
  readonly live: boolean;
  readonly inputType: PipeType;
  readonly idle?: number;
  readonly reconnect?: number;
  readonly fromEnd: boolean;
}

function parsePositive(flag: string) {
  return (input: string): number => {
    const value = Number(input);
    if (value > 0 && Number.isFinite(value)) return value;
    throw new ConfigError(`${flag}: '${input}' is not a number above 0.`, flag, '> 0');
  };
}

/** `--live` and what describes its source. */
export const liveFlags = {
  live: {
    kind: 'boolean',
    brief: 'Follow one source as it grows: a file, - (standard input), or lsl:NAME[,NAME…]',
    default: false,
  },
  inputType: {
    kind: 'enum',
    values: pipeTypes,
    brief: 'With --live -: text lines, or interleaved little-endian numbers',
    default: 'text',
  },
  idle: {
    kind: 'parsed',
    parse: parsePositive('--idle'),
    brief: 'With --live: end when nothing new came for so many seconds (default: never)',
    optional: true,
    placeholder: 'seconds',
  },
  reconnect: {
    kind: 'parsed',
    parse: parsePositive('--reconnect'),
    brief: 'With --live: wait so long for a file or stream that went away (default: 60)',
    optional: true,
    placeholder: 'seconds',
  },
  fromEnd: {
    kind: 'boolean',
    brief: 'With --live FILE: leave out what is in the file already',
    default: false,
  },
} as const;

export interface LiveRun extends LiveFlags, ReadFlags, LackingOptions {
  readonly format: 'csv' | 'json';
  readonly out?: string;
  readonly step?: number;
  readonly precision: InferencePrecision;
}

/** Predict a live source until it ends or Ctrl-C; a line a window, flushed at once. */
export async function predictLive(
  context: Context,
  backend: Backend,
  model: TrainedModel & { readonly tensors: FloatTensors },
  argument: string,
  flags: LiveRun,
): Promise<void> {
  const tell = (note: string) => void context.process.stderr.write(`${visibleLine(note)}\n`);
  // Where nobody reads standard output any more, there is nothing left to do.
  const unread = new AbortController();
  const signal = AbortSignal.any([context.signal, unread.signal]);
  const source = await openLive(argument, flags, { signal, onNote: tell });
  // A recording that is being followed is no place for its predictions.
  const file = flags.out === undefined ? undefined : await appendOutput(flags.out);
  const held = file && new LiveOutput(flags.out!, file, tell);
  const write = async (line: string) => {
    if (held) await held.write(line);
    else if (!(await printData(line))) unread.abort();
  };
  try {
    const predictor = new LivePredictor(backend, model, source.channels, {
      precision: flags.precision,
      missingChannels: flags.missingChannels,
      ...(flags.step === undefined ? {} : { stepSeconds: flags.step }),
    });
    for (const note of predictor.notes) context.process.stderr.write(`${note}\n`);
    if (flags.format === 'csv') await write(formatTimelineHeader(model.classes));
    const report = async (entries: Awaited<ReturnType<LivePredictor['push']>>) => {
      for (const { start, duration, entry, reason } of entries) {
        if (flags.format === 'json')
          await write(
            `${JSON.stringify(entry ? { source: source.name, ...entry } : { source: source.name, start, duration, reason })}\n`,
          );
        else if (entry) await write(formatTimelineRow(source.name, entry));
        else tell(`${source.name} at ${start} s: no prediction: ${reason}`);
      }
    };
    try {
      for await (const { samples, gapTo } of source.pieces(signal)) {
        if (gapTo !== undefined) await report(await predictor.gap(gapTo));
        for (const part of shortPieces(samples, source.channels)) {
          if (signal.aborted) break;
          await report(await predictor.push(part));
        }
      }
    } finally {
      // Also where the source failed: what came before is predicted.
      await report(await predictor.finish());
      await held?.finish();
      await predictor.dispose();
    }
  } finally {
    await source.close();
    await file?.close();
  }
}

/** Predicted in a go: Ctrl-C is heard between two of them. Seconds. */
const stepSeconds = 2;

function* shortPieces(
  samples: readonly Float64Array[],
  channels: LiveSource['channels'],
): Generator<Float64Array[]> {
  const seconds = maxOf(samples.map(({ length }, c) => length / channels[c]!.rateHz));
  const steps = Math.max(1, Math.ceil(seconds / stepSeconds));
  for (let step = 0; step < steps; step++)
    yield samples.map((x) =>
      x.subarray(Math.floor((x.length * step) / steps), Math.floor((x.length * (step + 1)) / steps)),
    );
}

async function openLive(
  argument: string,
  flags: LiveRun,
  listeners: { readonly signal: AbortSignal; readonly onNote: NoteListener },
): Promise<LiveSource> {
  const { inputType: type, inputRate, inputUnit, inputBits, part, idle, fromEnd, channels } = flags;
  const { signal, onNote } = listeners;
  const { reconnect } = flags;
  const patience = { onNote, ...(reconnect === undefined ? {} : { reconnectSeconds: reconnect }) };
  const idleSeconds = idle === undefined ? {} : { idleSeconds: idle };
  const refuse = (given: Readonly<Record<string, unknown>>, why: string) => {
    for (const [flag, value] of Object.entries(given))
      if (value !== undefined && value !== false)
        throw new ConfigError(`${flag}: ${argument} ${why}. Leave ${flag} out.`, flag);
  };
  if (argument.startsWith('lsl:')) {
    refuse(
      { '--input-rate': inputRate, '--input-bits': inputBits, '--part': part, '--from-end': fromEnd },
      'is a stream, which says its own rate and width and begins now',
    );
    const source = await lslSource(argument.slice(4).split(','), {
      ...{ ...idleSeconds, ...patience, signal },
      ...(inputUnit === undefined ? {} : { unit: inputUnit }),
    });
    return chosen(withUnit(source, inputUnit), channels);
  }
  if (argument !== '-') {
    const { channels: _, ...told } = inputOptionsOf(flags, signal);
    return chosen(
      await followRecording(argument, { ...idleSeconds, ...patience, fromEnd, ...told }),
      channels,
    );
  }
  refuse(
    { '--input-bits': inputBits, '--part': part, '--from-end': fromEnd },
    'is standard input, whose numbers --input-type describes',
  );
  const source = await pipeSource(
    'standard input',
    Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
    {
      type,
      ...listeners,
      rateHz: inputRate ?? Number.NaN,
      ...(inputUnit === undefined ? {} : { unit: inputUnit }),
      ...(channels && { channels }),
    },
  );
  // Numbers without names get them from `--channels`; of lines with a header it chooses.
  const areNamed = channels?.every((name, i) => source.channels[i]?.name === name) ?? true;
  return areNamed ? source : chosen(source, channels);
}

/** A stream whose channels state no unit that is known has the one that was given. */
function withUnit(source: LiveSource, unit: string | undefined): LiveSource {
  if (unit === undefined) return source;
  return {
    ...source,
    channels: source.channels.map((channel) => ({ ...channel, unit: unitOf(channel, unit) })),
  };
}

/** Some of a source's channels, by name, glob or index. ChannelError where there is none of a name. */
function chosen(source: LiveSource, patterns: readonly string[] | undefined): LiveSource {
  if (patterns === undefined) return source;
  const { indices } = chooseChannels(
    source.channels.map(({ name }) => name),
    patterns,
  );
  return {
    ...source,
    channels: indices.map((index) => source.channels[index]!),
    async *pieces(signal) {
      for await (const piece of source.pieces(signal))
        yield { ...piece, samples: indices.map((index) => piece.samples[index]!) };
    },
  };
}
