/** What a conversion lost: the recording as it was read against the file that came of it, as sentences. */
import type { Channel, Recording } from '../core/recording.ts';
import { isFlattened, NoiseMeter } from '../read/noise.ts';

/** What was seen of a channel while it was read. */
export interface Seen {
  readonly lowest: number;
  readonly highest: number;
  readonly missing: number;
  /** Sample index, where something is missing. */
  readonly firstMissing: number | undefined;
  /** What it moves by in a short while; undefined where it does not move. */
  readonly noise?: number | undefined;
}

/** The same recording; `seen` fills up while samples are read, `check` is called before each read. */
export function watchRecording(
  recording: Recording,
  check: () => void = () => undefined,
): { readonly watched: Recording; readonly seen: readonly Seen[] } {
  const seen = recording.channels.map(() => ({
    lowest: Number.POSITIVE_INFINITY,
    highest: Number.NEGATIVE_INFINITY,
    missing: 0,
    firstMissing: undefined as number | undefined,
    upTo: 0,
    meter: new NoiseMeter(),
    get noise() {
      return this.meter.noise;
    },
  }));
  return {
    seen,
    watched: {
      ...recording,
      async read(channel, start, end, into) {
        check();
        const samples = await recording.read(channel, start, end, into);
        const state = seen[channel]!;
        // Writers may go through a recording twice.
        for (let i = Math.max(0, state.upTo - start); i < samples.length; i++) {
          const value = samples[i]!;
          if (value < state.lowest) state.lowest = value;
          if (value > state.highest) state.highest = value;
          if (!Number.isFinite(value)) {
            state.missing++;
            state.firstMissing ??= start + i;
          }
        }
        if (end > state.upTo) state.meter.add(samples, Math.max(0, state.upTo - start));
        state.upTo = Math.max(state.upTo, end);
        return samples;
      },
    },
  };
}

/** Sentences on what is not in `after` as it was in `before`. */
export async function describeLosses(
  before: Recording,
  after: Recording,
  seen: readonly Seen[],
): Promise<string[]> {
  return [
    ...channelNotes(before, after, seen),
    ...(await missingNotes(before, after, seen)),
    ...gapNotes(before, after),
    ...annotationNotes(before, after),
    ...headerNotes(before, after),
  ];
}

function channelNotes(before: Recording, after: Recording, seen: readonly Seen[]): string[] {
  const notes: string[] = [];
  if (after.channels.length !== before.channels.length)
    notes.push(`${before.channels.length} channels became ${after.channels.length}.`);
  const pairs = before.channels.flatMap((old, i): { old: Channel; now: Channel; was: Seen }[] => {
    const now = after.channels[i];
    return now ? [{ old, now, was: seen[i]! }] : [];
  });
  const tell = (what: string, examples: readonly string[]) => {
    if (examples.length === 0) return;
    const more = examples.length > 4 ? `, … (${examples.length} channels)` : '';
    notes.push(`${what}: ${examples.slice(0, 4).join(', ')}${more}.`);
  };
  const changes = (of: (pair: (typeof pairs)[number]) => string | undefined) =>
    pairs.flatMap((pair) => of(pair) ?? []);
  tell(
    'channels were renamed',
    changes(({ old, now }) => (old.name === now.name ? undefined : `'${old.name}' → '${now.name}'`)),
  );
  tell(
    'units are written otherwise',
    changes(({ old, now }) =>
      old.unit === now.unit ? undefined : `${now.name} '${old.unit}' → '${now.unit}'`,
    ),
  );
  tell(
    'rates changed',
    changes(({ old, now }) =>
      Math.abs(old.rateHz / now.rateHz - 1) < 1e-9
        ? undefined
        : `${now.name} ${old.rateHz} → ${now.rateHz} Hz`,
    ),
  );
  tell(
    'samples were added at the end or in gaps to fill records',
    changes(({ old, now }) =>
      now.lengthSamples > old.lengthSamples
        ? `${now.name} ${now.lengthSamples - old.lengthSamples}`
        : undefined,
    ),
  );
  tell(
    'samples are missing at the end',
    changes(({ old, now }) =>
      now.lengthSamples < old.lengthSamples
        ? `${now.name} ${old.lengthSamples - now.lengthSamples}`
        : undefined,
    ),
  );
  tell(
    'values beyond what the file holds were clipped',
    changes(({ now, was }) => {
      if (!now.range || was.lowest > was.highest) return undefined;
      const slack = (now.resolution ?? 0) / 2 + 1e-9 * (now.range[1] - now.range[0]);
      const isInside = was.lowest >= now.range[0] - slack && was.highest <= now.range[1] + slack;
      return isInside
        ? undefined
        : `${now.name} reaches ${figure(was.lowest)}…${figure(was.highest)}, holds ${figure(now.range[0])}…${figure(now.range[1])} ${now.unit}`;
    }),
  );
  // All of them: who reads four names takes the fifth channel for whole.
  const flattened = changes(({ old, now, was }) =>
    isFlattened(now.resolution, old.resolution, was.noise)
      ? `${now.name} (steps of ${figure(now.resolution!)} ${now.unit}, it mostly moves by ${figure(was.noise!)})`
      : undefined,
  );
  if (flattened.length > 0)
    notes.push(
      `steps are coarser than what the channel moves by, which is flattened: ${flattened.join(', ')}.`,
    );
  tell(
    'values were rounded to steps',
    changes(({ old, now }) => {
      if (now.resolution === undefined) return undefined;
      const isSame = old.resolution !== undefined && Math.abs(now.resolution / old.resolution - 1) < 1e-6;
      return isSame ? undefined : `${now.name} ${figure(now.resolution)} ${now.unit}`;
    }),
  );
  return notes;
}

async function missingNotes(before: Recording, after: Recording, seen: readonly Seen[]): Promise<string[]> {
  const lost: string[] = [];
  let total = 0;
  for (const [i, { missing, firstMissing }] of seen.entries()) {
    const length = after.channels[i]?.lengthSamples ?? 0;
    // With gaps filled, samples lie elsewhere.
    if (firstMissing === undefined || firstMissing >= length || after.spans.length !== before.spans.length)
      continue;
    const [value] = await after.read(i, firstMissing, firstMissing + 1);
    if (!Number.isFinite(value)) continue;
    total += missing;
    lost.push(`${before.channels[i]!.name} ${missing}, now ${figure(value!)}`);
  }
  if (lost.length === 0) return [];
  return [
    `${total} missing samples became numbers: ${lost.slice(0, 4).join('; ')}${lost.length > 4 ? '; …' : ''}.`,
  ];
}

/** Spans of which nothing lies between are joined: a boundary without time is no gap. */
function gapsOf({ spans }: Recording): number {
  return spans.filter(({ start }, i) => {
    const before = spans[i - 1];
    return before && start - before.start - before.duration > 1e-6;
  }).length;
}

function gapNotes(before: Recording, after: Recording): string[] {
  const boundaries = before.spans.length - 1 - gapsOf(before);
  if (boundaries > 0 && after.spans.length < before.spans.length)
    return [
      ...lostGaps(before, after),
      `${boundaries} boundaries between stretches that follow one another without a gap are not marked.`,
    ];
  return lostGaps(before, after);
}

function lostGaps(before: Recording, after: Recording): string[] {
  const [old, now] = [gapsOf(before), gapsOf(after)];
  if (old <= 0 || old === now) return [];
  const seconds = before.duration - before.spans.reduce((sum, { duration }) => sum + duration, 0);
  const isFilled = after.duration > before.duration - Math.max(1e-3, 1e-6 * before.duration);
  return [
    isFilled
      ? `${old - now} of ${old} gaps (${figure(seconds)} s in all) are filled instead of left out.`
      : `${old - now} of ${old} gaps (${figure(seconds)} s in all) are lost: what follows them lies earlier now.`,
  ];
}

function annotationNotes(before: Recording, after: Recording): string[] {
  const [old, now] = [before.annotations, after.annotations];
  const notes: string[] = [];
  if (now.length < old.length)
    notes.push(`${old.length - now.length} of ${old.length} annotations are lost.`);
  const ofChannels = (list: Recording['annotations']) =>
    list.filter(({ channel }) => channel !== undefined).length;
  if (now.length === old.length) {
    const inOrder = old.toSorted((a, b) => a.start - b.start);
    const shift = inOrder.reduce((most, { start }, i) => Math.max(most, Math.abs(start - now[i]!.start)), 0);
    const renamed = inOrder.filter(({ label }, i) => label !== now[i]!.label).length;
    const shortened = inOrder.filter(
      ({ duration }, i) => Math.abs(duration - now[i]!.duration) > 1e-3,
    ).length;
    if (shift > 1e-6) notes.push(`annotations moved by up to ${figure(shift)} s.`);
    if (renamed > 0) notes.push(`${renamed} annotations are labelled otherwise or in another order.`);
    if (shortened > 0) notes.push(`${shortened} annotations have another duration.`);
  }
  const unplaced = ofChannels(old) - ofChannels(now);
  if (now.length > 0 && unplaced > 0) notes.push(`${unplaced} annotations no longer name their channel.`);
  return notes;
}

function headerNotes(before: Recording, after: Recording): string[] {
  const notes: string[] = [];
  const kept = Object.values(after.metadata).join('\n');
  const lost = Object.entries(before.metadata).flatMap(([key, value]) => (kept.includes(value) ? [] : [key]));
  const isShorter = after.duration < before.duration - Math.max(1e-3, 1e-6 * before.duration);
  // Where there are samples, those that are missing say it.
  if (isShorter && after.channels.length === 0)
    notes.push(
      `${figure(before.duration)} s became ${figure(after.duration)} s: there is no signal that lasts.`,
    );
  if (lost.length > 0) notes.push(`metadata lost: ${lost.join(', ')}.`);
  const noted = before.channels.filter(
    ({ note }, i) => note !== undefined && after.channels[i]?.note !== note,
  );
  if (noted.length > 0)
    notes.push(`notes of ${noted.length} channels (filters, transducers) are lost or shortened.`);
  const start = (recording: Recording) =>
    (recording.startTime?.getTime() ?? Number.NaN) + (recording.startNanoseconds ?? 0) / 1e6;
  if (before.startTime && !after.startTime) notes.push('the time of day is lost.');
  else if (before.startTime && Math.abs(start(before) - start(after)) > 1e-3)
    notes.push(
      `it starts at ${after.startTime!.toISOString()} instead of ${before.startTime.toISOString()}.`,
    );
  return notes;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
