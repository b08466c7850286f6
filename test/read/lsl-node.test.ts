/** LSL streams through a liblsl of our own making: alignment, lost samples, ends and refusals. */
import { describe, expect, it } from 'vitest';
import { type LslLibrary, type LslOptions, lslSource } from '../../src/read/live/lsl-node.ts';

interface FakeStream {
  readonly name: string;
  readonly labels?: readonly string[];
  readonly channels: number;
  readonly rateHz: number;
  readonly format?: number;
  /** Each pull gives the next of these: times, and the value of channel c at sample i as i + 100 c. */
  readonly pulls: readonly (readonly number[] | 'lost')[];
}

/** liblsl's functions by name; pointers are the objects themselves. */
function fakeLibrary(
  streams: readonly FakeStream[],
  onLost = () => undefined as unknown,
): LslLibrary & { readonly open: Set<unknown> } {
  const open = new Set<unknown>();
  type Handle = FakeStream & { next: number; sample: number };
  const functions: Record<string, (...values: never[]) => unknown> = {
    lsl_resolve_byprop: (found: unknown[], _n: number, property: string, value: string) => {
      found[0] = streams.find((stream) => property === 'name' && stream.name === value) ?? null;
      return found[0] ? 1 : 0;
    },
    lsl_create_inlet: (stream: FakeStream) => {
      const handle = { ...stream, next: 0, sample: 0 };
      open.add(handle);
      return handle;
    },
    lsl_destroy_inlet: (handle: Handle) => void open.delete(handle),
    lsl_destroy_streaminfo: () => undefined,
    lsl_get_fullinfo: (handle: Handle) => handle,
    lsl_open_stream: () => undefined,
    lsl_set_postprocessing: () => 0,
    lsl_pull_chunk_d: (
      handle: Handle,
      data: Float64Array,
      stamps: Float64Array,
      _length: number,
      _count: number,
      _seconds: number,
      error: number[],
    ) => {
      const times = handle.pulls[handle.next++] ?? [];
      if (times === 'lost') {
        error[0] = -2;
        onLost();
        return 0;
      }
      for (const [i, time] of times.entries()) {
        stamps[i] = time;
        for (let c = 0; c < handle.channels; c++) data[i * handle.channels + c] = handle.sample + 100 * c;
        handle.sample++;
      }
      return times.length * handle.channels;
    },
    lsl_get_channel_count: (stream: FakeStream) => stream.channels,
    lsl_get_nominal_srate: (stream: FakeStream) => stream.rateHz,
    lsl_get_channel_format: (stream: FakeStream) => stream.format ?? 1,
    lsl_get_desc: (stream: FakeStream) => ({ stream, at: -1 }),
    lsl_child: (node: { stream: FakeStream }, name: string) => ({
      ...node,
      at: name === 'channel' ? 0 : -1,
    }),
    lsl_next_sibling_n: (node: { stream: FakeStream; at: number }) => ({ ...node, at: node.at + 1 }),
    lsl_child_value_n: (node: { stream: FakeStream; at: number }, name: string) =>
      name === 'label' ? node.stream.labels?.[node.at] : 'microvolts',
    lsl_empty: (node: { stream: FakeStream; at: number }) => Number(!node.stream.labels?.[node.at]),
  };
  return {
    open,
    func(prototype) {
      const name = /(lsl_\w+)\(/.exec(prototype)![1]!;
      const call = functions[name] as (...values: unknown[]) => unknown;
      return Object.assign((...values: unknown[]) => call(...values), {
        async: (...values: unknown[]) => {
          const done = values.pop() as (error: unknown, result: unknown) => void;
          done(null, call(...values));
        },
      });
    },
  };
}

async function collect(streams: readonly FakeStream[], names = streams.map(({ name }) => name)) {
  const library = fakeLibrary(streams);
  const options: LslOptions = { load: () => library, idleSeconds: 0.05, pollSeconds: 0.005 };
  const source = await lslSource(names, options);
  const rows: number[][] = source.channels.map(() => []);
  for await (const { samples } of source.pieces(new AbortController().signal))
    for (const [i, x] of samples.entries()) rows[i]!.push(...x);
  await source.close();
  expect(library.open.size).toBe(0);
  return { source, rows };
}

async function piecesOf(
  streams: readonly FakeStream[],
  { onLost, ...options }: LslOptions & { onLost?: () => unknown } = {},
) {
  const library = fakeLibrary(streams, onLost);
  const source = await lslSource(
    streams.map(({ name }) => name),
    { load: () => library, idleSeconds: 0.5, pollSeconds: 0.005, ...options },
  );
  const pieces: { samples: number[][]; gapTo?: number }[] = [];
  try {
    for await (const { samples, ...rest } of source.pieces(new AbortController().signal))
      if (samples.some((x) => x.length > 0)) pieces.push({ ...rest, samples: samples.map((x) => [...x]) });
  } finally {
    await source.close();
    expect(library.open.size).toBe(0);
  }
  return pieces;
}

describe('lslSource', () => {
  it('names channels, and takes microvolt where nothing is said', async () => {
    const { source, rows } = await collect([
      { name: 'cap', channels: 2, labels: ['Fz'], rateHz: 4, pulls: [[10, 10.25], [10.5]] },
    ]);
    expect(source.channels).toEqual([
      { name: 'Fz', unit: 'microvolts', rateHz: 4 },
      { name: 'cap 2', unit: '', assumedUnit: 'uV', rateHz: 4 },
    ]);
    expect(rows).toEqual([
      [0, 1, 2],
      [100, 101, 102],
    ]);
  });

  it('takes the unit that is given where nothing is said, without a note of another', async () => {
    const notes: string[] = [];
    const library = fakeLibrary([
      { name: 'cap', channels: 2, labels: ['Fz'], rateHz: 4, pulls: [[10, 10.25]] },
    ]);
    const options = { load: () => library, unit: 'mV', onNote: (note: string) => void notes.push(note) };
    const source = await lslSource(['cap'], options);
    expect(source.channels.map(({ unit }) => unit)).toEqual(['microvolts', 'mV']);
    expect(notes.join()).not.toContain('microvolt');
    await source.close();
  });

  it('aligns streams at the first moment that all have', async () => {
    const { rows } = await collect([
      { name: 'cap', channels: 1, rateHz: 10, pulls: [[5, 5.1, 5.2], [5.3, 5.4], [5.5]] },
      { name: 'strap', channels: 1, rateHz: 5, pulls: [[], [5.28], [5.48, 5.68]] },
    ]);
    expect(rows).toEqual([
      [3, 4, 5],
      [0, 1, 2],
    ]);
  });

  it('gives NaN for samples that were lost', async () => {
    const { rows } = await collect([
      {
        name: 'cap',
        channels: 1,
        rateHz: 4,
        pulls: [
          [1, 1.25],
          [2.25, 2.5],
        ],
      },
    ]);
    expect(rows).toEqual([[0, 1, Number.NaN, Number.NaN, Number.NaN, 2, 3]]);
  });

  it('begins anew behind a long silence and a clock that was set back, and says so', async () => {
    const notes: string[] = [];
    const times = [
      [1, 1.25],
      [9999, 9999.25],
      [5, 5.25],
    ];
    const pieces = await piecesOf([{ name: 'm', channels: 1, rateHz: 4, pulls: times }], {
      onNote: (note) => notes.push(note),
    });
    expect(pieces).toEqual([
      { samples: [[0, 1]] },
      { samples: [[2, 3]], gapTo: 9998 },
      { samples: [[4, 5]], gapTo: 9998.5 },
    ]);
    expect(notes.join(' ')).toMatch(
      /stream 'm' jump by 9998 s; the streams are aligned anew.*jump by -9994 s/,
    );
  });

  it('waits for a stream that was lost, and goes on when it is back', async () => {
    const notes: string[] = [];
    const streams: FakeStream[] = [
      { name: 'cap', channels: 1, rateHz: 4, pulls: [[1, 1.25], 'lost'] },
      { name: 'strap', channels: 1, rateHz: 2, pulls: [[1], [1.5], [2], [2.5], [3], [3.5]] },
    ];
    const again: FakeStream = {
      ...streams[0]!,
      pulls: [
        [2.5, 2.75],
        [3, 3.25],
      ],
    };
    const pieces = await piecesOf(streams, {
      onNote: (note) => notes.push(note),
      onLost: () => streams.splice(0, 1, again),
    });
    const given = pieces.map(({ samples }) => samples.map((x) => x.length));
    expect(given.reduce((sum, [cap]) => sum + cap!, 0)).toBe(2 + 4);
    expect(pieces.filter(({ gapTo }) => gapTo !== undefined)).toMatchObject([{ gapTo: 1.5 }]);
    expect(notes.join(' ')).toMatch(
      /lsl:cap: the stream was lost. Waiting up to 60 s for it.*it is there again/,
    );
    const gone: FakeStream[] = [{ name: 'cap', channels: 1, rateHz: 4, pulls: [[1], 'lost'] }];
    let time = 0;
    await expect(
      piecesOf(gone, {
        idleSeconds: 1e9,
        onLost: () => gone.splice(0, 1),
        now: () => (time += 10),
        reconnectSeconds: 30,
      }),
    ).rejects.toThrow(/the stream was lost, and nothing came for 30 s/);
  });

  it('can be stopped while it searches', async () => {
    const stop = new AbortController();
    stop.abort();
    const library = fakeLibrary([]);
    await expect(lslSource(['cap'], { load: () => library, signal: stop.signal })).rejects.toThrow(
      /stopped while stream 'cap' was searched for/,
    );
  });

  it('refuses what cannot be used, and leaves nothing open', async () => {
    await expect(collect([], ['cap'])).rejects.toThrow(/no stream with name 'cap'/);
    await expect(collect([{ name: 'm', channels: 1, rateHz: 4, format: 3, pulls: [] }])).rejects.toThrow(
      /holds text/,
    );
    await expect(collect([{ name: 'm', channels: 1, rateHz: 0, pulls: [] }])).rejects.toThrow(
      /no regular rate/,
    );
    const absent = (name: string) => {
      throw new Error(`no ${name}`);
    };
    await expect(lslSource(['x'], { load: absent, library: 'lsl.so' })).rejects.toThrow(
      /liblsl cannot be loaded \(lsl.so: no lsl.so\).*HEARTMIND_LSL_LIBRARY/,
    );
  });
});
