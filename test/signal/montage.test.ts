import { describe, expect, it } from 'vitest';
import { ChannelError } from '../../src/core/errors.ts';
import { combineTerms, planMontage } from '../../src/signal/montage.ts';

const eegmat = [
  ...['Fp1', 'Fp2', 'F3', 'F4', 'F7', 'F8', 'T3', 'T4', 'C3', 'C4', 'T5', 'T6', 'P3', 'P4', 'O1', 'O2'],
  ...['Fz', 'Cz', 'Pz', 'A2-A1'],
].map((name) => `EEG ${name}`);

/** `2` for channel 2 as it is, `2-0` for a difference, `0.5*1` for other weights. */
function describeRows(available: readonly string[], wanted: readonly string[]): string[] {
  return planMontage(available, wanted).rows.map(({ terms }) =>
    terms
      .map(({ channel, weight }) =>
        weight === 1 ? `+${channel}` : weight === -1 ? `-${channel}` : `${weight}*${channel}`,
      )
      .join(' '),
  );
}

describe('planMontage', () => {
  it('finds the channels of EEGMAT in any order, old names or new', () => {
    expect(
      describeRows([...eegmat, 'ECG ECG'], ['A2-A1', 'Fp1', 'T7', 'T8', 'P7', 'P8', 'T3', 'ECG']),
    ).toEqual(['+19', '+0', '+6', '+7', '+10', '+11', '+6', '+20']);
    expect(planMontage(eegmat, eegmat).rows.map((row) => row.terms)).toEqual(
      eegmat.map((_, channel) => [{ channel, weight: 1 }]),
    );
  });

  it.each([
    ['EEG Fp1-Ref', 'Fp1'],
    ['EEG FP1-LE', 'Fp1'],
    ['FP1', 'Fp1'],
    ['Fp1.', 'Fp1'],
    ['Fc5..', 'FC5'],
    ['fp1 - ref', 'Fp1'],
    ['POL Fp1', 'Fp1'],
    ['EEG Fp1-A2', 'Fp1'],
    ['EEG-Fp1', 'Fp1'],
    ['EEG T3-REF', 'T7'],
    ['EEG T7', 'T3'],
    ['EEG Fp1-F3', 'Fp1-F3'],
    ['EEG T3-O1', 'T7-O1'],
    ['MLII', 'II'],
    ['ii', 'II'],
    ['ECG Lead II', 'II'],
    ['Lead I', 'I'],
    ['avr', 'aVR'],
    ['ECG V1', 'V1'],
    ['EKG', 'ECG'],
    ['ECG1', 'ECG'],
    ['ECG 1', 'ECG'],
    ['EEG EKG1-REF', 'ECG'],
    ['ECG EKG', 'ECG'],
    ['ECG-REF', 'ECG'],
    ['ECG', 'EKG'],
  ])("takes '%s' for '%s'", (recorded, wanted) => {
    expect(describeRows(['EEG Oz', recorded], [wanted])).toEqual(['+1']);
  });

  it.each([
    ['EEG A2-A1', 'A2'],
    ['EEG Fp1-F3', 'Fp1'],
    ['ECG2', 'ECG'],
    ['V1', 'ECG'],
    ['Fp10', 'Fp1'],
    ['EOG Fp1', 'Fp1'],
  ])("does not take '%s' for '%s'", (recorded, wanted) => {
    expect(() => planMontage([recorded], [wanted])).toThrow(ChannelError);
  });

  it('derives differences that are not recorded', () => {
    expect(describeRows(['Fp1', 'F3', 'A1', 'A2'], ['Fp1-F3', 'A2-A1', 'Fp1'])).toEqual([
      '+0 -1',
      '+3 -2',
      '+0',
    ]);
    expect(describeRows(['F3-Fp1'], ['Fp1-F3'])).toEqual(['-0']);
    expect(planMontage(['Fp1-A1', 'F3-A2'], ['Fp1-F3']).notes).toEqual([
      "montage: 'Fp1-F3' is derived as 'Fp1-A1' − 'F3-A2'.",
      "montage: 'Fp1-A1' and 'F3-A2' name different references, so 'Fp1-F3' is not exact.",
    ]);
  });

  it('prefers the recorded channel to a derived one', () => {
    expect(describeRows(['A1', 'A2', 'A2-A1'], ['A2-A1'])).toEqual(['+2']);
    expect(describeRows(['I', 'II', 'III'], ['III'])).toEqual(['+2']);
  });

  it('derives limb leads so that they obey Einthoven and Goldberger', () => {
    const plan = planMontage(['ECG II', 'ECG I'], ['I', 'II', 'III', 'aVR', 'aVL', 'aVF']);
    const [one, two] = [Float64Array.of(1, 2, -0.5), Float64Array.of(0.5, 3, 0.25)];
    const samples = (channel: number) => (channel === 0 ? two : one);
    const leads = plan.rows.map((row) => combineTerms(row.terms, samples));
    for (let i = 0; i < 3; i++) {
      const [I, II, III, aVR, aVL, aVF] = leads.map((lead) => lead[i]!) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      expect([I, II]).toEqual([one[i], two[i]]);
      expect(III).toBeCloseTo(II - I, 12);
      expect(aVR + aVL + aVF).toBeCloseTo(0, 12);
      expect(aVL).toBeCloseTo((I - III) / 2, 12);
      expect(aVF).toBeCloseTo((II + III) / 2, 12);
    }
    expect(plan.notes).toContain("montage: 'III' is derived from 'ECG I' and 'ECG II'.");
    expect(() => planMontage(['II', 'V1'], ['III'])).toThrow(ChannelError);
  });

  it.each(['MLII', 'II', 'ECG II', 'Lead I', 'ECG1-ECG2', 'ECG chest', 'aVF', 'ekg'])(
    'takes %s as ECG where it is the only ECG channel',
    (name) => {
      const { rows, notes } = planMontage(['Fz', 'C3-A2', name, 'EMG', 'VEOG'], ['ECG']);
      expect(rows).toEqual([{ name: 'ECG', terms: [{ channel: 2, weight: 1 }] }]);
      if (name !== 'ekg') expect(notes).toEqual([`montage: 'ECG' is '${name}', the only ECG channel.`]);
    },
  );

  it('takes no lead for another, and none of several', () => {
    expect(() => planMontage(['MLII', 'V5'], ['ECG'])).toThrow(ChannelError);
    expect(() => planMontage(['MLII'], ['V5'])).toThrow(ChannelError);
    expect(() => planMontage(['MLII'], ['ECG', 'V5'])).toThrow(ChannelError);
    expect(() => planMontage(['Fz', 'ECoG1', 'EMG'], ['ECG'])).toThrow(ChannelError);
    expect(() => planMontage(['MLII'], ['Fz'])).toThrow(ChannelError);
  });

  it('takes the first of duplicates and says so', () => {
    expect(planMontage(['EEG Fp1', 'Fp2', 'Fp1'], ['Fp1'])).toEqual({
      rows: [{ name: 'Fp1', terms: [{ channel: 0, weight: 1 }] }],
      notes: ["montage: 2 channels match 'FP1' (0 'EEG Fp1', 2 'Fp1'); the first is used."],
    });
    // The same name beats an alias, so there is no ambiguity.
    expect(planMontage(['T3', 'T7'], ['T7', 'T3'])).toEqual({
      rows: [
        { name: 'T7', terms: [{ channel: 1, weight: 1 }] },
        { name: 'T3', terms: [{ channel: 0, weight: 1 }] },
      ],
      notes: [],
    });
  });

  it('lists what is missing and what is there', () => {
    try {
      planMontage(['EEG Fp1', 'EEG Fp2'], ['Fp1', 'Cz', 'aVF', 'Fp1-O1']);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ChannelError);
      expect(error).toMatchObject({
        missing: ['Cz', 'aVF', 'Fp1-O1'],
        available: ['EEG Fp1', 'EEG Fp2'],
        message:
          'montage: 3 of 4 channels are missing: Cz, aVF, Fp1-O1. The recording has: EEG Fp1, EEG Fp2. Choose a montage from these.',
      });
    }
    expect(() => planMontage([], ['__proto__', 'constructor'])).toThrow(ChannelError);
  });
});

describe('combineTerms', () => {
  it('weights and sums without touching its input', () => {
    const a = Float64Array.of(1, 2);
    const b = Float64Array.of(10, 20);
    const terms = [
      { channel: 0, weight: 2 },
      { channel: 1, weight: -1 },
    ];
    expect(combineTerms(terms, (channel) => (channel === 0 ? a : b))).toEqual(Float64Array.of(-8, -16));
    expect(a).toEqual(Float64Array.of(1, 2));
    expect(combineTerms([], () => a)).toHaveLength(0);
  });
});
