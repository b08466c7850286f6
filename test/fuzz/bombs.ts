/** All element bombs, and what opening one must come to: a recording, or an error of ours. */

import { Budget } from '../../src/core/budget.ts';
import type { ByteSource } from '../../src/core/bytes.ts';
import { HeartmindError, InterruptedError } from '../../src/core/errors.ts';
import { openRecording } from '../../src/read/open.ts';
import type { ReadOptions } from '../../src/read/options.ts';
import { readWfdbAnnotations } from '../../src/read/wfdb/annotations.ts';
import type { Bomb } from './bomb.ts';
import { containerBombs } from './bombs-containers.ts';
import { signalBombs } from './bombs-signals.ts';
import { readAllValues } from './corpus.ts';
import { type Outcome, Violation } from './probe.ts';

export const bombs: readonly Bomb[] = [...containerBombs, ...signalBombs];

export interface BombReport {
  readonly outcome: Outcome;
  /** The error's message, or what the recording holds. */
  readonly fact: string;
}

/** Open a bomb and read a little of it. Violation for an error that is none of ours, or where it opens and must not. */
export async function openBomb(
  { as, options, ends }: Bomb,
  source: ByteSource,
  more: ReadOptions = {},
): Promise<BombReport> {
  const told = { ...options, ...more };
  try {
    const fact = as === 'recording' ? await openAndRead(source, told) : await readParts(as, source, told);
    if (ends === 'refused') throw new Violation(`opens: ${fact}`);
    return { outcome: 'opened', fact };
  } catch (error) {
    if (!(error instanceof HeartmindError)) throw error;
    if (error instanceof InterruptedError) return { outcome: 'refused', fact: error.message };
    if (ends === 'refused' && !error.message.includes('--max-elements'))
      throw new Violation(`is refused for another reason: ${error.message}`);
    return { outcome: 'refused', fact: error.message };
  }
}

async function openAndRead(source: ByteSource, options: ReadOptions): Promise<string> {
  const recording = await openRecording(source, options);
  const { channels, annotations, spans, log } = recording;
  for (const channel of new Set([0, channels.length - 1])) {
    const length = channels[channel]?.lengthSamples ?? 0;
    if (length > 0) await recording.read(channel, 0, Math.min(length, 1000));
  }
  await recording.close();
  return `${channels.length} channels, ${annotations.length} annotations, ${spans.length} spans, ${log.length} notes`;
}

async function readParts(as: Bomb['as'], source: ByteSource, options: ReadOptions): Promise<string> {
  const drawing: ByteSource = { ...source, budget: new Budget(options) };
  if (as === 'annotations') return `${(await readWfdbAnnotations(drawing, 360)).length} annotations`;
  await readAllValues(drawing as never, options);
  return 'all values';
}
