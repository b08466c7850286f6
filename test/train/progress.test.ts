import { describe, expect, test } from 'vitest';
import { createProgress, formatDuration, type ProgressMode } from '../../src/train/progress.ts';

/** A stream that keeps what is written, and a clock that a test moves. */
function setUp(mode: ProgressMode, terminal?: { columns: number }) {
  const written: string[] = [];
  const clock = { seconds: 1000 };
  const stream = {
    write: (text: string) => written.push(text),
    ...(terminal && { isTTY: true, columns: terminal.columns }),
  };
  const progress = createProgress(mode, stream, () => 1000 * clock.seconds);
  return { written, clock, progress };
}

const clear = '\r\x1b[K';

describe('in a terminal', () => {
  test('one line is rewritten, and stays when the stage is over', () => {
    const { written, clock, progress } = setUp('auto', { columns: 200 });
    const stage = progress.stage('read', 40, 'files');
    clock.seconds += 1;
    stage.update(1, { loss: 0.5 });
    clock.seconds += 9;
    stage.update(20, { loss: 0.25 });
    stage.end();
    expect(written).toEqual([
      `${clear}read █${'░'.repeat(19)} 1/40 · loss 0.500 · 1.00 files/s · 39 s left`,
      `${clear}read ${'█'.repeat(10)}${'░'.repeat(10)} 20/40 · loss 0.250 · 2.00 files/s · 10 s left`,
      `${clear}read ${'█'.repeat(10)}${'░'.repeat(10)} 20/40 · loss 0.250 · 2.00 files/s\n`,
    ]);
  });

  test('at most ten lines a second are drawn, and a stage ends once', () => {
    const { written, clock, progress } = setUp('auto', { columns: 80 });
    const stage = progress.stage('read', 1000);
    for (let i = 1; i <= 1000; i++) {
      clock.seconds += 0.001;
      stage.update(i);
    }
    stage.end();
    stage.end();
    expect(written).toHaveLength(11);
    expect(written.filter((text) => text.endsWith('\n'))).toHaveLength(1);
  });

  test.each([
    [10, 9],
    [40, 39],
    [0, 79], // some pseudo-terminals do not know their width
  ])('a line is cut so that %i columns do not wrap', (columns, length) => {
    const { written, clock, progress } = setUp('auto', { columns });
    const stage = progress.stage('pre-train a model with a long name', 1_000_000);
    clock.seconds += 1;
    stage.update(1, { loss: 1, other: 2, third: 3, fourth: 4 });
    expect(written[0]!.slice(clear.length)).toHaveLength(length);
  });

  test('a sentence replaces the line and stays', () => {
    const { written, progress } = setUp('auto', { columns: 80 });
    progress.log('two files were left out');
    expect(written).toEqual([`${clear}two files were left out\n`]);
  });

  test('an empty stage is drawn without a bar and does not fail', () => {
    const { written, progress } = setUp('auto', { columns: 80 });
    const stage = progress.stage('read', 0);
    stage.update(0);
    stage.end();
    expect(written.at(-1)).toBe(`${clear}read: 0/0\n`);
  });
});

describe('where there is no terminal', () => {
  test('plain lines come every 15 seconds and at the end', () => {
    const { written, clock, progress } = setUp('auto');
    const stage = progress.stage('read', 60);
    for (let i = 1; i <= 40; i++) {
      clock.seconds += 1;
      stage.update(i);
    }
    stage.end();
    progress.log('done');
    expect(written).toEqual([
      'read: 1/60 · 1.00 windows/s · 59 s left\n',
      'read: 16/60 · 1.00 windows/s · 44 s left\n',
      'read: 31/60 · 1.00 windows/s · 29 s left\n',
      'read: 40/60 · 1.00 windows/s\n',
      'done\n',
    ]);
  });

  test('a figure that is not finite is a dash, and large ones have no decimals', () => {
    const { written, progress } = setUp('auto');
    progress.stage('train', 10).update(5, { loss: Number.NaN, norm: 12345.678, rate: 0.00012345 });
    expect(written).toEqual(['train: 5/10 · loss – · norm 12346 · rate 0.000123\n']);
  });
});

describe('as JSON', () => {
  const parse = (written: readonly string[]) => {
    for (const text of written) expect(text).toMatch(/^[^\n]+\n$/);
    return written.map((text) => JSON.parse(text));
  };

  test('every line is an object with what is done, the total, the rate and the time left', () => {
    const { written, clock, progress } = setUp('json');
    const stage = progress.stage('embed', 10);
    stage.update(0);
    clock.seconds += 2;
    stage.update(4, { loss: 0.5 });
    stage.update(5);
    clock.seconds += 0.5;
    stage.end();
    progress.log('a "sentence"\nof two lines');
    const common = { stage: 'embed', total: 10, unit: 'windows' };
    expect(parse(written)).toEqual([
      { ...common, done: 0, ratePerSecond: null, secondsLeft: null, ended: false },
      { ...common, done: 4, ratePerSecond: 2, secondsLeft: 3, loss: 0.5, ended: false },
      { ...common, done: 5, ratePerSecond: 2.5, secondsLeft: 0, loss: 0.5, ended: true },
      { log: 'a "sentence"\nof two lines' },
    ]);
  });

  test('what was done before a resumed stage counts neither as work nor as time', () => {
    const { written, clock, progress } = setUp('json');
    const stage = progress.stage('train', 1000);
    clock.seconds += 30; // a checkpoint is read
    stage.update(800);
    clock.seconds += 10;
    stage.update(850);
    const [first, second] = parse(written);
    expect(first).toMatchObject({ done: 800, ratePerSecond: null, secondsLeft: null });
    expect(second).toMatchObject({ done: 850, ratePerSecond: 5, secondsLeft: 30 });
  });

  test('more than the total leaves no negative time', () => {
    const { written, clock, progress } = setUp('json');
    const stage = progress.stage('train', 10);
    stage.update(0);
    clock.seconds += 2;
    stage.update(16);
    expect(parse(written)[1]).toMatchObject({ done: 16, secondsLeft: 0 });
  });
});

test('the mode none writes nothing', () => {
  const { written, progress } = setUp('none', { columns: 80 });
  const stage = progress.stage('train', 10);
  stage.update(5);
  stage.end();
  progress.log('nothing');
  expect(written).toEqual([]);
});

test('durations read as seconds, minutes and hours', () => {
  expect([0, 59.4, 59.6, 185, 3599.6, 7385].map(formatDuration)).toEqual([
    '0 s',
    '59 s',
    '1:00',
    '3:05',
    '1:00:00',
    '2:03:05',
  ]);
});
