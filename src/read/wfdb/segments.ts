/**
 * WFDB records of several segments: records that follow one another, and stretches without any. In a fixed layout all
 * have the same signals; in a variable one, the first segment describes them, and each stores some, found by name.
 * Source: header(5) of the WFDB Applications Guide, physionet.org.
 */
import { maxOf, minOf } from '../../core/arrays.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { Channel, Span } from '../../core/recording.ts';
import { quoted } from '../header-text.ts';
import type { ChannelRange } from '../read-channels.ts';
import { wfdbChannel } from './channels.ts';
import type { WfdbHeader, WfdbSignal } from './header.ts';
import { headerBeside, measure, OpenSegments, type SegmentFacts } from './open-segments.ts';
import { limitNullRates } from './segment.ts';
import { isNull } from './signal-file.ts';

/** What a record stores, of one segment or several. */
export interface StoredRecord {
  readonly channels: readonly Channel[];
  /** Seconds from the first stored sample. */
  readonly spans: readonly Span[];
  /** Seconds from the record's own start to its first stored sample. */
  readonly origin: number;
  read(channel: number, start: number, end: number, result: Float64Array): Promise<void>;
  /** Several ranges, in one pass over each file. */
  readTogether?(ranges: readonly ChannelRange[], results: readonly Float64Array[]): Promise<void>;
  close(): Promise<void>;
}

/** Frames [start, start + count) of what is stored lie in a segment, from its first frame on. */
interface Piece {
  readonly name: string;
  readonly start: number;
  readonly count: number;
}

/** Records repeat a segment to mean "the same again"; a header that does it without end only claims samples. */
const maxRepeats = 100;

/**
 * Open a record by its header's list of segments. FormatError where one is missing, shorter than promised, or has other
 * signals; `tolerant` makes gaps of those, and the log says so.
 */
export async function openSegmented(
  source: ByteSource,
  header: WfdbHeader,
  tolerant: boolean,
  log: string[],
): Promise<StoredRecord> {
  const where = source.name;
  const fail = (fact: string): never => {
    throw new FormatError(`wfdb: ${where} ${fact}`, where);
  };
  const lines = header.segments!;
  const hasLayout = lines[0]!.frameCount === 0 && lines[0]!.name !== '~';
  const layout = hasLayout ? await headerBeside(source, lines[0]!.name, header, log) : undefined;
  if (hasLayout && !layout)
    fail(`names the layout ${quoted(lines[0]!.name)}, which is not beside it. Fetch it too.`);
  const following = lines.slice(hasLayout ? 1 : 0).filter(({ frameCount }) => frameCount > 0);
  const repeats = new Map<string, number>();
  for (const { name } of following) if (name !== '~') repeats.set(name, (repeats.get(name) ?? 0) + 1);
  const most = maxOf(repeats.values(), 0);
  if (most > maxRepeats) fail(`repeats a segment ${most} times; ${maxRepeats} are allowed. It is damaged.`);

  const open = new OpenSegments(source, header, tolerant);
  try {
    const facts = await measure([...repeats.keys()], open, source, header, tolerant, log);
    const first = [...facts.values()].find(({ isStored }) => isStored);
    const described = layout?.signals ?? first?.header.signals ?? [];
    if (!layout && facts.size > 0 && !first) log.push(`wfdb: no segment of ${where} stores a signal.`);
    const rates = [...facts.values()].flatMap(({ header: { signals } }) => signals.filter((s) => !isNull(s)));
    const signals = limitNullRates([...rates, ...described], log).slice(rates.length);
    const places = new Map<string, readonly (number | undefined)[]>();
    for (const [name, { header: segment }] of facts)
      places.set(
        name,
        layout ? byName(signals, segment.signals, name, fail) : byOrder(signals, segment, name, fail),
      );
    if (layout) noteStrangers(signals, facts, log);

    const { pieces, spans, origin, frames } = cut(where, following, facts, header, tolerant, log);
    const channels = signals.map((signal, i) => {
      const uses = [...facts].flatMap(([name, { header: segment, ranges }]) => {
        const at = places.get(name)![i];
        return at === undefined ? [] : [{ ...segment.signals[at]!, range: ranges[at] }];
      });
      return channelOf(signal, i, uses, header.frameRateHz, frames, log);
    });
    return {
      channels,
      spans,
      origin,
      async read(channel, start, end, result) {
        const { samplesPerFrame, unit } = signals[channel]!;
        for (let i = pieceAt(pieces, start / samplesPerFrame); i < pieces.length; i++) {
          const piece = pieces[i]!;
          const [low, high] = [piece.start * samplesPerFrame, (piece.start + piece.count) * samplesPerFrame];
          const [from, to] = [Math.max(start, low), Math.min(end, high)];
          if (from >= to) break;
          const room = result.subarray(from - start, to - start);
          const place = places.get(piece.name)![channel];
          const stored = place === undefined ? undefined : facts.get(piece.name)!.header.signals[place]!;
          // What is in another unit is left out; the log says so.
          if (stored?.unit !== unit) room.fill(Number.NaN);
          else await open.use(piece.name, ({ read }) => read(place!, from - low, to - low, room));
        }
      },
      close: () => open.close(),
    };
  } catch (error) {
    await open.close();
    throw error;
  }
}

function byOrder(
  signals: readonly WfdbSignal[],
  { signals: stored }: WfdbHeader,
  name: string,
  fail: (fact: string) => never,
): number[] {
  const odd = signals.findIndex((signal, i) => stored[i]?.samplesPerFrame !== signal.samplesPerFrame);
  if (stored.length !== signals.length || odd >= 0)
    fail(`has segments of unlike signals: ${quoted(name)} differs from the first. Correct its header.`);
  return signals.map((_, i) => i);
}

/** Where each signal of the layout is stored in a segment: by description, each once. */
function byName(
  signals: readonly WfdbSignal[],
  stored: readonly WfdbSignal[],
  name: string,
  fail: (fact: string) => never,
): (number | undefined)[] {
  const free = new Map<string, number[]>();
  for (const [i, { description }] of stored.entries())
    free.set(description, [...(free.get(description) ?? []), i]);
  return signals.map(({ description, samplesPerFrame }) => {
    const place = free.get(description)?.shift();
    if (place === undefined || isNull(stored[place]!)) return undefined;
    if (stored[place]!.samplesPerFrame !== samplesPerFrame)
      fail(
        `has ${samplesPerFrame} samples of ${quoted(description)} a frame, its segment ${quoted(name)} ${stored[place]!.samplesPerFrame}. Correct the header.`,
      );
    return place;
  });
}

function noteStrangers(
  signals: readonly WfdbSignal[],
  facts: ReadonlyMap<string, SegmentFacts>,
  log: string[],
): void {
  const known = new Set(signals.map(({ description }) => description));
  const strange = new Set(
    [...facts.values()].flatMap(({ header }) =>
      header.signals.map(({ description }) => description).filter((one) => !known.has(one)),
    ),
  );
  if (strange.size > 0)
    log.push(
      `wfdb: ${[...strange].slice(0, 5).map(quoted).join(', ')}: signals of segments that the layout does not name were left out.`,
    );
}

function channelOf(
  signal: WfdbSignal,
  index: number,
  uses: readonly (WfdbSignal & { readonly range: readonly [number, number] | undefined })[],
  frameRateHz: number,
  frames: number,
  log: string[],
): Channel {
  const alike = uses.filter(({ unit }) => unit === signal.unit);
  if (alike.length < uses.length)
    log.push(
      `wfdb: ${uses.length - alike.length} segments store ${quoted(signal.description)} in another unit than ${signal.unit}; it is missing there.`,
    );
  const [one = { ...signal, range: undefined }] = alike;
  const isSame = alike.every(({ gain, baseline }) => gain === one.gain && baseline === one.baseline);
  const channel = wfdbChannel(isSame ? one : signal, index, frameRateHz, frames, one.range);
  if (isSame) return { ...channel, name: signal.description || channel.name };
  log.push(
    `wfdb: segments differ in gain or baseline of ${quoted(signal.description)}; each is converted with its own.`,
  );
  const { offset: _, range: __, ...rest } = channel;
  return { ...rest, resolution: minOf(alike.map(({ gain }) => Math.abs(1 / gain))) };
}

/** Lines of the header, and what their segments hold → pieces of what is stored, and when they were recorded. */
function cut(
  where: string,
  lines: NonNullable<WfdbHeader['segments']>,
  facts: ReadonlyMap<string, SegmentFacts>,
  { frameCount, frameRateHz }: WfdbHeader,
  tolerant: boolean,
  log: string[],
) {
  const pieces: Piece[] = [];
  const runs: { start: number; end: number }[] = [];
  let [time, frames] = [0, 0];
  for (const { name, frameCount: promised } of lines) {
    const found = facts.get(name);
    if (found?.isStored) {
      const count = Math.min(promised, found.frameCount);
      if (count < promised) {
        const fact = `promises ${promised} frames of the segment ${quoted(name)}, it holds ${count}`;
        if (!tolerant)
          throw new FormatError(
            `wfdb: ${where} ${fact}. Fetch it again, or open the record with --tolerant.`,
            where,
          );
        log.push(`wfdb: ${where} ${fact}; the rest is a gap.`);
      }
      if (count > 0) {
        pieces.push({ name, start: frames, count });
        const last = runs.at(-1);
        if (last?.end === time) last.end += count;
        else runs.push({ start: time, end: time + count });
        frames += count;
      }
    }
    time += promised;
  }
  if (frameCount !== undefined && frameCount !== time)
    log.push(`wfdb: ${where} promises ${frameCount} frames, its segments have ${time}.`);
  const first = runs[0]?.start ?? 0;
  const spans = runs.map(
    ({ start, end }): Span => ({
      start: (start - first) / frameRateHz,
      duration: (end - start) / frameRateHz,
    }),
  );
  return { pieces, spans, origin: first / frameRateHz, frames };
}

function pieceAt(pieces: readonly Piece[], frame: number): number {
  let [low, high] = [0, pieces.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (pieces[middle]!.start <= frame) low = middle;
    else high = middle;
  }
  return low;
}
