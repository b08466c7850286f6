/** What `info` says of one recording: a summary for machines, and the same for people. */
import type { Recording } from '../core/recording.ts';
import { visibleLine, visibleText } from '../core/visible-text.ts';
import { measureEnvelopes } from '../evaluate/traces-envelope.ts';
import { describeChannel, describeQuality } from '../evaluate/traces-read.ts';
import { renderTable } from './table.ts';
import { drawRecording, pictureBins, pictureWidth } from './terminal-picture.ts';

/** Samples that the picture looks at: a second's work. Longer recordings are looked at in part, which is said. */
const pictureSamples = 2 ** 25;
const shownGaps = 5;
const shownLabels = 12;

export interface PictureOptions {
  readonly columns: number;
  readonly coloured: boolean;
}

export type RecordingSummary = Awaited<ReturnType<typeof summariseRecording>>;

/** Read a recording's header, the first minutes of each channel, and, with `picture`, how far it reaches over time. */
export async function summariseRecording(recording: Recording, picture?: PictureOptions) {
  const channels = [];
  const isFaulty: boolean[] = [];
  for (const [index, channel] of recording.channels.entries()) {
    const { mean, deviation, quality } = await describeChannel(recording, index);
    isFaulty.push(describeQuality(quality) !== 'ok');
    channels.push({ ...channel, mean, deviation, quality });
  }
  const labels = new Map<string, number>();
  for (const { label } of recording.annotations) labels.set(label, (labels.get(label) ?? 0) + 1);
  const isEmpty = recording.duration === 0 || channels.length === 0;
  const envelopes =
    picture && !isEmpty
      ? await measureEnvelopes(recording, {
          bins: pictureBins(pictureWidth(recording, picture.columns)),
          maxSamples: pictureSamples,
        })
      : undefined;
  const drawn =
    picture && envelopes
      ? drawRecording(recording, envelopes, { faulty: isFaulty, coloured: picture.coloured })
      : undefined;
  const { source, format, startTime, startNanoseconds, duration, spans, metadata, log } = recording;
  return {
    source,
    format,
    startTime: startTime?.toISOString() ?? null,
    ...(startNanoseconds === undefined ? {} : { startNanoseconds }),
    duration,
    spans,
    metadata,
    channels,
    annotations: Object.fromEntries([...labels].sort((a, b) => b[1] - a[1])),
    log,
    ...(envelopes && {
      envelope: {
        binSeconds: envelopes.binSeconds,
        share: envelopes.share,
        low: envelopes.channels.map(({ low }) => Array.from(low, shortened)),
        high: envelopes.channels.map(({ high }) => Array.from(high, shortened)),
      },
    }),
    ...(drawn === undefined ? {} : { picture: drawn }),
  };
}

/** NaN is null in JSON. */
function shortened(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : null;
}

/** The summary as text. */
export function describeRecording(summary: RecordingSummary): string {
  const { spans } = summary;
  const gaps = spans.slice(1).map((span, i) => [spans[i]!.start + spans[i]!.duration, span.start] as const);
  const lines = [
    `${visibleLine(summary.source)}: ${summary.format}, ${formatSeconds(summary.duration)}${gaps.length > 0 ? ` with ${gaps.length} gaps` : ''}${
      summary.startTime ? `, from ${summary.startTime.slice(0, 19).replace('T', ' ')}` : ''
    }`,
    ...Object.entries(summary.metadata).map(([key, value]) => `  ${visibleLine(key)}: ${visibleLine(value)}`),
    '',
    renderTable(
      ['#', 'channel', 'unit', 'rate Hz', 'samples', 'mean ± sd', 'quality'],
      summary.channels.map((channel, index) => [
        String(index),
        visibleLine(channel.name),
        visibleLine(channel.unit),
        String(Number(channel.rateHz.toFixed(3))),
        String(channel.lengthSamples),
        channel.mean === null ? '–' : `${channel.mean.toPrecision(3)} ± ${channel.deviation!.toPrecision(3)}`,
        describeQuality(channel.quality),
      ]),
      ['right', 'left', 'left', 'right', 'right', 'right', 'left'],
    ),
  ];
  // The picture alone may have colours.
  const picture = summary.picture === undefined ? [] : ['', summary.picture];
  const above = lines.length;
  const labels = Object.entries(summary.annotations);
  if (labels.length > 0) {
    const shown = labels
      .slice(0, shownLabels)
      .map(([label, count]) => `${visibleLine(label) || '(empty)'} × ${count}`);
    lines.push(
      '',
      `annotations: ${shown.join(', ')}${labels.length > shownLabels ? `, … (${labels.length} labels)` : ''}`,
    );
  }
  if (gaps.length > 0) {
    const missing = gaps.reduce((sum, [from, to]) => sum + to - from, 0);
    const shown = gaps.slice(0, shownGaps).map(([from, to]) => `${figure(from)}–${figure(to)} s`);
    lines.push(
      `gaps: ${shown.join(', ')}${gaps.length > shownGaps ? ', …' : ''} (${formatSeconds(missing)} in all)`,
    );
  }
  for (const entry of summary.log) lines.push(`note: ${visibleLine(entry)}`);
  const shown = lines.map(visibleText);
  return `${[...shown.slice(0, above), ...picture, ...shown.slice(above)].join('\n')}\n`;
}

function figure(seconds: number): string {
  return String(Number(seconds.toFixed(3)));
}

/** `95.4 s`, `12 min 3 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
