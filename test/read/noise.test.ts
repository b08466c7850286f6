/** What moves a channel in a short while, and conversions that would flatten it. */
import { expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import type { Recording } from '../../src/core/recording.ts';
import { writeBdf, writeEdf } from '../../src/read/edf/write.ts';
import { isFlattened, NoiseMeter } from '../../src/read/noise.ts';
import { openRecording } from '../../src/read/open.ts';
import type { WriteRecording } from '../../src/read/output.ts';
import { writeWfdb } from '../../src/read/wfdb/write.ts';

const quiet = Float64Array.from({ length: 2500 }, (_, t) => 20 * Math.sin(t * 1.7) * Math.sqrt(2));
/** Two seconds off the scale: 16 bits over all of it make steps of 305 µV. */
const burst = quiet.map((x, t) => (t >= 1000 && t < 1050 ? 2e7 : x));

function recordingOf(signals: readonly Float64Array[]): Recording {
  return {
    ...{ source: 'x', format: 'test', duration: 10, spans: [{ start: 0, duration: 10 }] },
    channels: signals.map((_, i) => ({ name: `C${i}`, unit: 'uV', rateHz: 250, lengthSamples: 2500 })),
    ...{ annotations: [], metadata: {}, log: [], close: async () => undefined },
    read: async (channel, start, end) => signals[channel]!.slice(start, end),
  };
}

async function written(write: WriteRecording, fileName: string, signals: readonly Float64Array[]) {
  const files: Record<string, Uint8Array> = {};
  for await (const { name, bytes } of write(recordingOf(signals), fileName)) {
    const parts: Uint8Array[] = [];
    for await (const part of bytes) parts.push(part.slice());
    files[name] = new Uint8Array(Buffer.concat(parts));
  }
  return openRecording(bytesSource(fileName, files[fileName]!, files));
}

it('measures what a channel mostly moves by, whatever it reaches', () => {
  const noiseOf = (samples: Float64Array) => {
    const meter = new NoiseMeter();
    meter.add(samples.subarray(0, 777));
    meter.add(samples.subarray(777));
    return meter.noise;
  };
  expect(noiseOf(quiet)).toBeGreaterThan(18);
  expect(noiseOf(quiet)).toBeLessThan(22);
  expect(noiseOf(burst)).toBeLessThan(22);
  expect(noiseOf(new Float64Array(500).fill(3))).toBeUndefined();
});

it('asks nothing of steps that a channel had before', () => {
  expect([isFlattened(305, undefined, 20), isFlattened(305, 305, 20), isFlattened(1, undefined, 20)]).toEqual(
    [true, false, false],
  );
  expect(isFlattened(305, undefined, undefined)).toBe(false);
});

it('EDF refuses, naming every channel that would be flattened, and says bdf', async () => {
  const signals = Array.from({ length: 12 }, (_, i) => (i >= 5 && i !== 8 ? burst : quiet));
  const error = await written(writeEdf, 'x.edf', signals).catch((e: unknown) => e as Error);
  const { message } = error as Error;
  for (const name of ['C5', 'C6', 'C7', 'C9', 'C10', 'C11']) expect(message).toContain(`'${name}'`);
  expect(message).not.toContain("'C8'");
  expect(message).toContain('.bdf (24 bits)');
});

it.each([
  ['BDF', writeBdf, 'x.bdf'],
  ['WFDB', writeWfdb, 'x.hea'],
] as const)('%s has wider integers for it', async (_, write, fileName) => {
  const recording = await written(write, fileName, [quiet, burst]);
  const x = await recording.read(1, 0, 1000);
  const worst = x.reduce((most, value, t) => Math.max(most, Math.abs(value - quiet[t]!)), 0);
  expect(worst).toBeLessThan(2.5);
});
