import { describe, expect, it } from 'vitest';
import { ConfigError, DataError, HeartmindError } from '../../src/core/errors.ts';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { decodeText } from '../../src/datasets/folder-text.ts';
import { labelledFiles } from '../../src/datasets/labelled-files.ts';
import { estimateBytes } from '../../src/datasets/prepare-space.ts';
import { type PrepareStoreOptions, planStore, prepareStore } from '../../src/datasets/prepare-store.ts';
import { parseRecipe, twelveLeadRecipe } from '../../src/patches/recipe.ts';
import { openStoreWindows } from '../../src/patches/store-windows.ts';
import { memoryPlace } from '../patches/store-place.ts';
import { memoryFolder } from './memory-folder.ts';

const files = { 'a.edf': '', 'b.edf': '', 'sub/c.edf': '' };
const open = (csv: string) =>
  labelledFiles(memoryFolder({ ...files, 'labels.csv': csv }), 'labels.csv', twelveLeadRecipe);

/** UTF-16 with its mark or without, in either order of bytes. */
function utf16(text: string, { isLittle = true, mark = true } = {}): Uint8Array {
  const codes = Array.from(mark ? `\uFEFF${text}` : text, (letter) => letter.charCodeAt(0));
  return Uint8Array.from(codes.flatMap((c) => (isLittle ? [c & 255, c >> 8] : [c >> 8, c & 255])));
}

describe('a label file as spreadsheets save it', () => {
  const rows = 'file;subject;start;end;label\na.edf;Jürgen;0,5;10,25;ruhig\nb.edf;s2;;;wach\n';

  it('reads times with decimal commas', async () => {
    const [trial] = await (await open(rows)).trials(memoryFolder({}));
    expect(trial).toMatchObject({ subject: 'Jürgen', start: 0.5, end: 10.25 });
    await expect(open(rows.replace('0,5', '0,5,1'))).rejects.toThrow("line 2: start '0,5,1' is no time");
  });

  it.each([
    [true, true],
    [false, true],
    [true, false],
    [false, false],
  ])('reads UTF-16, little end first: %s, with its mark: %s', (isLittle, mark) => {
    expect(decodeText(utf16(rows, { isLittle, mark }))).toBe(rows);
    expect(decodeText(new TextEncoder().encode(rows))).toBe(rows);
  });
});

describe('labelledFiles', () => {
  it('reads files, subjects, targets and times, several rows a file', async () => {
    const folder = memoryFolder({
      ...files,
      'labels.csv':
        'file,subject,start,end,label,age\na.edf,s1,0,10.5,calm,30\na.edf,s1,20,,tense,30\n./sub\\c.edf,s2,,,calm,\n',
    });
    const spec = await labelledFiles(folder, 'labels.csv', twelveLeadRecipe);
    expect(await spec.trials(folder)).toEqual([
      {
        id: 'a.edf',
        subject: 's1',
        file: 'a.edf',
        targets: { label: 'calm', age: '30' },
        start: 0,
        end: 10.5,
      },
      { id: 'a.edf #2', subject: 's1', file: 'a.edf', targets: { label: 'tense', age: '30' }, start: 20 },
      { id: 'sub/c.edf', subject: 's2', file: 'sub/c.edf', targets: { label: 'calm', age: '' } },
    ]);
    expect(spec.targets).toEqual({ label: ['calm', 'tense'], age: ['30'] });
    expect(spec.modalities).toEqual(['ecg']);
    expect(spec.recipe).toBe(twelveLeadRecipe);
  });

  it('knows other names of the columns, in any case', async () => {
    const spec = await open('Participant_ID;Path;Mood\ns1;b.edf;calm\n');
    const [trial] = await spec.trials(memoryFolder({}));
    expect(trial).toEqual({ id: 'b.edf', subject: 's1', file: 'b.edf', targets: { Mood: 'calm' } });
  });

  it('reads the order of a session: by number, by the rows, or none', async () => {
    const places = async (csv: string) => {
      const spec = await open(csv);
      expect(spec.targets).toEqual({ label: ['calm', 'tense'] });
      return (await spec.trials(memoryFolder({}))).map(({ file, session }) => [file, session]);
    };
    expect(
      await places('file,subject,order,label\nb.edf,s1,2,tense\na.edf,s1,1,calm\nsub/c.edf,s2,1,calm\n'),
    ).toEqual([
      ['b.edf', { name: '', order: 2 }],
      ['a.edf', { name: '', order: 1 }],
      ['sub/c.edf', { name: '', order: 1 }],
    ]);
    expect(
      await places('file,subject,session,label\nb.edf,s1,x,tense\na.edf,s1,x,calm\nsub/c.edf,s1,,calm\n'),
    ).toEqual([
      ['b.edf', { name: 'x', order: 0 }],
      ['a.edf', { name: 'x', order: 1 }],
      ['sub/c.edf', undefined],
    ]);
    expect(
      (await places('file,subject,label\na.edf,s1,calm\nb.edf,s1,tense\n')).map(([, place]) => place),
    ).toEqual([undefined, undefined]);
  });

  it('looks for files beside the table', async () => {
    const folder = memoryFolder({ 'sub/c.edf': '', 'sub/labels.csv': 'file,subject\nc.edf,s\n' });
    const spec = await labelledFiles(folder, 'sub/labels.csv', twelveLeadRecipe);
    expect((await spec.trials(folder))[0]!.file).toBe('sub/c.edf');
  });

  it.each([
    [
      'file,subject\na.edf,s1\nx.edf,s1\n',
      "labels.csv line 3: there is no file 'x.edf' in memory. Correct the name.",
    ],
    ['file,subject\n\na.edf,\n', 'labels.csv line 3: the subject is empty. Splits are by subject: name one.'],
    ['file,subject,start\na.edf,s1,soon\n', "labels.csv line 2: start 'soon' is no time in seconds."],
    ['file,subject,start\na.edf,s1,-1\n', "labels.csv line 2: start '-1' is no time in seconds."],
    [
      'file,subject,order\na.edf,s1,first\n',
      "labels.csv line 2: order 'first' is no number. Give the file's place in its session.",
    ],
    [
      'file,subject,order\na.edf,s1,1\nb.edf,s1,1\n',
      'session of s1: a.edf and b.edf both stand at 1. Give each recording its place.',
    ],
    ['file;subject;end\na.edf;s1;1,5 s\n', "labels.csv line 2: end '1,5 s' is no time in seconds."],
    [
      'file,subject,note,start,end\na.edf,s1,"two\nlines",,\nb.edf,s1,,5,5\n',
      'labels.csv line 4: end 5 s is not after start 5 s.',
    ],
    [
      'file,subject\na.edf,s1\nb.edf\n',
      'csv: labels.csv line 3 has 1 fields, the header has 2. Correct the line.',
    ],
    ['file,subject\na.edf,"s1\n', 'csv: labels.csv: the quote opened in the row of line 2 is never closed.'],
  ])('names the line of what cannot be used: %j', async (csv, message) => {
    const error = await open(csv).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(HeartmindError);
    expect((error as Error).message).toBe(message);
  });

  it('names the column that is missing and those that are there', async () => {
    await expect(open('file,label\na.edf,1\n')).rejects.toThrow(
      new DataError("labels.csv: no column 'subject'. It has: file, label. Name one 'subject'."),
    );
    await expect(open('subject,label\ns,1\n')).rejects.toThrow(
      "labels.csv: no column 'file'. It has: subject, label. Name one 'file'.",
    );
  });
});

describe('what labels state of files', () => {
  const recipe = parseRecipe({
    version: 1,
    signals: { ecg: { channels: ['ECG'], scaleMicrovolts: 1000, lowHz: 0.5, highHz: 45 } },
    window: { lengthSeconds: 2, stepSeconds: 2 },
  });
  /** Eight seconds at 125 Hz in millivolt, of which the file says nothing; in microvolt for `scale` 1000. */
  const ecg = (scale = 1) =>
    `ECG\n${Array.from({ length: 1000 }, (_, i) => (scale * Math.sin(i / 9)).toFixed(4)).join('\n')}\n`;
  const folderOf = (labels: string) =>
    memoryFolder({ 'a.csv': ecg(), 'b.csv': ecg(1000), 'labels.csv': labels });
  const stated = 'file,subject,label,input_unit,input_rate\na.csv,s1,calm,mV,125\nb.csv,s2,tense,uV,125\n';
  const unsaid = 'file,subject,label\na.csv,s1,calm\nb.csv,s2,tense\n';
  const load = async (labels: string) => {
    const folder = folderOf(labels);
    const spec = await labelledFiles(folder, 'labels.csv', recipe);
    return loadWindows(spec, folder, undefined, { target: 'label' });
  };
  const prepare = async (labels: string, place = memoryPlace(), options: PrepareStoreOptions = {}) => {
    const folder = folderOf(labels);
    const spec = await labelledFiles(folder, 'labels.csv', recipe);
    await prepareStore(spec, folder, place, { skipBroken: false, ...options });
    return place;
  };

  it('is how their windows are read: two files of one signal in two units give the same', async () => {
    const { count, signals } = await load(stated);
    expect(count).toBe(8);
    const { data } = signals.ecg!;
    const [one, other] = [data.subarray(0, data.length / 2), data.subarray(data.length / 2)];
    expect(Math.max(...one)).toBeGreaterThan(0.5);
    for (const [i, x] of one.entries()) expect(x).toBeCloseTo(other[i]!, 3);
    await expect(load(unsaid)).rejects.toThrow(/rate/);
  });

  it('is how a store is prepared, too', async () => {
    const store = await openStoreWindows(await prepare(stated), { target: 'label' });
    const stored = (await store.load()).signals.ecg!.data;
    for (const [i, x] of (await load(stated)).signals.ecg!.data.entries())
      expect(stored[i]).toBeCloseTo(x, 2);
  });

  it('may differ between rows of one file', async () => {
    const twice =
      'file,subject,label,start,end,input_unit,input_rate\na.csv,s1,calm,0,2,mV,125\na.csv,s1,tense,2,4,uV,125\n';
    const { signals, count } = await load(twice);
    expect(count).toBe(2);
    const { data } = signals.ecg!;
    const size = data.length / count;
    const peak = (window: number) =>
      data.subarray(size * window, size * (window + 1)).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(peak(0)).toBeGreaterThan(100 * peak(1));
  });

  it('is a part of what a store is: others do not go on with it', async () => {
    const place = await prepare(stated);
    await prepare(stated, place);
    for (const other of [stated.replace('mV', 'uV'), stated.replace('s1,calm,mV,125', 's1,calm,mV,250')])
      await expect(prepare(other, place)).rejects.toThrow(ConfigError);
    const input = { rateHz: 125, unit: 'mV' };
    const byFlags = await prepare(unsaid, memoryPlace(), { input });
    await prepare(unsaid, byFlags, { input: { ...input, tolerant: false } });
    for (const other of [
      { ...input, unit: 'uV' },
      { ...input, channels: ['ECG'] },
      { ...input, tolerant: true },
    ])
      await expect(prepare(unsaid, byFlags, { input: other })).rejects.toThrow(
        /begun with other settings: what is stated of the recordings .* Use --force to replace it/,
      );
  });

  it('counts where the room of a store is told beforehand', async () => {
    const folder = folderOf(unsaid);
    const spec = await labelledFiles(folder, 'labels.csv', recipe);
    const { plan, trials } = await planStore(spec, folder);
    const roomOf = (input = {}) => estimateBytes(plan, trials, folder, input);
    expect(await roomOf({ rateHz: 125 })).toBeGreaterThan(await roomOf());
    expect(await roomOf({ rateHz: 250 })).toBeLessThan(await roomOf({ rateHz: 125 }));
  });
});
