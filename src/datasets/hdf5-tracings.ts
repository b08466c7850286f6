/** ECGs in HDF5 files as corpora publish them: many of one length in one array (CODE-15%), or one a file (SPH). */
import type { ByteSource } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
import { twelveLeads } from '../patches/recipe.ts';
import { type Hdf5File, openHdf5 } from '../read/hdf5/hdf5.ts';
import { checkSamples, roomFor } from '../read/header-text.ts';
import type { TrialContainer } from './trial-files.ts';

interface Tracing {
  /** Millivolt, [lead][sample]. */
  readonly leads: readonly Float64Array[];
  readonly rateHz: number;
  readonly log: readonly string[];
}

/** Leads in memory → a Recording; ten seconds are small. */
function recordingOf(source: string, { leads, rateHz, log }: Tracing): Recording {
  const lengthSamples = leads[0]?.length ?? 0;
  const channels = twelveLeads.map((name) => ({ name, unit: 'mV', rateHz, lengthSamples }));
  const duration = lengthSamples / rateHz;
  return {
    ...{ source, format: 'hdf5', channels, duration, log },
    spans: duration > 0 ? [{ start: 0, duration }] : [],
    annotations: [],
    metadata: {},
    async read(channel, start, end, into) {
      checkSamples(`hdf5: ${source}`, source, channels, channel, start, end);
      const result = roomFor(end - start, into);
      result.set(leads[channel]!.subarray(start, end));
      return result;
    },
    close: async () => undefined,
  };
}

async function readNumbers(
  file: Hdf5File,
  path: string,
  ranges?: Parameters<Hdf5File['read']>[1],
): Promise<Float64Array> {
  const found = await file.read(path, ranges);
  if (found.kind !== 'number')
    throw new FormatError(
      `hdf5: ${file.source} has ${found.kind} in '${path}', where numbers are wanted.`,
      file.source,
    );
  // Identifiers may be 64-bit integers.
  return Float64Array.from(found.values as ArrayLike<number | bigint>, Number);
}

/** CODE-15%: 400 Hz, `tracings` of N × 4096 × 12 in millivolt, filled up with zeros on both sides. */
export const code15RateHz = 400;

/** `part` is the row of the file's `tracings`, or `exam ID`, to be looked up in its `exam_id`. */
export async function openCode15(source: ByteSource): Promise<TrialContainer> {
  const file = await openHdf5(source, 'code15');
  let rows: Map<number, number> | undefined;
  const rowOf = async (part: string) => {
    const exam = /^exam (\d+)$/.exec(part)?.[1];
    if (exam === undefined) return Number(part);
    rows ??= new Map([...(await readNumbers(file, 'exam_id'))].map((id, row) => [id, row]));
    return rows.get(Number(exam)) ?? -1;
  };
  return {
    async open(part) {
      const { shape } = await file.dataset('tracings');
      const [count = 0, samples = 0, leads = 0] = shape;
      const row = await rowOf(part);
      if (shape.length !== 3 || leads !== 12 || !(row >= 0 && row < count))
        throw new FormatError(
          `code15: ${source.name} has no '${part}' in tracings of ${shape.join(' × ')}. Fetch the file again.`,
          source.name,
        );
      const values = await readNumbers(file, 'tracings', [[row, row + 1], undefined, undefined]);
      return recordingOf(`${source.name} ${part}`, unpad(values, samples));
    },
    close: () => file.close(),
  };
}

/** [samples, 12] without the rows of zeros at both ends. */
function unpad(values: Float64Array, samples: number): Tracing {
  const isZero = (t: number) => {
    for (let lead = 0; lead < 12; lead++) if (values[12 * t + lead] !== 0) return false;
    return true;
  };
  let [start, end] = [0, samples];
  while (start < end && isZero(start)) start++;
  while (end > start && isZero(end - 1)) end--;
  const leads = twelveLeads.map((_, lead) =>
    Float64Array.from({ length: end - start }, (_, t) => values[12 * (start + t) + lead]!),
  );
  const filled = samples - (end - start);
  const log = filled > 0 ? [`code15: ${filled} of ${samples} samples were zeros at the ends, left out.`] : [];
  return { leads, rateHz: code15RateHz, log };
}

/** SPH: a file a recording, `ecg` of 12 × T in millivolt at 500 Hz. */
export async function openSph(source: ByteSource): Promise<TrialContainer> {
  const file = await openHdf5(source, 'sph');
  return {
    async open() {
      const { shape } = await file.dataset('ecg');
      const [leads = 0, samples = 0] = shape;
      if (shape.length !== 2 || leads !== 12)
        throw new FormatError(
          `sph: ${source.name} has an ecg of ${shape.join(' × ')}, 12 × samples are wanted. Fetch the file again.`,
          source.name,
        );
      const values = await readNumbers(file, 'ecg');
      return recordingOf(source.name, {
        leads: twelveLeads.map((_, lead) => values.subarray(lead * samples, (lead + 1) * samples)),
        ...{ rateHz: 500, log: [] },
      });
    },
    close: () => file.close(),
  };
}
