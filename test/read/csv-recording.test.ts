import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { HeartmindError } from '../../src/core/errors.ts';
import type { ReadOptions } from '../../src/read/options.ts';
import { openCsv } from '../../src/read/table/csv.ts';
import { numberEnd, readNumber } from '../../src/read/table/csv-number.ts';
import { parseTime } from '../../src/read/table/csv-time.ts';
import { smallCsv, tables, wave } from './build-csv.ts';

const open = (text: string | Uint8Array, options: ReadOptions = {}) =>
  openCsv(bytesSource('a.csv', typeof text === 'string' ? new TextEncoder().encode(text) : text), options);
const names = (recording: Awaited<ReturnType<typeof open>>) =>
  recording.channels.map(
    ({ name, unit, rateHz, lengthSamples }) => `${name} ${unit} ${rateHz} ${lengthSamples}`,
  );
const waves = (count: number, shift = 0, scale = 100) =>
  Array.from({ length: count }, (_, k) => wave(k + shift, scale));

describe('numbers in text', () => {
  it('are rounded as the engine rounds them, whatever their length', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    };
    const wrong: string[] = [];
    for (let i = 0; i < 50_000; i++) {
      const value = (random() - 0.5) * 10 ** Math.floor(random() * 12 - 4);
      const digits = Math.floor(random() * 20) + 1;
      const texts = [
        String(value),
        value.toPrecision(digits),
        value.toExponential(digits),
        value.toFixed(digits),
      ];
      for (const text of texts) {
        const bytes = new TextEncoder().encode(`${text},`);
        if (readNumber(bytes, 0, bytes.length, 46) !== Number(text) || numberEnd() !== text.length)
          wrong.push(text);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('are right where half a step decides', () => {
    for (const text of [
      '9007199254740993',
      '0.500000000000000166533453694',
      '1e23',
      '8.5e-324',
      '-0',
      '1e400',
      '.5',
      '7.',
    ]) {
      const bytes = new TextEncoder().encode(text);
      expect(readNumber(bytes, 0, bytes.length, 46), text).toBe(Number(text));
    }
    for (const text of ['', '-', '.', 'e5', 'x'])
      expect(readNumber(new TextEncoder().encode(text), 0, text.length, 46)).toBeNaN();
  });

  it('are times where they are written so', () => {
    expect(parseTime('2026-03-01 10:20:30.125')).toEqual({
      seconds: Date.UTC(2026, 2, 1, 10, 20, 30) / 1000 + 0.125,
      isDate: true,
    });
    expect(parseTime('2026-03-01T10:20:30+02:00')!.seconds).toBe(Date.UTC(2026, 2, 1, 8, 20, 30) / 1000);
    expect(parseTime('31.12.2025 23:59:59,5')!.seconds).toBe(Date.UTC(2025, 11, 31, 23, 59, 59) / 1000 + 0.5);
    expect(parseTime('1:02:03.5')).toEqual({ seconds: 3723.5, isDate: false });
    expect(parseTime('12.5')).toBeUndefined();
  });
});

describe('tables', () => {
  it('have units in their names and a rate by their times', async () => {
    const recording = await open(tables['plain.csv']);
    expect(names(recording)).toEqual(['ECG mV 250 50', 'Fp1 uV 250 50']);
    expect([...(await recording.read(1, 0, 50))]).toEqual(waves(50));
    expect([...(await recording.read(0, 10, 12))]).toEqual([wave(10, 1), wave(11, 1)]);
    expect(recording.spans).toEqual([{ start: 0, duration: 0.2 }]);
  });

  it('may have decimal commas, a byte order mark, other line ends', async () => {
    const recording = await open(tables['decimal.csv']);
    expect(names(recording)).toEqual(['EKG mV 100 40']);
    expect([...(await recording.read(0, 0, 40))]).toEqual(waves(40, 0, 1));
    const wide = new Uint8Array(
      new Uint16Array([...tables['decimal.csv']].map((c) => c.charCodeAt(0))).buffer,
    );
    expect(names(await open(wide))).toEqual(['EKG mV 100 40']);
  });

  it('without header and times need a rate', async () => {
    await expect(open(tables['bare.txt'])).rejects.toThrow(
      /no column of times and states no rate. Give .* --input-rate/,
    );
    const recording = await open(tables['bare.txt'], { rateHz: 128, unit: 'uV' });
    expect(names(recording)).toEqual(['column 1 uV 128 30', 'column 2 uV 128 30']);
    expect([...(await recording.read(1, 0, 30))]).toEqual(waves(30, 3));
  });

  it('may say their rate and columns in comments', async () => {
    const recording = await open(tables['savetxt.txt']);
    expect(names(recording)).toEqual(['ECG  500 30', 'EMG  500 30']);
    expect([...(await recording.read(0, 0, 30))]).toEqual(waves(30));
  });

  it('of rdsamp have a row of units', async () => {
    expect(names(await open(tables['rdsamp.csv']))).toEqual(['MLII mV 360 40', 'V5 mV 360 40']);
  });

  it('of Mind Monitor: times in packets, elements as annotations', async () => {
    const recording = await open(tables['museMonitor.csv'], { rateHz: 256 });
    expect(names(recording)).toContain('RAW_TP9 uV 256 63');
    expect(recording.annotations).toEqual([{ start: 20 / 256, duration: 0, label: '/muse/elements/blink' }]);
    expect(recording.startTime).toEqual(new Date(Date.UTC(2026, 2, 1, 10, 20, 30)));
    expect(recording.channels.map(({ name }) => name)).not.toContain('Battery');
  });

  it('of muselsl: unix times, an unused input', async () => {
    const recording = await open(tables['muselsl.csv']);
    expect(names(recording)).toEqual(['TP9  256 64', 'AF7  256 64', 'AF8  256 64', 'TP10  256 64']);
    expect(recording.startTime?.getTime()).toBe(1700000000000);
    expect(recording.log.join()).toMatch(/'Right AUX'/);
  });

  it('of OpenBCI: the rate that the header states, inputs in microvolt', async () => {
    const recording = await open(tables['OpenBCI-RAW.txt']);
    expect(names(recording)).toEqual([
      'EXG Channel 0 uV 250 60',
      'EXG Channel 1 uV 250 60',
      'Accel Channel 0 g 250 60',
    ]);
    expect([...(await recording.read(0, 0, 60))]).toEqual(waves(60, 0, 5000));
  });

  it('of Polar Sensor Logger: nanoseconds, and a jump', async () => {
    const recording = await open(tables['polar.txt']);
    expect(names(recording)).toEqual(['ecg uV 130 80']);
    expect(recording.spans).toHaveLength(2);
    expect(recording.spans[1]!.start).toBeCloseTo(40 / 130 + 5, 2);
    expect(recording.startTime).toEqual(new Date(Date.UTC(2026, 2, 1, 10, 20, 30)));
    expect([...(await recording.read(0, 38, 42))]).toEqual([-2, -1, 0, 1]);
    expect(recording.log.join()).toMatch(/1 gaps of 5 s/);
  });

  it('of Empatica: start and rate in the first rows; intervals are refused', async () => {
    const recording = await open(tables['BVP.csv']);
    expect(names(recording)).toEqual(['column 1  64 40']);
    expect(recording.startTime?.getTime()).toBe(1600000000000);
    await expect(open('1600000000.0, IBI\n4.5,0.6\n5.1,0.61\n')).rejects.toThrow(/intervals between beats/);
  });

  it('have labels, as numbers and as texts', async () => {
    const recording = await open(tables['labels.csv']);
    expect(names(recording)).toEqual(['ECG  10 40']);
    expect(recording.annotations).toEqual([
      { start: 0, duration: 2, label: 'rest' },
      { start: 0.5, duration: 0, label: '3' },
      { start: 2, duration: 2, label: 'task' },
    ]);
  });

  it('have gaps: short ones are NaN, long ones end a span', async () => {
    const recording = await open(tables['gap.csv']);
    expect([...(await recording.read(0, 8, 14))]).toEqual([8, 9, NaN, NaN, 10, 11]);
    expect(recording.spans).toHaveLength(2);
    expect(recording.spans[1]!.start).toBeCloseTo(5.32, 9);
    expect(recording.log.join()).toMatch(/2 samples are missing/);
  });

  it('take quotes, empty cells and short rows, and say so', async () => {
    const recording = await open(
      'a,b\n1,"2"\n,4\n5\n"7",x\n9,10\n11,12\n13,14\n15,16\n17,18\n19,20\n21,22\n23,24\n',
      { rateHz: 1 },
    );
    expect([...(await recording.read(0, 0, 5))]).toEqual([1, NaN, 5, 7, 9]);
    expect([...(await recording.read(1, 0, 5))]).toEqual([2, 4, NaN, NaN, 10]);
    expect(recording.log.join()).toMatch(
      /1 rows have fewer than 2 cells, the first in line 4.*1 cells are no numbers \('x'\)/,
    );
    await expect(open('a,b\n1,2\n3\n4\n5\n6,7\n8,9\n1,2\n2,3\n', { rateHz: 1 })).rejects.toThrow(
      /3 rows have fewer than 2 cells/,
    );
  });

  it('only throw their own errors on damaged bytes', async () => {
    for (const name of Object.keys(tables) as (keyof typeof tables)[]) {
      const bytes = smallCsv(name)[name]!;
      for (let i = 0; i < 40; i++) {
        const broken = bytes.slice(0, i % 3 ? undefined : (i * 7919) % bytes.length);
        broken[(i * 104729 + 13) % bytes.length] = (i * 37) % 256;
        try {
          const recording = await open(broken, i % 2 ? { rateHz: 100 } : {});
          for (const [c, { lengthSamples }] of recording.channels.entries()) {
            expect(lengthSamples).toBeLessThan(10 * bytes.length);
            await recording.read(c, 0, lengthSamples);
          }
        } catch (error) {
          if (!(error instanceof HeartmindError)) throw error;
        }
      }
    }
  });
});
