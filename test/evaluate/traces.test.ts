/** Envelopes hold every extreme, however they are read; a page of an hour of 20 channels is small. */
import { describe, expect, test } from 'vitest';
import type { Recording, Span } from '../../src/core/recording.ts';
import { renderTraces } from '../../src/evaluate/traces.ts';
import { measureEnvelopes, pictureRange } from '../../src/evaluate/traces-envelope.ts';
import { readTraces } from '../../src/evaluate/traces-read.ts';

function makeRecording(
  rates: readonly number[],
  spans: readonly Span[],
  sampleOf: (channel: number, i: number) => number,
): Recording {
  const seconds = spans.reduce((sum, { duration }) => sum + duration, 0);
  return {
    source: 'made',
    format: 'made',
    channels: rates.map((rateHz, i) => ({
      name: `EEG ${i}`,
      unit: 'uV',
      rateHz,
      lengthSamples: Math.round(seconds * rateHz),
    })),
    spans,
    duration: spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
    annotations: [],
    metadata: {},
    log: [],
    async read(channel, start, end) {
      return Float64Array.from({ length: end - start }, (_, i) => sampleOf(channel, start + i));
    },
    async close() {},
  };
}

describe('envelopes', () => {
  test('are the extremes of each stretch of time', async () => {
    const recording = makeRecording([7, 100], [{ start: 0, duration: 50 }], (c, i) =>
      Math.sin(i * (c + 1.3)),
    );
    const { channels, binSeconds, share } = await measureEnvelopes(recording, { bins: 20 });
    expect({ binSeconds, share }).toEqual({ binSeconds: 2.5, share: 1 });
    for (const [c, { rateHz, lengthSamples }] of recording.channels.entries()) {
      const low = new Float64Array(20).fill(Infinity);
      for (let i = 0; i < lengthSamples; i++) {
        const bin = Math.floor(i / rateHz / 2.5 + 1e-9);
        low[bin] = Math.min(low[bin]!, Math.sin(i * (c + 1.3)));
      }
      expect(channels[c]!.low).toEqual(low);
    }
  });

  test('gaps and missing samples are empty', async () => {
    const spans = [
      { start: 0, duration: 10 },
      { start: 30, duration: 10 },
    ];
    const recording = makeRecording([10], spans, (_, i) => (i >= 150 ? Number.NaN : i));
    const { channels } = await measureEnvelopes(recording, { bins: 8 });
    expect(Array.from(channels[0]!.low)).toEqual([0, 50, NaN, NaN, NaN, NaN, 100, NaN]);
    expect(Array.from(channels[0]!.high)).toEqual([49, 99, NaN, NaN, NaN, NaN, 149, NaN]);
  });

  test('a sample of a slow channel stands until the next', async () => {
    const recording = makeRecording([0.5], [{ start: 0, duration: 6 }], (_, i) => i);
    const { channels } = await measureEnvelopes(recording, { bins: 12 });
    expect(Array.from(channels[0]!.low)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  });

  test('of a longer recording a part is looked at, and that is said', async () => {
    let read = 0;
    const recording = makeRecording([100], [{ start: 0, duration: 100_000 }], () => {
      read++;
      return 1;
    });
    const { share, channels } = await measureEnvelopes(recording, { bins: 100, maxSamples: 1e6 });
    expect(share).toBeCloseTo(0.1, 6);
    expect(read).toBeLessThan(1.1e6);
    expect(channels[0]!.low.every((value) => value === 1)).toBe(true);
  });

  test('one artefact does not flatten a picture', () => {
    const low = new Float64Array(200).fill(-1);
    const high = new Float64Array(200).fill(1);
    high[50] = 1e6;
    expect(pictureRange({ low, high })).toEqual([-1, 1]);
    expect(pictureRange({ low: low.fill(NaN), high: high.fill(NaN) })).toEqual([NaN, NaN]);
  });
});

describe('a page', () => {
  test('of an hour of 20 channels has less than 2 MB', async () => {
    const recording = makeRecording(
      Array(20).fill(250),
      [{ start: 0, duration: 3600 }],
      (c, i) => 100 * Math.sin(i * (0.11 + c / 100)) + ((i * 7919) % 101),
    );
    expect(renderTraces([await readTraces(recording)]).length).toBeLessThan(2e6);
  });

  test('of nothing says so', async () => {
    const page = renderTraces([await readTraces(makeRecording([], [], () => 0))]);
    expect(page).toContain('There is nothing to draw.');
  });

  test('gaps are hatched', async () => {
    const spans = [
      { start: 0, duration: 10 },
      { start: 30, duration: 10 },
    ];
    const page = renderTraces([await readTraces(makeRecording([100], spans, (_, i) => i % 7))]);
    expect(page.match(/fill="url\(#gap\)"/g)?.length).toBe(1);
  });
});
