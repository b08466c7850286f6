/** One recording in every format, written into a folder: what the race of readers reads. */

import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zlibSync } from 'fflate';
import { Random } from '../src/core/random.ts';
import type { Recording } from '../src/core/recording.ts';
import type { WriteRecording } from '../src/read/output.ts';
import { writers } from '../src/read/write.ts';

/** EEG: 16 channels, 256 Hz, 10 minutes, 0.1 µV a step: 2.5 million samples. */
export const shape = { channels: 16, rateHz: 256, seconds: 600 } as const;
const length = shape.rateHz * shape.seconds;

export interface ReaderFile {
  readonly format: string;
  readonly path: string;
  readonly bytes: number;
}

/** Write what is not there yet; every file holds the same samples, as exactly as its format can. */
export async function writeReaderFiles(scratch: string): Promise<ReaderFile[]> {
  const folder = join(scratch, 'readers');
  mkdirSync(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  const steps = Array.from({ length: shape.channels }, (_, i) => wander(i));
  const recording = memoryRecording(steps);
  const jobs: readonly (readonly [format: string, name: string, main: string, write: () => Promise<void>])[] =
    [
      ...(['edf', 'bdf', 'wfdb', 'npz', 'parquet'] as const).map((format) => {
        const extension = format === 'wfdb' ? 'hea' : format;
        const name = `eeg.${extension}`;
        return [format, name, name, () => writeWith(format, recording, folder, name)] as const;
      }),
      ['brainvision', 'eeg.vhdr', 'eeg.eeg', async () => writeBrainVision(folder, steps)],
      ['xdf', 'eeg.xdf', 'eeg.xdf', async () => writeFileSync(at('eeg.xdf'), encodeXdf(steps))],
      ['mat', 'eeg5.mat', 'eeg5.mat', async () => writeFileSync(at('eeg5.mat'), encodeMat(steps, false))],
      ['mat-v7', 'eeg7.mat', 'eeg7.mat', async () => writeFileSync(at('eeg7.mat'), encodeMat(steps, true))],
      ['csv', 'eeg.csv', 'eeg.csv', () => writeCsv(at('eeg.csv'), steps)],
      ['hdf5', 'eeg.h5', 'eeg.h5', () => writeHdf5(at('eeg.h5'), steps)],
    ];
  const files: ReaderFile[] = [];
  for (const [format, name, data, write] of jobs) {
    if (!existsSync(at(name))) await write();
    const sizes = [...new Set([name, data, ...(format === 'wfdb' ? ['eeg.dat'] : [])])].map(
      (file) => statSync(at(file)).size,
    );
    files.push({ format, path: at(name), bytes: sizes.reduce((sum, size) => sum + size, 0) });
  }
  return files;
}

const step = 0.1;

/** Whole steps, some hundreds high. */
function wander(seed: number): Int16Array {
  const random = Random.derive(seed, 'bench', 'reader');
  let x = 0;
  return Int16Array.from({ length }, () => {
    x = 0.97 * x + 100 * (random.uniform() - 0.5);
    return Math.round(x);
  });
}

function memoryRecording(steps: readonly Int16Array[]): Recording {
  return {
    ...{ source: 'eeg', format: 'memory', duration: shape.seconds, annotations: [], metadata: {}, log: [] },
    spans: [{ start: 0, duration: shape.seconds }],
    channels: steps.map((_, i) => ({
      ...{ name: `E${i + 1}`, unit: 'uV', rateHz: shape.rateHz, lengthSamples: length },
      ...{ resolution: step, offset: 0, range: [-3276.8, 3276.7] as const },
    })),
    read: async (channel, start, end) =>
      Float64Array.from(steps[channel]!.subarray(start, end), (x) => x * step),
    close: async () => undefined,
  };
}

async function writeWith(format: string, recording: Recording, folder: string, name: string): Promise<void> {
  const found = writers.find((writer) => writer.name === format)!;
  const write: WriteRecording = await found.load();
  for await (const file of write(recording, name)) {
    const stream = createWriteStream(join(folder, file.name));
    for await (const part of file.bytes) if (!stream.write(part)) await once(stream, 'drain');
    stream.end();
    await once(stream, 'finish');
  }
}

/** Samples of all channels, one time after another. */
function interleave(steps: readonly Int16Array[]): Int16Array {
  const data = new Int16Array(length * steps.length);
  for (const [c, row] of steps.entries())
    for (let t = 0; t < length; t++) data[t * steps.length + c] = row[t]!;
  return data;
}

function writeBrainVision(folder: string, steps: readonly Int16Array[]): void {
  writeFileSync(join(folder, 'eeg.eeg'), new Uint8Array(interleave(steps).buffer));
  const header = [
    'Brain Vision Data Exchange Header File Version 1.0',
    ...['[Common Infos]', 'Codepage=UTF-8', 'DataFile=eeg.eeg', 'DataFormat=BINARY'],
    ...['DataOrientation=MULTIPLEXED', `NumberOfChannels=${steps.length}`],
    ...[`SamplingInterval=${1e6 / shape.rateHz}`, '[Binary Infos]', 'BinaryFormat=INT_16', '[Channel Infos]'],
    ...steps.map((_, i) => `Ch${i + 1}=E${i + 1},,${step},µV`),
  ];
  writeFileSync(join(folder, 'eeg.vhdr'), `${header.join('\r\n')}\r\n`);
}

/** One stream of float32; a stamp at the first sample of each chunk of a second. */
function encodeXdf(steps: readonly Int16Array[]): Uint8Array {
  const text = new TextEncoder();
  const channels = steps.map((_, i) => `<channel><label>E${i + 1}</label><unit>microvolts</unit></channel>`);
  const info = `<?xml version="1.0"?><info><name>cap</name><type>EEG</type><channel_count>${steps.length}</channel_count><nominal_srate>${shape.rateHz}</nominal_srate><channel_format>float32</channel_format><desc><channels>${channels.join('')}</channels></desc></info>`;
  const chunk = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
    const size = 2 + parts.reduce((sum, part) => sum + part.length, 0);
    const head = new Uint8Array(7);
    new DataView(head.buffer).setUint32(1, size, true);
    head[0] = 4;
    head[5] = tag;
    return Buffer.concat([head, ...parts]);
  };
  const id = Uint8Array.of(1, 0, 0, 0);
  const parts = [
    text.encode('XDF:'),
    chunk(1, text.encode('<?xml version="1.0"?><info><version>1.0</version></info>')),
  ];
  parts.push(chunk(2, id, text.encode(info)));
  const sampleBytes = 4 * steps.length;
  for (let second = 0; second < shape.seconds; second++) {
    const body = new Uint8Array(5 + 8 + shape.rateHz * (1 + sampleBytes));
    const view = new DataView(body.buffer);
    body[0] = 4;
    view.setUint32(1, shape.rateHz, true);
    let at = 5;
    for (let i = 0; i < shape.rateHz; i++) {
      body[at++] = i === 0 ? 8 : 0;
      if (i === 0) view.setFloat64(at, 1000 + second, true);
      if (i === 0) at += 8;
      for (const row of steps) {
        view.setFloat32(at, row[second * shape.rateHz + i]! * step, true);
        at += 4;
      }
    }
    parts.push(chunk(3, id, body));
  }
  return Buffer.concat(parts);
}

/** Level 5: `data` [T, C] of doubles and `fs`. */
function encodeMat(steps: readonly Int16Array[], isCompressed: boolean): Uint8Array {
  const element = (type: number, data: Uint8Array) => {
    const head = new Uint8Array(new Uint32Array([type, data.length]).buffer);
    return Buffer.concat([head, data, new Uint8Array(-data.length & 7)]);
  };
  const uint32 = (...values: number[]) => new Uint8Array(new Uint32Array(values).buffer);
  const matrix = (name: string, rows: number, values: Float64Array) =>
    element(
      14,
      Buffer.concat([
        element(6, uint32(6, 0)),
        element(5, uint32(rows, values.length / rows)),
        element(1, new TextEncoder().encode(name)),
        element(9, new Uint8Array(values.buffer)),
      ]),
    );
  const values = new Float64Array(length * steps.length);
  for (const [c, row] of steps.entries())
    for (let t = 0; t < length; t++) values[c * length + t] = row[t]! * step;
  const variables = [matrix('data', length, values), matrix('fs', 1, Float64Array.of(shape.rateHz))];
  const head = Buffer.alloc(128, ' ');
  head.write('MATLAB 5.0 MAT-file');
  head.fill(0, 116, 124);
  head.set([0, 1, 0x49, 0x4d], 124);
  const pack = (variable: Uint8Array) => {
    const data = zlibSync(variable, { level: 6 });
    return Buffer.concat([uint32(15, data.length), data]);
  };
  return Buffer.concat([head, ...variables.map((variable) => (isCompressed ? pack(variable) : variable))]);
}

async function writeCsv(path: string, steps: readonly Int16Array[]): Promise<void> {
  const stream = createWriteStream(path);
  stream.write(`time,${steps.map((_, i) => `E${i + 1} (uV)`).join(',')}\n`);
  for (let t = 0; t < length; t++) {
    const cells = steps.map((row) => (row[t]! * step).toFixed(1));
    if (!stream.write(`${t / shape.rateHz},${cells.join(',')}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}

/** `data` [T, C] of float32 with its rate as an attribute. */
async function writeHdf5(path: string, steps: readonly Int16Array[]): Promise<void> {
  const { default: h5wasm } = await import('h5wasm/node');
  await h5wasm.ready;
  const file = new h5wasm.File(path, 'w');
  const data = Float32Array.from(interleave(steps), (x) => x * step);
  const dataset = file.create_dataset({ name: 'data', data, shape: [length, steps.length] });
  dataset.create_attribute('fs', shape.rateHz);
  file.close();
}
