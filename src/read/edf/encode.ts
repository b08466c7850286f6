/**
 * The bytes of an EDF+ or BDF+ file from a plan of it: header, time-stamped annotations, records.
 * Source: EDF+ specification, edfplus.info.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Annotation } from '../../core/recording.ts';
import { type EdfFormat, months } from './header.ts';
import type { RecordLayout, RecordSpan } from './layout.ts';
import type { StoredScale } from './scale.ts';

export interface PlannedSignal {
  readonly name: string;
  readonly prefilter: string;
  readonly transducer: string;
  readonly scale: StoredScale;
}

export interface EdfPlan {
  readonly format: EdfFormat;
  readonly signals: readonly PlannedSignal[];
  readonly layout: RecordLayout;
  readonly startTime?: Date;
  /** Seconds after the whole second of `startTime` at which the recording begins. */
  readonly startFraction: number;
  readonly patient: string;
  /** What stands after the start date in EDF+'s recording field. */
  readonly recording: string;
  readonly annotations: readonly Annotation[];
}

/** A plan, ready to be written: its header, and the annotation bytes of any record. */
export interface EncodedPlan {
  readonly plan: EdfPlan;
  readonly header: Uint8Array;
  readonly recordBytes: number;
  /** What stands in a record behind its samples: `place` counts records from the file's start. */
  annotationBytes(place: number, onset: number): Uint8Array;
}

export const sampleBytesOf = (format: EdfFormat): 2 | 3 => (format === 'edf' ? 2 : 3);

/** Bytes of annotations in a record: every record has room for the longest of them. */
const longestTexts = 2 ** 20;

/** Lay out header and annotations. ConfigError where the header has no room for what it must say. */
export function encodePlan(plan: EdfPlan): EncodedPlan {
  const { layout } = plan;
  const width = sampleBytesOf(plan.format);
  const records = layout.spans.reduce((all, span) => all + span.records, 0);
  let longestStamp = 0;
  for (const span of layout.spans)
    for (let r = 0; r < span.records; r++)
      longestStamp = Math.max(longestStamp, stampOf(plan, onsetOf(layout, span, r)).length);
  const labels = plan.signals.map((signal) => labelOf(signal, plan.format));
  const texts = [...plan.annotations]
    .sort((a, b) => a.start - b.start)
    .map((a) => annotationText(plan, a, labels));
  const [total, longest] = [sum(texts), texts.reduce((most, { length }) => Math.max(most, length), 0)];
  // Texts are put one after the other into the records from the first on; this much room is always enough for all.
  const room = longestStamp + (texts.length > 0 ? Math.ceil(total / Math.max(1, records)) + longest : 0);
  const talSamples = Math.max(1, Math.ceil(room / width));
  const firstText = packed(texts, records, talSamples * width - longestStamp);
  const recordBytes = (layout.perRecord.reduce((all, count) => all + count, 0) + talSamples) * width;
  // EDF counts samples of a record in 8 characters.
  if (talSamples * width > longestTexts)
    throw new ConfigError(
      `${plan.format}: annotations take ${talSamples * width} bytes of every record, more than ${longestTexts}; the longest has ${longest}. Shorten their texts, or write .npz or .parquet.`,
      'annotations',
    );
  return {
    plan,
    header: encodeHeader(plan, records, talSamples),
    recordBytes,
    annotationBytes(place, onset) {
      const bytes = new Uint8Array(talSamples * width);
      const stamp = stampOf(plan, onset);
      bytes.set(stamp);
      let at = stamp.length;
      for (const text of texts.slice(firstText[place], firstText[place + 1])) {
        bytes.set(text, at);
        at += text.length;
      }
      return bytes;
    },
  };
}

/** Seconds from the recording's start to a record of a span. */
export function onsetOf({ recordSeconds }: RecordLayout, span: RecordSpan, record: number): number {
  return span.start + record * recordSeconds;
}

/** The first text of every record, and the number of texts at the end. */
function packed(texts: readonly Uint8Array[], records: number, room: number): number[] {
  const first: number[] = [];
  let next = 0;
  for (let record = 0; record < records; record++) {
    first.push(next);
    for (let used = 0; next < texts.length && used + texts[next]!.length <= room; next++)
      used += texts[next]!.length;
  }
  return [...first, next];
}

const sum = (parts: readonly Uint8Array[]) => parts.reduce((all, { length }) => all + length, 0);
const encoder = new TextEncoder();

function stampOf({ startFraction }: EdfPlan, onset: number): Uint8Array {
  return encoder.encode(`${signed(onset + startFraction)}\x14\x14\0`);
}

function annotationText(
  { startFraction }: EdfPlan,
  annotation: Annotation,
  labels: readonly string[],
): Uint8Array {
  const { start, duration, label, channel } = annotation;
  const name = channel === undefined ? undefined : labels[channel];
  // Two channels of one name cannot be told apart, nor can one without a name be named.
  const isUnique = !!name && labels.indexOf(name) === channel;
  // An empty text would be taken for the record's time; one that ends as if it named a channel, for that.
  const said = isUnique
    ? label
    : label.replace(/@@(?=[^@]*$)/, (at, place) => (labels.includes(label.slice(place + 2)) ? '@ @' : at));
  const text = `${said || ' '}${isUnique ? `@@${name}` : ''}`.replace(/[^\t\n\r -\uffff]/g, ' ');
  const lasting = duration > 0 ? `\x15${decimal(duration)}` : '';
  return encoder.encode(`${signed(start + startFraction)}${lasting}\x14${text}\x14\0`);
}

/**
 * The label as the header has it. Names by which a reader knows signals that are none are written with a mark: `EDF
 * Annotations_`, and in BDF `Status_` of a channel whose values are not the stored bits.
 */
function labelOf({ name, scale }: PlannedSignal, format: EdfFormat): string {
  const label = headerText(name).trim().slice(0, 16).trim();
  const isBits = scale.resolution === 1 && scale.offset === 0 && scale.shift === 0;
  const isTaken =
    /^[EB]DF Annotations$/.test(label) || (format === 'bdf' && /^status$/i.test(label) && !isBits);
  return isTaken ? `${label}_` : label;
}

const spelled: Readonly<Record<string, string>> = { µ: 'u', μ: 'u', '°': 'deg', Ω: 'Ohm', '–': '-', ß: 'ss' };

/** Printable ASCII, which alone the headers allow: files with other bytes are refused by EDFlib and EDFbrowser. */
function headerText(text: string): string {
  return text
    .replace(/[µμ°Ω–ß]/g, (sign) => spelled[sign]!)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/\s/g, ' ')
    .replace(/[^ -~]/gu, '?');
}

function signed(seconds: number): string {
  return `${seconds < 0 ? '-' : '+'}${decimal(Math.abs(seconds))}`;
}

/** To the nanosecond, without an exponent. */
function decimal(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, '');
}

function encodeHeader(plan: EdfPlan, records: number, talSamples: number): Uint8Array {
  const { format, signals, layout, startTime } = plan;
  const count = signals.length + 1;
  const headerBytes = 256 * (count + 1);
  const bytes = new Uint8Array(headerBytes);
  let at = 0;
  const write = (text: string, width: number) => {
    for (let i = 0; i < width; i++) {
      bytes[at + i] = i < text.length ? text.charCodeAt(i) : 0x20;
    }
    at += width;
  };
  const must = (value: number, width: number, what: string) => {
    const text = String(value);
    if (text.length <= width && !text.includes('e')) return write(text, width);
    throw new ConfigError(
      `${format}: ${what} is ${text}, longer than its header field of ${width} characters. Write less at a time.`,
      what,
    );
  };
  const kind = `${format === 'edf' ? 'EDF' : 'BDF'}+${layout.spans.length > 1 ? 'D' : 'C'}`;
  const two = (value: number) => String(value).padStart(2, '0');
  const start = startTime ?? new Date(Date.UTC(1985, 0, 1));
  const [day, month, year] = [start.getUTCDate(), start.getUTCMonth(), start.getUTCFullYear()];
  const date = startTime ? `${two(day)}-${months[month]}-${String(year).padStart(4, '0')}` : 'X';
  write(format === 'edf' ? '0' : '\xffBIOSEMI', 8);
  write(headerText(plan.patient), 80);
  write(headerText(`Startdate ${date} ${plan.recording}`), 80);
  write([day, month + 1, year % 100].map(two).join('.'), 8);
  write([start.getUTCHours(), start.getUTCMinutes(), start.getUTCSeconds()].map(two).join('.'), 8);
  must(headerBytes, 8, 'header size');
  write(kind, 44);
  must(records, 8, 'number of records');
  must(layout.recordSeconds, 8, 'record duration');
  must(count, 4, 'number of signals');
  const column = (width: number, of: (signal: PlannedSignal, i: number) => string, annotations: string) => {
    for (const [i, signal] of signals.entries()) write(of(signal, i), width);
    write(annotations, width);
  };
  const digitalEnd = 2 ** (8 * sampleBytesOf(format) - 1);
  column(16, (signal) => labelOf(signal, format), format === 'edf' ? 'EDF Annotations' : 'BDF Annotations');
  column(80, ({ transducer }) => headerText(transducer), '');
  column(8, ({ scale }) => headerText(scale.unit), '');
  column(8, ({ scale }) => scale.physicalMin, '-1');
  column(8, ({ scale }) => scale.physicalMax, '1');
  column(8, ({ scale }) => String(scale.digitalMin), String(-digitalEnd));
  column(8, ({ scale }) => String(scale.digitalMax), String(digitalEnd - 1));
  column(80, ({ prefilter }) => headerText(prefilter), '');
  column(8, (_, i) => String(layout.perRecord[i]), String(talSamples));
  column(32, () => '', '');
  return bytes;
}

/**
 * Samples of a channel → its place in a record: `count` stored integers from byte `at` on. Behind the last of `samples`
 * its value is repeated; NaN takes the lowest integer of the header.
 */
export function encodeSamples(
  bytes: Uint8Array,
  at: number,
  width: 2 | 3,
  scale: StoredScale,
  samples: ArrayLike<number>,
  from: number,
  count: number,
): void {
  const { resolution, offset, shift, digitalMin } = scale;
  const [lowest, highest] = [-(2 ** (8 * width - 1)), 2 ** (8 * width - 1) - 1];
  const last = samples.length - 1;
  for (let i = 0, k = at; i < count; i++, k += width) {
    const value = samples[Math.min(from + i, last)] ?? Number.NaN;
    const rounded = Math.round((value - offset) / resolution) - shift;
    // NaN compares as false with both.
    const digital =
      rounded >= lowest ? (rounded <= highest ? rounded : highest) : rounded < lowest ? lowest : digitalMin;
    bytes[k] = digital;
    bytes[k + 1] = digital >> 8;
    if (width === 3) bytes[k + 2] = digital >> 16;
  }
}
