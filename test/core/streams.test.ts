/** A stream becomes a source whatever its chunks, within a bound; its failures are heartmind's errors. */
import { expect, test } from 'vitest';
import { streamSource } from '../../src/core/streams.ts';

function streamOf(...chunks: readonly number[][]): ReadableStream<Uint8Array> {
  const rest = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk) controller.enqueue(Uint8Array.from(chunk));
      else controller.close();
    },
  });
}

test('chunks of any size are one source', async () => {
  const source = await streamSource('-', streamOf([1, 2], [], [3], [4, 5, 6]), { maxBytes: 6 });
  expect(source.byteLength).toBe(6);
  expect(Array.from(await source.read(1, 5))).toEqual([2, 3, 4, 5]);
  expect((await streamSource('-', streamOf())).byteLength).toBe(0);
});

test('more than the bound is refused, and the stream is let go', async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1000)),
    cancel() {
      cancelled = true;
    },
  });
  await expect(streamSource('-', endless, { maxBytes: 2500 })).rejects.toThrow(
    /^-: the stream holds more than 2500 bytes/,
  );
  expect(cancelled).toBe(true);
});

test('a stream that fails is a FormatError with the bytes so far', async () => {
  let chunks = 0;
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (chunks++ < 2) controller.enqueue(new Uint8Array(10));
      else controller.error(new Error('cable'));
    },
  });
  await expect(streamSource('-', broken)).rejects.toThrow(
    expect.objectContaining({
      name: 'FormatError',
      byteOffset: 20,
      message: expect.stringContaining('cable'),
    }),
  );
});
