/** A WFDB record of one segment: its header → its signal files, opened and measured; samples with their skew. */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import type { ChannelRange } from '../read-channels.ts';
import type { WfdbHeader, WfdbSignal } from './header.ts';
import { openSignalFile } from './open-signals.ts';
import { fileNameOf } from './read-header.ts';
import { isNull, type PlacedSignal, type SignalFile, type SignalRange } from './signal-file.ts';

export interface SegmentSignal extends PlacedSignal {
  /** Absent where the signal is stored nowhere. */
  readonly file?: SignalFile;
}

export interface Segment {
  readonly signals: readonly SegmentSignal[];
  /** Frames that all its files hold, at most those promised; 0 where nothing is stored. */
  readonly frameCount: number;
  /** Samples [start, end) of a signal; NaN where they are missing. */
  read(signal: number, start: number, end: number, result: Float64Array): Promise<void>;
  /** The same for several ranges, in one pass over each file. */
  readTogether(ranges: readonly ChannelRange[], results: readonly Float64Array[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Open the signal files of a header beside it. `frameCount`: what is promised, unless the header itself says.
 * FormatError where one is missing or too short; `tolerant` takes the frames that there are, the log says how many.
 */
export async function openSegment(
  source: ByteSource,
  header: WfdbHeader,
  tolerant: boolean,
  log: string[],
): Promise<Segment> {
  const opened: ByteSource[] = [];
  const close = async () => {
    for (const file of opened.splice(0)) await file.close?.();
  };
  try {
    const signals = await locateSignals(source, header, opened, tolerant, log);
    const frameCount = countFrames(source.name, header, signals, tolerant, log);
    return {
      signals,
      frameCount,
      async read(index, start, end, result) {
        const stored = storedPart(signals[index]!, start, end, result);
        if (stored) await signals[index]!.file!.read(stored.signal, stored.start, stored.end, stored.result);
      },
      async readTogether(ranges, results) {
        const byFile = new Map<SignalFile, SignalRange[]>();
        for (const [i, { channel, start, end }] of ranges.entries()) {
          const signal = signals[channel]!;
          const stored = storedPart(signal, start, end, results[i]!);
          if (stored) byFile.set(signal.file!, [...(byFile.get(signal.file!) ?? []), stored]);
        }
        for (const [file, parts] of byFile) {
          if (file.readTogether) await file.readTogether(parts);
          else
            for (const { signal, start, end, result } of parts) await file.read(signal, start, end, result);
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What of samples [start, end) its file holds, where its skew puts them; NaN for what lies beyond the file's end. */
function storedPart(
  signal: SegmentSignal,
  start: number,
  end: number,
  result: Float64Array,
): SignalRange | undefined {
  const { file, samplesPerFrame, skewFrames } = signal;
  const skew = skewFrames * samplesPerFrame;
  const stored = file ? Math.max(start, Math.min(end, file.frames * samplesPerFrame - skew)) : start;
  if (stored < end) result.fill(Number.NaN, stored - start);
  if (stored === start) return undefined;
  const room = stored === end ? result : result.subarray(0, stored - start);
  return { signal, start: start + skew, end: stored + skew, result: room };
}

async function locateSignals(
  source: ByteSource,
  header: WfdbHeader,
  opened: ByteSource[],
  tolerant: boolean,
  log: string[],
): Promise<SegmentSignal[]> {
  const groups = new Map<string, PlacedSignal[]>();
  const placed = header.signals.map((signal): PlacedSignal => {
    if (isNull(signal)) return { ...signal, frameOffset: 0, indexInFile: 0 };
    const group = groups.get(signal.fileName) ?? [];
    groups.set(signal.fileName, group);
    const before = group.at(-1);
    const frameOffset = before ? before.frameOffset + before.samplesPerFrame : 0;
    const one = { ...signal, frameOffset, indexInFile: group.length };
    group.push(one);
    return one;
  });
  const files = new Map<string, SignalFile>();
  const bare = new Map<string, string>();
  for (const [fileName, group] of groups) {
    const beside = fileNameOf(fileName);
    const other = bare.get(beside);
    if (other !== undefined)
      throw new FormatError(
        `wfdb: ${source.name} names ${quoted(other)} and ${quoted(fileName)}, files of one name in two folders. Give them names of their own.`,
        source.name,
      );
    bare.set(beside, fileName);
    const found = await source.sibling?.(beside);
    if (found && beside !== fileName)
      log.push(`wfdb: ${quoted(fileName)} was read from ${quoted(beside)} beside the header.`);
    if (!found)
      throw new FormatError(
        `wfdb: ${source.name} names the signal file ${quoted(fileName)}, which is not beside it. Fetch it too.`,
        source.name,
      );
    opened.push(found);
    files.set(fileName, await openSignalFile(found, group, source.name, tolerant, log));
  }
  return limitNullRates(placed, log).map((signal) =>
    isNull(signal) ? signal : { ...signal, file: files.get(signal.fileName)! },
  );
}

/** Signals that are stored nowhere are not longer than the longest that is: their number of samples is only claimed. */
export function limitNullRates<S extends WfdbSignal>(signals: readonly S[], log: string[]): S[] {
  const fastest = signals.reduce(
    (most, signal) => (isNull(signal) ? most : Math.max(most, signal.samplesPerFrame)),
    1,
  );
  return signals.map((signal) => {
    if (!isNull(signal) || signal.samplesPerFrame <= fastest) return signal;
    log.push(
      `wfdb: ${quoted(signal.description)} is not stored and would have ${signal.samplesPerFrame} samples a frame; ${fastest} is taken, as of the fastest signal.`,
    );
    return { ...signal, samplesPerFrame: fastest };
  });
}

/** Frames of the record: as the header says, as the shortest file holds where it does not. */
function countFrames(
  where: string,
  header: WfdbHeader,
  signals: readonly SegmentSignal[],
  tolerant: boolean,
  log: string[],
): number {
  const stored = signals.filter(({ file }) => file);
  if (stored.length === 0) {
    if (header.frameCount && signals.length > 0)
      log.push(`wfdb: ${where} stores no signal; its ${header.frameCount} frames hold nothing.`);
    return 0;
  }
  const { fileName, file } = stored.reduce((least, signal) =>
    signal.file!.frames < least.file!.frames ? signal : least,
  );
  const { frames } = file!;
  if (header.frameCount === undefined) {
    log.push(`wfdb: the header leaves the length open; the signal files hold ${frames} frames.`);
    return frames;
  }
  if (frames >= header.frameCount) return header.frameCount;
  const { fact, byteOffset } = file!.shortage(header.frameCount);
  if (!tolerant)
    throw new FormatError(
      `wfdb: ${fileName} ${fact} that ${where} promises. The copy is truncated; fetch it again, or open it with --tolerant.`,
      fileName,
      byteOffset,
    );
  log.push(`wfdb: ${fileName} is truncated, it ${fact}: ${frames} of ${header.frameCount} frames are read.`);
  return frames;
}
