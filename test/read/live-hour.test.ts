/** An hour of a live signal, as fast as it can be made: the source is asked for no more than is used. */
import { expect, it } from 'vitest';
import { pipeSource } from '../../src/read/live/pipe.ts';

it('a pipe of an hour is taken as it is used, every sample once', async () => {
  const [rateHz, seconds] = [100, 3600];
  let made = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (made === seconds) return controller.close();
      // Every tenth second has a row that cannot be read.
      const rows = Array.from({ length: rateHz }, (_, i) =>
        made % 10 === 5 && i === 0 ? 'a,b,c' : `${made * rateHz + i},1`,
      );
      made++;
      controller.enqueue(new TextEncoder().encode(`${rows.join('\n')}\n`));
    },
  });
  const notes: string[] = [];
  const source = await pipeSource('pipe', stream, {
    type: 'text',
    rateHz,
    unit: 'uV',
    channels: ['a', 'b'],
    onNote: (note) => notes.push(note),
  });
  let [used, furthest, sum] = [0, 0, 0];
  for await (const { samples } of source.pieces(new AbortController().signal)) {
    used++;
    furthest = Math.max(furthest, made - used);
    for (const value of samples[0]!) sum += value;
  }
  const total = rateHz * seconds;
  const left = rateHz * ((10 * 359 * 360) / 2 + 5 * 360); // Σ of the rows that were passed over
  expect(sum).toBe((total * (total - 1)) / 2 - left);
  expect(furthest).toBeLessThanOrEqual(3);
  expect(notes.length).toBeLessThan(6);
}, 60_000);
