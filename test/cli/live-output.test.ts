/** Predictions that go to a file whose disk is full for a while: none is lost, none is written twice. */
import { expect, test } from 'vitest';
import { LiveOutput } from '../../src/cli/live-output.ts';

function disk() {
  let [room, content, code] = [Number.POSITIVE_INFINITY, '', 'ENOSPC'];
  const append = async (bytes: Uint8Array) => {
    const count = Math.min(room, bytes.length);
    if (count === 0) throw Object.assign(new Error('full'), { code });
    room -= count;
    content += new TextDecoder().decode(bytes.subarray(0, count));
    return count;
  };
  const set = (bytes: number, error = 'ENOSPC') => {
    [room, code] = [bytes, error];
  };
  return { output: { append, close: async () => undefined }, set, content: () => content };
}

test('lines are held while the disk is full, and written in order', async () => {
  const { output: file, set, content } = disk();
  const notes: string[] = [];
  const output = new LiveOutput('out.csv', file, (note) => notes.push(note));
  await output.write('first\n');
  set(3);
  await output.write('second\n');
  await output.write('third\n');
  expect(content()).toBe('first\nsec');
  set(Number.POSITIVE_INFINITY);
  await output.write('fourth\n');
  await output.finish();
  expect(content()).toBe('first\nsecond\nthird\nfourth\n');
  expect(notes).toEqual([
    'out.csv: cannot be written now (the disk is full); predictions are held until it can.',
    'out.csv: written again; nothing was lost.',
  ]);
});

test('an end on a full disk, another error and hours of waiting are errors', async () => {
  const { output: file, set } = disk();
  const output = new LiveOutput('out.csv', file, () => undefined);
  set(0);
  await output.write('a\n');
  await expect(output.finish()).rejects.toThrow(/out.csv: cannot be written \(the disk is full\). Make room/);
  await expect(output.write('x'.repeat(9 * 2 ** 20))).rejects.toThrow(/bytes wait to be written/);
  set(0, 'EACCES');
  await expect(new LiveOutput('out.csv', file, () => undefined).write('a\n')).rejects.toThrow(
    /cannot be written \(no permission to write there\)/,
  );
});
