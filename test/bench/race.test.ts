import { expect, test } from 'vitest';
import type { Rival } from '../../bench/contestant.ts';
import { differenceOf, race } from '../../bench/race.ts';

/** A rival in a process of its own that answers as told; `milliseconds` for a run. */
function rival(name: string, milliseconds: number, ready: object): Rival {
  const program = `
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const message = JSON.parse(line);
      console.log('a line that is no answer');
      console.log(JSON.stringify(
        message.prepare ? ${JSON.stringify(ready)}
        : message.run ? { seconds: Array(message.run).fill(${milliseconds / 1000}) }
        : { peakBytes: 5, idleBytes: 2 }));
    });`;
  return { name, command: [process.execPath, '-e', program], job: { task: 'anything' } };
}

test('rivals are timed in turns, those absent or wrong are named with the reason', async () => {
  const said: string[] = [];
  const outcomes = await race(
    [
      rival('ours', 200, { digest: [1, 2], first: 3 }),
      rival('theirs', 400, { digest: [1, 2.000001] }),
      rival('wrong', 1, { digest: [1, 2.1] }),
      rival('short', 1, { digest: [1, 2], count: 7 }),
      rival('not there', 1, { absent: 'no module' }),
      { name: 'broken', command: [process.execPath, '-e', 'throw new Error("cannot")'], job: {} },
      { name: 'no program', command: ['/nowhere/python'], job: {} },
    ],
    { seconds: 0.01, rounds: 3, tolerance: 1e-3, say: (line) => said.push(line) },
  );
  const [ours, theirs, wrong, short, notThere, broken, noProgram] = outcomes;
  expect(ours).toMatchObject({ first: 3, peakBytes: 5, idleBytes: 2, time: { median: 0.2 } });
  expect(ours!.firstIsFasterBy).toBeUndefined();
  expect(theirs!.firstIsFasterBy).toMatchObject({ median: 2 });
  expect(theirs!.difference).toBeCloseTo(5e-7);
  expect(wrong!.absent).toContain('its results differ by 5.0e-2 (relative)');
  expect(short!.absent).toContain('it has 7 values, not undefined');
  expect(notThere!.absent).toBe('no module');
  expect(broken!.absent).toContain('cannot');
  expect(noProgram!.absent).toContain('ENOENT');
  expect(said).toHaveLength(7);
});

test('without ours there is nothing to compare with', async () => {
  const racing = race([rival('ours', 1, { error: 'no engine' }), rival('theirs', 1, {})], {
    seconds: 0,
    say: () => {},
  });
  await expect(racing).rejects.toThrow('bench: nothing to compare with: ours: no engine');
});

test('digests are compared relative to their largest value', () => {
  expect(differenceOf([10, 0.1], [10, 0])).toBeCloseTo(0.01);
  expect(differenceOf([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
});
