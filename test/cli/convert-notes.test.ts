/** What `convert` says was lost, and which files it knows to be read. */
import { link, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeLosses } from '../../src/cli/convert-notes.ts';
import { openInput } from '../../src/cli/read-flags.ts';
import { isInput, watchInputs } from '../../src/core/input-files-node.ts';
import type { Recording, Span } from '../../src/core/recording.ts';

const channel = { name: 'Fz', unit: 'uV', rateHz: 100, lengthSamples: 300 };
const seen = [{ lowest: 0, highest: 0, missing: 0, firstMissing: undefined }];

function recordingOf(spans: readonly Span[], more: Partial<Recording> = {}): Recording {
  return {
    ...{ source: 'a', format: 'test', channels: [channel], spans, duration: 4, annotations: [] },
    ...{ metadata: {}, log: [] },
    read: async (_, start, end) => new Float64Array(end - start),
    close: async () => {},
    ...more,
  };
}

test('boundaries without time between them are no gaps', async () => {
  const boundary = [
    { start: 0, duration: 1 },
    { start: 1 + 1e-16, duration: 1 },
    { start: 3, duration: 1 },
  ];
  const kept = [
    { start: 0, duration: 2 },
    { start: 3, duration: 1 },
  ];
  const joined = await describeLosses(recordingOf(boundary), recordingOf(kept), seen);
  expect(joined).toEqual([expect.stringMatching(/^1 boundaries between stretches .* without a gap/)]);
  const filled = await describeLosses(recordingOf(kept), recordingOf([{ start: 0, duration: 4 }]), seen);
  expect(filled).toEqual(['1 of 1 gaps (1 s in all) are filled instead of left out.']);
});

test('a start is the same to the microsecond; a length without a signal is told of', async () => {
  const startTime = new Date(0);
  const before = recordingOf([], { startTime, startNanoseconds: 531_200, channels: [] });
  const near = recordingOf([], { startTime, startNanoseconds: 531_000, channels: [] });
  expect(await describeLosses(before, near, [])).toEqual([]);
  const short = recordingOf([], { startTime: new Date(1), duration: 0, channels: [] });
  expect((await describeLosses(before, short, [])).join(' ')).toMatch(
    /4 s became 0 s.* it starts at|it starts at.* 4 s became 0 s/,
  );
});

test('every file of a recording is known, also those beside the header that another file led to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heartmind-inputs-'));
  try {
    await writeFile(join(folder, 'r.hea'), 'r 1 100 2\nsignal.dat 16 1/mV\n');
    await writeFile(join(folder, 'signal.dat'), Uint8Array.of(1, 0, 2, 0));
    await writeFile(join(folder, 'r.qrs'), Uint8Array.of(1, 4, 0, 0));
    await writeFile(join(folder, 'other.dat'), Uint8Array.of(1, 0, 2, 0));
    await link(join(folder, 'signal.dat'), join(folder, 'hard-link'));
    const end = watchInputs();
    const recording = await openInput(join(folder, 'r.qrs'), {});
    await recording.close();
    const isRead = async (name: string) => isInput(await stat(join(folder, name), { bigint: true }));
    for (const name of ['r.qrs', 'r.hea', 'signal.dat', 'hard-link'])
      expect(await isRead(name), name).toBe(true);
    expect(await isRead('other.dat')).toBe(false);
    end();
  } finally {
    await rm(folder, { recursive: true });
  }
});
