import { describe, expect, it } from 'vitest';
import { DataError, HeartmindError } from '../../src/core/errors.ts';
import { decodeText } from '../../src/datasets/folder-text.ts';
import { labelledFiles } from '../../src/datasets/labelled-files.ts';
import { twelveLeadRecipe } from '../../src/patches/recipe.ts';
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
