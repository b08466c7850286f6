import { describe, expect, it } from 'vitest';
import { DataError, FormatError, InterruptedError } from '../../src/core/errors.ts';
import { type DatasetSpec, loadWindows, type Trial } from '../../src/datasets/dataset.ts';
import { mitdb } from '../../src/datasets/mitdb.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { memoryFolder } from './memory-folder.ts';

const recipe = parseRecipe({
  version: 1,
  signals: { eeg: { channels: ['Cz'], scaleMicrovolts: 100 } },
  window: { lengthSeconds: 2, stepSeconds: 2 },
});

/** A slow wave of `seconds` at 200 Hz. */
function edf(seconds: number, amplitude = 50): Uint8Array {
  const samples = Float64Array.from({ length: 200 * seconds }, (_, t) => amplitude * Math.sin(t / 30));
  return encodeEdf({ channels: [{ name: 'EEG Cz', unit: 'uV', rateHz: 200, samples }] });
}

function specOf(trials: readonly Trial[]): DatasetSpec {
  return {
    name: 'toy',
    title: '',
    licence: '',
    url: '',
    citation: '',
    modalities: ['eeg'],
    targets: { mood: ['calm', 'tense'] },
    splits: {},
    recipe,
    trials: async () => [...trials],
  };
}

const trial = (id: string, mood: string, rest: Partial<Trial> = {}): Trial => ({
  id,
  subject: `of ${id}`,
  file: `${id}.edf`,
  targets: { mood },
  ...rest,
});

describe('loadWindows', () => {
  const three = [trial('a', 'tense'), trial('b', 'calm'), trial('c', 'calm')];
  const contents = { 'a.edf': edf(6), 'b.edf': edf(5), 'c.edf': edf(2) };

  it('cuts every trial and labels its windows', async () => {
    const folder = memoryFolder(contents);
    const set = await loadWindows(specOf(three), folder, undefined, { target: 'mood' });
    expect(set.trial).toEqual(['a', 'a', 'a', 'b', 'b', 'c']);
    expect(set.subject).toEqual(['of a', 'of a', 'of a', 'of b', 'of b', 'of c']);
    expect([...set.start]).toEqual([0, 2, 4, 0, 2, 0]);
    expect([...set.label!]).toEqual([1, 1, 1, 0, 0, 0]);
    expect(set.classes).toEqual(['calm', 'tense']);
    expect(folder.stillOpen()).toBe(0);
  });

  it('gives no labels where no target is asked for', async () => {
    const set = await loadWindows(specOf(three), memoryFolder(contents));
    expect(set.label).toBeUndefined();
    expect(set.classes).toEqual([]);
    expect(set.count).toBe(6);
  });

  it('takes only the subjects that were named', async () => {
    const folder = memoryFolder(contents);
    const set = await loadWindows(specOf(three), folder, recipe, { subjects: ['of c', 'of a'] });
    expect(set.trial).toEqual(['a', 'a', 'a', 'c']);
    expect(folder.opened).toEqual(['a.edf', 'c.edf']);
  });

  it('cuts parts of one file, which it opens once', async () => {
    const folder = memoryFolder({ 'a.edf': edf(10) });
    const parts = [trial('a', 'calm', { end: 5 }), trial('a2', 'tense', { file: 'a.edf', start: 5.5 })];
    const set = await loadWindows(specOf(parts), folder, recipe, { target: 'mood' });
    expect([...set.start]).toEqual([0, 2, 5.5, 7.5]);
    expect([...set.label!]).toEqual([0, 0, 1, 1]);
    expect(folder.opened).toEqual(['a.edf']);
    // 5.5 s is sample 1,100; EDF stores steps of about 0.0015 µV.
    expect(set.signals.eeg!.data[2 * 400]).toBeCloseTo((50 * Math.sin(1100 / 30)) / 100, 4);
  });

  it('stops at the first broken recording, or leaves it out and counts it', async () => {
    const broken = { ...contents, 'b.edf': edf(5).subarray(0, 700) };
    const stopped = memoryFolder(broken);
    await expect(loadWindows(specOf(three), stopped)).rejects.toThrow(FormatError);
    expect(stopped.opened).toEqual(['a.edf', 'b.edf']);
    expect(stopped.stillOpen()).toBe(0);

    const folder = memoryFolder(broken);
    const set = await loadWindows(specOf(three), folder, recipe, { target: 'mood', skipBroken: true });
    expect(set.trial).toEqual(['a', 'a', 'a', 'c']);
    expect(set.dropped).toHaveLength(1);
    expect(set.dropped[0]).toMatchObject({ what: 'recording', count: 1, examples: ['b'] });
    expect(set.dropped[0]!.reason).toMatch(/^FormatError: /);
    expect(folder.stillOpen()).toBe(0);
  });

  it('leaves out a file that is absent or lacks the channel as a broken one', async () => {
    const samples = Float64Array.from({ length: 1200 }, (_, t) => Math.sin(t));
    const other = encodeEdf({ channels: [{ name: 'Pz', unit: 'uV', rateHz: 200, samples }] });
    const folder = memoryFolder({ 'a.edf': edf(6), 'b.edf': other });
    await expect(loadWindows(specOf(three), folder)).rejects.toThrow('1 of 1 channels are missing: Cz');
    const set = await loadWindows(specOf(three), folder, recipe, { skipBroken: true });
    expect(set.count).toBe(3);
    expect(set.dropped.map(({ reason, examples }) => [reason.slice(0, 12), ...examples])).toEqual([
      ['ChannelError', 'b'],
      ['FormatError:', 'c'],
    ]);
  });

  it('does not hide errors that are none of its own', async () => {
    const folder = { ...memoryFolder(contents), open: () => Promise.reject(new TypeError('a bug')) };
    await expect(loadWindows(specOf(three), folder, recipe, { skipBroken: true })).rejects.toThrow(TypeError);
  });

  it('stops between trials when it is told to, and closes the file', async () => {
    const controller = new AbortController();
    const folder = memoryFolder(contents);
    const onProgress = (done: number) => done === 1 && controller.abort();
    await expect(
      loadWindows(specOf(three), folder, recipe, { signal: controller.signal, onProgress, skipBroken: true }),
    ).rejects.toThrow(new InterruptedError('toy: stopped while reading, after 2 of 3 trials.'));
    expect(folder.opened).toEqual(['a.edf', 'b.edf']);
    expect(folder.stillOpen()).toBe(0);
  });

  it('tells of its progress from the first trial to the end', async () => {
    const seen: string[] = [];
    await loadWindows(specOf(three), memoryFolder(contents), recipe, {
      onProgress: (done, total, id) => seen.push(`${done}/${total} ${id}`),
    });
    expect(seen).toEqual(['0/3 a', '1/3 b', '2/3 c', '3/3 ']);
  });

  it('counts trials without a value of the target', async () => {
    const unnamed = [trial('a', ''), trial('b', 'calm'), trial('c', 'calm', { targets: {} })];
    const set = await loadWindows(specOf(unnamed), memoryFolder(contents), recipe, { target: 'mood' });
    expect(set.trial).toEqual(['b', 'b']);
    expect(set.dropped).toEqual([{ what: 'recording', reason: "no 'mood'", count: 2, examples: ['a', 'c'] }]);
  });

  it('says what is wrong with a label, a target or an empty folder', async () => {
    const folder = memoryFolder(contents);
    const load = (trials: readonly Trial[], target: string) =>
      loadWindows(specOf(trials), folder, recipe, { target, skipBroken: true });
    await expect(load([trial('a', 'happy')], 'mood')).rejects.toThrow(
      new DataError("toy: trial a has mood 'happy', which is none of calm, tense."),
    );
    await expect(load(three, 'mod')).rejects.toThrow("toy: no target 'mod'. It has: mood.");
    await expect(load(three, 'toString')).rejects.toThrow("toy: no target 'toString'. It has: mood.");
    await expect(load([], 'mood')).rejects.toThrow('toy: no recordings in memory. Check the folder.');
    await expect(loadWindows(specOf(three), folder, recipe, { subjects: ['nobody'] })).rejects.toThrow(
      "windows: none is left (no recordings were given). Check the recipe's window.",
    );
  });

  it('reads WFDB records with the signal file beside the header', async () => {
    // Two leads at 360 Hz, 200 units a millivolt, format 16: 12 s.
    const frames = 12 * 360;
    const stored = new Int16Array(2 * frames);
    for (let t = 0; t < frames; t++) stored.set([200 * Math.sin(t / 40), 100 * Math.cos(t / 40)], 2 * t);
    const set = await loadWindows(
      mitdb,
      memoryFolder({
        '100.hea': `100 2 360 ${frames}\n100.dat 16 200 16 0 0 0 0 MLII\n100.dat 16 200 16 0 0 0 0 V5\n`,
        '100.dat': new Uint8Array(stored.buffer),
      }),
      parseRecipe({
        version: 1,
        signals: { ecg: { channels: ['II', 'V5'], scaleMicrovolts: 1000 } },
        window: { lengthSeconds: 10, stepSeconds: 10 },
      }),
    );
    expect(set.subject).toEqual(['100']);
    const lead = set.signals.ecg!.data.subarray(0, 2000);
    // In millivolt, one whole swing is 1 mV; sample 1,000 of 200 Hz is at 5 s, 1,800 of 360 Hz.
    expect(lead[1000]).toBeCloseTo(Math.sin(1800 / 40), 1);
    expect(Math.max(...lead)).toBeGreaterThan(0.97);
    expect(Math.max(...lead)).toBeLessThan(1.03);
  });
});
