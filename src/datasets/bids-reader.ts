/** A recording of a BIDS folder by its channels.tsv: ECG under one name, bad channels left out, units where the file has none. */
import type { ByteSource } from '../core/bytes.ts';
import type { ByteFolder } from '../core/folder.ts';
import type { Channel, Recording } from '../core/recording.ts';
import { isKnownUnit, microvolts, repairUnit } from '../core/units.ts';
import { openRecording } from '../read/open.ts';
import type { ReadOptions } from '../read/options.ts';
import { readTsv, type Tsv } from './bids-tables.ts';
import type { TrialContainer } from './trial-files.ts';

export interface BidsChannel {
  readonly name: string;
  /** Upper case: EEG, ECG, EOG, MISC, … */
  readonly type: string;
  readonly unit: string;
  readonly isBad: boolean;
}

/** Rows of channels.tsv. */
export function bidsChannels({ rows }: Tsv): BidsChannel[] {
  return rows.map((row) => ({
    name: row.get('name') ?? '',
    type: (row.get('type') ?? '').toUpperCase(),
    unit: row.get('units') ?? '',
    isBad: /^bad/i.test(row.get('status') ?? ''),
  }));
}

/** What a channel is where no table says it. */
export function guessType(name: string): string {
  if (/\b(ECG|EKG)\d*\b/i.test(name)) return 'ECG';
  return /EOG|EMG|GSR|EDA|RESP|STATUS|TRIG|STI|EXG|PPG|TEMP|ERG|PLET|MISC|ANNOT|\bACC/i.test(name)
    ? 'MISC'
    : 'EEG';
}

/** The k-th ECG channel of a recording, from 0. */
export const ecgName = (k: number) => (k === 0 ? 'ECG' : `ECG${k + 1}`);

/** `part` is the path of its channels.tsv. */
export async function openBids(
  source: ByteSource,
  folder: Pick<ByteFolder, 'open'>,
  options: ReadOptions = {},
): Promise<TrialContainer> {
  const recording = await openRecording(source, options);
  return {
    async open(part) {
      const described = describeChannels(recording, bidsChannels(await readTsv(folder, part)), part);
      return { ...described, close: async () => undefined };
    },
    close: () => recording.close(),
  };
}

/** A recording as its table describes it; what that changes goes to its log. */
export function describeChannels(
  recording: Recording,
  table: readonly BidsChannel[],
  path: string,
): Recording {
  const byName = new Map(table.map((row) => [row.name, row]));
  const log = [...recording.log];
  const unknown = recording.channels.filter(({ name }) => !byName.has(name));
  // Readers may trim names or tell duplicates apart: then the order says which is which.
  const inOrder = unknown.length > 0 && table.length === recording.channels.length;
  if (unknown.length > 0)
    log.push(
      `bids: ${path} does not name ${unknown.map(({ name }) => `'${name}'`).join(', ')}; ${inOrder ? 'its rows are taken in order' : 'they are kept as they are'}.`,
    );
  const kept: { readonly index: number; readonly channel: Channel }[] = [];
  const bad: string[] = [];
  const units = new Map<string, string[]>();
  let ecgs = 0;
  for (const [index, channel] of recording.channels.entries()) {
    const row = byName.get(channel.name) ?? (inOrder ? table[index] : undefined);
    if (row?.isBad) {
      bad.push(channel.name);
      continue;
    }
    const name = row?.type === 'ECG' ? ecgName(ecgs++) : channel.name;
    if (name !== channel.name) log.push(`bids: '${channel.name}' is ${name} by ${path}.`);
    const unit = unitBy(row, channel);
    if (unit !== channel.unit) {
      const change = `'${channel.unit}' → '${unit}'`;
      units.set(change, [...(units.get(change) ?? []), name]);
    }
    kept.push({ index, channel: { ...channel, name, unit } });
  }
  for (const [change, names] of units)
    log.push(
      `bids: the unit of ${names.length} channels (${names[0]}${names.length > 1 ? ', …' : ''}) is that of ${path}: ${change}.`,
    );
  if (bad.length > 0) log.push(`bids: left out as bad by ${path}: ${bad.join(', ')}.`);
  const place = new Map(kept.map(({ index }, at) => [index, at]));
  return {
    ...recording,
    channels: kept.map(({ channel }) => channel),
    annotations: recording.annotations.flatMap((annotation) => {
      if (annotation.channel === undefined) return [annotation];
      const at = place.get(annotation.channel);
      return at === undefined ? [] : [{ ...annotation, channel: at }];
    }),
    log,
    read: (channel, start, end, into) =>
      recording.read(kept[channel]?.index ?? recording.channels.length, start, end, into),
  };
}

/**
 * The table's unit wins over the file's where it says one. Only `V` does not win over a smaller voltage: tools that hold
 * every signal in volts write it for each of them, whatever the file beside it says.
 */
function unitBy(row: BidsChannel | undefined, { unit }: Channel): string {
  if (!row || !isKnownUnit(row.unit)) return unit;
  const [told, own] = [microvolts(row.unit), isKnownUnit(unit) ? microvolts(unit) : undefined];
  if (told === own && own !== undefined) return unit;
  return told === 1e6 && own !== undefined ? unit : repairUnit(row.unit).unit;
}
