import { expect, test } from 'vitest';
import { DataError, InterruptedError } from '../../src/core/errors.ts';
import { ptbxl } from '../../src/datasets/ptbxl.ts';
import {
  checkDuplicates,
  checkReader,
  DuplicateFinder,
  noteNearNames,
} from '../../src/evaluate/duplicates.ts';
import { asReader, type FarWindows } from '../../src/patches/window-reader.ts';
import type { WindowSet } from '../../src/patches/windows.ts';

/** Windows of 2 channels × 4 samples: by subject, a number from which all values follow; 0 is flat. */
function windowsOf(rows: readonly (readonly [subject: string, value: number])[]): WindowSet {
  const data = Float32Array.from(rows.flatMap(([, v]) => [v, v * 2, v * 3, v * 5, v, v, v, v * 7]));
  return {
    signals: { eeg: { channels: ['A', 'B'], patches: 1, patchSamples: 4, data } },
    count: rows.length,
    subject: rows.map(([subject]) => subject),
    trial: rows.map(([subject]) => `${subject}.edf`),
    start: Float64Array.from(rows, (_, i) => i * 5),
  } as unknown as WindowSet;
}

const copies = windowsOf([
  ['anna', 1],
  ['anna', 2],
  ['ben', 3],
  ['carl', 1],
  ['carl', 2],
  ['carl', 4],
]);

test('equal windows of two subjects are an error that names them', () => {
  expect(() => checkDuplicates('evaluate', copies, {})).toThrow(DataError);
  expect(() => checkDuplicates('evaluate', copies, {})).toThrow(
    'evaluate: subjects anna and carl have 2 equal windows (anna.edf at 0 s = carl.edf at 15 s). One recording under two names would train and be tested on: correct the subjects, or add --allow-duplicates.',
  );
});

test('allowed, or known of the dataset, they are a note that counts them', () => {
  const [note] = checkDuplicates('evaluate', copies, {}, true);
  expect(note).toContain('anna and carl have 2 equal windows');
  expect(note).toContain('Allowed by --allow-duplicates.');
  expect(checkDuplicates('evaluate', copies, ptbxl)[0]).toContain('keep the official folds: so do we.');
});

test('flat windows, and those of one subject, are no duplicates', () => {
  const flat = windowsOf([
    ['anna', 0],
    ['ben', 0],
    ['ben', 3],
    ['ben', 3],
  ]);
  expect(checkDuplicates('evaluate', flat, {})).toEqual([]);
  const different = windowsOf(Array.from({ length: 2000 }, (_, i) => [`s${i}`, i + 1] as const));
  expect(checkDuplicates('evaluate', different, {})).toEqual([]);
});

test('part by part as all at once, and through a reader', async () => {
  const finder = new DuplicateFinder();
  finder.add(windowsOf([['anna', 1]]));
  finder.add(windowsOf([['ben', 1]]));
  expect(finder.duplicates).toMatchObject([{ subjects: ['anna', 'ben'], windows: 1 }]);
  await expect(checkReader('finetune', asReader(copies), {})).rejects.toThrow('anna and carl');
});

test('windows of a store are read once and compared; too many are not, which is said', async () => {
  const far = { ...asReader(copies), far: {} as FarWindows };
  const seen: number[] = [];
  await expect(checkReader('finetune', far, {}, { onProgress: (done) => seen.push(done) })).rejects.toThrow(
    'finetune: subjects anna and carl have 2 equal windows',
  );
  expect(seen).toEqual([6]);
  expect((await checkReader('finetune', far, {}, { allow: true }))[0]).toContain('anna and carl');
  expect(await checkReader('finetune', far, {}, { mostWindows: 5 })).toEqual([
    '6 windows of a store were not compared (up to 5 are): equal recordings under several names would go unnoticed.',
  ]);
  const stopped = checkReader('finetune', far, {}, { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toThrow(InterruptedError);
});

test('names that differ in case or zeros alone get a note', () => {
  expect(noteNearNames(['1', '001', 'S01', 's01', '10', '100', 'Subject 7'])).toEqual([
    "Subjects '001' and '1' count as 2 people, and their names differ in case or zeros alone. Where they are one person, give one name.",
    "Subjects 'S01' and 's01' count as 2 people, and their names differ in case or zeros alone. Where they are one person, give one name.",
  ]);
  expect(noteNearNames(['0', '00', 'a0b', 'ab'])).toHaveLength(1);
});
