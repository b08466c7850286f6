/** A part of a recording is the recording's own samples; resampled by stretches, those of resampling a whole span. */
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import type { Annotation, Channel, Recording, Span } from '../../src/core/recording.ts';
import { bridgeMissing } from '../../src/signal/missing.ts';
import { resample } from '../../src/signal/resample.ts';
import { type Selection, selectRecording } from '../../src/signal/select.ts';
import { chooseChannels } from '../../src/signal/select-channels.ts';

interface Parts {
  readonly channels: readonly (Partial<Channel> & { readonly name: string; readonly rateHz: number })[];
  readonly spans?: readonly Span[];
  readonly annotations?: readonly Annotation[];
  readonly startNanoseconds?: number;
  readonly sampleOf?: (channel: number, sample: number) => number;
}

/** A recording made up as it is read; `largest` is the longest read so far. */
function makeRecording({ channels, spans = [{ start: 0, duration: 10 }], ...rest }: Parts) {
  const seconds = spans.reduce((sum, { duration }) => sum + duration, 0);
  const sampleOf = rest.sampleOf ?? ((channel: number, sample: number) => 1000 * channel + sample);
  const requests = { largest: 0, total: 0 };
  const recording: Recording = {
    source: 'made',
    format: 'made',
    channels: channels.map((channel) => ({
      unit: 'uV',
      lengthSamples: Math.round(seconds * channel.rateHz),
      ...channel,
    })),
    spans,
    duration: spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
    annotations: rest.annotations ?? [],
    startTime: new Date('2020-01-01T00:00:00Z'),
    ...(rest.startNanoseconds === undefined ? {} : { startNanoseconds: rest.startNanoseconds }),
    metadata: { sex: 'f' },
    log: ['made up'],
    async read(channel, start, end, into = new Float64Array(end - start)) {
      requests.largest = Math.max(requests.largest, end - start);
      requests.total += end - start;
      for (let i = start; i < end; i++) into[i - start] = sampleOf(channel, i);
      return into;
    },
    async close() {},
  };
  return { recording, requests };
}

const all = (recording: Recording, channel = 0) =>
  recording.read(channel, 0, recording.channels[channel]!.lengthSamples);

describe('channels', () => {
  const names = ['EEG Fp1-Ref', 'EEG T3', 'ECG', 'EMG 1', 'ECG', '5', 'T7'];

  test.each([
    [['fp1'], [0]],
    [['T3'], [1]],
    [['T7'], [6]],
    [
      ['t7', 'T3'],
      [6, 1],
    ],
    [['E?G*'], [0, 1, 2, 3, 4]],
    [['fp*'], [0]],
    [['ECG'], [2, 4]],
    [['5'], [5]],
    [
      ['#5', '6', 0],
      [5, 6, 0],
    ],
    [['#1-3'], [1, 2, 3]],
    [['!E*'], [5, 6]],
    [
      ['E*', '!EMG*', 'ecg'],
      [0, 1, 2, 4],
    ],
  ])('%j are %j', (patterns, indices) => {
    expect(chooseChannels(names, patterns).indices).toEqual(indices);
  });

  test('several of one name are all taken, and that is said', () => {
    expect(chooseChannels(names, ['ECG']).notes).toEqual([
      "select: 2 channels are named 'ECG' (#2, #4); all were taken.",
    ]);
  });

  test('what is not there is named, with what there is', () => {
    expect(() => chooseChannels(names, ['Cz', 'ECG', '#7'])).toThrow(
      expect.objectContaining({ name: 'ChannelError', missing: ['Cz', '#7'], available: names }),
    );
    expect(() => chooseChannels(names, ['E*', '!E*'])).toThrow(/no channel is left/);
  });

  test('a pattern of many stars ends', () => {
    const long = `${'a'.repeat(5000)}b`;
    expect(() => chooseChannels([long], [`${'*a'.repeat(12)}*c`])).toThrow(/none of the recording/);
  }, 1000);
});

describe('a range', () => {
  const parts: Parts = {
    channels: [
      { name: 'a', rateHz: 100, range: [-5, 5], resolution: 0.1, offset: 0.5 },
      { name: 'b', rateHz: 10 },
    ],
    annotations: [
      { start: 1, duration: 0, label: 'before' },
      { start: 1.5, duration: 1, label: 'into' },
      { start: 3, duration: 0, label: 'inside', channel: 1 },
      { start: 3, duration: 9, label: 'beyond', channel: 0 },
      { start: 5, duration: 0, label: 'after' },
    ],
  };

  test('keeps samples, annotations and the time of day in step', async () => {
    const { recording } = makeRecording({ ...parts, startNanoseconds: 300 });
    const selected = selectRecording(recording, { start: 2, end: 5 });
    expect(selected.spans).toEqual([{ start: 0, duration: 3 }]);
    expect(selected.channels.map(({ lengthSamples }) => lengthSamples)).toEqual([300, 30]);
    expect((await all(selected))[0]).toBe(200);
    expect(Array.from(await selected.read(1, 28, 30))).toEqual([1048, 1049]);
    expect(selected.annotations).toEqual([
      { start: 0, duration: 0.5, label: 'into' },
      { start: 1, duration: 0, label: 'inside', channel: 1 },
      { start: 1, duration: 2, label: 'beyond', channel: 0 },
    ]);
    expect(selected.startTime?.toISOString()).toBe('2020-01-01T00:00:02.000Z');
    expect(selected.startNanoseconds).toBe(300);
    expect(selected.log).toEqual([
      'made up',
      'select: 2 annotations reach beyond the range and were cut to it.',
    ]);
    expect(selected.channels[0]).toMatchObject({ range: [-5, 5], resolution: 0.1, offset: 0.5 });
  });

  test('annotations follow their channels', () => {
    const selected = selectRecording(makeRecording(parts).recording, { channels: ['b'] });
    expect(selected.annotations.map(({ label, channel }) => [label, channel])).toEqual([
      ['before', undefined],
      ['into', undefined],
      ['inside', 0],
      ['after', undefined],
    ]);
    expect(selected.log.at(-1)).toMatch(/^select: 1 annotations of channels that were not chosen/);
  });

  test('begins at a sample of the fastest channel, slower ones at their nearest, which is said', () => {
    const selected = selectRecording(makeRecording(parts).recording, { start: 2.034, end: 3.034 });
    expect(selected.startTime?.toISOString()).toBe('2020-01-01T00:00:02.040Z');
    expect(selected.spans).toEqual([{ start: 0, duration: expect.closeTo(1, 12) }]);
    expect(selected.channels.map(({ lengthSamples }) => lengthSamples)).toEqual([100, 10]);
    expect(selected.log[1]).toMatch(/up to 0\.0400 s off/);
  });

  test('spans are cut, gaps stay', async () => {
    const spans = [
      { start: 0, duration: 4 },
      { start: 10, duration: 4 },
      { start: 20, duration: 2 },
    ];
    const selected = selectRecording(makeRecording({ ...parts, spans }).recording, { start: 3, end: 20 });
    expect(selected.spans).toEqual([
      { start: 0, duration: 1 },
      { start: 7, duration: 4 },
    ]);
    expect(selected.duration).toBe(11);
    expect(Array.from(await selected.read(0, 98, 102))).toEqual([398, 399, 400, 401]);
    // In a gap: the result begins with the next span.
    expect(selectRecording(makeRecording({ ...parts, spans }).recording, { start: 5 }).startTime).toEqual(
      new Date('2020-01-01T00:00:10Z'),
    );
  });

  test.each([
    [{ start: 11 }, 'DataError'],
    [{ start: 5, end: 5 }, 'ConfigError'],
    [{ start: -1 }, 'ConfigError'],
    [{ end: Number.NaN }, 'ConfigError'],
    [{ rateHz: 0 }, 'ConfigError'],
    [{ rateHz: Math.PI * 1e5 }, 'ConfigError'],
    [{ channels: ['x'] }, 'ChannelError'],
  ] as [Selection, string][])('%j is a %s', (selection, name) => {
    expect(() => selectRecording(makeRecording(parts).recording, selection)).toThrow(
      expect.objectContaining({ name }),
    );
  });

  test('reads beyond the end are errors', async () => {
    const selected = selectRecording(makeRecording(parts).recording, { start: 2, end: 5 });
    await expect(selected.read(0, 0, 301)).rejects.toThrow(/0–301 of channel 0 were asked for, it has 300/);
    await expect(selected.read(2, 0, 1)).rejects.toThrow(/channel 2/);
  });
});

describe('another rate', () => {
  const random = new Random(7);
  const noise = Float64Array.from({ length: 60_000 }, () => random.normal());

  test.each([
    [250, 200],
    [256, 200],
    [360, 500],
    [499.907, 200],
    [1, 100],
  ])('%d → %d Hz by stretches is what the whole gives', async (fromHz, toHz) => {
    const seconds = Math.floor(Math.min(50_000, fromHz * 200) / fromHz);
    const length = Math.round(seconds * fromHz);
    const { recording } = makeRecording({
      channels: [{ name: 'a', rateHz: fromHz, resolution: 1 }],
      spans: [{ start: 0, duration: seconds }],
      sampleOf: (_, i) => noise[i]!,
    });
    const selected = selectRecording(recording, { rateHz: toHz });
    const expected = resample(noise.slice(0, length), fromHz, toHz);
    const found = await all(selected);
    expect(found.length).toBe(Math.round(seconds * toHz));
    expect(largestDifference(found, expected.subarray(0, found.length))).toBeLessThan(1e-9);
    expect(selected.channels[0]).not.toHaveProperty('resolution');
    // However it is read.
    const [from, to] = [Math.floor(found.length / 3), Math.floor(found.length / 2)];
    expect(await selected.read(0, from, to)).toEqual(found.subarray(from, to));
  });

  test('over a range and a gap, each span by itself', async () => {
    const { recording } = makeRecording({
      channels: [{ name: 'a', rateHz: 250 }],
      spans: [
        { start: 0, duration: 100 },
        { start: 130, duration: 60 },
      ],
      sampleOf: (_, i) => noise[i]!,
    });
    const selected = selectRecording(recording, { start: 20, end: 150, rateHz: 200 });
    const found = await all(selected);
    const first = resample(noise.slice(5000, 25_000), 250, 200);
    const second = resample(noise.slice(25_000, 30_000), 250, 200);
    expect(found.length).toBe(first.length + second.length);
    expect(largestDifference(found.subarray(0, first.length), first)).toBeLessThan(1e-9);
    expect(largestDifference(found.subarray(first.length), second)).toBeLessThan(1e-9);
  });

  test('holes stay holes, and are bridged as a whole, however long', async () => {
    const holes = [
      [0, 40],
      [500, 501],
      [9_000, 49_000],
      [59_990, 60_000],
    ];
    const x = noise.slice();
    for (const [from, to] of holes) x.fill(Number.NaN, from, to);
    const { recording, requests } = makeRecording({
      channels: [{ name: 'a', rateHz: 250 }],
      spans: [{ start: 0, duration: 240 }],
      sampleOf: (_, i) => x[i]!,
    });
    const found = await all(selectRecording(recording, { rateHz: 100 }));
    const expected = resample(bridgeMissing(x).values, 250, 100);
    for (const [from, to] of holes) expected.fill(Number.NaN, Math.floor(from! / 2.5), Math.ceil(to! / 2.5));
    expect(Array.from(found, Number.isNaN)).toEqual(Array.from(expected, Number.isNaN));
    expect(largestDifference(found, expected)).toBeLessThan(1e-9);
    expect(requests.total).toBeLessThan(5 * x.length);
  });

  test('memory is that of a stretch', async () => {
    const { recording, requests } = makeRecording({
      channels: [{ name: 'a', rateHz: 1000 }],
      spans: [{ start: 0, duration: 100_000 }],
      sampleOf: (_, i) => Math.sin(i),
    });
    const selected = selectRecording(recording, { rateHz: 500 });
    await selected.read(0, 30_000_000, 30_100_000);
    expect(requests.largest).toBeLessThan(40_000);
    expect(requests.total).toBeLessThan(270_000);
  });
});

function largestDifference(a: Float64Array, b: Float64Array): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) && Number.isNaN(b[i])) continue;
    largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  }
  return largest;
}
