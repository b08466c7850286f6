/** Small NumPy files: an array, and an archive with names and a rate. */

import type { Recording } from '../../src/core/recording.ts';
import { tensor } from '../../src/core/tensor.ts';
import { encodeNpy, encodeNpz } from '../../src/read/numpy/npz.ts';

const wave = (length: number) => Float64Array.from({ length }, (_, k) => Math.sin(k / 5));

export function smallNpy(): Record<string, Uint8Array> {
  return { 'small.npy': encodeNpy(tensor('float64', [2, 40], wave(80))) };
}

export function smallNpz(): Record<string, Uint8Array> {
  return {
    'small.npz': encodeNpz(
      new Map<string, Parameters<typeof encodeNpy>[0]>([
        ['data', tensor('float64', [2, 40], wave(80))],
        ['names', ['Fp1', 'Fp2']],
        ['units', ['uV', 'uV']],
        ['sfreq', tensor('float64', [1], Float64Array.of(200))],
      ]),
    ),
  };
}

/** A recording with all that a recording can have: two rates, a gap, steps, a missing sample, annotations. */
export function exampleRecording(): Recording {
  const samples = [
    Float64Array.from({ length: 500 }, (_, k) => 0.1 * Math.round(100 * Math.sin(k / 9)) + 0.5),
    Float64Array.from({ length: 500 }, (_, k) => (k % 50 ? Math.cos(k / 3) / 3 : Number.NaN)),
    Float64Array.from({ length: 125 }, (_, k) => k),
  ];
  return {
    source: 'made',
    format: 'made',
    channels: [
      {
        name: 'Fp1',
        unit: 'uV',
        rateHz: 200,
        lengthSamples: 500,
        resolution: 0.1,
        offset: 0.5,
        range: [-10, 10],
      },
      { name: 'Fp1', unit: 'mV', rateHz: 200, lengthSamples: 500, note: 'a second of that name; ü' },
      { name: 'resp', unit: '', rateHz: 50, lengthSamples: 125 },
    ],
    duration: 4,
    spans: [
      { start: 0, duration: 1 },
      { start: 2.5, duration: 1.5 },
    ],
    annotations: [
      { start: 0.25, duration: 0.5, label: 'eyes closed', channel: 1 },
      { start: 3, duration: 0, label: 'ü' },
    ],
    startTime: new Date(1700000000123),
    startNanoseconds: 456000,
    metadata: { patient: 'X', comments: 'none' },
    log: [],
    read: async (channel, start, end) => samples[channel]!.slice(start, end),
    close: async () => undefined,
  };
}
