/** Live sources that go wrong: nothing is invented, nothing shifts, what can be skipped is skipped and counted. */
import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FollowOptions, followRecording } from '../../src/read/live/follow-node.ts';
import type { LivePiece, LiveSource } from '../../src/read/live/live.ts';
import { type PipeOptions, pipeSource } from '../../src/read/live/pipe.ts';

const encode = (text: string) => new TextEncoder().encode(text);

function streamOf(pieces: Iterable<string>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(encode(value));
    },
  });
}

async function readPipe(pieces: Iterable<string>, given: Partial<PipeOptions> = {}) {
  const notes: string[] = [];
  const source = await pipeSource('pipe', streamOf(pieces), {
    type: 'text',
    rateHz: 250,
    unit: 'uV',
    onNote: (note) => notes.push(note),
    ...given,
  });
  const rows: number[][] = source.channels.map(() => []);
  for await (const { samples } of source.pieces(new AbortController().signal))
    for (const [c, x] of samples.entries()) for (const value of x) rows[c]!.push(value);
  return { source, rows, notes: notes.join('\n') };
}

describe('a pipe of text', () => {
  it('does not shift a row of other cells: it is missing, and counted', async () => {
    const { rows, notes } = await readPipe(['t,a,b\n0,1,2\n1,9,9,9\n2,3,4\n3,5\n4,x,6\n5,7,8,\n']);
    expect(rows).toEqual([
      [1, Number.NaN, 3, Number.NaN, Number.NaN, 7],
      [2, Number.NaN, 4, Number.NaN, 6, 8],
    ]);
    expect(notes).toContain('pipe: 1 rows do not have 3 numbers and are missing, the first line 3 with 4.');
    expect(notes).toContain(
      'pipe: 2 rows do not have 3 numbers and are missing so far, the first line 3 with 4.',
    );
    expect(notes).toContain("pipe: 1 cells are no numbers and are missing, the first 'x' in line 6.");
  });

  it('passes over messages and headers that come again; a first cell may be blank', async () => {
    const { rows, notes } = await readPipe(['a\tb\n1\t2\nreconnecting\na\tb\n\t4\n5\t6\n']);
    expect(rows).toEqual([
      [1, Number.NaN, 5],
      [2, 4, 6],
    ]);
    expect(notes).toMatch(/1 lines without numbers were passed over.*'reconnecting'/);
    expect(notes).toMatch(/1 headers came again/);
  });

  it('takes no torn line for numbers', async () => {
    const { rows, notes } = await readPipe(['a,b\n1,2\n', '3,4']);
    expect(rows).toEqual([[1], [2]]);
    expect(notes).toContain('1 line at the end had no line end and was left out, as it may be torn');
    await expect(readPipe(['a,'])).rejects.toThrow(/ended within its first line \('a,'\)/);
  });

  it('may have decimal commas, units in its header, line ends of CR, all cut anywhere', async () => {
    for (const lineEnd of ['\r', '\r\n', '\n']) {
      const text = `Zeit;ECG (mV);Fz [uV]${lineEnd}0,004;0,5;-2${lineEnd}0,008;1;3,25${lineEnd}`;
      const { source, rows } = await readPipe(text);
      expect(source.channels.map(({ name, unit }) => `${name} ${unit}`)).toEqual(['ECG mV', 'Fz uV']);
      expect(rows).toEqual([
        [0.5, 1],
        [-2, 3.25],
      ]);
    }
  });

  it('says that a unit was assumed', async () => {
    const notes: string[] = [];
    const stream = streamOf(['a\n1\n']);
    await pipeSource('pipe', stream, { type: 'text', rateHz: 1, onNote: (note) => notes.push(note) });
    expect(notes).toEqual(['pipe: no unit is stated, microvolt is assumed. --input-unit states one.']);
  });

  it('says so where no line is like the first', async () => {
    await expect(readPipe(['a,b\n', ...Array.from({ length: 120 }, () => '1,2,3\n')])).rejects.toThrow(
      /the first 100 rows do not have 2 cells/,
    );
  });

  it('reads comments before its header once each', async () => {
    function* comments() {
      for (let i = 0; i < 200_000; i++) yield '# nothing yet\n';
      yield 'a\n1\n';
    }
    let split = 0;
    const { split: original } = String.prototype;
    // What is cut into lines, in characters: each once, whatever the machine does besides.
    const counted = function (this: string, ...given: unknown[]) {
      split += this.length;
      return original.apply(this, given as unknown as Parameters<typeof original>);
    };
    String.prototype.split = counted as unknown as typeof original;
    try {
      expect((await readPipe(comments())).rows).toEqual([[1]]);
    } finally {
      String.prototype.split = original;
    }
    expect(split).toBeLessThan(2 * 200_000 * 14);
  });

  it('hears Ctrl-C while nothing but comments come, and while nothing comes at all', async () => {
    function* forever() {
      for (;;) yield '# nothing yet\n';
    }
    for (const stream of [streamOf(forever()), new ReadableStream<Uint8Array>()]) {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 100);
      await expect(
        pipeSource('pipe', stream, { type: 'text', rateHz: 1, signal: stop.signal }),
      ).rejects.toThrow('pipe: stopped before the first line came');
    }
  });
});

describe('a growing table', () => {
  let folder = '';
  let count = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartmind-faults-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const row = (i: number) => `${(i / 100).toFixed(2)},${i},${-i}\n`;
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => row(from + i)).join('');
  const header = 'time,a,b\n';

  /** Follow a file; after each piece, or where none comes for a while, the next step changes it. */
  async function follow(
    content: string,
    steps: readonly ((path: string) => Promise<unknown>)[],
    options: FollowOptions = {},
  ) {
    const path = join(folder, `${count++}.csv`);
    await writeFile(path, content);
    const notes: string[] = [];
    let bytes = 0;
    const stop = new AbortController();
    const source = await followRecording(path, {
      pollSeconds: 0.005,
      onNote: (note) => notes.push(note),
      onBytes: (more) => {
        bytes += more;
      },
      ...options,
    });
    const pieces: LivePiece[] = [];
    const rest = [...steps];
    // A step is due when nothing came for 60 ms: that is only patience, no outcome depends on it.
    let quiet = setTimeout(() => undefined, 0);
    const turn = () => {
      clearTimeout(quiet);
      quiet = setTimeout(async () => {
        const step = rest.shift();
        if (!step) return stop.abort();
        await step(path);
        turn();
      }, 60);
    };
    turn();
    try {
      for await (const piece of source.pieces(stop.signal)) {
        pieces.push(piece);
        turn();
      }
    } finally {
      clearTimeout(quiet);
      await source.close();
    }
    const a = pieces.flatMap(({ samples }) => [...samples[0]!]);
    return { source: source as LiveSource, pieces, a, notes: notes.join('\n'), bytes };
  }
  const counting = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

  it('is read once, and only what is new', async () => {
    const steps = counting(0, 10).map(
      (k) => (path: string) => appendFile(path, rows(1000 + 100 * k, 1100 + 100 * k)),
    );
    const { a, bytes } = await follow(header + rows(0, 1000), steps);
    expect(a).toEqual(counting(0, 2000));
    const size = header.length + rows(0, 2000).length;
    // The beginning twice (to look at it, and to read it), and a few bytes to see that the file is the same.
    expect(bytes).toBeLessThan(size + rows(0, 1000).length + 40 * 64);
  });

  it('takes no torn line for a number', async () => {
    const { a } = await follow(`${header}${rows(0, 50)}0.50,5`, [
      (path) => appendFile(path, '0,-5'),
      (path) => appendFile(path, `0\n${rows(51, 60)}0.6`),
    ]);
    expect(a).toEqual(counting(0, 60));
  });

  it('goes on over bad rows; a column of markers may begin later', async () => {
    const { a, notes } = await follow(header + rows(0, 50), [
      (path) => appendFile(path, `0.50,x,1\n0.51\n\n${rows(52, 60)}0.60,7,7,7,7\n${rows(61, 70)}`),
      (path) =>
        appendFile(
          path,
          counting(70, 90).reduce((text, i) => text + row(i).replace('\n', ',0\n'), ''),
        ),
    ]);
    const expected: number[] = counting(0, 90);
    for (const i of [50, 60]) expected[i] = Number.NaN;
    // A row with a time only is no sample; its time tells that one is missing.
    expected[51] = Number.NaN;
    expect(a).toEqual(expected);
    expect(notes).toMatch(/1 cells are no numbers and are missing/);
    expect(notes).toMatch(/1 rows have numbers too many and are missing/);
  });

  it('shows lost rows: few are missing, a long pause is a gap', async () => {
    const { pieces } = await follow(header + rows(0, 50), [
      (path) => appendFile(path, rows(52, 60) + rows(560, 570)),
    ]);
    expect(pieces.flatMap(({ samples }) => [...samples[0]!])).toEqual([
      ...counting(0, 50),
      Number.NaN,
      Number.NaN,
      ...counting(52, 60),
      ...counting(560, 570),
    ]);
    expect(pieces.map(({ gapTo }) => gapTo).filter((gap) => gap !== undefined)).toEqual([
      expect.closeTo(5.6),
    ]);
  });

  it.each([
    [
      'renamed',
      async (path: string) => {
        await rename(path, `${path}.1`);
        await writeFile(path, header + rows(0, 30));
      },
    ],
    ['written anew, shorter', (path: string) => writeFile(path, header + rows(0, 30))],
    ['written anew, longer', (path: string) => writeFile(path, header + rows(500, 700))],
    [
      'cut to nothing',
      async (path: string) => {
        await truncate(path);
        await new Promise((resolve) => setTimeout(resolve, 30));
        await appendFile(path, header + rows(0, 30));
      },
    ],
  ])('%s goes on from the beginning of the new one, behind a gap', async (title, replace) => {
    const { a, pieces, notes } = await follow(header + rows(0, 100), [
      replace,
      (path) =>
        appendFile(path, rows(title.includes('longer') ? 700 : 30, title.includes('longer') ? 720 : 40)),
    ]);
    expect(a).toEqual([
      ...counting(0, 100),
      ...(title.includes('longer') ? counting(500, 720) : counting(0, 40)),
    ]);
    expect(notes).toContain('the file was replaced; it goes on with the new one from its beginning.');
    const gaps = pieces.filter(({ gapTo }) => gapTo !== undefined);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]!.gapTo).toBeGreaterThanOrEqual(1);
  });

  it('may be gone for a while, and not for ever', async () => {
    const { a, notes } = await follow(header + rows(0, 100), [
      (path) => rename(path, `${path}.away`),
      (path) => rename(`${path}.away`, path),
      (path) => appendFile(path, rows(100, 110)),
    ]);
    expect(a).toEqual(counting(0, 110));
    expect(notes).toMatch(/the file is gone. Waiting up to 60 s for it.[\s\S]*it is there again/);
    let time = 0;
    const options = { now: () => (time += 5), reconnectSeconds: 20 };
    await expect(follow(header + rows(0, 100), [(path) => rm(path)], options)).rejects.toThrow(
      /the file is gone, and nothing came for 20 s/,
    );
  });

  it('with other channels ends the session', async () => {
    const other = (path: string) => writeFile(path, `time,c\n${rows(1, 9).replaceAll(/,-\d+/g, '')}`);
    await expect(follow(header + rows(0, 100), [other])).rejects.toThrow(
      /replaced by one with other channels \(c {2}100 Hz; before: a {2}100 Hz, b {2}100 Hz\)/,
    );
  });

  it('can begin at its end', async () => {
    const { a } = await follow(`${header}${rows(0, 100)}1.0`, [(path) => appendFile(path, `0,100,-100\n`)], {
      fromEnd: true,
    });
    expect(a).toEqual([100]);
  });
});
