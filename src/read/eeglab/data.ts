/** Signals of an EEGLAB dataset: [channel, sample], the channel running fastest, in the .set or in a file beside it. */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import type { MatFile } from '../mat/file.ts';
import type { MatNumeric, MatValue } from '../mat/values.ts';
import { chunkBytes, RangedBytes } from '../ranged-bytes.ts';
import type { EeglabFields } from './fields.ts';

export interface SignalBlock {
  /** Stored samples of a channel, over all epochs. */
  readonly samples: number;
  /** Samples from `start` of a channel → result. */
  read(channel: number, start: number, result: Float64Array): Promise<void>;
  close(): Promise<void>;
}

/** Signals in the MAT-file: read whole at the first request, then kept. */
export function signalsInMemory(
  file: MatFile,
  variable: string,
  path: string,
  { channelCount, points, trials }: EeglabFields,
): SignalBlock {
  let values: Promise<MatNumeric> | undefined;
  const load = async (): Promise<MatNumeric> => {
    for await (const { value } of file.parts(variable, [path])) return numeric(file, value);
    throw new FormatError(
      `eeglab: ${file.source} has no signals at ${path}. It was changed meanwhile.`,
      file.source,
    );
  };
  return {
    samples: points * trials,
    async read(channel, start, result) {
      values ??= load();
      const stored = (await values).values;
      if (stored instanceof BigInt64Array || stored instanceof BigUint64Array) {
        for (let i = 0, at = start * channelCount + channel; i < result.length; i++, at += channelCount)
          result[i] = Number(stored[at]!);
        return;
      }
      for (let i = 0, at = start * channelCount + channel; i < result.length; i++, at += channelCount)
        result[i] = stored[at]!;
    },
    async close() {
      values = undefined;
    },
  };
}

function numeric(file: MatFile, value: MatValue): MatNumeric {
  if (value.kind === 'numeric' && !value.imaginary) return value;
  throw new FormatError(`eeglab: ${file.source} has signals that are no real numbers.`, file.source);
}

/**
 * Signals in a file of float32, little-endian: `.fdt`, or `.dat` of old versions, which has one channel after the other.
 * Where it was renamed with the .set, the file of the .set's name is taken.
 */
export async function openSignalFile(
  source: ByteSource,
  fileName: string,
  { channelCount, points, trials }: EeglabFields,
  tolerant: boolean,
  log: string[],
): Promise<SignalBlock> {
  const bare = fileName.split(/[/\\]/).at(-1) ?? '';
  const stem = (source.name.split(/[/\\]/).at(-1) ?? '').replace(/\.set$/i, '');
  const isDat = /\.dat$/i.test(bare);
  const names = [bare, `${stem}.${isDat ? 'dat' : 'fdt'}`];
  let found: ByteSource | undefined;
  for (const name of names) {
    found ??= name === '' ? undefined : await source.sibling?.(name);
    if (found && name !== bare)
      log.push(`eeglab: the signals are in ${quoted(name)}; the header says ${quoted(bare)}.`);
    if (found) break;
  }
  if (!found)
    throw new FormatError(
      `eeglab: ${source.name} has its signals in ${quoted(bare)}, which is not beside it. Fetch it too.`,
      source.name,
    );
  const promised = channelCount * points * trials * 4;
  let samples = points * trials;
  if (found.byteLength < promised) {
    const fact = `ends at byte ${found.byteLength}, ${channelCount} channels × ${samples} samples end at ${promised}`;
    if (!tolerant || isDat) {
      await found.close?.();
      throw new FormatError(
        `eeglab: ${found.name} ${fact}. The copy is truncated; fetch it again, or open what is there with --tolerant.`,
        found.name,
        found.byteLength,
      );
    }
    const frames = Math.floor(found.byteLength / (channelCount * 4));
    log.push(`eeglab: truncated: ${fact}; ${frames} of ${samples} samples are read.`);
    samples = frames;
  } else if (found.byteLength > promised)
    log.push(`eeglab: ${found.byteLength - promised} bytes after the last sample were left out.`);
  const bytes = new RangedBytes(found);
  return {
    samples,
    read: (channel, start, result) =>
      isDat
        ? readFrames(bytes, 1, 0, channel * samples + start, result)
        : readFrames(bytes, channelCount, channel, start, result),
    async close() {
      await found.close?.();
    },
  };
}

/** Column `channel` of frames of `width` float32 from frame `start` → result. */
async function readFrames(
  bytes: RangedBytes,
  width: number,
  channel: number,
  start: number,
  result: Float64Array,
): Promise<void> {
  const frameBytes = width * 4;
  const perChunk = Math.max(1, Math.floor(chunkBytes / frameBytes));
  const first = start - (start % perChunk);
  for (let chunk = first; chunk < start + result.length; chunk += perChunk) {
    const from = Math.max(start, chunk);
    const to = Math.min(start + result.length, chunk + perChunk);
    await bytes.use(from * frameBytes, to * frameBytes, (raw) => {
      if (raw.byteOffset % 4 === 0 && isLittleMachine) {
        const values = new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);
        for (let i = from - start, at = channel; i < to - start; i++, at += width) result[i] = values[at]!;
        return;
      }
      const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
      for (let i = from - start, at = channel * 4; i < to - start; i++, at += frameBytes)
        result[i] = view.getFloat32(at, true);
    });
  }
}

const isLittleMachine = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
