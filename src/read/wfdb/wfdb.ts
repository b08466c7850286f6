/**
 * WFDB records (PhysioNet): header (.hea), signal files and annotations beside it → Recording, lazily. All formats of
 * signal(5), records of several segments, MAT v4 signal files (format 16 behind the matrix header).
 * Source: header(5), signal(5), annot(5) of the WFDB Applications Guide, physionet.org.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { Annotation, Recording } from '../../core/recording.ts';
import { checkSamples, quoted, roomFor } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { withPass } from '../read-channels.ts';
import { readWfdbAnnotations } from './annotations.ts';
import { wfdbChannel } from './channels.ts';
import type { WfdbHeader } from './header.ts';
import { wfdbMetadata } from './metadata.ts';
import { fileNameOf, namesFile, readWfdbHeader } from './read-header.ts';
import { openSegment } from './segment.ts';
import { openSegmented, type StoredRecord } from './segments.ts';

export interface WfdbOptions extends ReadOptions {
  /** Extension of the annotation file to attach: `atr`, `qrs`. Default: `atr` where it exists. */
  readonly annotations?: string;
}

/** Open a record by its .hea source; its `sibling` must reach the other files. */
export async function openWfdb(source: ByteSource, options: WfdbOptions = {}): Promise<Recording> {
  const log: string[] = [];
  const tolerant = options.tolerant ?? false;
  const header = await readWfdbHeader(source, log);
  const stored = header.segments
    ? await openSegmented(source, header, tolerant, log)
    : await openSingle(source, header, tolerant, log);
  try {
    const { channels, spans, origin } = stored;
    const found = await attachAnnotations(source, header, options, channels.length, log);
    if (origin > 0)
      log.push(`wfdb: ${source.name} begins with a gap of ${origin} s; times count from its first sample.`);
    const read: Recording['read'] = async (channel, start, end, into) => {
      checkSamples(`wfdb: ${source.name}`, source.name, channels, channel, start, end);
      const result = roomFor(end - start, into);
      if (end > start) await stored.read(channel, start, end, result);
      return result;
    };
    return {
      source: source.name,
      format: 'wfdb',
      channels,
      duration: spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
      spans,
      annotations: origin > 0 ? found.map((one) => ({ ...one, start: one.start - origin })) : found,
      ...startOf(header, origin),
      metadata: wfdbMetadata(header),
      log,
      read: stored.readTogether ? withPass(read, stored.readTogether) : read,
      async close() {
        await stored.close();
        await source.close?.();
      },
    };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** Signal and annotation files as they are usually called: a record is meant where its header is beside them. */
export const isWfdbPart = (fileName: string): boolean => /\.(dat|mat|d\d{1,3}|atr|qrs)$/.test(fileName);

/**
 * Open the record that a signal or annotation file belongs to (`100.dat`, `A0001.mat`, `100.qrs`): that of the .hea
 * file of the same name beside it; undefined where there is none. An annotation file is attached instead of `atr`.
 */
export async function openWfdbPart(
  source: ByteSource,
  options: WfdbOptions = {},
): Promise<Recording | undefined> {
  const fileName = fileNameOf(source.name);
  const [, stem, extension] = /^(.+)\.([A-Za-z]\w{0,7})$/.exec(fileName) ?? [];
  if (stem === undefined || extension!.toLowerCase() === 'hea') return undefined;
  const header = await source.sibling?.(`${stem}.hea`);
  if (!header) return undefined;
  // A MAT-file may lie beside a record of the same name without being of it.
  if (/^mat$/i.test(extension!) && !(await namesFile(header, fileName))) {
    await header.close?.();
    return undefined;
  }
  try {
    const isSignal = /^(dat|mat|d\d+)$/i.test(extension!);
    const found = await openWfdb(header, { ...(!isSignal && { annotations: extension! }), ...options });
    return {
      ...found,
      log: [
        `wfdb: ${quoted(fileName)} is part of the record of ${quoted(`${stem}.hea`)}, which was opened.`,
        ...found.log,
      ],
      async close() {
        await found.close();
        await source.close?.();
      },
    };
  } catch (error) {
    await header.close?.();
    throw error;
  }
}

async function openSingle(
  source: ByteSource,
  header: WfdbHeader,
  tolerant: boolean,
  log: string[],
): Promise<StoredRecord> {
  const segment = await openSegment(source, header, tolerant, log);
  const { signals, frameCount, read, readTogether, close } = segment;
  const { frameRateHz } = header;
  const channels = signals.map((signal, i) =>
    wfdbChannel(signal, i, frameRateHz, frameCount, signal.file?.range),
  );
  const spans = frameCount > 0 ? [{ start: 0, duration: frameCount / frameRateHz }] : [];
  return { channels, spans, origin: 0, read, readTogether, close };
}

/** The first stored sample's time, exact to the nanosecond. */
function startOf(
  { startTime, startNanoseconds = 0 }: WfdbHeader,
  origin: number,
): { startTime?: Date; startNanoseconds?: number } {
  if (!startTime) return {};
  const seconds = Math.floor(origin);
  const nanoseconds = startNanoseconds + Math.round((origin - seconds) * 1e9);
  const start = new Date(startTime.getTime() + seconds * 1000 + Math.floor(nanoseconds / 1e6));
  if (Number.isNaN(start.getTime())) return {};
  return { startTime: start, ...(nanoseconds % 1e6 > 0 && { startNanoseconds: nanoseconds % 1e6 }) };
}

async function attachAnnotations(
  source: ByteSource,
  header: WfdbHeader,
  options: WfdbOptions,
  channelCount: number,
  log: string[],
): Promise<readonly Annotation[]> {
  const stem = fileNameOf(source.name).replace(/\.hea$/i, '') || header.record;
  const fileName = `${stem}.${options.annotations ?? 'atr'}`;
  const found = await source.sibling?.(fileName);
  if (found) {
    try {
      return await readWfdbAnnotations(found, header.frameRateHz, log, options.tolerant, channelCount);
    } finally {
      await found.close?.();
    }
  }
  if (options.annotations === undefined) return [];
  throw new FormatError(
    `wfdb: ${source.name} has no ${quoted(fileName)} beside it. Fetch it, or name another extension.`,
    source.name,
  );
}
