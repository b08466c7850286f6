/**
 * What every reader promises of any bytes: a recording, or a heartmind error; in time, in proportion to its input, and
 * nothing changed outside. Throws a Violation with the fact.
 */
import { bytesSource } from '../../src/core/bytes.ts';
import { HeartmindError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
import type { ReadOptions } from '../../src/read/options.ts';
import type { Files } from './mutate.ts';

export class Violation extends Error {}

export type Open = (
  source: ReturnType<typeof bytesSource>,
  options: ReadOptions,
) => Promise<Recording | undefined>;

export type Outcome = 'opened' | 'refused';

/** Samples of a channel that are looked at in one go; a stored sample is never asked of a reader twice as often as this. */
const glance = 4096;
/** A sample takes at least a bit in any format, compressed ones aside, whose readers decode what is asked for. */
const maxSamplesRead = 1 << 20;

/** Open the first of `files`, read from all over it, close it. */
export async function probe(open: Open, files: Files, options: ReadOptions): Promise<Outcome> {
  const [[name, bytes]] = Object.entries(files) as [[string, Uint8Array]];
  try {
    const recording = await open(bytesSource(name, bytes, files), options);
    if (recording) await inspect(recording);
    await recording?.close();
    return 'opened';
  } catch (error) {
    if (error instanceof Violation) throw error;
    if (!(error instanceof HeartmindError))
      throw new Violation(`escaped: ${error instanceof Error ? error.stack : error}`);
    if (!(error.message.length > 10)) throw new Violation(`says nothing: '${error.message}'`);
    return 'refused';
  } finally {
    checkPrototypes();
  }
}

async function inspect(recording: Recording): Promise<void> {
  const { channels, annotations, spans, duration } = recording;
  const must = (holds: boolean, fact: string) => {
    if (!holds) throw new Violation(fact);
  };
  must(Number.isFinite(duration) && duration >= 0, `duration is ${duration}`);
  must(
    spans.every((span) => Number.isFinite(span.start) && span.duration >= 0),
    'a span is no stretch of time',
  );
  must(
    annotations.every((a) => Number.isFinite(a.start) && a.duration >= 0 && typeof a.label === 'string'),
    'an annotation is at no time',
  );
  must(
    recording.startTime === undefined || !Number.isNaN(recording.startTime.getTime()),
    'startTime is invalid',
  );
  must(
    Object.values(recording.metadata).every((value) => typeof value === 'string'),
    'metadata are not text',
  );
  let budget = maxSamplesRead;
  for (const [i, channel] of channels.entries()) {
    const { rateHz, lengthSamples, resolution = 1, offset = 0, range = [0, 0] } = channel;
    must(rateHz > 0 && Number.isFinite(rateHz), `rateHz is ${rateHz}`);
    must(Number.isSafeInteger(lengthSamples) && lengthSamples >= 0, `lengthSamples is ${lengthSamples}`);
    must([resolution, offset, ...range].every(Number.isFinite), 'range, resolution or offset is not finite');
    const middle = Math.floor(lengthSamples / 2);
    for (const [start, end] of [
      [0, Math.min(lengthSamples, glance)],
      [middle, Math.min(lengthSamples, middle + 5)],
      [Math.max(0, lengthSamples - glance), lengthSamples],
      [0, Math.min(lengthSamples, budget)],
    ] as const) {
      if (budget <= 0) return;
      const samples = await recording.read(i, start, end);
      must(samples.length === end - start, `read gave ${samples.length} samples for [${start}, ${end})`);
      budget -= samples.length;
    }
    await refuses(recording, i, 0, lengthSamples + 1);
    await refuses(recording, i, -1, 0);
  }
}

async function refuses(recording: Recording, channel: number, start: number, end: number): Promise<void> {
  try {
    await recording.read(channel, start, end);
  } catch (error) {
    if (error instanceof HeartmindError) return;
    throw error;
  }
  throw new Violation(`samples [${start}, ${end}) do not exist and were given`);
}

const prototypes = [Object.prototype, Array.prototype, Function.prototype, Map.prototype] as const;
const known = prototypes.map((prototype) => Reflect.ownKeys(prototype).length);

function checkPrototypes(): void {
  for (const [i, prototype] of prototypes.entries()) {
    if (Reflect.ownKeys(prototype).length !== known[i])
      throw new Violation('a prototype was changed by a name from the file');
  }
}
