import { beforeAll, describe, expect, test } from 'vitest';
import type { ChosenEncoder, ChosenEncoders } from '../../src/evaluate/reproduce-data.ts';
import { describeEncoders, noteSeen, pickEncoder } from '../../src/evaluate/reproduce-encoders.ts';
import { parseReproduction } from '../../src/evaluate/reproduce-result.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { memoryFiles, randomEncoder, reproduceSmall } from './reproduce-small.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

const encoder = (seed: number, seen: readonly string[]): ChosenEncoder => ({
  ...randomEncoder(seed),
  seen,
  source: `encoder ${seed}`,
});

describe('which encoder a fold is given', () => {
  const all = [encoder(1, ['a', 'b']), encoder(2, ['c', 'd']), encoder(3, [])];

  test('the first that has seen nobody who is tested', () => {
    expect(pickEncoder(all, new Set(['c']))).toBe(0);
    expect(pickEncoder(all, new Set(['a']))).toBe(1);
    expect(pickEncoder(all, new Set(['a', 'c']))).toBe(2);
    expect(pickEncoder([], new Set(['a']))).toBe(-1);
  });

  test('where all have seen some, the one that has seen fewest, and a note says so', () => {
    const seen = [encoder(1, ['a', 'b']), encoder(2, ['b', 'c'])];
    expect(pickEncoder(seen, new Set(['a', 'b']))).toBe(1);
    const [first, ...others] = seen;
    const encoders: ChosenEncoders = { eeg: { ...first!, others } };
    const fold = (name: string) => ({ name, subjects: { name, train: [], validation: [], test: [name] } });
    const plans = [
      { protocol: { kind: 'leave-one-subject-out' as const }, folds: ['a', 'b', 'c', 'd'].map(fold) },
      { protocol: { kind: 'published' as const }, folds: [fold('d')] },
    ];
    expect(noteSeen(encoders, plans)).toEqual([
      'leave-one-subject-out: in 1 of 4 folds each of 2 eeg encoders has seen tested people: rows with it are transductive.',
      "published: each fold's eeg encoder is one of 2, and has not seen the people it tests.",
    ]);
    expect(describeEncoders(encoders, {}, plans)).toMatchObject({
      'eeg 1': { source: 'encoder 1', folds: { 'leave-one-subject-out': ['b', 'c', 'd'], published: ['d'] } },
      'eeg 2': { source: 'encoder 2', folds: { 'leave-one-subject-out': ['a'], published: [] } },
    });
    expect(noteSeen({ eeg: first! }, plans)).toEqual([]);
  });
});

test('every fold trains and tests on the embeddings of one encoder, which has not seen its person', async () => {
  const size = { people: 4, films: 6, seconds: 20, baselineSeconds: 5, effectSize: 0.8 };
  const recipe = {
    models: ['eeg'],
    seeds: [0, 1],
    protocols: [{ kind: 'leave-one-subject-out', validationSubjects: 1 }],
    head: {
      kind: 'logistic',
      strengths: [1e-3],
      optimization: { epochs: 1, batch: 8, minimumLearningRate: 1e-5 },
    },
  };
  const run = async (eeg: ChosenEncoder) => {
    const kept = memoryFiles();
    const result = await reproduceSmall({ ...size, effect: 'eeg' }, recipe, {
      ...{ backend, kept },
      encoders: { eeg },
      sources: { eeg: 'one' },
    });
    const [predicted, again] = [0, 1].map((seed) => {
      const name = `predictions/valence-leave-one-subject-out-eeg-seed${seed}.json`;
      return JSON.parse(new TextDecoder().decode(kept.files.get(name)!)).result as number[];
    });
    return { result, predicted: predicted!, again: again! };
  };
  const [a, b] = [encoder(1, ['s01', 's02']), encoder(2, ['s03', 's04'])];
  const one = await run(a);
  const other = await run(b);
  const both = await run({ ...a, others: [b] });
  // The first half of the windows are those of s01 and s02, whom `a` has seen.
  const half = one.predicted.length / 2;
  expect(one.predicted).not.toEqual(other.predicted);
  // Another seed draws again who validates, and so who trains.
  expect(one.again).toHaveLength(one.predicted.length);
  expect(one.again).not.toEqual(one.predicted);
  expect(both.predicted).toEqual([...other.predicted.slice(0, half), ...one.predicted.slice(half)]);

  const { encoders, notes } = parseReproduction(both.result);
  expect(encoders['eeg 1']!.folds).toEqual({ 'leave-one-subject-out': ['without s03', 'without s04'] });
  expect(encoders['eeg 2']).toEqual({
    ...{ source: 'encoder 2', layers: 1, sha256: 'random 2' },
    folds: { 'leave-one-subject-out': ['without s01', 'without s02'] },
  });
  expect(notes).toContain(
    "leave-one-subject-out: each fold's eeg encoder is one of 2, and has not seen the people it tests.",
  );
  expect(one.result.encoders.eeg).toEqual({ source: 'encoder 1', layers: 1, sha256: 'random 1' });
});
