/**
 * Signals → the bytes of an EDF+C file: 16 bits a sample, annotations as TALs. Source: https://www.edfplus.info/specs.
 * A channel with a stated resolution is stored in whole steps of it, so that a round trip is exact to that step.
 */
import { ConfigError } from '../core/errors.ts';
import type { Annotation } from '../core/recording.ts';

export interface EdfChannel {
  readonly name: string;
  readonly unit: string;
  readonly rateHz: number;
  readonly samples: ArrayLike<number>;
  /** One digital step in the channel's unit. Default: the finest that the samples' range allows. */
  readonly resolution?: number;
  readonly prefilter?: string;
  readonly transducer?: string;
}

export interface EdfContent {
  readonly channels: readonly EdfChannel[];
  /** Seconds of one record; whole samples of every channel must fit. Default 1. */
  readonly recordSeconds?: number;
  readonly startTime?: Date;
  /** EDF+'s patient field: `X M 01-JAN-1990 X`. */
  readonly patient?: string;
  /** What stands after the start date in EDF+'s recording field. */
  readonly recording?: string;
  readonly annotations?: readonly Annotation[];
}

const lowest = -32768;
const highest = 32767;
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** Encode a recording. The last record is filled with each channel's last value. ConfigError where it does not fit EDF. */
export function encodeEdf(content: EdfContent): Uint8Array {
  const {
    channels,
    recordSeconds = 1,
    annotations = [],
    startTime = new Date(Date.UTC(1985, 0, 1)),
  } = content;
  const scaled = channels.map((channel) => scaleChannel(channel, recordSeconds));
  const records = Math.max(
    0,
    ...scaled.map(({ samples, perRecord }) => Math.ceil(samples.length / perRecord)),
  );
  const tals = encodeTals(annotations, records, recordSeconds);
  const talBytes = Math.max(2, ...tals.map((bytes) => bytes.length + (bytes.length % 2)));
  const signals = channels.length + 1;
  const headerBytes = 256 * (signals + 1);
  const recordBytes = scaled.reduce((sum, { perRecord }) => sum + 2 * perRecord, talBytes);
  const bytes = new Uint8Array(headerBytes + records * recordBytes);
  const write = fieldWriter(bytes);
  const date = `${pad(startTime.getUTCDate())}-${months[startTime.getUTCMonth()]}-${startTime.getUTCFullYear()}`;
  write('0', 8);
  write(content.patient ?? 'X X X X', 80);
  write(`Startdate ${date} ${content.recording ?? 'X X X'}`, 80);
  write(
    [startTime.getUTCDate(), startTime.getUTCMonth() + 1, startTime.getUTCFullYear() % 100]
      .map(pad)
      .join('.'),
    8,
  );
  write(
    [startTime.getUTCHours(), startTime.getUTCMinutes(), startTime.getUTCSeconds()].map(pad).join('.'),
    8,
  );
  write(String(headerBytes), 8);
  write('EDF+C', 44);
  write(String(records), 8);
  write(shortNumber(recordSeconds, 'recordSeconds'), 8);
  write(String(signals), 4);
  const column = (width: number, values: readonly string[], annotation: string) => {
    for (const value of [...values, annotation]) write(value, width);
  };
  column(
    16,
    channels.map((channel) => channel.name),
    'EDF Annotations',
  );
  column(
    80,
    channels.map((channel) => channel.transducer ?? ''),
    '',
  );
  column(
    8,
    channels.map((channel) => channel.unit),
    '',
  );
  column(
    8,
    scaled.map((channel) => channel.physicalMinimum),
    '-1',
  );
  column(
    8,
    scaled.map((channel) => channel.physicalMaximum),
    '1',
  );
  column(
    8,
    scaled.map((channel) => String(channel.digitalMinimum)),
    '-32768',
  );
  column(
    8,
    scaled.map((channel) => String(channel.digitalMaximum)),
    '32767',
  );
  column(
    80,
    channels.map((channel) => channel.prefilter ?? ''),
    '',
  );
  column(
    8,
    scaled.map((channel) => String(channel.perRecord)),
    String(talBytes / 2),
  );
  column(
    32,
    channels.map(() => ''),
    '',
  );
  const view = new DataView(bytes.buffer);
  for (let record = 0; record < records; record++) {
    let at = headerBytes + record * recordBytes;
    for (const { samples, perRecord, step, offset, digitalMinimum, digitalMaximum } of scaled) {
      for (let i = 0; i < perRecord; i++) {
        const value = samples[Math.min(record * perRecord + i, samples.length - 1)]!;
        const digital = Math.round((value - offset) / step);
        view.setInt16(at, Math.min(digitalMaximum, Math.max(digitalMinimum, digital)), true);
        at += 2;
      }
    }
    bytes.set(tals[record]!, at);
  }
  return bytes;
}

interface ScaledChannel {
  readonly samples: ArrayLike<number>;
  readonly perRecord: number;
  /** physical = digital · step + offset */
  readonly step: number;
  readonly offset: number;
  readonly digitalMinimum: number;
  readonly digitalMaximum: number;
  readonly physicalMinimum: string;
  readonly physicalMaximum: string;
}

function scaleChannel(
  { name, samples, rateHz, resolution }: EdfChannel,
  recordSeconds: number,
): ScaledChannel {
  const perRecord = rateHz * recordSeconds;
  if (!Number.isInteger(perRecord) || perRecord < 1) {
    throw new ConfigError(
      `edf: channel '${name}' has ${perRecord} samples in a record of ${recordSeconds} s. Choose recordSeconds so that they are whole.`,
      'recordSeconds',
      'whole samples per record',
    );
  }
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i]!;
    if (!Number.isFinite(value))
      throw new ConfigError(`edf: sample ${i} of '${name}' is ${value}. EDF holds numbers only.`, name);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0, 0];
  if (resolution !== undefined) {
    const [digitalMinimum, digitalMaximum] = [
      Math.min(-1, Math.round(low / resolution)),
      Math.max(1, Math.round(high / resolution)),
    ];
    if (digitalMinimum < lowest || digitalMaximum > highest) {
      throw new ConfigError(
        `edf: '${name}' reaches from ${low} to ${high}, more than 16 bits at a resolution of ${resolution}. Use a coarser one.`,
        'resolution',
      );
    }
    // Symmetric whole steps keep offset zero and the written ends short: 8 characters must hold them exactly.
    const top = Math.max(-digitalMinimum, digitalMaximum);
    const end = shortNumber(Number((top * resolution).toPrecision(12)), `physical range of ${name}`);
    return {
      ...{ samples, perRecord, step: resolution, offset: 0, digitalMinimum: -top, digitalMaximum: top },
      physicalMinimum: `-${end}`,
      physicalMaximum: end,
    };
  }
  const physicalMinimum = roundedOut(high === low ? low - 1 : low, Math.floor);
  const physicalMaximum = roundedOut(high === low ? high + 1 : high, Math.ceil);
  const step = (Number(physicalMaximum) - Number(physicalMinimum)) / (highest - lowest);
  return {
    ...{
      samples,
      perRecord,
      step,
      offset: Number(physicalMinimum) - lowest * step,
      digitalMinimum: lowest,
      digitalMaximum: highest,
    },
    physicalMinimum,
    physicalMaximum,
  };
}

/** A bound in at most 8 characters that still encloses the value. */
function roundedOut(bound: number, round: (x: number) => number): string {
  for (let decimals = 6; decimals >= 0; decimals--) {
    const text = String(round(bound * 10 ** decimals) / 10 ** decimals);
    if (text.length <= 8 && !text.includes('e')) return text;
  }
  throw new ConfigError(
    `edf: ${bound} does not fit a header field of 8 characters. Use a larger unit.`,
    'unit',
  );
}

function shortNumber(value: number, what: string): string {
  const text = String(value);
  if (text.length <= 7 && !text.includes('e')) return text; // room for a sign
  throw new ConfigError(`edf: ${what} is ${text}, longer than a header field. Choose a rounder value.`, what);
}

/** The TAL bytes of every record: its time, then the annotations that start in it. */
function encodeTals(
  annotations: readonly Annotation[],
  records: number,
  recordSeconds: number,
): Uint8Array[] {
  const encoder = new TextEncoder();
  const texts = Array.from(
    { length: records },
    (_, record) => `+${decimal(record * recordSeconds)}\x14\x14\0`,
  );
  for (const { start, duration, label } of annotations) {
    if (records === 0) break;
    const record = Math.min(records - 1, Math.max(0, Math.floor(start / recordSeconds)));
    const time = `${start < 0 ? '-' : '+'}${decimal(Math.abs(start))}${duration > 0 ? `\x15${decimal(duration)}` : ''}`;
    texts[record] += `${time}\x14${label.replace(/[^ -\uffff]/g, ' ')}\x14\0`;
  }
  return texts.map((text) => encoder.encode(text));
}

function decimal(value: number): string {
  return String(Number(value.toFixed(6)));
}

function fieldWriter(bytes: Uint8Array): (text: string, width: number) => void {
  let at = 0;
  return (text, width) => {
    for (let i = 0; i < width; i++) {
      const code = i < text.length ? text.charCodeAt(i) : 0x20;
      // Latin-1, as readers expect; what it lacks becomes a question mark.
      bytes[at + i] = code < 0x20 ? 0x20 : code > 0xff ? 0x3f : code;
    }
    at += width;
  };
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
