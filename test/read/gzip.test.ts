/** Files beside a recording may be compressed, each for itself. */
import { gzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
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
  );
  expect((await source.sibling!('b'))!.byteLength).toBe(5);
  expect(await source.sibling!('d')).toBeUndefined();
  await expect(source.sibling!('c')).rejects.toThrow(/^c.gz: gzip data ends in an error/);
});
