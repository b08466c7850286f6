import { beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../src/core/errors.ts';
import { epochOrder } from '../../src/patches/store-order.ts';
import { WindowPools } from '../../src/patches/store-pool.ts';
import { openStoreWindows, type StoreWindows } from '../../src/patches/store-windows.ts';
import { StoreWriter } from '../../src/patches/store-writer.ts';
import { asReader, concatReaders, type WindowReader } from '../../src/patches/window-reader.ts';
import { allPieces, planOf, sizes } from './store-fixture.ts';
import { type MemoryPlace, memoryPlace } from './store-place.ts';

let place: MemoryPlace;
let count: number;
/** Room for two pools of ten windows of EEG. */
const memoryMegabytes = (2 * 10 * 2 * sizes.eeg) / 2 ** 20;

const open = (): Promise<StoreWindows> => openStoreWindows(place, { memoryMegabytes });
beforeAll(async () => {
  place = memoryPlace();
  const writer = await StoreWriter.open(place, planOf(60));
  for (const piece of allPieces(60)) await writer.add(piece);
  count = (await writer.finish()).count;
});

async function orderOf(windows: WindowReader, epoch = 0) {
  const far = windows.far!;
  const options = { blockWindows: 4, poolWindows: far.poolWindows(['eeg']), seed: 1, epoch };
  return epochOrder(
    Int32Array.from({ length: windows.count }, (_, i) => i),
    options,
  );
}

describe('reading ahead', () => {
  it('brings every window once, and holds two pools at most', async () => {
    const [windows, poolWindows, batch] = [1000, 60, 16];
    const sequence = epochOrder(
      Int32Array.from({ length: windows }, (_, i) => i),
      { blockWindows: 7, poolWindows, seed: 2, epoch: 0 },
    );
    const brought = new Map<number, number>();
    const bring = (window: number) => {
      brought.set(window, (brought.get(window) ?? 0) + 1);
      return Uint16Array.of(window, window + 1);
    };
    const reader: ConstructorParameters<typeof WindowPools>[0] = {
      runs: (_, list) =>
        Array.from({ length: Math.ceil(list.length / 5) }, (_unused, shard) => ({
          shard,
          places: Array.from({ length: Math.min(5, list.length - 5 * shard) }, (_none, i) => 5 * shard + i),
        })),
      async readRun(_, list, { places }, take) {
        await new Promise((resolve) => setTimeout(resolve));
        for (const place of places) take(place, bring(list[place]!));
      },
      async read(_, list, take) {
        for (let place = 0; place < list.length; place++) take(place, bring(list[place]!));
      },
    };
    const pools = new WindowPools(reader, { sequence, modalities: ['eeg'], sizes: { eeg: 2 }, poolWindows });
    for (let i = 0; i < windows; i += batch) {
      const wanted = sequence.slice(i, i + batch);
      const found = new Map<number, number[]>();
      // Two parts of a batch are asked for at once.
      await Promise.all(
        [wanted.subarray(0, batch / 2), wanted.subarray(batch / 2)].map((part, half) =>
          pools.read(part, (_, place, bits) => found.set(place + (half * batch) / 2, [...bits])),
        ),
      );
      expect(found.size).toBe(wanted.length);
      for (const [place, bits] of found) expect(bits).toEqual([wanted[place], wanted[place]! + 1]);
      expect(brought.size - i).toBeLessThanOrEqual(2 * poolWindows + batch);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(brought.size).toBe(windows);
    expect(new Set(brought.values())).toEqual(new Set([1]));
  });

  it('lends its memory to the next stream', async () => {
    const windows = await open();
    const spare: object[] = [];
    const order = await orderOf(windows);
    const options = {
      sequence: order,
      modalities: ['eeg'] as const,
      sizes: { eeg: sizes.eeg },
      poolWindows: 10,
      spare,
    };
    const read = async () => {
      const pools = new WindowPools(windows.reader, options);
      for (let i = 0; i < 50; i += 5) await pools.read(order.slice(i, i + 5), () => {});
      // A read that is under way keeps its pool.
      const last = pools.read(order.slice(50, 55), () => {});
      pools.close();
      await last;
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await read();
    const lent = [...spare];
    expect(lent.length).toBeGreaterThan(0);
    expect(lent.length).toBeLessThanOrEqual(2);
    for (let epoch = 0; epoch < 3; epoch++) await read();
    expect(spare.length).toBeLessThanOrEqual(2);
    expect(lent.every((one) => spare.includes(one))).toBe(true);
  });

  it('goes on in the middle, and reads what is not in the sequence at once', async () => {
    const windows = await open();
    const order = await orderOf(windows);
    const stream = windows.far.stream(order, ['eeg', 'ecg']);
    const direct = await open();
    for (const indices of [
      order.slice(77, 81),
      order.slice(81, 85),
      order.slice(0, 3),
      [order[85]!, order[2]!],
      order.slice(86, 90),
    ])
      expect(await stream.read(indices)).toEqual(await direct.read(indices, ['eeg', 'ecg']));
  });

  it('tells of damage when the window is asked for, not before', async () => {
    const { contents } = place;
    const broken = memoryPlace(new Map(contents));
    broken.contents.set('eeg/c.3.0.0', contents.get('eeg/c.3.0.0')!.slice(0, 100));
    const windows = await openStoreWindows(broken, { memoryMegabytes });
    const order = Int32Array.from({ length: count }, (_, i) => i);
    const stream = windows.far.stream(order, ['eeg']);
    for (let i = 0; i < 24; i += 4) await stream.read(order.slice(i, i + 4));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(stream.read(order.slice(24, 28))).rejects.toThrow(FormatError);
  });
});

describe('several readers as one', () => {
  it('give what each gives, streamed or not', async () => {
    const far = await open();
    const near = asReader(await (await openStoreWindows(place)).load());
    const joined = concatReaders([far, near], 'both');
    expect(joined.count).toBe(2 * count);
    expect(joined.subject[count + 3]).toBe(near.subject[3]);
    const indices = [3, count + 3, 2 * count - 1, 0];
    const { ecg } = await joined.read(indices, ['ecg']);
    expect(ecg!.subarray(0, sizes.ecg)).toEqual(ecg!.subarray(sizes.ecg, 2 * sizes.ecg));
    const order = await orderOf(joined);
    const stream = joined.far!.stream(order, ['ecg']);
    for (let i = 0; i < 40; i += 5)
      expect(await stream.read(order.slice(i, i + 5))).toEqual(
        await joined.read(order.slice(i, i + 5), ['ecg']),
      );
  });
});
