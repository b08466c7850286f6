/**
 * Every writer against our own reader, on recordings that no device makes: what is written comes back with the precision
 * that the writer states, or a ConfigError says why not before the first byte.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { ConfigError } from '../../src/core/errors.ts';
import type { Annotation, Channel, Recording } from '../../src/core/recording.ts';
import { openRecording } from '../../src/read/open.ts';
import { writeRecording } from '../../src/read/write.ts';
import { concat } from './build.ts';

type Signal = Partial<Channel> & { readonly samples: readonly number[] };

function recordingOf(signals: readonly Signal[], more: Partial<Recording> = {}): Recording {
  const channels = signals.map(
    ({ samples, ...one }, i): Channel => ({
      ...{ name: `c${i}`, unit: 'mV', rateHz: 100, lengthSamples: samples.length },
      ...one,
    }),
  );
  const duration = channels.reduce(
    (most, { lengthSamples, rateHz }) => Math.max(most, lengthSamples / rateHz),
    0,
  );
  return {
    ...{ source: 'made', format: 'made', channels, duration, annotations: [], metadata: {}, log: [] },
    spans: duration > 0 ? [{ start: 0, duration }] : [],
    read: async (c, start, end) => Float64Array.from(signals[c]!.samples.slice(start, end)),
    close: async () => undefined,
    ...more,
  };
}

const formats = { wfdb: 'r.hea', edf: 'r.edf', bdf: 'r.bdf', npz: 'r.npz', parquet: 'r.parquet' } as const;
type Format = keyof typeof formats;

/** The recording as our reader sees what was written; or the writer's refusal, which must come before any byte. */
async function again(recording: Recording, format: Format): Promise<Recording | ConfigError> {
  const files: Record<string, Uint8Array> = {};
  let written = 0;
  try {
    for await (const { name, bytes } of writeRecording(recording, formats[format])) {
      const parts: Uint8Array[] = [];
      for await (const part of bytes) {
        written += part.length;
        parts.push(part);
      }
      files[name] = concat(...parts);
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).toMatch(/^(edf|bdf|wfdb|npz|parquet): .*\. \S.*\.$/s);
    expect(written).toBe(0);
    return error;
  }
  const main = formats[format];
  return openRecording(bytesSource(main, files[main]!, files));
}

const isWritten = (found: Recording | ConfigError): found is Recording => !(found instanceof ConfigError);
/** Records of EDF are searched for a length, which takes a while each time. */
const runs = (format: Format, count: number) => (/df$/.test(format) ? Math.ceil(count / 4) : count);
const isExact = (format: Format) => format === 'npz' || format === 'parquet';

/** Units that EDF writes otherwise. */
const factors: Readonly<Record<string, number>> = { V: 1e6, mV: 1e3 };

/** Every sample within a step of the stored integers, but for the last digits of a double; bit for bit where exact. */
async function expectSamples(before: Recording, after: Recording, format: Format): Promise<void> {
  expect(after.channels.length).toBe(before.channels.length);
  for (const [c, { lengthSamples, unit, rateHz }] of before.channels.entries()) {
    const now = after.channels[c]!;
    expect(Math.abs(now.rateHz / rateHz - 1)).toBeLessThan(1e-8);
    expect(now.lengthSamples).toBeGreaterThanOrEqual(lengthSamples);
    const [was, is] = [await before.read(c, 0, lengthSamples), await after.read(c, 0, lengthSamples)];
    if (isExact(format)) {
      expect(is).toEqual(was);
      expect(now.lengthSamples).toBe(lengthSamples);
      continue;
    }
    const factor = now.unit === 'uV' && unit !== 'uV' ? factors[unit]! : 1;
    const reach = was.reduce((most, x) => (Number.isNaN(x) ? most : Math.max(most, Math.abs(x))), 0);
    const step = now.resolution!;
    expect(Number.isFinite(step)).toBe(true);
    let largest = 0;
    for (const [i, x] of was.entries()) {
      if (Number.isNaN(x)) {
        if (format === 'wfdb') expect(is[i]).toBeNaN();
        else expect(after.annotations.some(({ label }) => label === 'missing')).toBe(true);
        continue;
      }
      const error = Math.abs(is[i]! - x * factor);
      expect(error).toBeLessThanOrEqual(step * 1.001 + 1e-13 * reach * factor);
      largest = Math.max(largest, error);
    }
    // What the channel holds takes hundreds of steps, or comes back to a millionth: nothing is flattened.
    if (step > (reach * factor) / 500)
      expect(largest).toBeLessThanOrEqual(1e-6 * reach * factor + 1e-6 * step);
  }
}

const magnitude = fc.constantFrom(
  1,
  1e-310,
  5e-324,
  1e-200,
  1e-30,
  1e-9,
  1e-3,
  1e3,
  1e7,
  1e12,
  1e200,
  1e300,
  1.7e308,
);
const unitValue = fc.double({ min: -1, max: 1, noNaN: true });
const value = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(unitValue, magnitude).map(([x, m]) => x * m) },
  fc.constantFrom(0, -0, Number.NaN, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE),
  { weight: 1, arbitrary: fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
);
const ofOneSize = fc
  .tuple(magnitude, fc.array(fc.oneof(unitValue, fc.constant(Number.NaN)), { minLength: 1, maxLength: 40 }))
  .map(([m, values]) => values.map((x) => x * m));
const samples = fc.oneof(
  ofOneSize,
  fc.tuple(value, fc.integer({ min: 1, max: 40 })).map(([x, n]) => Array<number>(n).fill(x)),
  fc.array(value, { minLength: 1, maxLength: 40 }),
  fc.tuple(ofOneSize, magnitude).map(([values, m]) => values.map((x) => x + m)),
);

describe.each(Object.keys(formats) as Format[])('%s', (format) => {
  it('brings back any samples, or refuses them before it writes', async () => {
    let [writes, refusals] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(samples, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('V', 'mV', 'uV', '', '%'),
        fc.option(magnitude, { nil: undefined, freq: 3 }),
        async (signals, unit, resolution) => {
          const length = signals[0]!.length;
          const made = signals.map((s) => ({
            samples: Array.from({ length }, (_, i) =>
              resolution === undefined ? s[i % s.length]! : Math.round(s[i % s.length]! % 1000) * resolution,
            ),
            unit,
            ...(resolution !== undefined && { resolution, offset: 0 }),
          }));
          const before = recordingOf(made);
          const after = await again(before, format);
          if (!isWritten(after)) return void refusals++;
          writes++;
          await expectSamples(before, after, format);
        },
      ),
      { seed: 16, numRuns: runs(format, 400) },
    );
    expect(writes).toBeGreaterThan(25);
    if (isExact(format)) expect(refusals).toBe(0);
  });

  it('brings back ordinary values of any size that it can say, never refuses a voltage', async () => {
    for (const [unit, size] of [
      ['V', 1e-6],
      ['V', 1],
      ['mV', 1e-3],
      ['uV', 1],
      ['uV', 1e5],
    ] as const)
      for (const shape of [[0, 0, 0], [1, 1], [1], [-1, 0.3, Number.NaN, 0.7], [Number.NaN, Number.NaN]]) {
        const before = recordingOf([{ samples: shape.map((x) => x * size), unit }]);
        const after = await again(before, format);
        if (!isWritten(after)) throw after;
        await expectSamples(before, after, format);
        if (shape[0] === 0) expect((await after.read(0, 0, 3)).every((x) => x === 0)).toBe(true);
      }
  });

  it('brings back extreme rates, alone and together', async () => {
    const rate = fc.constantFrom(1e-6, 0.001, 0.1, 1 / 3, 1, 62.5, 250, 1000 / 3, 44_100, 1e6);
    await fc.assert(
      fc.asyncProperty(fc.array(rate, { minLength: 1, maxLength: 2 }), async (rates) => {
        const before = recordingOf(
          rates.map((rateHz) => ({ rateHz, samples: Array.from({ length: 12 }, (_, i) => i - 6) })),
        );
        const after = await again(before, format);
        if (isWritten(after)) await expectSamples(before, after, format);
        else expect(after.message).toMatch(/Hz/);
      }),
      { seed: 16, numRuns: runs(format, 60) },
    );
  });

  it('brings back names, units, notes and facts of odd characters without harm to the rest', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.constantFrom(
        ...[
          'EDF Annotations',
          'BDF Annotations',
          'Status',
          'a\nr.dat 16 1',
          '# x',
          'a,b;c: d',
          'µV/√Hz',
          ' ',
        ],
        ...['abcdefghijklmnopq', 'abcdefghijklmnopqr', '@@c0', 'x@@c0', '\ufeffa', '__proto__', '~', '0'],
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ name: text, unit: text, note: text }), { minLength: 1, maxLength: 4 }),
        fc.dictionary(text, text, { maxKeys: 4 }),
        async (described, facts) => {
          const metadata = { ...facts, comments: facts.comments ?? 'a\n# b\n\nc', 'counter frequency': '..' };
          const signals = described.map((one, i) => ({ ...one, samples: [i, -1, 0.5, 2] }));
          const before = recordingOf(signals, { metadata });
          const after = await again(before, format);
          if (!isWritten(after)) throw after;
          // Nothing that a name says becomes a line, a channel, an annotation.
          expect(after.annotations.filter(({ label }) => label !== 'Recording ends')).toEqual([]);
          for (const [c, { name, unit }] of before.channels.entries()) {
            const [is, was] = [await after.read(c, 0, 4), await before.read(c, 0, 4)];
            const now = after.channels[c]!;
            const factor = now.unit === 'uV' ? (factors[unit] ?? 1) : 1;
            for (const [i, x] of was.entries()) expect(is[i]! / factor).toBeCloseTo(x, 3);
            if (isExact(format)) expect([now.name, now.unit]).toEqual([clean(name), clean(unit)]);
          }
        },
      ),
      { seed: 16, numRuns: runs(format, 200) },
    );
    // NumPy ends a text at a NUL.
    function clean(words: string) {
      return format === 'npz' ? words.replaceAll('\0', ' ') : words;
    }
  });

  it('brings back a start of any year, or says that it cannot', async () => {
    const ms = fc.oneof(
      fc.integer({ min: Date.parse('0001-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:58Z') }),
      fc.constantFrom(-1, 0, Date.parse('0001-01-01T00:00:00Z'), Date.parse('0099-12-31T23:59:59.999Z')),
      fc.constantFrom(Date.parse('1985-01-01T00:00:00Z'), Date.parse('9999-12-31T00:00:00Z')),
      fc.constantFrom(
        8.64e15,
        -8.64e15,
        Date.parse('0000-02-29T00:00:00Z'),
        Date.parse('+010000-01-01T00:00:00Z'),
      ),
    );
    await fc.assert(
      fc.asyncProperty(ms, fc.constantFrom(0, 1000, 999_000, 123_000), async (time, startNanoseconds) => {
        const startTime = new Date(time);
        const after = await again(
          recordingOf([{ samples: [1, 2] }], { startTime, startNanoseconds }),
          format,
        );
        const year = startTime.getUTCFullYear();
        expect(isWritten(after)).toBe(isExact(format) || (year >= 1 && year <= 9999));
        if (!isWritten(after)) return;
        expect(after.startTime).toEqual(startTime);
        expect(after.startNanoseconds ?? 0).toBe(startNanoseconds);
      }),
      { seed: 16, numRuns: runs(format, 200) },
    );
    const broken = recordingOf([{ samples: [1] }], { startTime: new Date(Number.NaN) });
    expect(isWritten(await again(broken, format))).toBe(false);
  });

  it('brings back annotations of any time and label', async () => {
    const label = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom(
        ...[
          '',
          ' ',
          'N',
          '" N',
          '[',
          ']',
          '## time resolution: 7',
          'x; duration 9 s',
          'x@@c0',
          '@@c1',
          '\ufeffx',
        ],
        ...['## annotation type definitions', 'Recording starts', 'a\x14b\x15c\0d', 'line\nline'],
      ),
    );
    const time = fc.oneof(
      fc.integer({ min: -1e6, max: 1e9 }).map((n) => n / 1e3),
      fc.constantFrom(0, -0.5, 1e-6, 1e7, 3e9, 1e12, -1e12),
    );
    const one = fc.record({
      start: time,
      duration: fc.constantFrom(0, 0.25, 1e-7, 3600, 1e12),
      label,
      channel: fc.constantFrom(undefined, 0, 1),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 12 }), async (list) => {
        const annotations = list.map(
          ({ channel, ...rest }): Annotation => (channel === undefined ? rest : { ...rest, channel }),
        );
        const before = recordingOf([{ samples: [1, 2, 3] }, { samples: [4, 5, 6] }], { annotations });
        const after = await again(before, format);
        const furthest = annotations.reduce((most, { start }) => Math.max(most, Math.abs(start)), 0);
        if (!isWritten(after)) throw after;
        const found = after.annotations.filter((a) => a.label !== 'Recording ends');
        if (isExact(format))
          return void expect(found).toEqual(
            annotations.map((a) => ({
              ...a,
              label: format === 'npz' ? a.label.replaceAll('\0', ' ') : a.label,
            })),
          );
        const sorted = annotations.toSorted((a, b) => a.start - b.start);
        expect(found.length).toBe(sorted.length);
        // To the microsecond where WFDB's ticks reach, then milliseconds, seconds.
        const tick =
          format === 'wfdb' && furthest > 8e9 ? 1 : format === 'wfdb' && furthest > 8e6 ? 1e-3 : 1e-6;
        for (const [i, was] of sorted.entries()) {
          const now = found[i]!;
          expect(Math.abs(now.start - was.start)).toBeLessThanOrEqual(tick + 1e-15 * Math.abs(was.start));
          expect(now.channel).toBe(was.channel);
          const isFlutter = format === 'wfdb' && was.label === '[';
          if (!isFlutter) expect(Math.abs(now.duration - was.duration)).toBeLessThanOrEqual(1e-7);
        }
      }),
      { seed: 16, numRuns: runs(format, 200) },
    );
    for (const start of [Number.NaN, Number.POSITIVE_INFINITY, 1e13]) {
      const annotations = [{ start, duration: 0, label: 'x' }];
      expect(isWritten(await again(recordingOf([{ samples: [1] }], { annotations }), format))).toBe(false);
    }
  });
});
