/** A recording explained from file to page: what it says, what it refuses, that it escapes and stands alone. */
import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import type { Recording } from '../../src/core/recording.ts';
import { type ExplainOptions, explainRecording } from '../../src/evaluate/explain.ts';
import { renderExplanation } from '../../src/evaluate/explain-page.ts';
import { type Explanation, encodeExplanation } from '../../src/evaluate/explain-result.ts';
import { checks, correlation, findings, signed } from '../../src/evaluate/explain-words.ts';
import { parseModelConfig } from '../../src/model/config.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import type { Progress } from '../../src/train/progress.ts';

const classes = ['calm', '<b>stress</b>'];

/** A model of random weights: EEG windows of 2 s, ECG of `ecgSeconds`. */
function modelOf(ecgSeconds = 2, over: object = {}): ExplainOptions['model'] {
  const channels = { eeg: ['Fz', 'Cz', 'Pz', 'O1'], ecg: ['ECG'] };
  const config = parseModelConfig({
    signals: {
      eeg: { encoder: { layers: 1 }, channels: channels.eeg, patches: 2 },
      ecg: { encoder: { layers: 1 }, channels: channels.ecg, patches: ecgSeconds },
    },
    head: { kind: 'linear', classes: 2 },
    ...over,
  });
  const recipe = parseRecipe({
    version: 1,
    signals: {
      eeg: { channels: channels.eeg, scaleMicrovolts: 100 },
      ecg: {
        channels: channels.ecg,
        scaleMicrovolts: 1000,
        ...(ecgSeconds > 2 && { contextSeconds: ecgSeconds }),
      },
    },
    window: { lengthSeconds: 2, stepSeconds: 1 },
  });
  return { config, recipe, classes, tensors: initialParameters(modelParameters(config), new Random(2)) };
}

/** Noise, and beats; samples of the first channel that are `missing` are NaN. */
function recordingOf(
  seconds: number,
  { names = ['Fz', 'Cz', 'Pz', 'O1', 'ECG'], missing = (_: number): boolean => false } = {},
): Recording {
  const random = new Random(6);
  const samples = names.map((name, c) =>
    Float64Array.from({ length: 200 * seconds }, (_, i) => {
      if (c === 0 && missing(i / 200)) return Number.NaN;
      const beat = 900 * Math.exp(-((((i / 200) % 0.8) - 0.3) ** 2) / 2e-4);
      return 15 * random.normal() + (name === 'ECG' ? beat : 0);
    }),
  );
  return {
    ...{
      source: '<i>made</i>.edf',
      format: 'made',
      duration: seconds,
      annotations: [],
      metadata: {},
      log: [],
    },
    channels: names.map((name) => ({ name, unit: 'uV', rateHz: 200, lengthSamples: 200 * seconds })),
    spans: [{ start: 0, duration: seconds }],
    read: async (channel, start, end) => samples[channel]!.slice(start, end),
    async close() {},
  };
}

let backend: Backend;
let explanation: Explanation;
const stages: string[] = [];
const progress: Progress = {
  stage: (name, total) => ({ update() {}, end: () => stages.push(`${name} ${total}`) }),
  log() {},
};
const explain = (over: Partial<ExplainOptions> = {}) =>
  explainRecording({ backend, model: modelOf(), recording: recordingOf(12), draws: 0, ...over });

beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 2 });
  explanation = await explain({
    start: 2,
    seconds: 5,
    draws: 1,
    sanityWindows: 1,
    className: classes[1],
    progress,
  });
});

describe('an explanation', () => {
  test('has the windows of the range, without overlap, and the prediction over all of the recording', () => {
    expect(explanation.timeline.map(({ start }) => start)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(explanation.windows.map(({ start }) => start)).toEqual([2, 4, 6]);
    expect(stages).toEqual(['attributions 3', 'occlusion 3', 'random weights 3']);
    for (const window of explanation.windows) {
      const row = explanation.timeline.find(({ start }) => start === window.start)!;
      expect(window.probability).toBe(row.probabilities[1]);
      expect(window.value).toBeCloseTo(Math.log(window.probability / (1 - window.probability)), 3);
    }
  });

  test('adds up over all signals', () => {
    const total = (values: readonly (number | null)[]) =>
      values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
    const signals = Object.values(explanation.signals);
    const means = explanation.windows.map(({ value, baselineValue }) => value - baselineValue);
    const difference = total(means) / means.length;
    const gap = Math.max(...explanation.windows.map((window) => window.gap)) + 1e-6;
    for (const key of ['byChannel', 'byBand'] as const) {
      const sum = total(signals.map((signal) => total(signal[key].attribution)));
      expect(Math.abs(sum - difference)).toBeLessThan(gap);
    }
    const perSecond = total(signals.map(({ bySecond }) => total(bySecond.attribution)));
    expect(Math.abs(perSecond / means.length - difference)).toBeLessThan(gap);
    const { eeg } = explanation.signals;
    expect(eeg!.start).toBe(2);
    expect(eeg!.bySecond.attribution.length).toBe(6);
    expect(eeg!.stretches[3]!.length).toBe(60);
    expect(eeg!.traces[0]!.length).toBe(1200);
  });

  test('as JSON is whole but for traces', () => {
    const decoded = JSON.parse(encodeExplanation(explanation));
    expect(decoded).toMatchObject({ version: 1, class: classes[1], quantity: 'log-odds', baseline: 'zero' });
    expect(Object.keys(decoded.signals)).toEqual(['eeg', 'ecg']);
    expect(decoded.signals.eeg.traces).toBeUndefined();
    expect(decoded.signals.eeg.attention.channels[0].length).toBe(16);
    expect(decoded.signals.eeg.byChannel.attribution[0]).toBeCloseTo(
      explanation.signals.eeg!.byChannel.attribution[0]!,
      4,
    );
  });

  test('of the mean window compares with it', async () => {
    const other = await explain({ seconds: 2, baseline: 'mean' });
    expect(other.windows[0]!.baselineValue).not.toBeCloseTo(explanation.windows[0]!.baselineValue, 4);
    expect(findings(other)[1]!.text).toContain("the mean of the recording's windows");
  });

  test('of a longer context begins before its window', async () => {
    const longer = await explain({ model: modelOf(5), start: 6, seconds: 2 });
    const { signals, windows } = longer;
    expect(windows.map(({ start }) => start)).toEqual([6]);
    expect([signals.eeg!.start, signals.ecg!.start]).toEqual([6, 3]);
    expect(signals.ecg!.bySecond.attribution.length).toBe(5);
    expect(renderExplanation(longer).includes('0.5 mV')).toBe(true);
  });

  test('of a model that knows nulls hides the only ECG channel by its null', async () => {
    const { signals } = await explain({ model: modelOf(2, { nullEmbeddings: true }), seconds: 2 });
    expect(signals.ecg!.hiding).toEqual({ channels: 'null', seconds: 'drop' });
    expect(Number.isFinite(signals.ecg!.byChannel.occlusion[0])).toBe(true);
  });

  test.each([
    [
      'cross-attention and attention pooling',
      { fusion: 'cross-attention', head: { kind: 'mlp', hidden: 8, pool: 'attention', classes: 2 } },
      'drop',
    ],
    ['late fusion with nulls', { fusion: 'late', nullEmbeddings: true }, 'drop'],
    ['the head all-patches', { head: { kind: 'all-patches', hidden: 8, classes: 2 } }, 'zero'],
  ])('of %s adds up as well', async (_, over, hiding) => {
    const { signals, windows } = await explain({ model: modelOf(2, over), seconds: 2 });
    expect(windows[0]).toMatchObject({ converged: true });
    expect(signals.eeg!.hiding).toEqual({ channels: hiding, seconds: hiding });
    expect(signals.eeg!.byChannel.occlusion.every(Number.isFinite)).toBe(true);
  });

  test('leaves out windows with missing samples and says so', async () => {
    const broken = await explain({
      recording: recordingOf(12, { missing: (t) => t > 2.5 && t < 2.6 }),
      seconds: 6,
    });
    expect(broken.windows.map(({ start }) => start)).toEqual([0, 4]);
    expect(broken.signals.eeg!.bySecond.attribution.slice(2, 4)).toEqual([null, null]);
    const page = renderExplanation(broken);
    expect(page.includes('missing samples in Fz')).toBe(true);
    expect(page.includes('NaN')).toBe(false);
  });
});

describe('what cannot be explained', () => {
  test.each([
    [
      'a recording without its channels',
      { recording: recordingOf(12, { names: ['Fz', 'X1', 'ECG'] }) },
      'ChannelError',
      /Cz/,
    ],
    ['one that is too short', { recording: recordingOf(1) }, 'DataError', /2 s/],
    [
      'nothing but missing samples',
      { recording: recordingOf(6, { missing: () => true }) },
      'DataError',
      /missing/,
    ],
    [
      ...(['a range behind its end', { start: 60 }, 'DataError'] as const),
      /none of its 6 usable windows begins from 60 s to 90 s; they begin from 0 s to 10 s/,
    ],
    ['an unknown class', { className: 'joy' }, 'ConfigError', /no 'joy'. Choose one of calm, <b>stress/],
    ['no seconds', { seconds: 0 }, 'ConfigError', /more than 0 seconds/],
    ['after Ctrl-C', { signal: AbortSignal.abort() }, 'InterruptedError', /stopped/],
  ] as const)('%s', async (_, over, name, message) => {
    await expect(explain(over as Partial<ExplainOptions>)).rejects.toMatchObject({
      ...{ name, message: expect.stringMatching(message) },
    });
  });
});

describe('the page', () => {
  test('stands alone, escapes what files and models say, and has every part', () => {
    const page = renderExplanation(explanation);
    // Booleans: a failure should not print the page.
    expect(/<script|https?:\/\/|NaN|undefined|Infinity/.test(page)).toBe(false);
    const has = (text: string) => [text, page.includes(text)];
    for (const text of ['<b>stress', '<i>made']) expect(has(text)).toEqual([text, false]);
    for (const text of [
      ...['The prediction over time', 'What moved it, over the traces', 'Second by second'],
      ...['Channels and bands', 'Where the encoders attend', 'Can this be trusted?'],
      ...[
        'Electrodes from above',
        'One channel: there is no other to attend to.',
        '&lt;b&gt;stress&lt;/b&gt;',
      ],
    ])
      expect(has(text)).toEqual([text, true]);
    expect(page.match(/class="trace"/g)!.length).toBe(5);
    // Every tag that is opened is closed.
    for (const tag of ['svg', 'figure', 'ul', 'section', 'text'])
      expect(page.split(`<${tag}`).length).toBe(page.split(`</${tag}>`).length);
    expect(page.length).toBeLessThan(400_000);
  });
});

describe('in words', () => {
  test('a picture that random models give too is warned of, as is occlusion that disagrees', () => {
    const eeg = explanation.signals.eeg!;
    const apart = { rankCorrelation: -0.3, parts: 9, sameStrongest: 0 };
    const doubtful: Explanation = {
      ...explanation,
      windows: explanation.windows.map((window) => ({ ...window, converged: false })),
      signals: {
        eeg: { ...eeg, agreement: { cells: apart, channels: apart, seconds: apart, bands: apart } },
      },
      sanity: {
        windows: 1,
        draws: 1,
        levels: [{ name: 'everything', cells: 0.9, magnitudes: 0.9, samples: 0.9 }],
      },
    };
    const warnings = checks(doubtful)
      .filter(({ isWarning }) => isWarning)
      .map(({ text }) => text);
    expect(warnings.length).toBe(3);
    expect(warnings.join()).toMatch(/need more.*do not agree.*the signal itself/s);
  });

  test('numbers have a sign and three digits', () => {
    expect([
      signed(1.23456),
      signed(-0.4),
      signed(0),
      correlation(-0.001),
      correlation(-0.5),
      correlation(null),
    ]).toEqual([...['+1.23', '−0.4', '0', '0.00', '−0.50', '–']]);
  });
});
