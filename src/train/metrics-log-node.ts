/**
 * Figures of a run in its folder: `metrics.jsonl` (one JSON object a line) and the same as a TensorBoard event file.
 * A resumed run goes on where its checkpoint stands: what was logged after it is dropped from both.
 */
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { joinArrays } from '../core/arrays.ts';
import { writingError } from '../core/output-errors-node.ts';
import { writeFileAtomically } from '../core/output-node.ts';
import type { MetricsLog } from './loop.ts';
import { encodeFileHeader, encodeScalars } from './tensorboard.ts';

export const metricsName = 'metrics.jsonl';
export const eventsName = 'events.out.tfevents.heartmind';

interface Line {
  /** Seconds since 1970. */
  readonly time: number;
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Lines kept in memory before they are written. */
const bufferLines = 100;

/** A log in a folder. StorageError where it cannot be written. */
export function folderMetricsLog(folder: string): MetricsLog {
  let begun = false;
  let buffer: Line[] = [];
  const write = async () => {
    const lines = buffer;
    buffer = [];
    if (lines.length === 0) return;
    await append(join(folder, metricsName), lines.map(formatLine).join(''));
    await append(join(folder, eventsName), joinArrays(Uint8Array, lines.map(encodeLine)));
  };
  return {
    async record(step, values) {
      if (!begun) await startAt(folder, step);
      begun = true;
      buffer.push({ time: Date.now() / 1000, step, values });
      if (buffer.length >= bufferLines) await write();
    },
    flush: write,
  };
}

/** Rewrite both files with the lines before this step. */
async function startAt(folder: string, step: number): Promise<void> {
  const kept = (await readMetrics(folder)).filter((line) => line.step < step);
  await writeFileAtomically(
    join(folder, metricsName),
    new TextEncoder().encode(kept.map(formatLine).join('')),
  );
  const header = encodeFileHeader(kept[0]?.time ?? Date.now() / 1000);
  await writeFileAtomically(
    join(folder, eventsName),
    joinArrays(Uint8Array, [header, ...kept.map(encodeLine)]),
  );
}

/** The lines of a run's `metrics.jsonl`; a last line cut off by a crash is left out. */
export async function readMetrics(folder: string): Promise<Line[]> {
  let text: string;
  try {
    text = await readFile(join(folder, metricsName), 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      const { time, step, ...values } = JSON.parse(line);
      return [{ time, step, values }];
    } catch {
      return [];
    }
  });
}

function formatLine({ time, step, values }: Line): string {
  return `${JSON.stringify({ time, step, ...values })}\n`;
}

function encodeLine({ time, step, values }: Line): Uint8Array {
  const finite = Object.entries(values).filter(([, value]) => Number.isFinite(value));
  return encodeScalars({ wallTime: time, step, values: Object.fromEntries(finite) });
}

async function append(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await appendFile(path, content);
  } catch (cause) {
    throw writingError(
      path,
      'the figures could not be written',
      'The run can be resumed from its checkpoint.',
      cause,
    );
  }
}
