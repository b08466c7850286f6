/** Matrices of signals in MAT-files → recordings: which one, which side is time, its rate, its names; or what to say. */
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { openMatRecording } from '../../src/read/mat/recording.ts';
import { openRecording } from '../../src/read/open.ts';
import { int16, matrix } from './build.ts';
import { mat5, nested } from './build-mat.ts';

const { file, doubles, cell, text, struct, compressed } = mat5();
const wave = (count: number) => Array.from({ length: count }, (_, i) => Math.sin(i));
const open = (bytes: Uint8Array, options = {}) => openRecording(bytesSource('x.mat', bytes), options);

describe('openMatRecording', () => {
  it('takes the only matrix, the longer side as time, rate and names from beside it', async () => {
    const bytes = file(
      doubles([1, 1], [250], 'Fs'),
      compressed(doubles([2, 50], wave(100), 'data')),
      cell([1, 2], [text('Cz'), text('ECG')], 'channels'),
      text('uV', 'unit'),
    );
    const recording = await open(bytes);
    expect(recording).toMatchObject({ format: 'mat', duration: 0.2, metadata: { variable: 'data' } });
    expect(recording.channels).toMatchObject([
      { name: 'Cz', unit: 'uV', rateHz: 250, lengthSamples: 50 },
      { name: 'ECG' },
    ]);
    expect([...(await recording.read(1, 3, 6))]).toEqual([Math.sin(7), Math.sin(9), Math.sin(11)]);
    expect(recording.log.join(' ')).toMatch(
      /2 × 50 is taken as 50 samples of 2 channels.*250 Hz is that of 'Fs'/,
    );
  });

  it('reads samples down a column where that is the longer side', async () => {
    const recording = await open(file(doubles([50, 2], wave(100), 'x')), { rateHz: 100, unit: 'mV' });
    expect([...(await recording.read(1, 3, 5))]).toEqual([Math.sin(53), Math.sin(54)]);
    expect(recording.channels[1]).toMatchObject({ name: 'Ch2', unit: 'mV', rateHz: 100 });
  });

  it('says what is there where nothing is a signal', async () => {
    await expect(open(file(doubles([1, 1], [2], 'a'), text('hello', 'b')), { rateHz: 1 })).rejects.toThrow(
      "mat: x.mat has no matrix of signals. It has: 'a' (double 1 × 1), 'b' (char 1 × 5). Name a file with a matrix of channels × samples.",
    );
    await expect(open(file(), { rateHz: 1 })).rejects.toThrow('It has no variables. Name a file');
  });

  it('asks for a rate, and for a choice, naming what there is', async () => {
    await expect(open(file(doubles([50, 2], wave(100), 'x')))).rejects.toMatchObject({
      name: 'ConfigError',
      key: 'rateHz',
    });
    const two = file(doubles([50, 2], wave(100), 'x'), doubles([2, 3], wave(6), 'y'));
    await expect(open(two)).rejects.toThrow(/has 2 arrays that may be signals: x, y. Choose one with --part/);
    expect((await open(two, { part: 'y', rateHz: 1 })).channels).toHaveLength(2);
    await expect(open(two, { part: 'z', rateHz: 1 })).rejects.toThrow(/no variable 'z'/);
  });

  it('reaches into structs by a path, and takes the rate from beside it', async () => {
    const bytes = file(
      struct([1, 1], ['sampling_rate', 'eeg'], [doubles([1, 1], [128]), doubles([3, 40], wave(120))], 'S'),
    );
    expect((await open(bytes)).metadata).toEqual({ variable: 'S.eeg' });
    const recording = await open(bytes, { part: 'S.eeg' });
    expect(recording.channels).toMatchObject([{ rateHz: 128, lengthSamples: 40 }, {}, {}]);
    await expect(open(file(nested()), { part: 'S.Data{1}.Age', rateHz: 1 })).rejects.toThrow(
      /a char of 1 × 2, which is no matrix/,
    );
    await expect(open(file(nested()))).rejects.toThrow(
      /has 4 arrays that may be signals: S.Data\{1\}.ECG.stimuli\{1\}, /,
    );
    await expect(open(file(nested()), { part: 'S.Data{9}.Age', rateHz: 1 })).rejects.toThrow(
      /has nothing at/,
    );
  });

  it('sends the samples of a WFDB record to their header', async () => {
    const bytes = matrix('val', 30, 2, 100, int16(new Int16Array(200)));
    const source = bytesSource('A1.mat', bytes, { 'A1.hea': new Uint8Array(8) });
    await expect(openMatRecording(source)).rejects.toThrow(/in 'A1.hea'. Open that/);
    expect((await openMatRecording(source, { rateHz: 500 })).channels).toHaveLength(2);
  });
});
