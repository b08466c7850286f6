/** Every reader against pyedflib and wfdb-python: scripts/golden/read.py made the values. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Recording } from '../../src/core/recording.ts';
import { fileSource, openRecordingFile } from '../../src/read/file-node.ts';
import { readWfdbAnnotations } from '../../src/read/wfdb/annotations.ts';

interface Digest {
  name: string;
  unit: string;
  rateHz: number;
  length: number;
  nan: number;
  sum: number;
  squares: number;
  weighted: number;
  first: (number | null)[];
  middle: (number | null)[];
  last: (number | null)[];
}
interface Golden {
  error?: string;
  channels: Digest[];
  annotations?: [number, number, string][];
}
interface Beats {
  count: number;
  samples: number[];
  labels: string[] | Record<string, number>;
}
interface Values {
  edf: Record<string, Golden>;
  wfdb: Record<string, Golden>;
  annotations: Record<string, Beats>;
  unpackedEdf?: Record<string, Golden>;
  unpackedWfdb?: Record<string, Golden>;
}

const golden = new URL('../golden/read/', import.meta.url).pathname;
const load = (name: string): Values => JSON.parse(readFileSync(join(golden, name), 'utf8'));
const own = load('fixtures.json');
const foreign = load('conformance.json');
const shared = new URL('../../../shared/data/', import.meta.url).pathname;
const unpacked = process.env.HEARTMIND_DATA ?? join(homedir(), '.cache/heartmind/data');

async function compare(recording: Recording, expected: Golden): Promise<void> {
  expect(recording.channels.map((c) => c.name)).toEqual(expected.channels.map((c) => c.name));
  for (const [i, want] of expected.channels.entries()) {
    const channel = recording.channels[i]!;
    expect(channel.unit).toBe(want.unit);
    expect(channel.rateHz).toBeCloseTo(want.rateHz, 9);
    expect(channel.lengthSamples).toBe(want.length);
    const x = await recording.read(i, 0, channel.lengthSamples);
    const scale =
      Math.sqrt(want.squares / Math.max(1, want.length)) + Math.abs(channel.range?.[0] ?? 0) + 1e-12;
    const near = (a: number, b: number, size: number) =>
      expect(Math.abs(a - b)).toBeLessThanOrEqual(size * 1e-11);
    const finite = x.map((v) => (Number.isNaN(v) ? 0 : v));
    expect(x.reduce((n, v) => n + Number(Number.isNaN(v)), 0)).toBe(want.nan);
    near(
      finite.reduce((s, v) => s + v, 0),
      want.sum,
      scale * want.length,
    );
    near(
      finite.reduce((s, v, j) => s + v * (j % 1009), 0),
      want.weighted,
      scale * want.length * 1009,
    );
    const middle = Math.floor(x.length / 2);
    const slices = [...x.slice(0, 4), ...x.slice(middle, middle + 4), ...x.slice(-4)];
    for (const [j, value] of [...want.first, ...want.middle, ...want.last].entries()) {
      if (value === null) expect(slices[j]).toBeNaN();
      else near(slices[j]!, value, scale);
    }
    expect([...(await recording.read(i, middle, x.length))].slice(0, 4)).toEqual([
      ...x.slice(middle, middle + 4),
    ]);
  }
  for (const [i, [start, duration, label]] of (expected.annotations ?? []).entries()) {
    const annotation = recording.annotations[i]!;
    expect(annotation.label).toBe(label);
    expect(annotation.start).toBeCloseTo(start, 6);
    expect(annotation.duration).toBeCloseTo(duration, 6);
  }
  if (expected.annotations) expect(recording.annotations).toHaveLength(expected.annotations.length);
}

function records(folder: string, group: Record<string, Golden>, extension: string): void {
  for (const [name, expected] of Object.entries(group)) {
    if (expected.error) continue;
    it(name, async () => {
      const recording = await openRecordingFile(join(folder, name + extension));
      await compare(recording, expected);
      await recording.close();
    });
  }
}

function beats(folder: string, group: Record<string, Beats>): void {
  for (const [name, expected] of Object.entries(group)) {
    it(name, async () => {
      const source = await fileSource(join(folder, name));
      // wfdb-python leaves out every note at time 0; ours keeps those that define nothing (`gqrs -r 100`).
      const found = (await readWfdbAnnotations(source, 1)).filter(
        (a) => a.start > 0 || !a.label.startsWith('"'),
      );
      await source.close?.();
      expect(found).toHaveLength(expected.count);
      if (!Array.isArray(expected.labels)) return;
      expect(found.map((a) => a.label)).toEqual(expected.labels);
      // sixteen.atr states its own time resolution of 500 Hz, which wins over the rate of 1 given here.
      const rate = name === 'sixteen.atr' ? 500 : 1;
      expect(found.map((a) => Math.round(a.start * rate))).toEqual(expected.samples);
    });
  }
}

describe('own fixtures', () => {
  records(join(golden, 'fixtures'), own.edf, '');
  records(join(golden, 'fixtures'), own.wfdb, '.hea');
  beats(join(golden, 'fixtures'), own.annotations);
});
describe.skipIf(!existsSync(shared))('conformance files (needs ../shared)', () => {
  records(shared, foreign.edf, '');
  records(shared, foreign.wfdb, '.hea');
  beats(shared, foreign.annotations);
  it('says what happened to a file with changed line endings', async () => {
    await expect(openRecordingFile(join(shared, 'malformed/S001R04_crlf_mangled.edf'))).rejects.toThrow(
      /text-mode/,
    );
  });
});
describe.skipIf(!existsSync(unpacked))('unpacked data (needs ../shared)', () => {
  records(unpacked, foreign.unpackedEdf ?? {}, '');
  records(unpacked, foreign.unpackedWfdb ?? {}, '.hea');
});
