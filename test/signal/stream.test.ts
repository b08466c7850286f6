/** Live = offline, whatever the chunks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { bridgeMissing } from '../../src/signal/missing.ts';
import { resample } from '../../src/signal/resample.ts';
import { RingBuffer } from '../../src/signal/ring-buffer.ts';
import { StreamBridge, StreamResampler } from '../../src/signal/stream.ts';

const noise = (length: number, seed = 1) => {
  const random = new Random(seed);
  return Float64Array.from({ length }, () => random.normal());
};

function* chunks(x: Float64Array, sizes: readonly number[]): Generator<Float64Array> {
  for (let at = 0, i = 0; at < x.length; i++) {
    const end = at + sizes[i % sizes.length]!;
    yield x.subarray(at, end);
    at = end;
  }
}

function join(parts: readonly Float64Array[]): number[] {
  return parts.flatMap((part) => [...part]);
}

const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });

describe('StreamResampler', () => {
  it.each([
    [250, 200],
    [256, 200],
    [500, 200],
    [128, 200],
    [360, 200],
    [200, 200],
    [1000, 200],
    [130, 200],
    [100, 200],
    [499.907, 200],
  ])('%d → %d Hz: exactly the samples of the whole signal', (from, to) => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 4000 }), (pieces, length) => {
        const x = noise(length);
        const resampler = new StreamResampler(from, to);
        const got = [...chunks(x, pieces)].map((chunk) => resampler.push(chunk));
        expect(join([...got, resampler.finish()])).toEqual([...resample(x, from, to)]);
      }),
      { seed: 1, numRuns: 25 },
    );
  });

  it('is late by ten samples of the lower rate and one chunk at most', () => {
    const resampler = new StreamResampler(500, 200);
    let given = 0;
    for (const chunk of chunks(noise(5000), [50])) given += resampler.push(chunk).length;
    expect(given).toBeGreaterThanOrEqual(2000 - 10 - 2);
  });

  it('keeps no more than it needs', () => {
    const resampler = new StreamResampler(512, 200);
    const before = process.memoryUsage().arrayBuffers;
    const chunk = noise(512);
    for (let i = 0; i < 20_000; i++) resampler.push(chunk);
    // Ten million samples are 80 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60e6);
    expect(resampler.finish().length).toBeLessThan(64);
  });
});

describe('StreamBridge', () => {
  it('fills holes as offline, and tells where they were', () => {
    const holey = fc.array(fc.oneof(fc.double({ min: -5, max: 5, noNaN: true }), fc.constant(Number.NaN)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(holey, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (values, pieces) => {
        const x = Float64Array.from(values);
        const bridge = new StreamBridge();
        const parts = [...[...chunks(x, pieces)].map((chunk) => bridge.push(chunk)), bridge.finish()];
        const whole = bridgeMissing(x);
        expect(join(parts.map((part) => part.values))).toEqual([...whole.values]);
        expect(parts.flatMap((part) => part.holes)).toEqual(whole.holes);
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});

describe('RingBuffer', () => {
  it('gives any stretch that it still holds, and refuses others', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 300 }), fc.nat(), (pieces, capacity, pick) => {
        const x = noise(1500);
        const buffer = new RingBuffer(capacity);
        for (const chunk of chunks(x, pieces)) {
          buffer.push(chunk);
          const start = buffer.first + (pick % (buffer.total - buffer.first));
          expect([...buffer.read(start, buffer.total)]).toEqual([...x.subarray(start, buffer.total)]);
        }
        expect(() => buffer.read(buffer.first - 1, buffer.total)).toThrow(/are kept/);
        expect(() => buffer.read(0, buffer.total + 1)).toThrow(/are kept/);
      }),
      { seed: 3, numRuns: 40 },
    );
  });
});
