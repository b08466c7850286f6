/** FLAC: every subframe, stereo and residual kind, exactly; frames found by search; damage and cuts told apart. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { FormatError } from '../../src/core/errors.ts';
import { FlacStream } from '../../src/read/flac/stream.ts';
import { countingSource } from './build.ts';
import { type FlacParts, flacFile, type Subframe } from './build-flac.ts';

async function decode(bytes: Uint8Array, channel: number, start: number, end: number): Promise<number[]> {
  const stream = await FlacStream.open(bytesSource('x.flac', bytes));
  const result = new Array<number>(end - start).fill(Number.NaN);
  await stream.read(channel, start, end, (samples, from, to, offset) => {
    for (let i = from; i < to; i++) result[offset + i - from] = samples[i]!;
  });
  return result;
}

/** A slow wave with noise, within `bits`. */
const noisy = (length: number, bits: number, seed = 1) => {
  let state = seed;
  return Array.from({ length }, (_, i) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    const size = 2 ** (bits - 1) - 1;
    return Math.trunc(size * (0.7 * Math.sin(i / 20) + 0.2 * (state / 2 ** 30 - 1))) + 0;
  });
};

const linear = (order: number, precision: number): Subframe => ({
  type: 'linear',
  coefficients: Array.from({ length: order }, (_, j) => (j === 0 ? 2 ** (precision - 2) : j % 2 ? -3 : 2)),
  shift: precision - 2,
  precision,
});

describe('subframes', () => {
  /** `k`: a Rice parameter about as long as the residuals. */
  const cases: [string, (k: number) => Partial<FlacParts>][] = [
    ['verbatim', () => ({ subframe: () => ({ type: 'verbatim' }) })],
    ...[0, 1, 2, 3, 4].map((order): [string, (k: number) => Partial<FlacParts>] => [
      `fixed prediction of order ${order}`,
      () => ({ subframe: () => ({ type: 'fixed', order }) }),
    ]),
    ...[1, 2, 8, 12, 32].map((order): [string, (k: number) => Partial<FlacParts>] => [
      `linear prediction of order ${order}`,
      () => ({ subframe: () => linear(order, 12) }),
    ]),
    ['partitions with parameters of their own', (k) => ({ partitionOrder: 3, rice: (p) => k - 3 + p })],
    ['parameters of 5 bits', () => ({ method: 1 })],
    ['long quotients', (k) => ({ rice: () => k - 4 })],
    ['escaped partitions', (k) => ({ partitionOrder: 2, rice: (p) => (p % 2 ? { raw: k + 5 } : k) })],
  ];
  for (const bits of [8, 16, 24, 31, 32])
    it.each(cases)(`of ${bits} bits: %s`, async (_, partsOf) => {
      const size = Math.min(bits, 26);
      const k = Math.max(4, size - 2);
      const x = [noisy(320, size), noisy(320, size, 7)];
      const common = { bits, blockSamples: 64, rice: () => k, method: k > 10 ? 1 : 0 } as const;
      const file = flacFile(x, { ...common, ...partsOf(k) });
      expect(await decode(file, 0, 0, 320)).toEqual(x[0]);
      expect(await decode(file, 1, 0, 320)).toEqual(x[1]);
    });

  it('constant', async () => {
    const x = [Array(100).fill(-7)];
    const file = flacFile(x, { bits: 16, blockSamples: 64, subframe: () => ({ type: 'constant' }) });
    expect(await decode(file, 0, 0, 100)).toEqual(x[0]);
  });

  it.each(['left', 'right', 'mid'] as const)(
    'stereo as %s and side, at the ends of the range',
    async (stereo) => {
      for (const bits of [8, 16, 24, 32]) {
        const top = 2 ** (bits - 1);
        const x = [
          [top - 1, -top, 3, -3, top - 1, 0, -1, 5],
          [-top, top - 1, 2, -4, top - 1, -1, 0, -top],
        ];
        const verbatim = () => ({ type: 'verbatim' }) as const;
        const file = flacFile(x, { bits, blockSamples: 8, stereo, subframe: verbatim });
        expect(await decode(file, 0, 0, 8)).toEqual(x[0]);
        expect(await decode(file, 1, 0, 8)).toEqual(x[1]);
      }
    },
  );

  it('wasted bits', async () => {
    const x = [noisy(200, 10).map((v) => v * 8)];
    const file = flacFile(x, { bits: 16, blockSamples: 100, wasted: 3 });
    expect(await decode(file, 0, 0, 200)).toEqual(x[0]);
  });
});

describe('any stretch', () => {
  it.each([false, true])(
    'of any file is what was encoded (blocks numbered by samples: %s)',
    async (isVariable) => {
      const x = [noisy(40_000, 12), noisy(40_000, 12, 3)];
      const file = flacFile(x, { bits: 16, blockSamples: 128, isVariable, stereo: 'mid', rice: () => 7 });
      const stream = await FlacStream.open(bytesSource('x', file));
      expect(await stream.lastSample()).toBe(40_000);
      await fc.assert(
        fc.asyncProperty(fc.nat(39_999), fc.nat(600), fc.nat(1), async (start, length, channel) => {
          const end = Math.min(40_000, start + length);
          const found: number[] = [];
          await stream.read(channel, start, end, (samples, from, to, offset) => {
            expect(offset).toBe(found.length);
            found.push(...samples.subarray(from, to));
          });
          expect(found).toEqual(x[channel]!.slice(start, end));
        }),
        { seed: 3, numRuns: 100 },
      );
    },
  );

  it('is found without reading the file up to it', async () => {
    const x = [noisy(200_000, 16)];
    const file = flacFile(x, { bits: 16, blockSamples: 4096, subframe: () => ({ type: 'verbatim' }) });
    const { source, requests } = countingSource('x', file);
    const stream = await FlacStream.open(source);
    requests.reset();
    const found: number[] = [];
    await stream.read(0, 150_000, 150_010, (samples, from, to) => {
      found.push(...samples.subarray(from, to));
    });
    expect(found).toEqual(x[0]!.slice(150_000, 150_010));
    expect(requests.total()).toBeLessThan(file.length / 2);
  });
});

describe('damage', () => {
  const x = [noisy(1000, 12)];
  const file = flacFile(x, { bits: 16, blockSamples: 100, rice: () => 7 });

  it('of any byte of a frame is found by its checksums', async () => {
    const first = 8 + 34 + 7;
    for (let at = first; at < file.length; at += 7) {
      const damaged = file.slice();
      damaged[at]! ^= 0x10;
      await expect(decode(damaged, 0, 0, 1000), `byte ${at}`).rejects.toThrow(FormatError);
    }
  });

  it('leaves the frames before it readable, and names the byte', async () => {
    const damaged = file.slice();
    damaged[file.length - 20]! ^= 1;
    expect(await decode(damaged, 0, 0, 900)).toEqual(x[0]!.slice(0, 900));
    await expect(decode(damaged, 0, 0, 1000)).rejects.toThrow(/damaged frame of sample 900 at byte \d+/);
  });

  it('a cut leaves the last whole frame', async () => {
    const stream = await FlacStream.open(bytesSource('x', file.subarray(0, file.length - 5)));
    expect(await stream.lastSample()).toBe(900);
    await expect(stream.read(0, 850, 950, () => undefined)).rejects.toThrow(
      /ends at byte \d+, within the frame/,
    );
  });

  it.each([
    ['another file', Uint8Array.of(1, 2, 3, 4), "does not start with 'fLaC'"],
    ['nothing but the signature', file.subarray(0, 4), 'within its metadata'],
    ['no STREAMINFO', file.slice().fill(1, 4, 5), 'no valid STREAMINFO'],
  ])('%s is refused', async (_, bytes, fact) => {
    await expect(FlacStream.open(bytesSource('x', bytes))).rejects.toThrow(fact);
  });
});

describe('all channels in one pass', () => {
  it('gives what each channel gives alone, over frames of all kinds', async () => {
    const x = [noisy(1000, 16), noisy(1000, 16, 7), noisy(1000, 16, 3)];
    const kinds: Subframe[] = [
      { type: 'verbatim' },
      { type: 'fixed', order: 3 },
      linear(7, 12),
      linear(12, 12),
    ];
    const file = flacFile(x, {
      ...{ bits: 16, blockSamples: 64, rice: () => 11 },
      subframe: (channel, block) => kinds[(channel + block) % kinds.length]!,
    });
    const stream = await FlacStream.open(bytesSource('x', file));
    for (const [start, end] of [
      [0, 1000],
      [37, 41],
      [63, 650],
      [960, 1000],
    ] as const) {
      const result = x.map(() => new Array<number>(end - start).fill(Number.NaN));
      await stream.readAll(start, end, (channels, from, to, offset) => {
        for (const [c, samples] of channels.entries())
          for (let i = from; i < to; i++) result[c]![offset + i - from] = samples[i]!;
      });
      expect(result).toEqual(x.map((row) => row.slice(start, end)));
    }
  });

  it.each([2, 4, 6, 8, 11])(
    'predicts exactly with order %i where samples outgrow 32-bit sums',
    async (order) => {
      // Small, then of 30 bits, then small again: in one partition, and over several.
      const size = (i: number) => (i % 128 > 40 && i % 128 < 90 ? 2 ** 28 : 100);
      const x = [Array.from({ length: 256 }, (_, i) => Math.round(size(i) * Math.sin(i)))];
      for (const partitionOrder of [0, 3]) {
        const parts = { bits: 31, blockSamples: 128, partitionOrder, method: 1, rice: () => 27 } as const;
        const file = flacFile(x, { ...parts, subframe: () => linear(order, 14) });
        expect(await decode(file, 0, 0, 256)).toEqual(x[0]);
      }
    },
  );
});
