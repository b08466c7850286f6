import { expect, test } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import type { Trial } from '../../src/datasets/dataset.ts';
import { targetKinds, targetsOf } from '../../src/datasets/targets.ts';

const spec = {
  name: 'toy',
  targets: { sex: ['M', 'F'], rhythm: ['sinus', 'flutter', 'other'] },
  labels: {
    findings: { kind: 'multilabel', targets: ['block', 'ischaemia'] },
    age: { kind: 'number', unit: 'years' },
  },
} as const;
const trial = (id: string, targets: Trial['targets']): Trial => ({
  id,
  subject: id,
  file: `${id}.hea`,
  targets,
});
const trials = [
  trial('a', { sex: 'F', rhythm: 'other', block: 1, ischaemia: 0, age: 61 }),
  trial('b', { sex: '', rhythm: 'sinus', block: 0, age: '' }),
];
const windows = { trial: ['b', 'a', 'a'] };
const valuesOf = (name: string) => {
  const { kind, names, values } = targetsOf(spec, trials, windows, name);
  return [kind, names, [...values]];
};

test('values of windows are those of their trials, whatever their kind; what is not known is NaN', () => {
  const no = Number.NaN;
  expect(valuesOf('sex')).toEqual(['class', ['F'], [no, 1, 1]]);
  expect(valuesOf('rhythm')).toEqual(['class', ['sinus', 'flutter', 'other'], [1, 0, 0, 0, 0, 1, 0, 0, 1]]);
  expect(valuesOf('findings')).toEqual(['multilabel', ['block', 'ischaemia'], [0, no, 1, 0, 1, 0]]);
  expect(valuesOf('age')).toEqual(['number', ['age'], [no, 61, 61]]);
  expect([...targetKinds(spec).keys()]).toEqual(['sex', 'rhythm', 'findings', 'age']);
});

test('names, classes and trials that are not there are refused', () => {
  expect(() => targetsOf(spec, trials, windows, 'constructor')).toThrow(
    new DataError("toy: no target 'constructor'. It has: sex, rhythm, findings, age."),
  );
  expect(() => targetsOf(spec, trials, { trial: ['c'] }, 'age')).toThrow(DataError);
  const odd = [trial('a', { rhythm: 'paced' })];
  expect(() => targetsOf(spec, odd, { trial: ['a'] }, 'rhythm')).toThrow(/'paced', which is none of/);
});
