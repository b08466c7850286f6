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
  readonly pulls: readonly (readonly number[])[];
}

/** liblsl's functions by name; pointers are the objects themselves. */
function fakeLibrary(streams: readonly FakeStream[]): LslLibrary & { readonly open: Set<unknown> } {
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
    lsl_pull_chunk_d: (handle: Handle, data: Float64Array, stamps: Float64Array) => {
      const times = handle.pulls[handle.next++] ?? [];
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

describe('lslSource', () => {
  it('names channels, and takes microvolt where nothing is said', async () => {
    const { source, rows } = await collect([
      { name: 'cap', channels: 2, labels: ['Fz'], rateHz: 4, pulls: [[10, 10.25], [10.5]] },
    ]);
    expect(source.channels).toEqual([
      { name: 'Fz', unit: 'uV', rateHz: 4 },
      { name: 'cap 2', unit: 'uV', rateHz: 4 },
    ]);
    expect(rows).toEqual([
      [0, 1, 2],
      [100, 101, 102],
    ]);
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

  it('refuses what cannot be used, and leaves nothing open', async () => {
    await expect(collect([], ['cap'])).rejects.toThrow(/no stream with name 'cap'/);
    await expect(collect([{ name: 'm', channels: 1, rateHz: 4, format: 3, pulls: [] }])).rejects.toThrow(
      /holds text/,
    );
    await expect(collect([{ name: 'm', channels: 1, rateHz: 0, pulls: [] }])).rejects.toThrow(
      /no regular rate/,
    );
    const jump = { name: 'm', channels: 1, rateHz: 4, pulls: [[1], [9999]] };
    await expect(collect([jump])).rejects.toThrow(/jumped by 9998 s/);
    const absent = (name: string) => {
      throw new Error(`no ${name}`);
    };
    await expect(lslSource(['x'], { load: absent, library: 'lsl.so' })).rejects.toThrow(
      /liblsl cannot be loaded \(lsl.so: no lsl.so\).*HEARTMIND_LSL_LIBRARY/,
    );
  });
});
