/**
 * WFDB records (PhysioNet): header (.hea) + signal files beside it → Recording, lazily. Formats 16 and 212, and MAT v4
 * signal files (format 16 with the matrix header skipped by the byte offset). A frame holds `samplesPerFrame` samples
 * of every signal of a file. Physical value = (stored − baseline) / gain; the invalid-sample code is NaN.
 * Source: header(5) and signal(5) of the WFDB Applications Guide, physionet.org.
 */
import type { ByteSource } from '../core/bytes.ts';
import { FormatError, UnsupportedError } from '../core/errors.ts';
import type { Annotation, Channel, Recording } from '../core/recording.ts';
import { checkSamples, latin1, quoted, roomFor } from './header-text.ts';
import type { ReadOptions } from './options.ts';
import { chunkBytes, RangedBytes } from './ranged-bytes.ts';
import { readWfdbAnnotations } from './wfdb-annotations.ts';
import { parseWfdbHeader, type WfdbHeader, type WfdbSignal } from './wfdb-header.ts';
import { bytesOf, type SampleFormat, sampleFormats, samplesIn } from './wfdb-samples.ts';

export interface WfdbOptions extends ReadOptions {
  /** Extension of the annotation file to attach: `atr`, `qrs`. Default: `atr` where it exists. */
  readonly annotations?: string;
}

/** A real header is a few kilobytes; a longer file is something else. */
const maxHeaderBytes = 4 * 1024 * 1024;

/** Signals that share a file, interleaved frame by frame. */
interface SignalFile {
  readonly bytes: RangedBytes;
  readonly format: SampleFormat;
  readonly byteOffset: number;
  /** Samples of all the file's signals in a frame. */
  readonly frameSamples: number;
  /** Whole frames that the file holds. */
  readonly frames: number;
}

interface StoredSignal extends WfdbSignal {
  readonly file: SignalFile;
  /** Of its first sample within the frame. */
  readonly frameOffset: number;
}

/** Open a record by its .hea source; its `sibling` must reach the signal files. */
export async function openWfdb(source: ByteSource, options: WfdbOptions = {}): Promise<Recording> {
  const log: string[] = [];
  if (source.byteLength > maxHeaderBytes)
    throw new FormatError(
      `wfdb: ${source.name} has ${source.byteLength} bytes, too many for a header. Open the record's .hea file.`,
      source.name,
    );
  const header = parseWfdbHeader(latin1(await source.read(0, source.byteLength)), source.name, log);
  const opened: ByteSource[] = [];
  const close = async () => {
    for (const file of [source, ...opened]) await file.close?.();
  };
  try {
    const signals = await locateSignals(source, header, opened, options);
    const frameCount = countFrames(source.name, header, signals, options.tolerant ?? false, log);
    const channels = signals.map((signal, i) => channelOf(signal, i, header, frameCount));
    const annotations = await attachAnnotations(source, header, options, opened, log);
    const duration = frameCount / header.frameRateHz;
    return {
      source: source.name,
      format: 'wfdb',
      channels,
      duration,
      spans: duration > 0 ? [{ start: 0, duration }] : [],
      annotations,
      ...(header.startTime && { startTime: header.startTime }),
      metadata: metadataOf(header),
      log,
      async read(channel, start, end, into) {
        checkSamples(`wfdb: ${source.name}`, source.name, channels, channel, start, end);
        const result = roomFor(end - start, into);
        await readSamples(signals[channel]!, start, end, result);
        return result;
      },
      close,
    };
  } catch (error) {
    for (const file of opened) await file.close?.();
    throw error;
  }
}

async function locateSignals(
  source: ByteSource,
  header: WfdbHeader,
  opened: ByteSource[],
  options: WfdbOptions,
): Promise<StoredSignal[]> {
  const groups = new Map<string, WfdbSignal[]>();
  for (const signal of header.signals) {
    const group = groups.get(signal.fileName) ?? [];
    group.push(signal);
    groups.set(signal.fileName, group);
  }
  const files = new Map<string, SignalFile>();
  for (const [fileName, group] of groups) {
    const { format: code, byteOffset } = group[0]!;
    const format = sampleFormats.get(code);
    if (!format || group.some((signal) => signal.format !== code)) {
      const unknown = group.find((signal) => !sampleFormats.has(signal.format))?.format ?? 'mixture';
      throw new UnsupportedError(
        `wfdb: ${source.name} stores ${quoted(fileName)} in format ${unknown}, which cannot be read yet (16 and 212 can). Convert it with xform.`,
        `wfdb format ${unknown}`,
      );
    }
    const found = /[/\\]/.test(fileName) ? undefined : await source.sibling?.(fileName);
    if (!found)
      throw new FormatError(
        `wfdb: ${source.name} names the signal file ${quoted(fileName)}, which is not beside it. Fetch it too.`,
        source.name,
      );
    opened.push(found);
    const frameSamples = group.reduce((sum, signal) => sum + signal.samplesPerFrame, 0);
    const frames = Math.floor(samplesIn(format, found.byteLength - byteOffset) / frameSamples);
    if (byteOffset > found.byteLength && !options.tolerant)
      throw new FormatError(
        `wfdb: ${found.name} ends at byte ${found.byteLength}, its samples start at ${byteOffset}. The copy is truncated; fetch it again.`,
        found.name,
        found.byteLength,
      );
    files.set(fileName, { bytes: new RangedBytes(found), format, byteOffset, frameSamples, frames });
  }
  const offsets = new Map<string, number>();
  return header.signals.map((signal) => {
    const frameOffset = offsets.get(signal.fileName) ?? 0;
    offsets.set(signal.fileName, frameOffset + signal.samplesPerFrame);
    return { ...signal, file: files.get(signal.fileName)!, frameOffset };
  });
}

/** Frames of the record: as the header says, as the shortest file holds where it does not. */
function countFrames(
  where: string,
  header: WfdbHeader,
  signals: readonly StoredSignal[],
  tolerant: boolean,
  log: string[],
): number {
  if (signals.length === 0) return 0;
  const shortest = signals.reduce((least, signal) =>
    signal.file.frames < least.file.frames ? signal : least,
  );
  const { file } = shortest;
  if (header.frameCount === undefined) {
    log.push(`wfdb: the header leaves the length open; the signal files hold ${file.frames} frames.`);
    return file.frames;
  }
  if (file.frames >= header.frameCount) return header.frameCount;
  const { name, byteLength } = file.bytes.source;
  const promised = file.byteOffset + bytesOf(file.format, header.frameCount * file.frameSamples);
  if (!tolerant)
    throw new FormatError(
      `wfdb: ${name} ends at byte ${byteLength}, ${where} promises ${promised}. The copy is truncated; fetch it again.`,
      name,
      byteLength,
    );
  log.push(
    `wfdb: ${name} is truncated at byte ${byteLength} of ${promised}: ${file.frames} of ${header.frameCount} frames are read.`,
  );
  return file.frames;
}

function channelOf(signal: StoredSignal, index: number, header: WfdbHeader, frameCount: number): Channel {
  const bits = signal.resolutionBits;
  const { range } = signal.file.format;
  // The converter's ends where the header gives its bits (12 bits in format 16), else the format's.
  const half = bits > 1 && bits < 32 ? 2 ** (bits - 1) : Number.POSITIVE_INFINITY;
  const low = Math.max(range[0], signal.adcZero - half);
  const high = Math.min(range[1], signal.adcZero + half - 1);
  const ends = [(low - signal.baseline) / signal.gain, (high - signal.baseline) / signal.gain] as const;
  return {
    name: signal.description || `signal ${index}`,
    unit: signal.unit,
    rateHz: header.frameRateHz * signal.samplesPerFrame,
    lengthSamples: frameCount * signal.samplesPerFrame,
    ...(low < high && { range: [Math.min(...ends), Math.max(...ends)] as const }),
    resolution: Math.abs(1 / signal.gain),
  };
}

/** Samples [start, end) at the signal's own rate → result, one ranged read per chunk of frames. */
async function readSamples(
  signal: StoredSignal,
  start: number,
  end: number,
  result: Float64Array,
): Promise<void> {
  const { file, samplesPerFrame, skewFrames, frameOffset } = signal;
  const { format, frameSamples } = file;
  const firstFrame = Math.floor(start / samplesPerFrame) + skewFrames;
  const lastFrame = Math.min(file.frames, Math.ceil(end / samplesPerFrame) + skewFrames);
  // What a skew moves beyond the file's end is not there.
  result.fill(
    Number.NaN,
    Math.max(0, Math.min(result.length, (lastFrame - skewFrames) * samplesPerFrame - start)),
  );
  const chunkFrames = Math.max(1, Math.floor(chunkBytes / bytesOf(format, frameSamples)));
  for (let frame = firstFrame; frame < lastFrame; frame += chunkFrames) {
    const chunkEnd = Math.min(lastFrame, frame + chunkFrames);
    const group = Math.floor((frame * frameSamples) / format.groupSamples);
    const base = file.byteOffset + group * format.groupBytes;
    const from = Math.max(start, (frame - skewFrames) * samplesPerFrame);
    const to = Math.min(end, (chunkEnd - skewFrames) * samplesPerFrame);
    await file.bytes.use(base, file.byteOffset + bytesOf(format, chunkEnd * frameSamples), (chunk) => {
      // The k-th samples of all frames are evenly spaced.
      for (let i = from; i < Math.min(to, from + samplesPerFrame); i++) {
        const inFrame = i % samplesPerFrame;
        const stored = ((i - inFrame) / samplesPerFrame + skewFrames) * frameSamples + frameOffset + inFrame;
        const first = stored - group * format.groupSamples;
        const steps = { first, step: frameSamples, from: i - start, to: to - start, stride: samplesPerFrame };
        format.decode(chunk, steps, signal, result);
      }
    });
  }
}

async function attachAnnotations(
  source: ByteSource,
  header: WfdbHeader,
  options: WfdbOptions,
  opened: ByteSource[],
  log: string[],
): Promise<readonly Annotation[]> {
  const stem = (source.name.split(/[/\\]/).at(-1) ?? '').replace(/\.hea$/i, '') || header.record;
  const fileName = `${stem}.${options.annotations ?? 'atr'}`;
  const found = await source.sibling?.(fileName);
  if (found) {
    opened.push(found);
    return readWfdbAnnotations(found, header.frameRateHz, log, options.tolerant);
  }
  if (options.annotations === undefined) return [];
  throw new FormatError(
    `wfdb: ${source.name} has no ${quoted(fileName)} beside it. Fetch it, or name another extension.`,
    source.name,
  );
}

/** `#Age: 80` and `# <age>: 25  <sex>: M` become age, sex; everything stands in `comments` as well. */
function metadataOf(header: WfdbHeader): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const comment of header.comments) {
    const tagged = [...comment.matchAll(/<([\w ]+)>:\s*([^<]*)/g)];
    const plain = /^([A-Za-z][\w ,-]{0,40}):\s*(.*)$/.exec(comment);
    for (const [, key, value] of tagged.length > 0 ? tagged : plain ? [plain] : [])
      if (value!.trim() !== '' && !pairs.has(key!.toLowerCase()))
        pairs.set(key!.toLowerCase(), value!.trim());
  }
  if (header.comments.length > 0) pairs.set('comments', header.comments.join('\n'));
  pairs.set('record', header.record);
  return Object.fromEntries(pairs);
}
