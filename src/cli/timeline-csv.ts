/** Timelines of predictions as CSV (RFC 4180). */
import type { TimelineEntry } from '../model/timeline.ts';

export function formatTimelineHeader(classes: readonly string[]): string {
  return formatRow(['file', 'start', 'duration', 'predicted', ...classes.map((name) => `p_${name}`)]);
}

export function formatTimelineRow(source: string, entry: TimelineEntry): string {
  const { start, duration, predicted, probabilities } = entry;
  return formatRow([
    source,
    String(start),
    String(duration),
    predicted,
    ...probabilities.map((p) => p.toFixed(6)),
  ]);
}

function formatRow(fields: readonly string[]): string {
  return `${fields.map(quote).join(',')}\n`;
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
