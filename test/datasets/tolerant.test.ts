/** Truncated recordings of a dataset: an error, or read up to where they go and counted; never in silence. */
import { describe, expect, test } from 'vitest';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { labelledFiles } from '../../src/datasets/labelled-files.ts';
import { type FileTask, preparePieces } from '../../src/datasets/prepare-pieces.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { memoryFolder } from './memory-folder.ts';

const recipe = parseRecipe({
  version: 1,
  signals: { eeg: { channels: ['Fz'], scaleMicrovolts: 100, lowHz: null, highHz: null, notchHz: null } },
  window: { lengthSeconds: 2, stepSeconds: 2 },
});
const samples = Float64Array.from({ length: 2000 }, (_, i) => 20 * Math.sin(i / 5));
const whole = encodeEdf({ channels: [{ name: 'Fz', unit: 'uV', rateHz: 200, samples }] });
const folder = memoryFolder({
  'labels.csv': 'file,subject,state\nwhole.edf,anna,calm\nshort.edf,ben,calm\n',
  'whole.edf': whole,
  'short.edf': whole.subarray(0, whole.length - 1000),
});
const truncated = /^edf: truncated: .* 7 of 10 records are read\.$/;

describe('a truncated recording', () => {
  test('stops the loading, unless it is tolerated; then it is counted with what is missing', async () => {
    const spec = await labelledFiles(folder, 'labels.csv', recipe);
    await expect(loadWindows(spec, folder, recipe)).rejects.toThrow(/ends at byte/);
    const { count, dropped } = await loadWindows(spec, folder, recipe, { tolerant: true });
    expect(count).toBe(5 + 3);
    expect(dropped).toContainEqual({
      what: 'recording',
      reason: expect.stringMatching(truncated),
      count: 1,
      examples: ['short.edf'],
    });
  });

  test('is skipped and counted otherwise, where that was asked for', async () => {
    const spec = await labelledFiles(folder, 'labels.csv', recipe);
    const { count, dropped } = await loadWindows(spec, folder, recipe, { skipBroken: true });
    expect(count).toBe(5);
    expect(dropped[0]!.reason).toMatch(/^FormatError: .*ends at byte/);
  });

  test('in a store likewise', async () => {
    const task: FileTask = {
      file: 'short.edf',
      trials: [{ index: 0, id: 'short', subject: 'ben', file: 'short.edf' }],
    };
    const pieces = [];
    for await (const piece of preparePieces(folder, task, {
      recipe,
      type: 'int16',
      skipBroken: true,
      tolerant: true,
    }))
      pieces.push(piece);
    expect(pieces[0]!.start.length).toBe(3);
    expect(pieces[0]!.dropped[0]!.reason).toMatch(truncated);
  });
});
