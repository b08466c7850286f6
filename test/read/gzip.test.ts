/** Files beside a recording may be compressed, each for itself. */

import { gzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { Budget } from '../../src/core/budget.ts';
import { bytesSource } from '../../src/core/bytes.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { withGzipSiblings } from '../../src/read/gzip.ts';
import { openRecording } from '../../src/read/open.ts';

const text = (value: string) => new TextEncoder().encode(value);
const header = text('x 1 100 3\nx.dat 16 200/mV 16 0 0 0 0 I\n');
const samples = new Uint8Array(Int16Array.of(200, 400, -200).buffer);

test.each([
  ['x.hea', { 'x.dat.gz': gzipSync(samples) }, header],
  ['x.hea.gz', { 'x.dat.gz': gzipSync(samples) }, gzipSync(header)],
  ['x.hea.gz', { 'x.dat': samples }, gzipSync(header)],
])('%s with %j', async (name, siblings, bytes) => {
  const recording = await openRecording(bytesSource(name, bytes, siblings));
  expect(Array.from(await recording.read(0, 0, 3))).toEqual([1, 2, -1]);
  await recording.close();
});

test('a plain file wins; what is neither is undefined; damage is an error', async () => {
  const source = withGzipSiblings(
    bytesSource('a', text('a'), {
      b: text('plain'),
      'b.gz': gzipSync(text('compressed')),
      'c.gz': gzipSync(text('c'.repeat(100))).subarray(0, 20),
    }),
    new Budget(),
  );
  expect((await source.sibling!('b'))!.byteLength).toBe(5);
  expect(await source.sibling!('d')).toBeUndefined();
  await expect(source.sibling!('c')).rejects.toThrow(/^c.gz: gzip data ends in an error/);
});

test('a truncated file opens with what came out of it where that is tolerated, and says so', async () => {
  const noise = Float64Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 1009);
  const edf = encodeEdf({ channels: [{ name: 'Fz', unit: 'uV', rateHz: 100, samples: noise }] });
  const packed = gzipSync(edf);
  const cut = bytesSource('a.edf.gz', packed.subarray(0, packed.length * 0.7));
  await expect(openRecording(cut)).rejects.toThrow(
    /gzip data ends in an error .* or open what came out with --tolerant/,
  );
  const recording = await openRecording(cut, { tolerant: true });
  expect(recording.log[0]).toMatch(/^truncated: gzip data ends in an error after \d+ bytes/);
  const { lengthSamples } = recording.channels[0]!;
  expect(lengthSamples).toBeGreaterThan(1000);
  const samples = await recording.read(0, 0, lengthSamples);
  for (const i of [0, 500, lengthSamples - 1]) expect(samples[i]).toBeCloseTo(noise[i]!, 1);
});
