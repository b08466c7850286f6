/**
 * `.vmrk`: markers → annotations, the start and the stretches between `New Segment` markers.
 * `Mk1=type,description,position,size,channel[,date]`; positions count from 1, dates have microseconds.
 */
import type { Budget } from '../../core/budget.ts';
import type { Annotation, Span } from '../../core/recording.ts';
import { decimal } from '../header-text.ts';
import { unescaped, type VisionText } from './header.ts';

export interface VisionTimes {
  readonly startTime?: Date;
  readonly startNanoseconds: number;
  readonly spans: readonly Span[];
  readonly annotations: readonly Annotation[];
}

interface Marker {
  readonly type: string;
  readonly description: string;
  /** Sample, from 0. */
  readonly sample: number;
  readonly size: number;
  /** From 0; −1 concerns all. */
  readonly channel: number;
  readonly date: string;
}

export function timesOf(
  text: VisionText | undefined,
  rateHz: number,
  samples: number,
  channels: number,
  log: string[],
  budget: Budget,
): VisionTimes {
  const markers = markersOf(text, log, budget);
  const segments = markers.filter(({ type }) => type === 'New Segment');
  const origin = segments.map(({ date }) => microseconds(date)).find((date) => date !== undefined);
  const pieces = piecesOf(segments, rateHz, samples, log);
  const timeOf = (sample: number) => {
    let [low, high] = [0, pieces.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (pieces[middle]!.sample <= sample) low = middle;
      else high = middle;
    }
    const piece = pieces[low];
    return piece ? piece.start + (sample - piece.sample) / rateHz : sample / rateHz;
  };
  const annotations = markers
    .filter((marker) => marker !== segments[0])
    .map(
      ({ type, description, sample, size, channel }): Annotation => ({
        ...{ start: timeOf(sample), duration: size / rateHz },
        label: [type, description].filter((part) => part !== '').join('/'),
        ...(channel >= 0 && channel < channels && { channel }),
      }),
    )
    .sort((a, b) => a.start - b.start);
  const startTime = origin === undefined ? undefined : new Date(Number(origin / 1000n));
  return {
    ...(startTime && !Number.isNaN(startTime.getTime()) && { startTime }),
    startNanoseconds: origin === undefined ? 0 : Number(origin % 1000n) * 1000,
    spans: pieces.map(({ start, sample }, i) => ({
      start,
      duration: ((pieces[i + 1]?.sample ?? samples) - sample) / rateHz,
    })),
    annotations,
  };
}

function markersOf(text: VisionText | undefined, log: string[], budget: Budget): Marker[] {
  const markers: Marker[] = [];
  let broken = 0;
  for (const [key, value] of text?.sections.get('marker infos') ?? []) {
    if (!/^mk\d+$/.test(key)) continue;
    const [type = '', description = '', position = '', size = '', channel = '', date = ''] = value
      .split(',')
      .map(unescaped);
    const sample = decimal(position);
    if (sample === undefined || !Number.isSafeInteger(sample) || sample < 1) broken++;
    else {
      budget.spend(`brainvision: ${text!.name}`, 'markers');
      markers.push({
        ...{ type, description, date, sample: sample - 1 },
        size: Math.min(1e12, Math.max(0, decimal(size) ?? 0)),
        channel: (decimal(channel) ?? 0) - 1,
      });
    }
  }
  if (broken > 0) log.push(`brainvision: ${broken} markers without a position were left out.`);
  return markers;
}

interface Piece {
  readonly start: number;
  readonly sample: number;
}

/** Stretches between segments: where dates say that time went by in between, there is a gap. */
function piecesOf(segments: readonly Marker[], rateHz: number, samples: number, log: string[]): Piece[] {
  const pieces: Piece[] = samples > 0 ? [{ start: 0, sample: 0 }] : [];
  const origin = microseconds(segments[0]?.date ?? '');
  let undated = 0;
  let [early, earlier]: [number | undefined, number] = [undefined, 0];
  const later = segments
    .slice(1)
    .filter(({ sample }) => sample > 0 && sample < samples)
    .sort((a, b) => a.sample - b.sample);
  for (const { sample, date } of later) {
    const last = pieces.at(-1)!;
    const expected = last.start + (sample - last.sample) / rateHz;
    const time = microseconds(date);
    if (time === undefined || origin === undefined) {
      undated++;
      continue;
    }
    const start = Number(time - origin) / 1e6 + segments[0]!.sample / rateHz;
    if (start < expected - 0.5 / rateHz) {
      early ??= sample;
      earlier++;
    } else if (start > expected + 0.5 / rateHz && sample > last.sample) pieces.push({ start, sample });
  }
  if (early !== undefined)
    log.push(
      `brainvision: the segment at sample ${early + 1} is dated before the one stored before it ends; read as following it${earlier > 1 ? `, and so are ${earlier - 1} further ones` : ''}.`,
    );
  if (undated > 0)
    log.push(
      `brainvision: ${undated} further segments have no date; they are read as following one another without gaps.`,
    );
  return pieces;
}

/** `YYYYMMDDhhmmssµµµµµµ` → microseconds since 1970, as UTC. */
function microseconds(text: string): bigint | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{6})$/.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second, micro] = match.slice(1).map(Number) as [
    ...[number, number, number, number, number, number, number],
  ];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  if (year < 1900 || date.getUTCDate() !== day || date.getUTCMonth() !== month - 1 || hour > 23)
    return undefined;
  return BigInt(date.getTime()) * 1000n + BigInt(micro);
}
