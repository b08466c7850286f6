/** Contexts over a session of two files: what came before is there, the future and other people are not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Recording } from '../../src/core/recording.ts';
import { heartContextFeatures, heartFeatures } from '../../src/evaluate/baselines.ts';
import { contextSpan, describeContexts } from '../../src/patches/context.ts';
import { LiveWindows } from '../../src/patches/live-windows.ts';
import { prepareRecording } from '../../src/patches/prepare.ts';
import { parseRecipe, parseStoredRecipe, type Recipe } from '../../src/patches/recipe.ts';
import { recordingWindows } from '../../src/patches/recording-windows.ts';
import { prepareInSession } from '../../src/patches/session.ts';
import { StreamPreparer } from '../../src/patches/stream.ts';
import { WindowSetBuilder } from '../../src/patches/window-set.ts';
import type { TrialPast, WindowSet } from '../../src/patches/windows.ts';
import { memoryRecording } from './memory-recording.ts';

/** EEG of 2 s with 5 s of ECG, a window every second; nothing said of what contexts run over. */
const plain = {
  version: 1,
  signals: {
    eeg: { channels: ['Fz'], scaleMicrovolts: 1 },
    ecg: { channels: ['ECG'], scaleMicrovolts: 1, contextSeconds: 5 },
  },
  window: { lengthSeconds: 2, stepSeconds: 1 },
};
const recipe = parseRecipe(plain);

/** Every sample is its time in seconds after `first`; spans' samples are stored without their gaps. */
function ramp(
  first: number,
  spans: readonly (readonly [start: number, seconds: number])[],
  change: (ecg: Float64Array) => void = () => {},
): Recording {
  const samples = Float64Array.from(
    spans.flatMap(([start, seconds]) =>
      Array.from({ length: Math.round(200 * seconds) }, (_, i) => first + start + i / 200),
    ),
  );
  const ecg = samples.slice();
  change(ecg);
  return memoryRecording(
    [
      { name: 'Fz', unit: 'uV', rateHz: 200, samples },
      { name: 'ECG', unit: 'uV', rateHz: 200, samples: ecg },
    ],
    spans.map(([start, duration]) => ({ start, duration })),
  );
}

/** Earlier recordings, the latest first, as `prepareInSession` asks for them. */
const those = (...recordings: Recording[]) =>
  async function* () {
    yield* recordings;
  };

/** First and last sample of the ECG of every window: here they are times. */
function reach({ signals, count }: WindowSet): [number, number][] {
  const { data } = signals.ecg!;
  const size = data.length / count;
  return Array.from({ length: count }, (_, w) => [
    data[w * size]!,
    Math.round((data[(w + 1) * size - 1]! + 0.005) * 1000) / 1000,
  ]);
}

const droppedWindows = ({ dropped }: WindowSet) => dropped.filter(({ what }) => what === 'window');
const starts = ({ start }: WindowSet) => [...start];

describe('contexts of a new recipe', () => {
  it('run over the session; what was stored without the key means one condition, and is labelled', () => {
    expect(recipe.window.contextAcross).toBe('session');
    expect(describeContexts(recipe)).toBe("over the person's session so far, as in live use");
    expect(parseStoredRecipe(plain).window).not.toHaveProperty('contextAcross');
    const stored = 'within one condition (contexts may reach into the future)';
    expect(describeContexts(parseStoredRecipe(plain))).toBe(stored);
    const withWindow = (over: object) => ({ ...plain, window: { ...plain.window, ...over } });
    expect(describeContexts(parseRecipe(withWindow({ contextAtStart: 'shift' })))).toBe(stored);
    const dropped = parseRecipe(withWindow({ contextAcross: 'condition', contextAtStart: 'drop' }));
    expect(describeContexts(dropped)).toBe('within one condition');
    expect(() => parseRecipe(withWindow({ contextAcross: 'session', contextAtStart: 'shift' }))).toThrow(
      'recipe.window.contextAtStart: shift lets contexts end in the future, which a session does not. Use drop, or contextAcross condition.',
    );
    const none = { ...plain, signals: { eeg: plain.signals.eeg } };
    expect(parseRecipe(none).window).not.toHaveProperty('contextAcross');
    expect(() => parseRecipe({ ...none, window: { ...plain.window, contextAcross: 'session' } })).toThrow(
      'recipe.window.contextAcross: no signal has contextSeconds.',
    );
  });
});

describe('a session of two recordings', () => {
  const rest = ramp(100, [[0, 20]]);
  const task = ramp(120, [[0, 6]]);

  it('gives the first windows of the second what the first ended with', async () => {
    const set = await recordingWindows(task, recipe, { earlier: those(rest) });
    expect(starts(set)).toEqual([0, 1, 2, 3, 4]);
    expect(reach(set)).toEqual([
      [117, 122],
      [118, 123],
      [119, 124],
      [120, 125],
      [121, 126],
    ]);
    expect(contextSpan(set, 'ecg', 0)).toEqual([-3, 2]);
    expect(droppedWindows(set)).toEqual([]);
    // Alone it is a session of its own: windows without a full past are left out, as a live stream leaves them out.
    const alone = await recordingWindows(task, recipe);
    expect(starts(alone)).toEqual([3, 4]);
    expect(droppedWindows(alone)).toMatchObject([
      { reason: 'less than 5 s of ecg without a gap up to its end', count: 3 },
    ]);
  });

  it('gives no window a sample of its future, whatever comes later', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1199 }), async (at) => {
        const changed = ramp(120, [[0, 6]], (ecg) =>
          ecg.set(
            ecg.subarray(at).map((x) => -x),
            at,
          ),
        );
        const set = await recordingWindows(task, recipe, { earlier: those(rest) });
        const other = await recordingWindows(changed, recipe, { earlier: those(rest) });
        const size = set.signals.ecg!.data.length / set.count;
        for (const [w, start] of set.start.entries()) {
          const rows = [set, other].map(({ signals }) =>
            signals.ecg!.data.subarray(w * size, (w + 1) * size),
          );
          // A window that ends before the change is the same to the bit; any other one is not.
          if ((start + 2) * 200 <= at) expect(rows[1]).toEqual(rows[0]);
          else expect(rows[1]).not.toEqual(rows[0]);
        }
      }),
      { seed: 4, numRuns: 30 },
    );
  });

  it('reaches back over as many recordings as it takes, and never over a gap inside one', async () => {
    const short = ramp(119, [[0, 1]]);
    const earlier = ramp(99, [[0, 20]]);
    const three = await recordingWindows(task, recipe, { earlier: those(short, earlier) });
    expect(reach(three)[0]).toEqual([117, 122]);
    // One second behind its gap: the windows that would need three are left out.
    const torn = ramp(100, [
      [0, 10],
      [18, 2],
    ]);
    const set = await recordingWindows(task, recipe, { earlier: those(torn, earlier) });
    expect(starts(set)).toEqual([1, 2, 3, 4]);
    expect(reach(set)[0]).toEqual([118, 123]);
    // A gap in the recording itself: behind it contexts begin anew.
    const own = ramp(120, [
      [0, 4],
      [6, 6],
    ]);
    const later = await recordingWindows(own, recipe, { earlier: those(rest) });
    expect(starts(later)).toEqual([0, 1, 2, 9, 10]);
    expect(reach(later).at(-2)).toEqual([126, 131]);
  });

  it('reaches back before a trial in its own recording, to the end of an earlier one where that is short', async () => {
    const build = async (start: number, end: number, ...recordings: Recording[]) => {
      const builder = new WindowSetBuilder(recipe);
      const prepared = await prepareInSession(rest, recipe, { start, end, earlier: those(...recordings) });
      builder.add(prepared, { subject: 's', trial: 't' });
      return builder.finish();
    };
    const inside = await build(10, 14);
    expect(starts(inside)).toEqual([10, 11, 12]);
    expect(reach(inside)).toEqual([
      [107, 112],
      [108, 113],
      [109, 114],
    ]);
    const atStart = await build(1.5, 4, ramp(90, [[0, 10]]));
    expect(starts(atStart)).toEqual([1.5]);
    expect(reach(atStart)).toEqual([[98.5, 103.5]]);
  });

  it('says so where an earlier recording cannot be used, or ends the past there', async () => {
    const other = memoryRecording([{ name: 'X', unit: 'uV', rateHz: 200, samples: new Float64Array(4000) }]);
    const options = { earlier: those(other) };
    await expect(prepareInSession(task, recipe, options)).rejects.toThrow('Fz');
    const prepared = await prepareInSession(task, recipe, { ...options, skipBroken: true });
    expect(prepared.spans[0]!.history).toBeUndefined();
  });

  it('changes nothing where contexts stay within one condition', async () => {
    const condition = parseRecipe({ ...plain, window: { ...plain.window, contextAcross: 'condition' } });
    const set = await recordingWindows(task, condition, { earlier: those(rest) });
    expect(set.signals).toEqual((await recordingWindows(task, condition)).signals);
    expect(set.past).toBeUndefined();
  });
});

describe('live', () => {
  /** Filters, and rates that have to be resampled. */
  const causal: Recipe = parseRecipe({
    version: 1,
    signals: {
      eeg: {
        channels: ['Fz'],
        scaleMicrovolts: 100,
        lowHz: 1,
        highHz: 30,
        zeroPhase: false,
        contextSeconds: 4,
      },
      ecg: { channels: ['ECG'], scaleMicrovolts: 1000, lowHz: 0.5, zeroPhase: false, contextSeconds: 6 },
    },
    window: { lengthSeconds: 2, stepSeconds: 1 },
  });
  const channelsOf = (seconds: number, phase: number) =>
    (['Fz', 'ECG'] as const).map((name, c) => ({
      ...{ name, unit: 'uV', rateHz: 250 },
      samples: Float64Array.from(
        { length: Math.round(250 * seconds) },
        (_, i) => 50 * Math.sin(i / (9 + 4 * c) + phase) + 20 * Math.cos(i / 61 + phase * i),
      ),
    }));
  const files = [channelsOf(8.4, 0.3), channelsOf(7.2, 1.1)] as const;

  it('is offline, window for window and value for value, over the seam of two files, however it is cut', async () => {
    const [first, second] = files.map((channels) => memoryRecording(channels));
    const offline = [
      await recordingWindows(first!, causal),
      await recordingWindows(second!, causal, { earlier: those(first!) }),
    ];
    expect(offline.map(starts)).toEqual([
      [4, 5, 6],
      [0, 1, 2, 3, 4, 5],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 3, maxLength: 9 }),
        async (cuts) => {
          const windows = new LiveWindows(causal);
          for (const [f, channels] of files.entries()) {
            if (f > 0) windows.seam();
            const preparer = new StreamPreparer(channels, causal);
            const found = [];
            const { length } = channels[0]!.samples;
            for (let at = 0, i = 0; at < length; i++) {
              const to = Math.min(length, at + cuts[i % cuts.length]!);
              const chunk = channels.map(({ samples }) => samples.slice(at, to));
              found.push(...(await windows.push(preparer.push(chunk))));
              at = to;
            }
            found.push(...(await windows.push(preparer.finish())));
            const kept = found.filter((one) => one.windows);
            expect(kept.map(({ start }) => start)).toEqual(starts(offline[f]!));
            for (const modality of ['eeg', 'ecg'] as const)
              expect(kept.flatMap(({ windows: set }) => [...set!.signals[modality]!.data])).toEqual([
                ...offline[f]!.signals[modality]!.data,
              ]);
          }
        },
      ),
      { seed: 3, numRuns: 8 },
    );
  });
});

describe('heart beats of a context', () => {
  it('reach back over the seam; the published baseline does not, and looks 5 s ahead instead', async () => {
    // Beats once a second at rest, twice a second in the task.
    const beating = (seconds: number, rate: number) => {
      const samples = Float64Array.from({ length: 200 * seconds }, (_, i) => {
        const t = (i / 200) * rate;
        return 1000 * Math.exp(-(((t % 1) - 0.5) ** 2) / 2e-4) + Math.sin(i);
      });
      return memoryRecording([{ name: 'ECG', unit: 'uV', rateHz: 200, samples }]);
    };
    const ecg = parseRecipe({
      version: 1,
      signals: { ecg: { channels: ['ECG'], scaleMicrovolts: 1000, contextSeconds: 20 } },
      window: { lengthSeconds: 2, stepSeconds: 2 },
    });
    const [rest, task] = [beating(60, 1), beating(40, 2)];
    const set = await recordingWindows(task, ecg, { earlier: those(rest) });
    const rates = heartContextFeatures(set).map((row) => Math.round(row[0]!));
    expect(rates[0]).toBe(60);
    // The second before the seam and the half after it are no interval: at rest nothing varies.
    expect(heartContextFeatures(set)[0]![1]).toBeLessThan(0.2);
    expect(rates.at(-1)).toBe(120);
    const [{ beats: first, seams }] = [...set.past!.values()] as [TrialPast];
    expect([...seams]).toEqual([0]);
    expect(first.length).toBe(18);
    expect([...first].every((time) => time < 0 && time >= -18)).toBe(true);
    const found = (await prepareRecording(rest, ecg)).beats;
    expect(first.at(-1)! + 60).toBeCloseTo(found.at(-1)!, 2);
    expect(Math.round(heartFeatures(set)[0]![0]!)).toBe(120);
  });
});
