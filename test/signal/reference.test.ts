import { describe, expect, it } from 'vitest';
import { electrodes1020 } from '../../src/signal/electrodes.ts';
import { planMontage } from '../../src/signal/montage.ts';
import {
  averageReference,
  doubleBanana,
  linkedEars,
  rereference,
  transverseMontage,
} from '../../src/signal/reference.ts';

const names = ['EEG Fp1-Ref', 'C3', 'A1', 'A2'];
const rows = [Float64Array.of(3, 5), Float64Array.of(1, 1), Float64Array.of(2, 0), Float64Array.of(6, 2)];

describe('references', () => {
  it('averages over all or the good channels', () => {
    const all = averageReference(rows);
    expect(all.reference).toEqual(Float64Array.of(3, 2));
    expect(all.rows[1]).toEqual(Float64Array.of(-2, -1));
    const some = averageReference(rows, [0, 1]);
    expect(some.reference).toEqual(Float64Array.of(2, 3));
    expect(some.rows[3]).toEqual(Float64Array.of(4, -1));
    const holes = averageReference([Float64Array.of(Number.NaN, 1), Float64Array.of(4, 3)]);
    expect(holes.reference).toEqual(Float64Array.of(4, 2));
    expect(averageReference([]).rows).toEqual([]);
  });

  it('takes one channel, several, or both ears', () => {
    expect(rereference(rows, names, ['Fp1']).rows[0]).toEqual(Float64Array.of(0, 0));
    const ears = rereference(rows, names, linkedEars(names));
    expect(ears.reference).toEqual(Float64Array.of(4, 1));
    expect(ears.rows[0]).toEqual(Float64Array.of(-1, 4));
    expect(ears.used).toEqual([2, 3]);
    expect(rows[0]).toEqual(Float64Array.of(3, 5));
  });

  it('does not depend on the reference of the recording', () => {
    const shifted = rows.map((row) => row.map((value) => value + 7));
    expect(averageReference(shifted).rows).toEqual(averageReference(rows).rows);
    expect(rereference(shifted, names, ['C3']).rows).toEqual(rereference(rows, names, ['C3']).rows);
  });

  it('names what is missing', () => {
    expect(() => rereference(rows, names, ['M1', 'A2'])).toThrow(
      'rereference: M1 is missing. The recording has:',
    );
    expect(() => rereference(rows, names, [])).toThrow('no reference is named');
    expect(() => linkedEars(['C3', 'A1'])).toThrow('linkedEars: none of A1 and A2, M1 and M2');
  });
});

describe('bipolar montages', () => {
  it('are differences of the 10–20 system, each electrode used, chains that telescope', () => {
    for (const montage of [doubleBanana, transverseMontage]) {
      const plan = planMontage(electrodes1020, montage);
      expect(plan.rows).toHaveLength(montage.length);
      expect(new Set(plan.rows.flatMap(({ terms }) => terms.map(({ channel }) => channel))).size).toBe(19);
      for (const { terms } of plan.rows) expect(terms.map(({ weight }) => weight)).toEqual([1, -1]);
    }
    expect(doubleBanana).toHaveLength(18);
    expect(transverseMontage).toHaveLength(14);
  });

  it('find T3 under the name of T7', () => {
    const old = electrodes1020.map((name) => `EEG ${name.replace('T7', 'T3').replace('P7', 'T5')}-REF`);
    expect(planMontage(old, ['T7-P7']).rows[0]!.terms).toHaveLength(2);
  });
});
