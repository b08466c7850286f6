/** Pipes and growing files: every sample once, in order, however they arrive. */
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { followRecording } from '../../src/read/live/follow-node.ts';
import type { LivePiece, LiveSource } from '../../src/read/live/live.ts';
import { type PipeOptions, pipeSource } from '../../src/read/live/pipe.ts';

const never = new AbortController().signal;

function streamOf(bytes: Uint8Array, piece: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + piece));
      at += piece;
    },
  });
}

async function collect(source: LiveSource, signal = never): Promise<number[][]> {
  const rows: number[][] = source.channels.map(() => []);
  for await (const { samples } of source.pieces(signal))
    for (const [i, x] of samples.entries()) rows[i]!.push(...x);
  await source.close();
  return rows;
}

const readPipe = async (content: Uint8Array | string, options: PipeOptions, piece = 5) => {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const source = await pipeSource('pipe', streamOf(bytes, piece), options);
  return { names: source.channels.map(({ name }) => name), rows: await collect(source) };
};

describe('text', () => {
  const text: PipeOptions = { type: 'text', rateHz: 250 };
  it.each([1, 3, 1000])('with a header, in pieces of %d bytes', async (piece) => {
    const { names, rows } = await readPipe(
      '# a tool\ntime,Fz,ECG\n0,1.5,-2\n0.004,,3e2\r\n0.008,4,5\r',
      text,
      piece,
    );
    expect(names).toEqual(['Fz', 'ECG']);
    expect(rows).toEqual([
      [1.5, Number.NaN, 4],
      [-2, 300, 5],
    ]);
  });
  it.each([
    ['without a header', '1 2\n3 4\n', ['1', '2']],
    ['with tabs', '1\t2\n3\t4\n', ['1', '2']],
    ['with semicolons and names given', '1;2\n3;4\n', ['a', 'b']],
  ])('%s', async (title, content, names) => {
    const options = title.includes('names') ? { ...text, channels: ['a', 'b'] } : text;
    expect(await readPipe(content, options)).toEqual({
      names,
      rows: [
        [1, 3],
        [2, 4],
      ],
    });
  });
  it('says what it needs', async () => {
    await expect(readPipe('', text)).rejects.toThrow(/ended before its first line/);
    await expect(readPipe('a\n1\n', { ...text, rateHz: Number.NaN })).rejects.toThrow(/--input-rate/);
    await expect(readPipe('a,b\n1,2\n', { ...text, channels: ['x'] })).rejects.toThrow(
      /names 1, the lines hold 2/,
    );
  });
});

describe('binary', () => {
  const values = [1, -2, 3.5, -4.5, 5, 6];
  it.each([
    ['int16', Int16Array],
    ['int32', Int32Array],
    ['float32', Float32Array],
    ['float64', Float64Array],
  ] as const)('%s, frames cut anywhere', async (type, Kind) => {
    const data = Kind.from(values);
    const { rows } = await readPipe(
      new Uint8Array(data.buffer),
      { type, rateHz: 100, channels: ['a', 'b'] },
      3,
    );
    expect(rows).toEqual([
      [data[0], data[2], data[4]],
      [data[1], data[3], data[5]],
    ]);
  });
  it('leaves out what is no whole frame, and refuses channels without names', async () => {
    const cut = Uint8Array.of(1, 0, 2, 0, 3, 0, 4);
    const notes: string[] = [];
    const options = {
      rateHz: 1,
      unit: 'uV',
      channels: ['a', 'b'],
      onNote: (note: string) => notes.push(note),
    };
    expect((await readPipe(cut, { type: 'int16', ...options })).rows).toEqual([[1], [2]]);
    expect(notes).toEqual([
      'pipe: 3 bytes at the end are no whole frame of 4 and were left out (else check --channels and --input-type).',
    ]);
    await expect(readPipe(cut, { type: 'int16', rateHz: 1 })).rejects.toThrow(/--channels/);
  });
});

describe('a growing file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartmind-live-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const channels = [
    {
      name: 'Fz',
      unit: 'uV',
      rateHz: 100,
      resolution: 1,
      samples: Float64Array.from({ length: 1000 }, (_, i) => i),
    },
    {
      name: 'ECG',
      unit: 'mV',
      rateHz: 50,
      resolution: 1,
      samples: Float64Array.from({ length: 500 }, (_, i) => 499 - i),
    },
  ];
  const recordBytes = 2 * 150 + 16;

  /** The bytes of an EDF file whose writer has not yet filled in the number of records. */
  function unfinished(): Uint8Array {
    const bytes = encodeEdf({ channels });
    bytes.set(new TextEncoder().encode('-1      '), 236);
    return bytes;
  }

  it('gives what is there and what comes, cut within records', async () => {
    const path = join(folder, 'grows.edf');
    const bytes = unfinished();
    await writeFile(path, bytes.subarray(0, 1024 + 2.5 * recordBytes));
    const source = await followRecording(path, { pollSeconds: 0.01, idleSeconds: 0.4 });
    const pieces: LivePiece[] = [];
    let at = 1024 + 2.5 * recordBytes;
    for await (const piece of source.pieces(never)) {
      pieces.push(piece);
      await appendFile(path, bytes.subarray(at, at + 3.3 * recordBytes));
      at = Math.min(bytes.length, Math.floor(at + 3.3 * recordBytes));
    }
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.flatMap(({ samples }) => [...samples[0]!])).toEqual([...channels[0]!.samples]);
    expect(pieces.flatMap(({ samples }) => [...samples[1]!])).toEqual([...channels[1]!.samples]);
  });

  it('can begin at the end, and stops when told', async () => {
    const path = join(folder, 'other.edf');
    const bytes = unfinished();
    await writeFile(path, bytes.subarray(0, 1024 + 4 * recordBytes));
    const stop = new AbortController();
    const source = await followRecording(path, { pollSeconds: 0.01, fromEnd: true });
    const rows: number[] = [];
    setTimeout(
      () => void appendFile(path, bytes.subarray(1024 + 4 * recordBytes, 1024 + 5 * recordBytes)),
      50,
    );
    for await (const { samples } of source.pieces(stop.signal)) {
      rows.push(...samples[0]!);
      stop.abort();
    }
    expect(rows).toEqual([...channels[0]!.samples.subarray(400, 500)]);
  });
});
