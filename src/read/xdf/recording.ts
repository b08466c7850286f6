/**
 * An XDF file as one Recording: every stream of numbers with a rate becomes channels on one timeline, each on its own
 * regular grid from the recording's start; NaN before, between and after its stretches. Texts become annotations.
 */
import { maxOf } from '../../core/arrays.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { ConfigError, DataError } from '../../core/errors.ts';
import type { Annotation, Channel, Recording } from '../../core/recording.ts';
import { customUnit, lslUnitNote } from '../../core/units.ts';
import { checkSamples, isRate, isTime, quoted, roomFor } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { mayDropSamples, openXdf, type XdfFile, type XdfStream } from './xdf.ts';
import { textAt } from './xml.ts';

/** A stretch of a stream on its grid: grid samples [at, at + slots) show stored samples [first, first + count). */
interface Placed {
  readonly stream: XdfStream;
  readonly first: number;
  readonly count: number;
  readonly slots: number;
  readonly time: number;
  at: number;
}

/** A rate further from its nominal one than this is taken from the stamps, to four digits. */
const rateTolerance = 0.005;
/** The grids may hold this many times what is stored, and a minute or so: beyond it, stamps are taken for wrong. */
const sparseness = 8;
const spareSlots = 2 ** 18;

/** Open an XDF file as a recording. DataError where no stream has regular samples. */
export async function openXdfRecording(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const file = await openXdf(source, options);
  const log = [...file.log];
  const chosen = choose(file, options.part);
  const regular = chosen.filter((stream) => isRegular(stream));
  for (const stream of chosen) if (!isRegular(stream)) noteOther(stream, log);
  if (regular.length === 0) {
    const list = file.streams.map((stream) => `${stream.id} ${quoted(stream.name)} (${describe(stream)})`);
    throw new DataError(
      `xdf: ${source.name} has no stream of numbers with a rate and samples${options.part ? ` among those named '${options.part}'` : ''}; it has ${list.join(', ') || 'none at all'}. Name another file or stream.`,
    );
  }
  const rates = new Map(regular.map((stream) => [stream, gridRate(stream, log)] as const));
  const { placed, start, end } = place(regular, rates, log);
  const ofStream = byStream(placed);
  const channels: Channel[] = [];
  const places: { stream: XdfStream; channel: number; stretches: Placed[] }[] = [];
  for (const stream of regular) {
    const stretches = ofStream.get(stream);
    if (!stretches) continue;
    const rateHz = rates.get(stream)!;
    const lengthSamples = maxOf(
      stretches.slice(-1).map(({ at, slots }) => at + slots),
      Math.round((end - start) * rateHz),
    );
    if (options.unit === undefined && stream.channels.some(({ unit }) => unit === ''))
      log.push(`xdf: stream ${stream.id} ${quoted(stream.name)} ${lslUnitNote}`);
    for (const [channel, { label, unit, type }] of stream.channels.entries()) {
      channels.push({
        name: label,
        unit,
        rateHz,
        lengthSamples,
        ...(unit === '' && { assumedUnit: customUnit }),
        ...(stream.format.startsWith('int') && { resolution: 1, offset: 0 }),
        note: [stream.name, type || stream.type].filter((text) => text !== '').join('; '),
      });
      places.push({ stream, channel, stretches });
    }
  }
  const duration = channels.reduce(
    (most, { rateHz, lengthSamples }) => Math.max(most, lengthSamples / rateHz),
    0,
  );
  return {
    source: source.name,
    format: 'xdf',
    channels,
    spans: [{ start: 0, duration }],
    duration,
    annotations: await annotationsOf(file.streams, start, log),
    ...startTimeOf(file),
    metadata: Object.fromEntries([
      ['streams', file.streams.map(({ name, type }) => `${name} (${type})`).join(', ')],
      ...['hostname', 'session_id'].flatMap((key) => {
        const text = textAt(regular[0]!.info, key);
        return text ? [[key, text]] : [];
      }),
    ]),
    log,
    async read(channel, from, to, into) {
      checkSamples(`xdf: ${source.name}`, source.name, channels, channel, from, to);
      const result = roomFor(to - from, into);
      const { stream, channel: column, stretches } = places[channel]!;
      await readGrid(stream, column, stretches, from, to, result);
      return result;
    },
    close: file.close,
  };
}

function choose(file: XdfFile, part: string | undefined): readonly XdfStream[] {
  if (part === undefined) return file.streams;
  const byName = file.streams.filter(({ name }) => name === part);
  const found = byName.length > 0 ? byName : file.streams.filter(({ id }) => String(id) === part);
  if (found.length > 0) return found;
  const names = file.streams.map(({ id, name }) => `${id} ${quoted(name)}`).join(', ');
  throw new ConfigError(
    `xdf: ${file.source} has no stream '${part}'. Choose one of ${names}.`,
    'part',
    names,
  );
}

const isRegular = ({ format, nominalRateHz, lengthSamples, channelCount }: XdfStream) =>
  format !== 'string' && isRate(nominalRateHz) && lengthSamples > 0 && channelCount > 0;

const describe = ({ format, channelCount, nominalRateHz, lengthSamples }: XdfStream) =>
  `${channelCount} × ${format}, ${nominalRateHz || 'irregular'}${nominalRateHz ? ' Hz' : ''}, ${lengthSamples} samples`;

/** A single channel of numbers without a rate, of a type that says so, is a series of events. */
const isEvents = (stream: XdfStream) =>
  stream.format !== 'string' &&
  stream.nominalRateHz === 0 &&
  stream.channelCount === 1 &&
  /mark|event|trig|stim|annot/i.test(stream.type + stream.name);

function noteOther(stream: XdfStream, log: string[]): void {
  const name = `stream ${stream.id} ${quoted(stream.name)} (${describe(stream)})`;
  if (stream.lengthSamples === 0) log.push(`xdf: ${name} is empty.`);
  else if (stream.format !== 'string' && !isEvents(stream))
    log.push(`xdf: ${name} has no regular rate and was left out.`);
}

function gridRate(stream: XdfStream, log: string[]): number {
  const { nominalRateHz, effectiveRateHz } = stream;
  const away = Math.abs(effectiveRateHz / nominalRateHz - 1);
  if (stream.lengthSamples < 2 || !(effectiveRateHz > 0) || away <= rateTolerance) return nominalRateHz;
  const measured = Number(effectiveRateHz.toPrecision(4));
  if (!isRate(measured)) return nominalRateHz;
  log.push(
    `xdf: stream ${stream.id} ${quoted(stream.name)} states ${nominalRateHz} Hz, its time stamps say ${effectiveRateHz.toPrecision(7)} Hz; its channels have ${measured} Hz.`,
  );
  return measured;
}

/** Lay the streams' stretches on their grids. Stretches so far away that the grids would be empty are left out. */
function place(regular: readonly XdfStream[], rates: ReadonlyMap<XdfStream, number>, log: string[]) {
  let warped = 0;
  const all: Placed[] = [];
  let unusable = 0;
  for (const stream of regular) {
    const rateHz = rates.get(stream)!;
    for (const [first, last] of stretchesOf(stream)) {
      const count = last - first + 1;
      const [time, until] = [stream.timestamps[first]!, stream.timestamps[last]!];
      if (!isTime(time) || !isTime(until)) {
        unusable += count;
        continue;
      }
      const fitted = count < 2 ? count : Math.round(((until - time) * rateHz * count) / (count - 1));
      const isNear = Math.abs(fitted - count) <= Math.max(1, count * 0.1);
      if (!isNear) warped++;
      all.push({ stream, first, count, slots: isNear ? Math.max(1, fitted) : count, time, at: 0 });
    }
  }
  if (unusable > 0) log.push(`xdf: ${unusable} samples without a usable time stamp were left out.`);
  if (warped > 0)
    log.push(
      `xdf: ${warped} stretches of samples have time stamps that do not fit their rate; they are laid out by the rate.`,
    );
  all.sort((a, b) => a.time - b.time);
  const stored = regular.reduce((sum, stream) => sum + stream.channelCount * stream.lengthSamples, 0);
  const slotsPerSecond = regular.reduce((sum, s) => sum + s.channelCount * rates.get(s)!, 0);
  const longest = (sparseness * stored + spareSlots) / slotsPerSecond;
  const [from, to] = fullestWindow(all, longest);
  const kept = all.slice(from, to);
  const lost = [...all.slice(0, from), ...all.slice(to)];
  if (lost.length > 0) {
    const samples = lost.reduce((sum, { count }) => sum + count, 0);
    const seconds = lost.map(({ time }) => time - (kept[0]?.time ?? 0));
    log.push(
      `xdf: ${samples} samples in ${lost.length} stretches lie ${seconds[0]!.toPrecision(4)} s and more from the others and were left out; their time stamps are taken for wrong. Read them by the name of their stream.`,
    );
  }
  const start = kept[0]?.time ?? 0;
  let end = start;
  const ofStream = byStream(kept);
  for (const stream of regular) lay(stream, ofStream.get(stream) ?? [], rates.get(stream)!, start, log);
  for (const { stream, at, slots } of kept) end = Math.max(end, start + (at + slots) / rates.get(stream)!);
  return { placed: kept, start, end };
}

/** Stretches of each stream, in their order. */
function byStream(stretches: readonly Placed[]): Map<XdfStream, Placed[]> {
  const found = new Map<XdfStream, Placed[]>();
  for (const stretch of stretches) {
    const own = found.get(stretch.stream);
    if (own) own.push(stretch);
    else found.set(stretch.stream, [stretch]);
  }
  return found;
}

/** Give a stream's stretches their places on its grid, none over another. */
function lay(stream: XdfStream, own: readonly Placed[], rateHz: number, start: number, log: string[]) {
  let [next, shift, late, drift] = [0, 0, 0, 0];
  for (const stretch of own) {
    const exact = (stretch.time - start) * rateHz;
    stretch.at = Math.max(next, Math.round(exact));
    shift = Math.max(shift, Math.abs(Math.round(exact) - exact));
    late = Math.max(late, stretch.at - Math.round(exact));
    drift += Math.abs(stretch.slots - stretch.count);
    next = stretch.at + stretch.slots;
  }
  const name = `stream ${stream.id} ${quoted(stream.name)}`;
  if (shift * 1e6 >= rateHz)
    log.push(
      `xdf: ${name} was moved by up to ${((shift / rateHz) * 1000).toPrecision(3)} ms to its nearest samples.`,
    );
  if (late > 0)
    log.push(
      `xdf: stretches of ${name} overlap; some were moved back by up to ${(late / rateHz).toPrecision(4)} s.`,
    );
  if (drift > 0)
    log.push(
      `xdf: the clock of ${name} drifts against ${rateHz} Hz: ${drift} samples were repeated or passed over to stay in time.`,
    );
  if (own.length > 1)
    log.push(`xdf: ${name} has ${own.length - 1} breaks; the samples missing there are NaN.`);
}

/** Stretches without a break. Where samples can be lost one by one, each loss is a break. */
function stretchesOf(stream: XdfStream): readonly (readonly [number, number])[] {
  if (!mayDropSamples(stream.info)) return stream.segments;
  const step = 1.5 / stream.nominalRateHz;
  const stretches: [number, number][] = [];
  let first = 0;
  for (let i = 1; i <= stream.lengthSamples; i++) {
    const isOpen = i < stream.lengthSamples && stream.timestamps[i]! - stream.timestamps[i - 1]! <= step;
    if (isOpen) continue;
    stretches.push([first, i - 1]);
    first = i;
  }
  return stretches;
}

/** The stretches [from, to), sorted by time, that start within `longest` seconds and hold the most samples. */
function fullestWindow(all: readonly Placed[], longest: number): [from: number, to: number] {
  let best: [number, number] = [0, 0];
  let [samples, most, to] = [0, 0, 0];
  for (let from = 0; from < all.length; from++) {
    while (to < all.length && all[to]!.time - all[from]!.time <= longest) samples += all[to++]!.count;
    if (samples > most) {
      most = samples;
      best = [from, to];
    }
    samples -= all[from]!.count;
  }
  return best;
}

/** Grid samples [from, to) → result. */
async function readGrid(
  stream: XdfStream,
  channel: number,
  stretches: readonly Placed[],
  from: number,
  to: number,
  result: Float64Array,
): Promise<void> {
  let filled = from;
  let low = 0;
  for (let high = stretches.length; low < high; ) {
    const middle = (low + high) >> 1;
    const { at, slots } = stretches[middle]!;
    if (at + slots <= from) low = middle + 1;
    else high = middle;
  }
  for (; low < stretches.length && stretches[low]!.at < to; low++) {
    const { at, slots, first, count } = stretches[low]!;
    const [begin, end] = [Math.max(from, at), Math.min(to, at + slots)];
    result.fill(Number.NaN, filled - from, begin - from);
    filled = end;
    if (slots === count) {
      const room = result.subarray(begin - from, end - from);
      await stream.read(channel, first + begin - at, first + end - at, room);
      continue;
    }
    // The stored sample in the middle of each place of the grid.
    const storedOf = (slot: number) =>
      first + Math.min(count - 1, Math.floor(((slot - at + 0.5) * count) / slots));
    const [start, last] = [storedOf(begin), storedOf(end - 1)];
    const stored = await stream.read(channel, start, last + 1);
    for (let slot = begin; slot < end; slot++) result[slot - from] = stored[storedOf(slot) - start]!;
  }
  result.fill(Number.NaN, filled - from);
}

async function annotationsOf(
  streams: readonly XdfStream[],
  start: number,
  log: string[],
): Promise<Annotation[]> {
  const found: Annotation[] = [];
  let untimed = 0;
  const add = (time: number, label: string) => {
    if (!isTime(time - start)) untimed++;
    else found.push({ start: time - start, duration: 0, label });
  };
  for (const stream of streams) {
    const { channelCount, timestamps, lengthSamples } = stream;
    if (stream.format === 'string') {
      for (let k = 0; k < lengthSamples; k++) {
        const texts = stream.texts.slice(k * channelCount, (k + 1) * channelCount);
        const label = texts.filter((text) => text !== '').join(' ');
        if (label !== '') add(timestamps[k]!, label);
      }
    } else if (isEvents(stream)) {
      const values = await stream.read(0, 0, lengthSamples);
      for (const [k, value] of values.entries()) add(timestamps[k]!, String(value));
    }
  }
  if (untimed > 0) log.push(`xdf: ${untimed} markers without a usable time stamp were left out.`);
  return found.sort((a, b) => a.start - b.start);
}

/** When LabRecorder started the file, to the second. Without a zone it is taken as UTC, as in every other format. */
function startTimeOf(file: XdfFile): { startTime?: Date } {
  const text = textAt(file.info, 'datetime').trim();
  const zoned = text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2');
  const isZoned = /(Z|[+-]\d{2}:\d{2})$/i.test(zoned);
  const time = new Date(isZoned || !/T\d/.test(zoned) ? zoned : `${zoned}Z`);
  return text && !Number.isNaN(time.getTime()) ? { startTime: time } : {};
}
