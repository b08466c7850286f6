/**
 * How recordings become windows, as validated plain data. It travels inside every checkpoint and model, so that
 * prediction can never prepare a recording differently from training.
 */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { ConfigError } from '../core/errors.ts';
import { microvolts } from '../core/units.ts';

/** The model's rate and patch: 1 s at 200 Hz (CBraMod). */
export const modelRateHz = 200;
export const patchSamples = 200;

export const signalRecipeSchema = z.strictObject({
  /** Model channels in order, each a channel's name or a difference (`A2-A1`). The order reaches the model. */
  channels: z.array(z.string().min(1)).min(1).max(256),
  rateHz: z.literal(modelRateHz).default(modelRateHz),
  /** Of channels whose file states no unit that is known: `uV`, `mV`. What a file states holds. */
  unit: z
    .string()
    .refine((unit) => microvolts(unit) !== undefined, 'a voltage: nV, uV, mV or V')
    .optional(),
  /** Butterworth band-pass, order 4; null leaves that side open. */
  lowHz: z.number().positive().max(50).nullable().default(null),
  highHz: z.number().positive().max(95).nullable().default(null),
  /** Mains: 50 or 60; null for none. */
  notchHz: z.number().min(10).max(95).nullable().default(null),
  /** Forwards and backwards (offline), or causal as a live stream needs. */
  zeroPhase: z.boolean().default(true),
  /** Model values are microvolt divided by this: 100 for EEG (CBraMod), 1000 for ECG (millivolt). */
  scaleMicrovolts: z.number().positive().max(1e6),
  patchSamples: z.literal(patchSamples).default(patchSamples),
  /**
   * Whole seconds of this signal that go with a window, its last one being the window's last: at least the window's own
   * length, which is meant where it is absent. Five seconds hold five heart beats; 30 of ECG go well with 5 of EEG.
   */
  contextSeconds: z.number().int().min(1).max(600).optional(),
});
export type SignalRecipe = z.infer<typeof signalRecipeSchema>;

export const windowRecipeSchema = z.strictObject({
  /** Whole seconds: one patch each. */
  lengthSeconds: z.number().int().min(1).max(600),
  /** From one window's start to the next's. */
  stepSeconds: z.number().positive().max(600),
  /** Drop windows in which a value is beyond this, after filtering; null keeps all. CBraMod's pre-training: 100. */
  maxAbsMicrovolts: z.number().positive().nullable().default(null),
  /** Drop windows in which a channel does not change at all. */
  dropFlat: z.boolean().default(true),
  /**
   * How far a signal's `contextSeconds` may reach back. session: over everything that a live stream would have brought
   * before the window, other trials and the session's earlier recordings included; never after the window's end. condition:
   * inside the window's own trial. A recipe that is written anew gets session where it says nothing; one that was stored
   * without this key means condition, as it did when it was stored.
   */
  contextAcross: z.enum(['session', 'condition']).optional(),
  /**
   * Windows before which there is not yet as much as a signal's `contextSeconds`. drop, always so over a session: they are
   * left out, counted. shift (within a condition, meant where it is absent): their context is the trial's first seconds,
   * and ends in the future, later than they do.
   */
  contextAtStart: z.enum(['shift', 'drop']).optional(),
});

/** A recipe as a model, a checkpoint or a store holds it: what it does not say means what it meant when it was stored. */
export const storedRecipeSchema = z.strictObject({
  version: z.literal(1),
  signals: z.strictObject({ eeg: signalRecipeSchema.optional(), ecg: signalRecipeSchema.optional() }),
  window: windowRecipeSchema,
});
export type Recipe = z.infer<typeof storedRecipeSchema>;

/** A recipe as a user writes it: contexts run over the session unless it says otherwise, and say so from then on. */
export const recipeSchema = storedRecipeSchema.overwrite(writeContexts);

function writeContexts(recipe: Recipe): Recipe {
  const { contextAcross, contextAtStart } = recipe.window;
  const given = Object.values(recipe.signals).some((signal) => signal?.contextSeconds !== undefined);
  if (!given || contextAcross !== undefined) return recipe;
  const across = contextAtStart === 'shift' ? 'condition' : 'session';
  return { ...recipe, window: { ...recipe.window, contextAcross: across } };
}

/** Validate plain data as a recipe that a user writes; ConfigError names the wrong key. */
export function parseRecipe(value: unknown, where = 'recipe'): Recipe {
  return checkRecipe(parseConfig(recipeSchema, value, where), where);
}

/** Validate plain data as a recipe that was stored with a model or a store. ConfigError names the wrong key. */
export function parseStoredRecipe(value: unknown, where = 'recipe'): Recipe {
  return checkRecipe(parseConfig(storedRecipeSchema, value, where), where);
}

function checkRecipe(recipe: Recipe, where: string): Recipe {
  if (!recipe.signals.eeg && !recipe.signals.ecg) {
    throw new ConfigError(
      `${where}.signals: neither eeg nor ecg is there. Give one or both.`,
      `${where}.signals`,
      'eeg, ecg',
    );
  }
  for (const [modality, signal] of Object.entries(recipe.signals)) {
    if (!signal) continue;
    const key = `${where}.signals.${modality}`;
    if (signal.lowHz !== null && signal.highHz !== null && signal.lowHz >= signal.highHz) {
      throw new ConfigError(
        `${key}.lowHz: ${signal.lowHz} is not below highHz ${signal.highHz}.`,
        `${key}.lowHz`,
        `< ${signal.highHz}`,
      );
    }
    const double = signal.channels.find((name, i) => signal.channels.indexOf(name) !== i);
    if (double !== undefined) {
      throw new ConfigError(
        `${key}.channels: '${double}' stands twice. Remove one.`,
        `${key}.channels`,
        'distinct names',
      );
    }
  }
  checkContexts(recipe, where);
  return recipe;
}

function checkContexts({ signals, window }: Recipe, where: string): void {
  const given = Object.entries(signals).filter(([, signal]) => signal?.contextSeconds !== undefined);
  for (const [modality, signal] of given) {
    const { contextSeconds } = signal!;
    if (contextSeconds! >= window.lengthSeconds) continue;
    const key = `${where}.signals.${modality}.contextSeconds`;
    throw new ConfigError(
      `${key}: ${contextSeconds} s are less than the window's ${window.lengthSeconds} s. Give at least as many, or leave it out.`,
      key,
      `≥ ${window.lengthSeconds}`,
    );
  }
  if (window.contextAcross === 'session' && window.contextAtStart === 'shift') {
    const key = `${where}.window.contextAtStart`;
    throw new ConfigError(
      `${key}: shift lets contexts end in the future, which a session does not. Use drop, or contextAcross condition.`,
      key,
      'drop',
    );
  }
  const unused = (['contextAcross', 'contextAtStart'] as const).find((name) => window[name] !== undefined);
  if (unused === undefined || given.length > 0) return;
  const key = `${where}.window.${unused}`;
  throw new ConfigError(
    `${key}: no signal has contextSeconds. Give one, or leave this out.`,
    key,
    'nothing without contextSeconds',
  );
}

/** The twelve standard leads in their usual order. */
export const twelveLeads = [
  'I',
  'II',
  'III',
  'aVR',
  'aVL',
  'aVF',
  'V1',
  'V2',
  'V3',
  'V4',
  'V5',
  'V6',
] as const;

/** The 19 electrodes of the 10–20 system and the ear reference, in the order of EEGMAT's published preparation. */
export const eegmatChannels = [
  ...([
    'Fp1',
    'Fp2',
    'F3',
    'F4',
    'F7',
    'F8',
    'T3',
    'T4',
    'C3',
    'C4',
    'T5',
    'T6',
    'P3',
    'P4',
    'O1',
    'O2',
  ] as const),
  ...(['Fz', 'Cz', 'Pz', 'A2-A1'] as const),
] as const;

/** EEGMAT as CBraMod's "MentalArithmetic": 5-s windows, no further filter (the authors filtered 0.5–45 Hz). */
export const eegmatRecipe: Recipe = parseRecipe({
  version: 1,
  signals: {
    eeg: { channels: [...eegmatChannels], scaleMicrovolts: 100 },
    ecg: { channels: ['ECG'], scaleMicrovolts: 1000 },
  },
  window: { lengthSeconds: 5, stepSeconds: 5, dropFlat: false },
});

/** 12-lead ECG in 10-s windows, in millivolt: 0.5 Hz takes the wander of the baseline, 45 Hz muscle and mains. */
export const twelveLeadRecipe: Recipe = parseRecipe({
  version: 1,
  signals: { ecg: { channels: [...twelveLeads], scaleMicrovolts: 1000, lowHz: 0.5, highHz: 45 } },
  window: { lengthSeconds: 10, stepSeconds: 10, maxAbsMicrovolts: 10_000 },
});

/** EEG of the 10–20 system as in CBraMod's pre-training: 0.3–75 Hz, notch, windows beyond 100 µV dropped. */
export const eegRecipe: Recipe = parseRecipe({
  version: 1,
  signals: {
    eeg: { channels: [...eegmatChannels], scaleMicrovolts: 100, lowHz: 0.3, highHz: 75, notchHz: 50 },
  },
  window: { lengthSeconds: 10, stepSeconds: 10, maxAbsMicrovolts: 100 },
});
