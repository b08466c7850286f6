/** Reading and preprocessing by the public functions: files → values, values → filtered, recordings → batches. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  butterworth,
  parseRecipe,
  readChannels,
  recordingWindows,
  resamplePolyphase,
  rfft,
  sosFilter,
  sosFiltFilt,
  welch,
} from '../../src/index.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import type { Prepared } from './worker.ts';

interface PathJob {
  readonly path: string;
}

/** Every channel of a recording, in physical units; `kept`: into the arrays of the run before. */
export async function readFile({ path, kept }: PathJob & { readonly kept?: boolean }): Promise<Prepared> {
  let arrays: Float64Array[] = [];
  return prepared(async () => {
    const recording = await openRecordingFile(path);
    const channels = await readChannels(recording, undefined, arrays);
    await recording.close();
    if (kept) arrays = channels;
    return channels;
  });
}

/** All WFDB records of a folder, one after the other: what large sets of short records cost. */
export async function readFolder({ path }: PathJob): Promise<Prepared> {
  const headers = readdirSync(path)
    .filter((name) => name.endsWith('.hea'))
    .sort();
  const read = async () => {
    const channels: Float64Array[] = [];
    for (const header of headers) {
      const recording = await openRecordingFile(join(path, header));
      channels.push(...(await readChannels(recording)));
      await recording.close();
    }
    return channels;
  };
  return prepared(read);
}

interface SamplesJob {
  /** Raw float64, channel after channel. */
  readonly path: string;
  readonly channels: number;
}

const bandPass = butterworth(4, { lowHz: 0.3, highHz: 75 }, 200);

export const filter = (job: SamplesJob) => eachChannel(job, (x) => sosFiltFilt(bandPass, x));
export const causalFilter = (job: SamplesJob) => eachChannel(job, (x) => sosFilter(bandPass, x));
export const resampling = (job: SamplesJob & { readonly up: number; readonly down: number }) =>
  eachChannel(job, (x) => resamplePolyphase(x, job.up, job.down));
export const transform = (job: SamplesJob) => eachChannel(job, (x) => rfft(x).re);
export const spectrum = (job: SamplesJob) =>
  eachChannel(job, (x) => welch(x, 200, { segmentSamples: 400 }).density);

/** A whole recording → windows [W, C, N, P] of float32. */
export async function prepareEdf({
  path,
  recipe,
}: PathJob & { readonly recipe: unknown }): Promise<Prepared> {
  const parsed = parseRecipe(recipe);
  return prepared(async () => {
    const recording = await openRecordingFile(path);
    const { signals } = await recordingWindows(recording, parsed);
    await recording.close();
    return [signals.eeg!.data];
  });
}

function eachChannel(job: SamplesJob, compute: (x: Float64Array) => Float64Array): Promise<Prepared> {
  const bytes = readFileSync(job.path);
  const all = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const length = all.length / job.channels;
  const rows = Array.from({ length: job.channels }, (_, i) => all.slice(i * length, (i + 1) * length));
  return prepared(async () => rows.map(compute));
}

async function prepared(run: () => Promise<readonly (Float64Array | Float32Array)[]>): Promise<Prepared> {
  const begun = performance.now();
  const rows = await run();
  const first = (performance.now() - begun) / 1000;
  return {
    ready: {
      first,
      digest: digestOf(rows),
      count: rows.reduce((sum, row) => sum + row.length, 0),
      engine: { threads: 1 },
    },
    async run() {
      await run();
      return undefined;
    },
  };
}

/** Root mean square of all values, and two values of each of the first, middle and last row. */
function digestOf(rows: readonly (Float64Array | Float32Array)[]): number[] {
  let sum = 0;
  let count = 0;
  for (const row of rows) {
    for (const value of row) sum += value * value;
    count += row.length;
  }
  const probes = [0, rows.length >> 1, rows.length - 1].flatMap((i) => {
    const row = rows[i]!;
    return [row[row.length >> 1]!, row[Math.floor(row.length / 3)]!];
  });
  return [Math.sqrt(sum / count), ...probes];
}
