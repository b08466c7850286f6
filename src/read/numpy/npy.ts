/**
 * NumPy files → Recording. An array [C, T] or [T, C], the longer side taken for time; in an .npz beside it names, units
 * and rate, where it has them. Archives that heartmind wrote come back as they were. Samples are read when asked for.
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { ConfigError, DataError, FormatError, UnsupportedError } from '../../core/errors.ts';
import type { Annotation, Channel, Recording, Span } from '../../core/recording.ts';
import { checkSamples, isRate, isTime, quoted, roomFor } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { withPass } from '../read-channels.ts';
import { type MatrixReader, readerOf } from '../stored-matrix.ts';
import { isLittleEndian } from '../strided.ts';
import { splitUnit } from '../table/columns.ts';
import { decodeNpy, decodeNumbers, type NpyArray, type NpyHeader, readNpyHeader } from './array.ts';
import { readZip, zipEntrySource } from './zip.ts';

/** Arrays of an .npz by name, without `.npy`. */
export interface Npz {
  readonly names: readonly string[];
  /** Its bytes; FormatError where there is no such array. */
  source(name: string): Promise<ByteSource>;
  /** The whole array. */
  array(name: string): Promise<NpyArray>;
}

export async function openNpz(source: ByteSource): Promise<Npz> {
  const entries = new Map(
    (await readZip(source))
      .filter(({ name }) => name.endsWith('.npy'))
      .map((entry) => [entry.name.slice(0, -4), entry] as const),
  );
  const find = async (name: string) => {
    const entry = entries.get(name);
    if (entry) return zipEntrySource(source, entry);
    throw new FormatError(
      `npz: ${source.name} has no array '${name}', only ${[...entries.keys()].map(quoted).join(', ')}.`,
      source.name,
    );
  };
  return {
    names: [...entries.keys()],
    source: find,
    array: async (name) => decodeNpy(await find(name)),
  };
}

/** Channels as rows or columns of one stored array. */
interface Matrix extends MatrixReader {
  readonly header: NpyHeader;
  readonly channelCount: number;
  readonly lengthSamples: number;
}

function matrixOf(source: ByteSource, header: NpyHeader, timeAxis: number, log: string[]): Matrix {
  const [rows, columns] =
    header.shape.length === 1 ? [header.shape[0]!, 1] : (header.shape as [number, number]);
  const { width, isFortran, kind, isLittle, dataStart } = header;
  const [rowStride, columnStride] = isFortran ? [width, rows * width] : [columns * width, width];
  const isRows = timeAxis === 0;
  const channelCount = isRows ? columns : rows;
  const promised = isRows ? rows : columns;
  const [channelStride, sampleStride] = isRows ? [columnStride, rowStride] : [rowStride, columnStride];
  const stored = Math.floor((source.byteLength - dataStart) / width);
  let lengthSamples = promised;
  if (stored < header.size) {
    // What is missing is the end of time where samples lie together, else whole channels have no end.
    lengthSamples = sampleStride > channelStride ? Math.floor(stored / channelCount) : 0;
    log.push(`npy: truncated: ${lengthSamples} of ${promised} samples are read.`);
    if (lengthSamples === 0)
      throw new FormatError(
        `npy: ${source.name} is truncated, and its channels follow one another: the last have no samples, which --tolerant cannot help. Fetch it again.`,
        source.name,
      );
  }
  const reader = readerOf({
    ...{ source, start: dataStart, width, channelStride, sampleStride },
    isNative: kind === 'f' && width === 8 && isLittle === isLittleEndian,
    decode: (bytes, at, stride, result, from, to) =>
      decodeNumbers(header, bytes, at, stride, result, from, to),
  });
  return { ...reader, header, channelCount, lengthSamples };
}

/** Open an .npy as a recording; the rate must be given. */
export async function openNpy(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const log: string[] = [];
  const header = await readNpyHeader(source, options.tolerant);
  const matrix = matrixOf(source, header, timeAxisOf(header, source.name, undefined, log), log);
  return simpleRecording('npy', source, matrix, undefined, undefined, undefined, options, log, {});
}

const roles = {
  names: /^(names?|channels?|ch_?names?|channel_?names?|labels?|leads?|sig_?name|electrodes?)$/i,
  units: /^(units?|channel_?units?)$/i,
  rate: /^(rate_?hz|fs|sfreq|srate|rate|sampling_?(rate|frequency)|sample_?rate|f_?s|hz|freq(uency)?)$/i,
  signals: /^(samples?|data|x|signals?|eeg|ecg|sig|p_signal|values|arr_0)$/i,
};

/** Open an .npz as a recording. */
export async function openNpzRecording(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const npz = await openNpz(source);
  if (npz.names.includes('heartmind')) return openWritten(source, npz, options);
  const log: string[] = [];
  const headers = new Map<string, { header: NpyHeader; source: ByteSource }>();
  for (const name of npz.names.slice(0, 1000)) {
    const entry = await npz.source(name);
    try {
      headers.set(name, { header: await readNpyHeader(entry, options.tolerant), source: entry });
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      log.push(`npz: '${name.slice(0, 40)}' was left out: ${error.message}`);
    }
  }
  const isNumbers = ({ kind, shape, size }: NpyHeader) =>
    kind !== 'U' && kind !== 'S' && size > 1 && (shape.length === 1 || shape.length === 2);
  const candidates = [...headers].filter(([name, { header }]) => isNumbers(header) && !roles.rate.test(name));
  const chosen =
    options.part !== undefined
      ? candidates.find(([name]) => name === options.part)
      : (candidates.find(([name, { header }]) => roles.signals.test(name) && header.shape.length === 2) ??
        candidates.sort(([, a], [, b]) => b.header.size - a.header.size)[0]);
  if (!chosen) {
    const list = [...headers].map(([name, { header }]) => `${name} (${header.shape.join(' × ')})`).join(', ');
    throw new DataError(
      `npz: ${source.name} has no array of ${options.part ? `the name '${options.part}'` : 'numbers with one or two dimensions'}; it has ${list || 'none'}. Name one of them with --part.`,
    );
  }
  const find = (role: RegExp) =>
    npz.names.find((name) => role.test(name) && name !== chosen[0] && headers.has(name));
  const textsOf = async (name: string | undefined) => {
    const kind = name && headers.get(name)?.header.kind;
    if (!name || (kind !== 'U' && kind !== 'S')) return undefined;
    return (await npz.array(name)).values as readonly string[];
  };
  const names = await textsOf(find(roles.names));
  const units = await textsOf(find(roles.units));
  const rateName = find(roles.rate);
  const isScalar =
    rateName && headers.get(rateName)!.header.size === 1 && !/[US]/.test(headers.get(rateName)!.header.kind);
  const rate = isScalar ? ((await npz.array(rateName)).values[0] as number) : undefined;
  const { header, source: entry } = chosen[1];
  const matrix = matrixOf(entry, header, timeAxisOf(header, source.name, names?.length, log), log);
  if (candidates.length > 1)
    log.push(`npz: read '${chosen[0].slice(0, 40)}'; ${candidates.length - 1} other arrays were left out.`);
  return simpleRecording('npz', source, matrix, names, units, rate, options, log, {
    array: chosen[0].slice(0, 200),
  });
}

/** 0: time goes down the rows. Names decide where they fit one side only. */
function timeAxisOf(
  { shape, kind }: NpyHeader,
  source: string,
  names: number | undefined,
  log: string[],
): number {
  if (shape.length === 0 || shape.length > 2 || kind === 'U' || kind === 'S')
    throw new UnsupportedError(
      `npy: ${source} has the shape (${shape.join(', ')}) of ${kind === 'U' || kind === 'S' ? 'texts' : 'numbers'}; a recording is [C, T] or [T, C]. Save one recording a file.`,
      `npy with ${shape.length} dimensions`,
    );
  if (shape.length === 1) return 0;
  const [rows, columns] = shape as [number, number];
  const axis =
    names === rows && names !== columns
      ? 1
      : names === columns && names !== rows
        ? 0
        : rows > columns
          ? 0
          : 1;
  log.push(
    `npy: of ${rows} × ${columns} values, the ${axis === 0 ? `${rows} rows` : `${columns} columns`} are taken for time.`,
  );
  return axis;
}

function simpleRecording(
  format: string,
  source: ByteSource,
  matrix: Matrix,
  names: readonly string[] | undefined,
  units: readonly string[] | undefined,
  rate: number | undefined,
  options: ReadOptions,
  log: string[],
  metadata: Readonly<Record<string, string>>,
): Recording {
  const rateHz = rate ?? options.rateHz;
  if (rateHz === undefined || !isRate(rateHz)) {
    throw new ConfigError(
      `${format}: ${source.name} ${rateHz === undefined ? 'states no sampling rate' : `states a rate of ${rateHz} Hz`}. Give it with --input-rate.`,
      'rateHz',
      'Hz',
    );
  }
  const { channelCount, lengthSamples, header } = matrix;
  if (lengthSamples === 0 || channelCount === 0)
    throw new DataError(`${format}: ${source.name} holds no samples (shape ${header.shape.join(' × ')}).`);
  budgetOf(source).spend(`${format}: ${source.name}`, 'channels', heavyElement * channelCount);
  const isWhole = header.kind === 'i' || header.kind === 'u';
  const channels = Array.from({ length: channelCount }, (_, c): Channel => {
    const stated =
      names?.length === channelCount ? splitUnit(names[c]!) : { name: `channel ${c + 1}`, unit: '' };
    const unit = units?.[units.length === channelCount ? c : 0] ?? stated.unit;
    return {
      name: stated.name,
      unit,
      rateHz,
      lengthSamples,
      ...(isWhole && { resolution: 1, offset: 0 }),
    };
  });
  const duration = lengthSamples / rateHz;
  return {
    source: source.name,
    format,
    channels,
    duration,
    spans: [{ start: 0, duration }],
    annotations: [],
    metadata,
    log,
    read: withPass(async (channel, start, end, into) => {
      checkSamples(`${format}: ${source.name}`, source.name, channels, channel, start, end);
      const result = roomFor(end - start, into);
      await matrix.read(channel, start, result);
      return result;
    }, matrix.together),
    close: async () => source.close?.(),
  };
}

/** An archive that writeNpz made. */
async function openWritten(source: ByteSource, npz: Npz, options: ReadOptions): Promise<Recording> {
  const texts = async (name: string) =>
    (npz.names.includes(name) ? (await npz.array(name)).values : []) as readonly string[];
  /** Lists of numbers: one or two a channel, annotation or span, so that there are no more than may be. */
  const numbers = async (name: string) => {
    if (!npz.names.includes(name)) return new Float64Array(0);
    const { size } = await readNpyHeader(await npz.source(name), options.tolerant);
    if (size > 2 * budget.maxElements) budget.spend(`npz: ${source.name}`, `numbers '${name}'`, size);
    const values = (await npz.array(name)).values as Float64Array;
    return values instanceof Float64Array ? values : Float64Array.from(values, Number);
  };
  const fail = (fact: string): never => {
    throw new FormatError(
      `npz: ${source.name} ${fact}. It was changed after heartmind wrote it.`,
      source.name,
    );
  };
  const budget = budgetOf(source);
  const log: string[] = [];
  const [names, units, notes] = [await texts('names'), await texts('units'), await texts('notes')];
  const [rates, groups, resolutions, offsets, lows, highs] = [
    await numbers('rate_hz'),
    await numbers('group'),
    await numbers('resolution'),
    await numbers('offset'),
    await numbers('range_low'),
    await numbers('range_high'),
  ];
  const matrices = new Map<number, Matrix>();
  budget.spend(`npz: ${source.name}`, 'channels', heavyElement * groups.length);
  const distinct = new Set(groups);
  for (const group of distinct) {
    await budget.breathe();
    const entry = await npz.source(groupName(group, distinct.size));
    const header = await readNpyHeader(entry, options.tolerant);
    if (header.shape.length !== 2 || /[US]/.test(header.kind)) fail(`has samples of shape (${header.shape})`);
    matrices.set(group, matrixOf(entry, header, 1, log));
  }
  const seen = new Map<number, number>();
  const places = Array.from(groups, (group) => {
    const row = seen.get(group) ?? 0;
    seen.set(group, row + 1);
    return { matrix: matrices.get(group)!, row };
  });
  const channels = places.map(({ matrix, row }, c): Channel => {
    const rateHz = rates[c] ?? 0;
    if (row >= matrix.channelCount || !isRate(rateHz))
      fail(`has ${groups.length} channels that do not fit its samples`);
    const [low, high] = [lows[c]!, highs[c]!];
    return {
      name: names[c] ?? '',
      unit: units[c] ?? '',
      rateHz,
      lengthSamples: matrix.lengthSamples,
      ...(low < high && { range: [low, high] as const }),
      ...(resolutions[c]! > 0 && {
        resolution: resolutions[c]!,
        ...(!Number.isNaN(offsets[c]!) && { offset: offsets[c]! }),
      }),
      ...(notes[c] && { note: notes[c]! }),
    };
  });
  const [starts, durations, labels, of] = [
    await numbers('annotation_start'),
    await numbers('annotation_duration'),
    await texts('annotation_label'),
    await numbers('annotation_channel'),
  ];
  budget.spend(`npz: ${source.name}`, 'annotations', starts.length);
  const annotations = Array.from(
    starts,
    (start, i): Annotation => ({
      start,
      duration: durations[i] ?? 0,
      label: labels[i] ?? '',
      ...(of[i]! >= 0 && of[i]! < channels.length && { channel: of[i]! }),
    }),
  ).filter(({ start, duration }) => isTime(start) && isTime(duration));
  const flat = await numbers('spans');
  budget.spend(`npz: ${source.name}`, 'spans', flat.length >> 1);
  const spans = Array.from(
    { length: flat.length >> 1 },
    (_, i): Span => ({ start: flat[2 * i]!, duration: flat[2 * i + 1]! }),
  );
  if (spans.some(({ start, duration }) => !isTime(start) || !isTime(duration)))
    fail('has spans that are no times');
  const [startMs] = await numbers('start_time_ms');
  const [nanoseconds] = await numbers('start_nanoseconds');
  const [keys, values] = [await texts('metadata_keys'), await texts('metadata_values')];
  const startTime = startMs === undefined ? undefined : new Date(startMs);
  return {
    source: source.name,
    format: 'npz',
    channels,
    spans,
    duration: spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
    annotations,
    ...(startTime && !Number.isNaN(startTime.getTime()) && { startTime }),
    ...(nanoseconds && { startNanoseconds: nanoseconds }),
    metadata: Object.fromEntries(
      keys.flatMap((key, i) => (key === '__proto__' ? [] : [[key, values[i] ?? '']])),
    ),
    log,
    read: withPass(
      async (channel, start, end, into) => {
        checkSamples(`npz: ${source.name}`, source.name, channels, channel, start, end);
        const result = roomFor(end - start, into);
        const { matrix, row } = places[channel]!;
        await matrix.read(row, start, result);
        return result;
      },
      async (ranges, rooms) => {
        const byMatrix = new Map<Matrix, number[]>();
        for (const [i, { channel }] of ranges.entries()) {
          const { matrix } = places[channel]!;
          const own = byMatrix.get(matrix);
          if (own) own.push(i);
          else byMatrix.set(matrix, [i]);
        }
        for (const [matrix, own] of byMatrix) {
          await matrix.together(
            own.map((i) => ({ ...ranges[i]!, channel: places[ranges[i]!.channel]!.row })),
            own.map((i) => rooms[i]!),
          );
        }
      },
    ),
    close: async () => source.close?.(),
  };
}

/** Name of a group's samples: `samples` where there is one rate only. */
export function groupName(group: number, count: number): string {
  return count === 1 ? 'samples' : `samples_${group}`;
}
