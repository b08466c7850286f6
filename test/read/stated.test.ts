/** What a user states of a file against what the file says: used for what is open, refused where the file says another. */
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { openRecording } from '../../src/read/open.ts';
import type { ReadOptions } from '../../src/read/options.ts';
import { cntFile } from './build-cnt.ts';

const samples = Float64Array.from({ length: 400 }, (_, t) => 40 * Math.sin(t / 9));

/** An EDF file whose header has these bytes as units. */
function edf(units: readonly string[]): Uint8Array {
  const bytes = encodeEdf({
    channels: units.map((_, i) => ({ name: `C${i}`, unit: 'uV', rateHz: 200, samples })),
  });
  const column = 256 + (units.length + 1) * 96; // with the annotations' signal
  for (const [i, unit] of units.entries())
    for (let k = 0; k < 8; k++) bytes[column + 8 * i + k] = unit.charCodeAt(k) || 0x20;
  return bytes;
}
const open = (bytes: Uint8Array, options: ReadOptions = {}, name = 'x.edf') =>
  openRecording(bytesSource(name, bytes), options);
const unitsOf = async (bytes: Uint8Array, options?: ReadOptions) =>
  (await open(bytes, options)).channels.map(({ unit }) => unit);

describe('a stated unit', () => {
  it('holds for channels without one, or with one that is not known; others keep theirs', async () => {
    const recording = await open(edf(['', 'adu', 'mV', '%']), { unit: 'uV' });
    expect(recording.channels.map(({ unit }) => unit)).toEqual(['uV', 'uV', 'mV', '%']);
    expect(recording.log.join()).toContain(
      "the unit of 2 of 4 channels is 'uV', as was stated; 1 that state",
    );
  });

  it('is refused where no channel needs it and the file says another', async () => {
    await expect(open(edf(['mV', '%']), { unit: 'uV' })).rejects.toThrow(
      /--input-unit: x\.edf states 'mV' for 'C0', 'uV' was given/,
    );
    await expect(open(edf(['mV']), { unit: 'millivolts' })).resolves.toBeDefined();
  });

  it('wins over what a lost sign was taken for', async () => {
    expect(await unitsOf(edf(['.V']))).toEqual(['µV']);
    expect(await unitsOf(edf(['.V']), { unit: 'mV' })).toEqual(['mV']);
  });

  it('must be a voltage', async () => {
    await expect(open(edf(['']), { unit: 'banana' })).rejects.toThrow(ConfigError);
  });
});

it.each([
  ['UTF-8', '\u00c2\u00b5V'],
  ['Shift-JIS', '\u0083\u00caV'],
  ['CP437', '\u00e6V'],
])('mends a micro sign in %s, and says so', async (_, unit) => {
  const recording = await open(edf([unit, 'mV']));
  expect(recording.channels.map((channel) => channel.unit)).toEqual(['µV', 'mV']);
  expect(recording.log.join()).toContain('of 1 channels is read as µV: its sign is in another encoding');
});

it('refuses a stated rate that is not that of the file, and takes one that is', async () => {
  await expect(open(edf(['uV']), { rateHz: 250 })).rejects.toThrow(
    /--input-rate: x\.edf states 200 Hz for 'C0', 250 Hz was given.*--rate/,
  );
  expect((await open(edf(['uV']), { rateHz: 200 })).channels[0]!.rateHz).toBe(200);
});

it('takes bits of samples for CNT files alone', async () => {
  await expect(open(edf(['uV']), { sampleBits: 16 })).rejects.toThrow(/--input-bits: x\.edf is edf/);
  const bytes = cntFile({ channels: 2, samples: 64, promised: 7 });
  expect((await open(bytes, { sampleBits: 16 }, 'x.cnt')).channels[0]!.lengthSamples).toBe(64);
  expect((await open(bytes, { sampleBits: 32 }, 'x.cnt')).channels[0]!.lengthSamples).toBe(32);
});
