/** Exports of devices as they come: packets, markers without a name, watches, odd rows, encodings, wide tables. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import type { Recording } from '../../src/core/recording.ts';
import { openRecording } from '../../src/read/open.ts';
import type { ReadOptions } from '../../src/read/options.ts';
import { openCsv } from '../../src/read/table/csv.ts';

const open = (content: string | Uint8Array, options: ReadOptions = {}) =>
  openCsv(
    bytesSource('a.csv', typeof content === 'string' ? new TextEncoder().encode(content) : content),
    options,
  );
const openCase = async (name: string, options: ReadOptions = {}) =>
  open(await readFile(join(import.meta.dirname, 'cases', name)), options);
const read = async (recording: Recording, channel = 0) => [
  ...(await recording.read(channel, 0, recording.channels[channel]!.lengthSamples)),
];
const describeChannels = ({ channels }: Recording) =>
  channels.map(({ name, unit, rateHz, lengthSamples }) => `${name}|${unit}|${rateHz}|${lengthSamples}`);
const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('');
const wave = (i: number) => (100 * Math.sin(i / 9)).toFixed(3);
/** Stamps that jitter from packet to packet, the same in every run. */
const jitter = (packet: number) => 0.012 * Math.sin(packet * 12.9898) * Math.cos(packet * 78.233);

describe("a Muse's export", () => {
  it('has a column of markers that the header does not name, from any row on', async () => {
    const recording = await openCase('muse_marker_from_row13.csv');
    expect(describeChannels(recording)).toEqual(
      ['TP9', 'AF7', 'AF8', 'TP10', 'Right AUX'].map((name) => `${name}||256|799`),
    );
    expect((await read(recording)).slice(0, 3)).toEqual([1.746, 2.253, 2.398]);
    expect((await read(recording, 3)).slice(10, 14)).toEqual([-14.239, -13.887, -13.377, -14.138]);
    expect(recording.annotations).toHaveLength(1);
    expect(recording.annotations[0]).toMatchObject({ label: '1', duration: 0 });
    expect(recording.metadata).toEqual({});
    const late = lines(
      30_000,
      (i) => `${i / 256},${wave(i)},${wave(i + 1)}${i < 25_000 ? '' : i === 26_000 ? ',3' : ',0'}`,
    );
    const later = await open(`timestamps,TP9,AF7\n${late}`);
    expect(describeChannels(later)).toEqual(['TP9||256|30000', 'AF7||256|30000']);
    expect(later.annotations).toEqual([{ start: 26_000 / 256, duration: 0, label: '3' }]);
    expect(later.log.join()).toMatch(/the header names 3 cells, rows have up to 4/);
  });

  it('of 120 s, its stamps those of packets, is 256 Hz without an invented sample', async () => {
    const text = lines(30_720, (i) => {
      const packet = Math.floor(i / 12);
      return `${(1.6e9 + (packet * 12) / 256 + jitter(packet) + (i % 12) / 256).toFixed(6)},${wave(i)}`;
    });
    const recording = await open(`timestamps,TP9\n${text}`);
    expect(describeChannels(recording)).toEqual(['TP9||256|30720']);
    expect(recording.spans).toEqual([{ start: 0, duration: 120 }]);
    expect((await read(recording)).some(Number.isNaN)).toBe(false);
    expect(recording.log.join()).toMatch(
      /lie up to [\d.]+ ms from even ones; the samples are laid out evenly/,
    );
  });

  it('keeps a packet that was lost as missing', async () => {
    const rows = Array.from({ length: 15_360 }, (_, i) => i).filter((i) => Math.floor(i / 12) !== 500);
    const text = rows.map((i) => {
      const packet = Math.floor(i / 12);
      return `${((packet * 12) / 256 + jitter(packet) / 4).toFixed(6)},${i}\n`;
    });
    const samples = await read(await open(`timestamps,TP9\n${text.join('')}`));
    expect(samples).toHaveLength(15_360);
    expect(samples.filter(Number.isNaN)).toHaveLength(12);
    expect(samples[5999]).toBe(5999);
    expect(samples[6012]).toBe(6012);
  });
});

describe('packets with one stamp', () => {
  it('and blanks between are rows all the same', async () => {
    const text = lines(2600, (i) => `${i % 13 ? '' : (i / 130).toFixed(3)};${wave(i).replace('.', ',')}`);
    const recording = await open(`time;ecg [mV]\n${text.replaceAll(/^(\d+)\.(\d+);/gm, '$1,$2;')}`);
    expect(describeChannels(recording)).toEqual(['ecg|mV|130|2600']);
    expect((await read(recording)).slice(0, 3)).toEqual([0, 11.088, 22.04]);
    expect(recording.log.join()).toMatch(/130 Hz by the times in 'time' .* in packets of 13 rows/);
  });

  it('repeated are no regular steps', async () => {
    const recording = await open(
      `t,x\n${lines(2500, (i) => `${(Math.floor(i / 25) / 10).toFixed(1)},${i}`)}`,
    );
    expect(describeChannels(recording)).toEqual(['x||250|2500']);
  });

  it('of a Polar strap, an OpenBCI board and an Empatica wristband', async () => {
    const clock = (seconds: number) => new Date(Date.UTC(2026, 2, 1, 10) + 1000 * seconds).toISOString();
    const polar = lines(1460, (i) => {
      const seconds = Math.floor(i / 73) * (73 / 130) + jitter(Math.floor(i / 73));
      return `${clock(seconds).replace('Z', '')};${i * 7}`;
    });
    expect(describeChannels(await open(`Phone timestamp;ecg [uV]\n${polar}`))).toEqual(['ecg|uV|130|1460']);
    const board = lines(4000, (i) => {
      const packet = Math.floor(i / 10);
      return `${i % 256}, ${wave(i)}, 0.5, ${(1.7e9 + packet / 20 + jitter(packet)).toFixed(4)}`;
    });
    const header = '%OpenBCI Raw EXG Data\n%Number of channels = 1\n%Sample Rate = 200 Hz\n';
    const ganglion = await open(`${header}Sample Index, EXG Channel 0, Accel Channel 0, Timestamp\n${board}`);
    expect(describeChannels(ganglion)).toEqual(['EXG Channel 0|uV|200|4000', 'Accel Channel 0|g|200|4000']);
    expect(ganglion.log.join('\n')).toMatch(/200 Hz as the file states/);
    expect(ganglion.log.join('\n')).toMatch(/units by the names of the columns.*'EXG Channel 0' uV/);
    const triple = (cell: string | number) => `${cell}, ${cell}, ${cell}`;
    const motion = `${triple('1600000000.00')}\n${triple('32.000')}\n${lines(96, (i) => `${i}, -${i}, 64`)}`;
    const empatica = await open(motion, { unit: 'g' });
    expect(describeChannels(empatica)).toEqual(['1', '2', '3'].map((n) => `column ${n}|g|32|96`));
    expect(empatica.startTime?.getTime()).toBe(1.6e12);
  });
});

describe("a watch's export of one lead", () => {
  it.each([
    ['watch_ecg_point.csv', 512.844],
    ['watch_ecg_comma.csv', 512],
  ])('%s', async (name, rateHz) => {
    const recording = await openCase(name);
    expect(describeChannels(recording)).toEqual([`Lead I|µV|${rateHz}|1535`]);
    const samples = await read(recording);
    expect(samples.slice(0, 4)).toEqual([8.685, -11.297, -4.219, 2.429]);
    expect(samples.slice(-3)).toEqual([4.392, 24.254, 12.173]);
    expect(recording.startTime).toEqual(new Date('2024-02-05T13:14:40Z'));
    expect(recording.metadata).toMatchObject({
      Classification: 'Sinus Rhythm',
      'Date of Birth': 'Feb 5, 1970',
    });
  });

  it('in another language, its rate quoted', async () => {
    const text = `Name,Eva Muster II\nGeburtsdatum,"5. Feb. 1970"\nAufzeichnungsdatum,2024-02-05 09:14:40 +0100\nKlassifizierung,Sinusrhythmus\nAbtastrate,"511,7 Hertz"\n\n\nAbleitung,Ableitung I\nEinheit,µV\n\n\n${lines(300, (i) => (i % 9 ? `${i},${i % 7}` : String(i)))}`;
    const recording = await open(text);
    expect(describeChannels(recording)).toEqual(['Lead I|µV|511.7|300']);
    expect((await read(recording)).slice(0, 3)).toEqual([0, 1.1, 2.2]);
  });
});

describe('rows that are not as the header', () => {
  const rows = (i: number) => `${i / 100},${i},${-i}`;
  const table = (change: (i: number) => string | undefined, end = '') =>
    open(`t,a,b\n${lines(200, (i) => change(i) ?? rows(i))}${end}`);

  it('keep their place where they are short, and what they have', async () => {
    const recording = await table((i) => (i === 50 || i === 60 ? `${i / 100},${i}` : undefined));
    expect(describeChannels(recording)).toEqual(['a||100|200', 'b||100|200']);
    expect((await read(recording, 0))[50]).toBe(50);
    expect((await read(recording, 1)).slice(49, 52)).toEqual([-49, Number.NaN, -51]);
    expect(recording.log.join()).toMatch(
      /2 rows have fewer than 3 cells, the first in line 52; what they lack is NaN/,
    );
  });

  it('are missing where they have numbers too many, and nothing moves', async () => {
    const recording = await table((i) => (i === 50 ? '0.5,50,-500.51,51,-51' : undefined));
    expect((await read(recording, 1)).slice(49, 52)).toEqual([-49, Number.NaN, -51]);
    expect(recording.log.join()).toMatch(/1 rows have more than 3 cells, the first in line 52/);
  });

  it('may carry a remark', async () => {
    const recording = await table((i) => (i === 50 ? '0.5,50,-50,eyes closed' : undefined));
    expect(recording.annotations).toEqual([{ start: 0.5, duration: 0, label: 'eyes closed' }]);
    expect((await read(recording, 1))[50]).toBe(-50);
  });

  it('are left out where the last is torn', async () => {
    const recording = await table(() => undefined, '2.0,20');
    expect(describeChannels(recording)).toEqual(['a||100|200', 'b||100|200']);
    expect(recording.log.join()).toMatch(/the last line is torn \('2.0,20'\) and was left out/);
    const whole = await table(() => undefined, '2.0,200,-200');
    expect((await read(whole)).at(-1)).toBe(200);
  });

  it('may go back in time, counted', async () => {
    const recording = await table((i) => (i === 50 ? rows(51) : i === 51 ? rows(50) : undefined));
    expect((await read(recording)).slice(49, 53)).toEqual([49, 51, 50, 52]);
    expect(recording.log.join()).toMatch(/1 times in 't' lie before the one above them, the first in row 52/);
  });
});

describe('text in other guises', () => {
  const plain = (lineEnd: string, cell: (x: number) => string = String, delimiter = ',') =>
    [
      `t${delimiter}ECG (mV)`,
      ...Array.from({ length: 60 }, (_, i) => `${cell(i / 20)}${delimiter}${cell(i / 8)}`),
    ].join(lineEnd);
  const comma = (x: number) => String(x).replace('.', ',');
  const utf16 = (text: string, isLittle: boolean, mark: string) =>
    new Uint8Array(
      [...(mark + text)].flatMap((c) => {
        const code = c.charCodeAt(0);
        return isLittle ? [code & 255, code >> 8] : [code >> 8, code & 255];
      }),
    );
  it.each([
    ['line ends of CR', plain('\r')],
    ['line ends of CR LF', `${plain('\r\n')}\r\n`],
    ['semicolons and decimal commas', plain('\n', comma, ';')],
    ['tabs and decimal commas', plain('\n', comma, '\t')],
    ['UTF-8 with a mark', `\ufeff${plain('\n')}`],
    ['UTF-16 LE with a mark', utf16(plain('\n'), true, '\ufeff')],
    ['UTF-16 BE with a mark', utf16(plain('\n'), false, '\ufeff')],
    ['UTF-16 LE without', utf16(plain('\n'), true, '')],
  ])('%s', async (_, content) => {
    const recording = await open(content);
    expect(describeChannels(recording)).toEqual(['ECG|mV|20|60']);
    expect((await read(recording)).slice(-2)).toEqual([58 / 8, 59 / 8]);
  });

  it('decimal commas under one name are no two columns', async () => {
    const recording = await open(`ECG (mV)\n${lines(30, (i) => `0,${100 + i}`)}`, { rateHz: 100 });
    expect(describeChannels(recording)).toEqual(['ECG|mV|100|30']);
    expect((await read(recording))[7]).toBe(0.107);
  });

  it('names in quotes may hold delimiters and line ends, headers several lines', async () => {
    const quoted = await open(
      `"t","Fp1, left [uV]","ECG\n(mV)"\n${lines(30, (i) => `${i / 10},${i},${2 * i}`)}`,
    );
    expect(describeChannels(quoted)).toEqual(['Fp1, left|uV|10|30', 'ECG|mV|10|30']);
    const titled = await open(
      `Session of Monday\nRoom 3\n\nt;EEG;ECG\ns;uV;mV\n${lines(30, (i) => `${i / 10};${i};${2 * i}`)}`,
    );
    expect(describeChannels(titled)).toEqual(['EEG|uV|10|30', 'ECG|mV|10|30']);
    const chart = await open(
      `Interval=\t0.002 s\nChannelTitle=\tECG\tResp\nRange=\t10 mV\t5 V\n${lines(30, (i) => `${i}\t${i * 2}\t7`)}`,
    );
    expect(chart.channels[0]!.rateHz).toBe(500);
  });

  it('thousands of columns, their header longer than what is looked at first', async () => {
    const count = 9000;
    const names = Array.from({ length: count }, (_, c) => `a rather long name of electrode ${c}`);
    const rows = lines(4, (i) => names.map((_, c) => i * 10 + (c % 10)).join(','));
    const recording = await open(`${names.join(',')}\n${rows}`, { rateHz: 500, unit: 'uV' });
    expect(recording.channels).toHaveLength(count);
    expect(recording.channels[8999]).toMatchObject({ name: names[8999], unit: 'uV', lengthSamples: 4 });
    expect(await read(recording, 8999)).toEqual([9, 19, 29, 39]);
  });
});

describe('what is given', () => {
  const text = `t,ECG (mV)\n${lines(30, (i) => `${i / 10},${i}`)}`;
  it('is used or refused', async () => {
    await expect(open(text, { unit: 'uV' })).rejects.toThrow(
      "csv: a.csv states the unit of every column ('ECG': mV), so --input-unit uV has no use. Leave it out.",
    );
    expect((await open(text, { unit: 'mV' })).channels[0]!.unit).toBe('mV');
    const bare = text.replace(' (mV)', '');
    expect((await open(bare, { unit: 'uV' })).channels[0]!.unit).toBe('uV');
    const bytes = new TextEncoder().encode(`# fs = 500 Hz\n${lines(30, (i) => `${i} ${i + 1}`)}`);
    await expect(openRecording(bytesSource('a.csv', bytes), { rateHz: 250 })).rejects.toThrow(
      /--input-rate: a\.csv states 500 Hz .* 250 Hz was given/,
    );
  });
});
