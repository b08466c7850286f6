/** What `choose-demo.mjs` compares: name → a fine-tuning recipe, its seeds, and which signals are tried. */
import { eegmatRecipe } from 'heartmind';

const all = ['eeg', 'ecg', 'eeg+ecg'];
const both = ['eeg+ecg'];
/** Filters of both signals, and seconds of ECG. */
const prepareBy = (filters, contextSeconds = 30) => ({
  ...eegmatRecipe,
  // As the candidates were compared: within one condition, where contexts may look ahead.
  window: { ...eegmatRecipe.window, contextAcross: 'condition' },
  signals: {
    eeg: { ...eegmatRecipe.signals.eeg, ...filters },
    ecg: { ...eegmatRecipe.signals.ecg, ...filters, contextSeconds },
  },
});
const band = { lowHz: 0.5, highHz: 45 };
/** As EEGMAT comes. */
const context = prepareBy({});
/** For recordings that nobody has filtered: the band that EEGMAT comes in, forwards and backwards. */
const zeroPhase = prepareBy(band, 5);
/** The same as live use needs it. */
const causal = prepareBy({ ...band, zeroPhase: false }, 5);
const causalContext = prepareBy({ ...band, zeroPhase: false });

/** A head on frozen encoders: AdamW with a rate and a decay, 30 epochs at most. */
const frozen = (changes = {}, { layers = [2, 2], decay = 0.05, rate = 1e-3, epochs = 30 } = {}) => ({
  version: 1,
  task: 'finetune',
  encoders: { eeg: { layers: layers[0] }, ecg: { layers: layers[1] } },
  head: { kind: 'linear' },
  tune: 'frozen',
  learningRates: { head: rate },
  classWeights: 'balanced',
  optimization: { epochs, batch: 32, minimumLearningRate: 1e-5, weightDecay: decay, patience: 8 },
  ...changes,
});

/** Encoders that learn too. */
const tuned = (tune, changes = {}, { layers = [2, 2], epochs = 6 } = {}) => ({
  ...frozen({}, { layers }),
  head: { kind: 'mlp', hidden: 64 },
  tune,
  learningRates: { backbone: 1e-4, head: 5e-4 },
  optimization: {
    ...{ epochs, batch: 32, warmupSteps: 20, minimumLearningRate: 1e-6, weightDecay: 0.05 },
  },
  ...changes,
});

/** One seed, people 28–31 and the folds, of these signals. */
const one = (recipe, models = all) => ({ recipe, models, seeds: [0], crossValidated: true });

const dropout = { modalityDropout: 0.3 };

/** The chosen one first. */
export const candidates = {
  'frozen, zero-phase, concatenated, dropout': one(frozen({ prepare: zeroPhase, ...dropout }), both),
  'frozen, zero-phase, concatenated, dropout, 1 layer': one(
    frozen({ prepare: zeroPhase, ...dropout }, { layers: [1, 1] }),
    both,
  ),
  'frozen, zero-phase, attention pooling, dropout': one(
    frozen({
      prepare: zeroPhase,
      head: { kind: 'linear', pool: 'attention', poolHeads: 8 },
      ...dropout,
    }),
    both,
  ),
  'frozen, causal, concatenated, dropout': one(frozen({ prepare: causal, ...dropout }), both),
  'frozen, concatenated': one(frozen()),
  'frozen, concatenated, dropout': one(frozen(dropout), both),
  'frozen, late, dropout': one(frozen({ fusion: 'late', ...dropout }), both),
  'frozen, concatenated, strong decay': one(frozen({}, { decay: 1, rate: 1e-2 })),
  'frozen, concatenated, mlp': one(frozen({ head: { kind: 'mlp', hidden: 64 } })),
  'all, ECG alone': one(tuned('all'), ['ecg']),
  'frozen, 30 s of ECG': one(frozen({ prepare: context }), ['ecg']),
  'frozen, 30 s of ECG, causal, concatenated': one(frozen({ prepare: causalContext })),
  'frozen, 30 s of ECG, causal, late': one(frozen({ prepare: causalContext, fusion: 'late' }), both),
  'frozen, 30 s of ECG, causal, late, dropout': one(
    frozen({ prepare: causalContext, fusion: 'late', ...dropout }),
    both,
  ),
  'frozen, 30 s of ECG, causal, concatenated, dropout': one(
    frozen({ prepare: causalContext, ...dropout }),
    both,
  ),
};
