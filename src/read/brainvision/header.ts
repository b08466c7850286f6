/**
 * BrainVision's text files, `.vhdr` and `.vmrk`: bytes → sections of keys → typed fields.
 * Source: "BrainVision Core Data Format 1.0", Brain Products.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';
import { decimal, isRate, latin1, quoted } from '../header-text.ts';
import type { NumberType } from '../stored-numbers.ts';

/** Sections and their keys, both in lower case, in the file's order; and the lines of `[Comment]`. */
export interface VisionText {
  /** Of the file. */
  readonly name: string;
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly comment: string;
}

export interface VisionChannel {
  readonly name: string;
  readonly reference: string;
  readonly resolution: number;
  readonly unit: string;
}

export interface VisionHeader {
  readonly dataFile: string;
  readonly markerFile: string;
  readonly isVectorized: boolean;
  /** Of binary files; text otherwise. */
  readonly type: NumberType | undefined;
  readonly isBigEndian: boolean;
  /** Of text files. */
  readonly skipLines: number;
  readonly skipColumns: number;
  readonly isCommaDecimal: boolean;
  /** Samples of each channel, where the file says so. */
  readonly dataPoints: number | undefined;
  readonly rateHz: number;
  readonly channels: readonly VisionChannel[];
  readonly comment: string;
}

/** Text files of this format have some kilobytes, with many markers some megabytes. */
const mostTextBytes = 64 * 2 ** 20;

/** Read a header or marker file: UTF-8 where it says so or is, Latin-1 otherwise. */
export async function readVisionText(source: ByteSource): Promise<VisionText> {
  if (source.byteLength > mostTextBytes)
    throw new FormatError(
      `brainvision: ${source.name} has ${source.byteLength} bytes, a header or marker file at most ${mostTextBytes}. It is none.`,
      source.name,
    );
  const bytes = await source.read(0, source.byteLength);
  if (
    !/^Brain ?Vision (Data Exchange|V-Amp)|^BrainVision/i.test(
      latin1(bytes, 0, 40).replace(/^\u00ef\u00bb\u00bf/, ''),
    )
  )
    throw new FormatError(
      `brainvision: ${source.name} starts with ${quoted(latin1(bytes, 0, 24))}, a header starts with 'Brain Vision Data Exchange'. Open the .vhdr file.`,
      source.name,
      0,
    );
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  const comment: string[] = [];
  let isComment = false;
  for (const line of decodeText(bytes).split(/\r\n|\n|\r/)) {
    const name = /^\[([^\]]+)\]\s*$/.exec(line)?.[1]?.toLowerCase();
    if (name !== undefined) {
      isComment = name === 'comment';
      section = isComment ? undefined : (sections.get(name) ?? new Map());
      if (section) sections.set(name, section);
    } else if (isComment) comment.push(line);
    else if (section && !line.startsWith(';')) {
      const at = line.indexOf('=');
      if (at > 0) section.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
    }
  }
  return { name: source.name, sections, comment: comment.join('\n').trim() };
}

function decodeText(bytes: Uint8Array): string {
  const isDeclared = /Codepage\s*=\s*UTF-?8/i.test(latin1(bytes, 0, 4096));
  try {
    return new TextDecoder('utf-8', { fatal: !isDeclared }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

const types: ReadonlyMap<string, NumberType> = new Map([
  ['INT_16', 'int16'],
  ['UINT_16', 'uint16'],
  ['INT_32', 'int32'],
  ['UINT_32', 'uint32'],
  ['IEEE_FLOAT_32', 'float32'],
  ['IEEE_FLOAT_64', 'float64'],
]);

/** The typed fields of a `.vhdr` file. FormatError and UnsupportedError name the key. */
export function parseVisionHeader(
  source: string,
  { sections, comment }: VisionText,
  log: string[],
): VisionHeader {
  const common = sections.get('common infos') ?? new Map<string, string>();
  const fail = (fact: string): never => {
    throw new FormatError(`brainvision: ${source} ${fact}`, source);
  };
  const count = decimal(common.get('numberofchannels') ?? '') ?? fail('does not say NumberOfChannels.');
  const interval =
    decimal(common.get('samplinginterval') ?? '') ?? fail('does not say SamplingInterval, in microseconds.');
  const rateHz = 1e6 / interval;
  if (!isRate(rateHz)) fail(`has a SamplingInterval of ${interval} µs, which is no rate.`);
  const channels = channelsOf(sections.get('channel infos') ?? new Map(), count, fail, log);
  const format = (common.get('dataformat') ?? 'BINARY').toUpperCase();
  const orientation = (common.get('dataorientation') ?? 'MULTIPLEXED').toUpperCase();
  const domain = (common.get('datatype') ?? 'TIMEDOMAIN').toUpperCase();
  const binary = sections.get('binary infos') ?? new Map<string, string>();
  const type = types.get((binary.get('binaryformat') ?? 'INT_16').toUpperCase());
  const refuse = (key: string, value: string): never => {
    throw new UnsupportedError(
      `brainvision: ${source} has ${key}=${quoted(value)}, which heartmind does not read. Export it as BINARY, IEEE_FLOAT_32.`,
      `brainvision ${key}`,
    );
  };
  if (format !== 'BINARY' && format !== 'ASCII') refuse('DataFormat', format);
  if (orientation !== 'MULTIPLEXED' && orientation !== 'VECTORIZED') refuse('DataOrientation', orientation);
  if (domain !== 'TIMEDOMAIN') refuse('DataType', domain);
  if (format === 'BINARY' && !type) refuse('BinaryFormat', binary.get('binaryformat') ?? '');
  const text = sections.get('ascii infos') ?? new Map<string, string>();
  const whole = (value: string | undefined) => {
    const number = decimal(value ?? '');
    return number !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
  };
  return {
    ...{ dataFile: common.get('datafile') ?? '', markerFile: common.get('markerfile') ?? '' },
    isVectorized: orientation === 'VECTORIZED',
    type: format === 'BINARY' ? type : undefined,
    isBigEndian: /^(yes|true|1)$/i.test(binary.get('usebigendianorder') ?? ''),
    skipLines: whole(text.get('skiplines')) ?? 0,
    skipColumns: whole(text.get('skipcolumns')) ?? 0,
    isCommaDecimal: text.get('decimalsymbol') === ',',
    dataPoints: whole(common.get('datapoints')),
    ...{ rateHz, channels, comment },
  };
}

/** `Ch1=name,reference,resolution,unit`; a missing unit is µV, a missing resolution 1. */
function channelsOf(
  infos: ReadonlyMap<string, string>,
  count: number,
  fail: (fact: string) => never,
  log: string[],
): VisionChannel[] {
  const found = new Map<number, VisionChannel>();
  for (const [key, value] of infos) {
    const number = /^ch(\d+)$/.exec(key)?.[1];
    if (number === undefined) continue;
    const [name = '', reference = '', resolution = '', unit = ''] = value.split(',').map(unescaped);
    const step = resolution === '' ? 1 : decimal(resolution);
    if (step === undefined || step === 0)
      fail(`has ${quoted(resolution)} as resolution of channel ${number}, a number other than 0 is needed.`);
    found.set(Number(number), { name, reference, resolution: step!, unit: unit === '' ? 'µV' : unit });
  }
  if (!Number.isInteger(count) || count < 1 || count > found.size)
    fail(`says NumberOfChannels=${count} and describes ${found.size} channels. The header is damaged.`);
  if (found.size > count)
    log.push(`brainvision: ${found.size - count} channels described beyond the ${count} stored ones.`);
  return Array.from(
    { length: count },
    (_, i) => found.get(i + 1) ?? fail(`does not describe channel ${i + 1} of ${count}.`),
  );
}

/** Commas within fields are written `\1`. */
export function unescaped(field: string): string {
  return field.trim().replaceAll('\\1', ',');
}
