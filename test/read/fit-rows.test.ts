/** Rates and gaps by time stamps whose truth is known: packets, jitter, late deliveries, lost packets, clocks set back. */
import { describe, expect, it } from 'vitest';
import { fitRows } from '../../src/read/table/fit-rows.ts';

/** Numbers in [0, 1), the same in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

interface Device {
  readonly rateHz: number;
  readonly packetRows: number;
  readonly seconds: number;
  /** Standard deviation of a packet's stamp. */
  readonly jitterSeconds: number;
  /** Of the packets, those that never come. */
  readonly lost: number;
  /** Of the packets, those that come up to 0.4 s late, all at once with the ones before them. */
  readonly late: number;
  /** What a packet's stamp becomes in its rows. */
  readonly stamps: 'spread' | 'equal' | 'blank';
}

/** Stamps of the rows that arrived, and the row before which rows are lost → how many. */
function simulate(device: Device, seed: number) {
  const random = generator(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const { rateHz, packetRows, seconds, jitterSeconds, stamps } = device;
  const times: number[] = [];
  const lost = new Map<number, number>();
  let lateUntil = 0;
  for (let packet = 0; packet < (seconds * rateHz) / packetRows; packet++) {
    const sent = (packet * packetRows) / rateHz;
    const isLost = random() < device.lost;
    // Not at the end: whether what is late there would be late for good, no one can tell.
    if (random() < device.late && sent < seconds - 2) lateUntil = sent + 0.4 * random();
    if (isLost) {
      lost.set(times.length, (lost.get(times.length) ?? 0) + packetRows);
      continue;
    }
    const stamp = 1000 + Math.max(sent + jitterSeconds * normal(), lateUntil);
    for (let i = 0; i < packetRows; i++)
      times.push(
        stamps === 'spread' ? stamp + i / rateHz : stamps === 'equal' || i === 0 ? stamp : Number.NaN,
      );
  }
  lost.delete(0);
  lost.delete(times.length);
  return { times: Float64Array.from(times), lost };
}

const found = (times: Float64Array, given?: number) => {
  const fit = fitRows(times, given)!;
  const gaps = fit.stretches.slice(1).map((stretch, i) => {
    const before = fit.stretches[i]!;
    return {
      row: stretch.first,
      rows: Math.round((stretch.start - before.start) * fit.rateHz) - before.count,
    };
  });
  return { fit, gaps, lostRows: gaps.reduce((sum, { rows }) => sum + rows, 0) };
};

const muse: Device = {
  rateHz: 256,
  packetRows: 12,
  seconds: 120,
  jitterSeconds: 0.006,
  lost: 0,
  late: 0,
  stamps: 'spread',
};

describe('rows whose device stamps packets', () => {
  it.each(['spread', 'equal', 'blank'] as const)('have the rate and no gap, stamps %s', (stamps) => {
    for (let seed = 1; seed <= 4; seed++)
      for (const jitterSeconds of [0, 0.001, 0.006, 0.02]) {
        const { times } = simulate({ ...muse, stamps, jitterSeconds }, seed);
        const { fit, gaps } = found(times);
        expect([fit.rateHz, gaps], `seed ${seed}, jitter ${jitterSeconds}`).toEqual([256, []]);
        expect(Math.abs(fit.measuredHz / 256 - 1)).toBeLessThan(0.001);
      }
  });

  it.each(['spread', 'equal', 'blank'] as const)('keep lost packets as gaps, stamps %s', (stamps) => {
    for (let seed = 1; seed <= 4; seed++)
      for (const jitterSeconds of [0, 0.001, 0.004]) {
        const { times, lost } = simulate({ ...muse, stamps, jitterSeconds, lost: 0.004 }, seed);
        const { fit, gaps, lostRows } = found(times);
        const truth = [...lost.values()].reduce((sum, rows) => sum + rows, 0);
        expect([fit.rateHz, lostRows], `seed ${seed}, jitter ${jitterSeconds}`).toEqual([256, truth]);
        // A gap is found at its packet, or a few beside it where stamps jitter.
        for (const { row } of gaps) {
          const away = Math.min(...[...lost.keys()].map((at) => Math.abs(at - row)));
          expect(away).toBeLessThanOrEqual(jitterSeconds === 0 ? 0 : 12 * 12);
        }
      }
  });

  it('are not torn apart by packets that come late', () => {
    for (let seed = 1; seed <= 4; seed++)
      for (const stamps of ['spread', 'equal'] as const) {
        const { times } = simulate({ ...muse, stamps, late: 0.01 }, seed);
        const { fit, gaps } = found(times);
        expect([fit.rateHz, gaps], `seed ${seed} ${stamps}`).toEqual([256, []]);
        expect(fit.jitterSeconds).toBeGreaterThan(0.1);
      }
  });

  it.each([
    [130, 73, 0.01],
    [250, 10, 0.005],
    [500, 25, 0.01],
    [200, 2, 0.002],
    [64, 1, 0.003],
    [250, 1, 0.001],
    [1000, 1, 0.0002],
  ])('of %d Hz in packets of %d', (rateHz, packetRows, jitterSeconds) => {
    for (let seed = 1; seed <= 5; seed++) {
      const { times } = simulate({ ...muse, rateHz, packetRows, jitterSeconds, seconds: 100 }, seed);
      const { fit, gaps } = found(times);
      expect([fit.rateHz, gaps], `seed ${seed}`).toEqual([rateHz, []]);
    }
  });
});

describe('rows with stamps of their own', () => {
  const regular = Float64Array.from({ length: 5000 }, (_, i) => i / 250);

  it('show every lost row, also where stamps are rounded to milliseconds', () => {
    for (const digits of [3, 6]) {
      const kept = [...regular.keys()].filter((i) => i !== 700 && !(i >= 2000 && i < 2003) && i !== 4990);
      const times = Float64Array.from(kept, (i) => Number(regular[i]!.toFixed(digits)));
      expect(found(times).gaps).toEqual([
        { row: 700, rows: 1 },
        { row: 1999, rows: 3 },
        { row: 4986, rows: 1 },
      ]);
    }
    const fast = Float64Array.from({ length: 20_000 }, (_, i) => Number((i / 512).toFixed(3)));
    expect(found(fast)).toMatchObject({ gaps: [], fit: { rateHz: 512 } });
  });

  it('take no drift of a clock for lost rows', () => {
    const times = Float64Array.from(
      { length: 900_000 },
      (_, i) => (i * 1.00003) / 250 + 0.0002 * Math.sin(i),
    );
    times.fill(Number.NaN, 400_000, 400_100);
    expect(found(times)).toMatchObject({ gaps: [], fit: { rateHz: 250 } });
  });

  it('go on where a clock is set back, and say so', () => {
    const times = regular.map((t, i) => (i < 3000 ? t : t - 5));
    const { fit, gaps } = found(times);
    expect(gaps).toEqual([]);
    expect(fit).toMatchObject({ rateHz: 250, backward: 1, firstBackward: 3000 });
    expect(fit.setBackSeconds).toBeCloseTo(5, 2);
    const swapped = regular.slice();
    [swapped[100], swapped[101]] = [swapped[101]!, swapped[100]!];
    expect(found(swapped)).toMatchObject({ gaps: [], fit: { backward: 1, setBackSeconds: 0 } });
  });

  it('may begin without a stamp, and may have none at all', () => {
    const times = regular.slice();
    times.fill(Number.NaN, 0, 7);
    expect(found(times)).toMatchObject({ gaps: [], fit: { rateHz: 250 } });
    expect(fitRows(new Float64Array(50).fill(Number.NaN))).toBeUndefined();
    expect(fitRows(new Float64Array(50))).toBeUndefined();
    expect(fitRows(Float64Array.from({ length: 50 }, (_, i) => -i))).toBeUndefined();
  });

  it('keep their gaps in seconds where another rate is given', () => {
    const times = regular.map((t, i) => (i < 2500 ? t : t + 60));
    expect(found(times, 250).gaps).toEqual([{ row: 2500, rows: 15_000 }]);
  });
});
