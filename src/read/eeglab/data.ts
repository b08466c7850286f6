/** Signals of an EEGLAB dataset: [channel, sample], the channel running fastest, in the .set or in a file beside it. */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import type { MatFile } from '../mat/file.ts';
import { matSignals, placeOf } from '../mat/signals.ts';
import { type MatrixReader, readerOf, storedMatrix } from '../stored-matrix.ts';
import type { EeglabFields } from './fields.ts';

export interface SignalBlock extends MatrixReader {
  /** Stored samples of a channel, over all epochs. */
  readonly samples: number;
  close(): Promise<void>;
}

/** Signals in the MAT-file: looked for at the first request. */
export function signalsInside(
  source: ByteSource,
  file: MatFile,
  variable: string,
  path: string,
  { channelCount, points, trials }: EeglabFields,
): SignalBlock {
  let found: Promise<MatrixReader> | undefined;
  const samples = points * trials;
  const load = async (): Promise<MatrixReader> => {
    const part = await placeOf(file, variable, path);
    const isReal = part.place !== undefined || (part.value.kind === 'numeric' && !part.value.imaginary);
    if (!isReal)
      throw new FormatError(`eeglab: ${file.source} has signals that are no real numbers.`, file.source);
    return matSignals(source, file, variable, part, { channelCount, samples, isTogether: false });
  };
  const reader = () => {
    found ??= load();
    return found;
  };
  return {
    samples,
    read: async (channel, start, result) => (await reader()).read(channel, start, result),
    together: async (ranges, rooms) => (await reader()).together(ranges, rooms),
    async close() {
      found = undefined;
    },
  };
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
  const data = storedMatrix(found, 0, 'float32', false, [channelCount, samples], isDat);
  return {
    samples,
    ...readerOf(data),
    async close() {
      await found.close?.();
    },
  };
}
