import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { eegmatRecipe, eegRecipe, parseRecipe, twelveLeadRecipe } from '../../src/patches/recipe.ts';

const base = {
  version: 1,
  signals: { ecg: { channels: ['I', 'II'], scaleMicrovolts: 1000 } },
  window: { lengthSeconds: 10, stepSeconds: 5 },
};
const withSignal = (change: object) => ({ ...base, signals: { ecg: { ...base.signals.ecg, ...change } } });
const withWindow = (change: object) => ({ ...base, window: { ...base.window, ...change } });

describe('parseRecipe', () => {
  it('fills what is not given: no filters, zero phase, flat windows dropped', () => {
    expect(parseRecipe(base)).toEqual({
      version: 1,
      signals: {
        ecg: {
          channels: ['I', 'II'],
          rateHz: 200,
          lowHz: null,
          highHz: null,
          notchHz: null,
          zeroPhase: true,
          scaleMicrovolts: 1000,
          patchSamples: 200,
        },
      },
      window: { lengthSeconds: 10, stepSeconds: 5, maxAbsMicrovolts: null, dropFlat: true },
    });
  });

  it('says nothing of contexts where nothing was said: what was prepared before them stays the same', () => {
    const recipe = parseRecipe(base);
    expect('contextSeconds' in recipe.signals.ecg!).toBe(false);
    expect('contextAtStart' in recipe.window).toBe(false);
    const longer = {
      ...withSignal({ contextSeconds: 10 }),
      window: { ...base.window, contextAtStart: 'drop' },
    };
    expect(parseRecipe(longer)).toMatchObject(longer);
  });

  it.each([eegmatRecipe, twelveLeadRecipe, eegRecipe])('takes its own result from JSON', (recipe) => {
    expect(parseRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
  });

  it.each([
    [withSignal({ lowHZ: 1 }), "recipe.signals.ecg.lowHZ: this key is unknown. Did you mean 'lowHz'?"],
    [
      withWindow({ stepSecond: 1 }),
      "recipe.window.stepSecond: this key is unknown. Did you mean 'stepSeconds'? Known keys: lengthSeconds, stepSeconds, maxAbsMicrovolts, dropFlat, contextAcross, contextAtStart.",
    ],
    [{ ...base, signals: { EEG: {} } }, "recipe.signals.EEG: this key is unknown. Did you mean 'eeg'?"],
    [withSignal({ scaleMicrovolts: undefined }), 'recipe.signals.ecg.scaleMicrovolts: is missing.'],
    [withSignal({ scaleMicrovolts: 0 }), 'recipe.signals.ecg.scaleMicrovolts: 0 is not allowed.'],
    [withSignal({ lowHz: -1 }), 'recipe.signals.ecg.lowHz: -1 is not allowed.'],
    [withSignal({ highHz: 96 }), 'recipe.signals.ecg.highHz: 96 is not allowed.'],
    [withSignal({ notchHz: 100 }), 'recipe.signals.ecg.notchHz: 100 is not allowed.'],
    [withSignal({ rateHz: 250 }), 'recipe.signals.ecg.rateHz: 250 is not allowed.'],
    [
      withSignal({ contextSeconds: 9 }),
      "recipe.signals.ecg.contextSeconds: 9 s are less than the window's 10 s. Give at least as many, or leave it out.",
    ],
    [withSignal({ contextSeconds: 12.5 }), 'recipe.signals.ecg.contextSeconds: 12.5 is not allowed.'],
    [withSignal({ contextSeconds: 601 }), 'recipe.signals.ecg.contextSeconds: 601 is not allowed.'],
    [
      withSignal({ contextseconds: 30 }),
      "contextseconds: this key is unknown. Did you mean 'contextSeconds'?",
    ],
    [
      withWindow({ contextAtStart: 'drop' }),
      'recipe.window.contextAtStart: no signal has contextSeconds. Give one, or leave this out.',
    ],
    [withWindow({ contextAtStart: 'reflect' }), 'recipe.window.contextAtStart: "reflect" is not allowed.'],
    [withSignal({ channels: [] }), 'recipe.signals.ecg.channels: [] is not allowed.'],
    [withWindow({ lengthSeconds: 2.5 }), 'recipe.window.lengthSeconds: 2.5 is not allowed.'],
    [withWindow({ lengthSeconds: 601 }), 'recipe.window.lengthSeconds: 601 is not allowed.'],
    [withWindow({ stepSeconds: 0 }), 'recipe.window.stepSeconds: 0 is not allowed.'],
    [{ ...base, version: 2 }, 'recipe.version: 2 is not allowed.'],
    [{ ...base, signals: {} }, 'recipe.signals: neither eeg nor ecg is there. Give one or both.'],
    [withSignal({ lowHz: 40, highHz: 30 }), 'recipe.signals.ecg.lowHz: 40 is not below highHz 30.'],
    [
      withSignal({ channels: ['I', 'II', 'I'] }),
      "recipe.signals.ecg.channels: 'I' stands twice. Remove one.",
    ],
  ])('names the wrong key of %j', (value, message) => {
    expect(() => parseRecipe(value)).toThrow(ConfigError);
    expect(() => parseRecipe(value)).toThrow(message);
  });

  it('calls the recipe what the caller calls it', () => {
    expect(() => parseRecipe({ ...base, window: {} }, 'study.recipe')).toThrow(
      'study.recipe.window.lengthSeconds: is missing.',
    );
  });
});
