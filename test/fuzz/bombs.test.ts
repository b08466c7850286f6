/** Element bombs, small ones against a small limit: `npm run fuzz` opens the large ones, and watches time and memory. */
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { bombs, openBomb } from './bombs.ts';

const scale = 0.02;
const maxElements = 20_000;
/** Of one on a loaded machine; the large ones take some seconds. */
const mostMilliseconds = 5000;

const sourceOf = (files: Readonly<Record<string, Uint8Array>>) => {
  const [[name, bytes]] = Object.entries(files) as [[string, Uint8Array]];
  return bytesSource(name, bytes, files);
};

describe('a small file that claims very many elements', () => {
  it.each(bombs.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const source = sourceOf(one.make((count) => Math.ceil(count * scale)));
    const before = process.cpuUsage();
    // Throws where it opens and must not, or for an error that is none of ours.
    await openBomb(one, source, { maxElements });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(mostMilliseconds);
  });

  it('is left where its opening is stopped', async () => {
    const cells = bombs.find(({ name }) => name === 'mat cells in cells')!;
    const stop = new AbortController();
    const source = sourceOf(cells.make((count) => Math.ceil(count / 4)));
    setTimeout(() => stop.abort(), 20);
    // The signal is heard only where the reader lets others run.
    const opening = openBomb(cells, source, { maxElements: 10_000_000, signal: stop.signal });
    expect((await opening).fact).toBe('read: stopped.');
  });
});
