/**
 * EEGLAB datasets: `.set` (a MAT-file of any version) and, where the signals are apart, `.fdt` → Recording. Signals are
 * [channel, sample, epoch], the channel running fastest, in microvolt. Events count samples from 1; a `boundary` is
 * where data were cut out. Source: EEGLAB's documentation of the EEG structure; pop_saveset.m, eeg_getdatact.m.
 */
import { budgetOf } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import type { Annotation, Recording, Span } from '../../core/recording.ts';
import { checkSamples, roomFor } from '../header-text.ts';
import type { MatFile } from '../mat/file.ts';
import { openMat } from '../mat/mat.ts';
import type { ReadOptions } from '../options.ts';
import { withPass } from '../read-channels.ts';
import { openSignalFile, type SignalBlock, signalsInside } from './data.ts';
import { type EeglabFields, readEeglabFields } from './fields.ts';

/** Open a dataset; the .fdt file is asked of the source's `sibling`. FormatError where either is damaged or missing. */
export async function openEeglab(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  return eeglabRecording(source, await openMat(source, options), options);
}

/** The same from a MAT-file that is open already. */
export async function eeglabRecording(
  source: ByteSource,
  file: MatFile,
  options: ReadOptions = {},
): Promise<Recording> {
  const log = [...file.log];
  const fields = await readEeglabFields(file, log, budgetOf(source));
  const signals =
    'fileName' in fields.data
      ? await openSignalFile(source, fields.data.fileName, fields, options.tolerant ?? false, log)
      : signalsInside(source, file, fields.data.variable, fields.data.path, fields);
  const cuts = cutsOf(fields, signals);
  const { spans, timeOf } = timeline(fields, signals, cuts);
  if (fields.trials > 1)
    log.push(
      `eeglab: ${fields.trials} epochs of ${fields.points} samples from ${fields.xmin} s around their events; they follow one another as spans, with a boundary before each.`,
    );
  else if (cuts.length > 0)
    log.push(
      `eeglab: ${cuts.length} boundaries: data were cut out or joined there; the recording has ${spans.length} spans.`,
    );
  const channels = fields.channels.map(({ label, type, unit }) => ({
    name: label,
    unit: unit || 'uV',
    rateHz: fields.rateHz,
    lengthSamples: signals.samples,
    ...(type && { note: `type ${type}` }),
  }));
  const end = spans.at(-1);
  return {
    source: source.name,
    format: 'eeglab',
    channels,
    spans,
    duration: end ? end.start + end.duration : 0,
    annotations: annotationsOf(fields, cuts, timeOf),
    metadata: metadataOf(fields),
    log,
    read: withPass(async (channel, start, end, into) => {
      checkSamples(`eeglab: ${source.name}`, source.name, channels, channel, start, end);
      const result = roomFor(end - start, into);
      await signals.read(channel, start, result);
      return result;
    }, signals.together),
    async close() {
      await signals.close();
      await file.close();
    },
  };
}

interface Cut {
  /** The first sample behind it, counted from 0. */
  readonly sample: number;
  /** Samples that are missing; 0 where it is not known. */
  readonly missing: number;
}

/** Boundaries between samples, in order; epochs have one before each but the first. */
function cutsOf({ trials, points, events }: EeglabFields, { samples }: SignalBlock): Cut[] {
  if (trials > 1) {
    const whole = points > 0 ? Math.ceil(samples / points) - 1 : 0;
    return Array.from({ length: Math.max(0, whole) }, (_, k) => ({ sample: (k + 1) * points, missing: 0 }));
  }
  const missingAt = new Map<number, number>();
  for (const { type, latency, duration } of events) {
    if (type.toLowerCase() !== 'boundary') continue;
    // Half a sample between two (1000.5), or the first one behind.
    const sample = Math.ceil(latency - 1);
    if (sample <= 0 || sample >= samples) continue;
    const missing = duration > 0 && duration < 1e12 ? duration : 0;
    missingAt.set(sample, (missingAt.get(sample) ?? 0) + missing);
  }
  return [...missingAt].map(([sample, missing]) => ({ sample, missing })).sort((a, b) => a.sample - b.sample);
}

/** Spans between the cuts, and where a stored sample lies in time. */
function timeline({ rateHz }: EeglabFields, { samples }: SignalBlock, cuts: readonly Cut[]) {
  const spans: Span[] = [];
  const starts: { readonly sample: number; readonly missing: number }[] = [{ sample: 0, missing: 0 }];
  for (const cut of cuts) starts.push({ sample: cut.sample, missing: starts.at(-1)!.missing + cut.missing });
  for (const [i, { sample, missing }] of starts.entries()) {
    const end = starts[i + 1]?.sample ?? samples;
    if (end > sample) spans.push({ start: (sample + missing) / rateHz, duration: (end - sample) / rateHz });
  }
  const timeOf = (position: number) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]!.sample <= position) low = middle;
      else high = middle;
    }
    return (position + starts[low]!.missing) / rateHz;
  };
  return { spans, timeOf };
}

function annotationsOf(
  { events, rateHz, trials }: EeglabFields,
  cuts: readonly Cut[],
  timeOf: (position: number) => number,
): Annotation[] {
  const annotations = events.map(({ type, latency, duration }) => ({
    start: timeOf(latency - 1),
    duration: duration > 0 ? duration / rateHz : 0,
    label: type,
  }));
  if (trials > 1)
    for (const { sample } of cuts)
      annotations.push({ start: sample / rateHz, duration: 0, label: 'boundary' });
  return annotations.sort((a, b) => a.start - b.start);
}

function metadataOf({ texts, trials, points, xmin }: EeglabFields): Record<string, string> {
  const text = (name: string) => texts.get(name) ?? '';
  const facts: Record<string, string> = {
    patient: text('subject'),
    recording: text('setname'),
    group: text('group'),
    condition: text('condition'),
    session: text('session'),
    reference: text('ref'),
    comments: text('comments'),
    epochs: trials > 1 ? `${trials} of ${points} samples` : '',
    xmin: xmin === 0 ? '' : `${xmin} s`,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ''));
}
