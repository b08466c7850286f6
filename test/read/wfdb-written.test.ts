/**
 * Files of the writer as wfdb-python reads them. The files are committed; the writer must give exactly these bytes
 * (HEARTMIND_UPDATE=1 writes them anew), and scripts/golden/wfdb_written.py says what wfdb-python finds in them.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Channel, Recording } from '../../src/core/recording.ts';
import { writeWfdb } from '../../src/read/wfdb/write.ts';
import { concat } from './build.ts';

const folder = new URL('../golden/read/wfdb-written/', import.meta.url).pathname;
const goldenFile = new URL('../golden/read/wfdb-written.json', import.meta.url);

interface Found {
  readonly fs: number;
  readonly start: string;
  readonly comments: readonly string[];
  readonly signals: readonly {
    readonly name: string;
    readonly unit: string;
    readonly samplesPerFrame: number;
    readonly format: string;
    /** Does the sum of the stored samples agree with the header's? */
    readonly isChecksumRight: boolean;
    readonly isInitialValueRight: boolean;
    readonly physical: readonly (number | null)[];
  }[];
  readonly annotations: readonly (readonly [number, string, string, number, number, number])[];
  readonly annotationRateHz: number | null;
}

type Made = Omit<Channel, 'lengthSamples'> & { readonly samples: readonly number[] };

function recordingOf(channels: readonly Made[], annotations: Recording['annotations']): Recording {
  const described = channels.map(({ samples, ...one }) => ({ ...one, lengthSamples: samples.length }));
  const duration = described[0]!.lengthSamples / described[0]!.rateHz;
  return {
    source: 'made',
    format: 'wfdb',
    channels: described,
    duration,
    spans: [{ start: 0, duration }],
    annotations,
    startTime: new Date(Date.UTC(2021, 1, 3, 4, 5, 6, 250)),
    metadata: { age: '63', sex: 'F' },
    log: [],
    read: async (c, start, end) => Float64Array.from(channels[c]!.samples.slice(start, end)),
    close: async () => undefined,
  };
}

const wave = (length: number, resolution: number, offset: number, size: number) =>
  Array.from({ length }, (_, i) => Math.round(size * Math.sin(i / 7)) * resolution + offset);

const made: Readonly<Record<string, readonly Made[]>> = {
  sixteen: [
    {
      name: 'ECG lead II',
      unit: 'mV',
      rateHz: 500,
      resolution: 0.005,
      offset: 0.25,
      range: [-10, 10],
      samples: wave(200, 0.005, 0.25, 1500),
    },
    {
      name: 'EEG Fp1',
      unit: 'µV',
      rateHz: 250,
      resolution: 0.1,
      offset: 0.05,
      range: [-1000, 1000],
      samples: wave(100, 0.1, 0.05, 3000).with(7, Number.NaN),
    },
  ],
  wide: [
    {
      name: 'Fp1',
      unit: 'uV',
      rateHz: 2048,
      resolution: 0.03125,
      offset: 0,
      samples: wave(50, 0.03125, 0, 8_000_000),
    },
  ],
};

const records: Readonly<Record<string, Recording>> = {
  sixteen: recordingOf(made.sixteen!, [
    { start: 0.02, duration: 0, label: 'N' },
    { start: 0.1, duration: 0, label: '+ (AFIB', channel: 1 },
    { start: 0.2, duration: 0.1, label: 'task' },
  ]),
  // Times between frames.
  wide: recordingOf(made.wide!, [
    { start: 3.000001, duration: 0, label: 'V' },
    { start: 3000, duration: 0, label: 'start' },
  ]),
};

async function filesOf(recording: Recording, name: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { name: file, bytes } of writeWfdb(recording, `${name}.hea`)) {
    const parts: Uint8Array[] = [];
    for await (const part of bytes) parts.push(part);
    files.set(file, concat(...parts));
  }
  return files;
}

it.each(Object.keys(records))('%s: the writer gives the committed files', async (name) => {
  const files = await filesOf(records[name]!, name);
  if (process.env.HEARTMIND_UPDATE) {
    mkdirSync(folder, { recursive: true });
    for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes);
  }
  const there = readdirSync(folder).filter((file) => file.startsWith(`${name}.`));
  expect([...files.keys()].sort()).toEqual(there.sort());
  for (const [file, bytes] of files) expect(new Uint8Array(readFileSync(join(folder, file)))).toEqual(bytes);
});

it.each(Object.keys(records))('%s: wfdb-python reads what was written', (name) => {
  const found = (JSON.parse(readFileSync(goldenFile, 'utf8')) as Record<string, Found>)[name]!;
  const { channels } = records[name]!;
  expect(found.start).toBe('2021-02-03T04:05:06.250000');
  expect(found.comments).toEqual(['age: 63', 'sex: F']);
  for (const [i, signal] of found.signals.entries()) {
    const { unit, rateHz, name: label, resolution } = channels[i]!;
    const samples = made[name]![i]!.samples;
    expect(signal).toMatchObject({
      name: label,
      unit: unit.replace('µ', 'u'),
      isChecksumRight: true,
      isInitialValueRight: true,
      format: name === 'wide' ? '24' : '16',
    });
    expect(signal.samplesPerFrame * found.fs).toBe(rateHz);
    expect(signal.physical).toHaveLength(samples.length);
    for (const [k, x] of samples.entries()) {
      if (Number.isNaN(x)) expect(signal.physical[k]).toBeNull();
      else expect(Math.abs(signal.physical[k]! - x)).toBeLessThan(1e-9 * resolution! + 1e-12 * Math.abs(x));
    }
  }
  expect(found.annotations).toEqual(
    name === 'wide'
      ? [
          [3000001, 'V', '', 0, 0, 0],
          [3000000000, '"', 'start', 0, 0, 0],
        ]
      : [
          [5, 'N', '', 0, 0, 0],
          [25, '+', '(AFIB', 0, 1, 0],
          [50, '"', 'task; duration 0.1 s', 0, 255, 0],
        ],
  );
  if (name === 'wide') expect(found.annotationRateHz).toBe(1_000_000);
});
