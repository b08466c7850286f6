/** What `choose-demo.mjs` compares: name → a fine-tuning recipe, its seeds, and which signals are tried. */
import { eegmatRecipe } from 'heartmind';

const all = ['eeg', 'ecg', 'eeg+ecg'];
const both = ['eeg+ecg'];
const signals = (eeg, ecg) => ({
  ...eegmatRecipe,
  signals: {
    eeg: { ...eegmatRecipe.signals.eeg, ...eeg },
    ecg: { ...eegmatRecipe.signals.ecg, contextSeconds: 30, ...ecg },
  },
});
const context = signals({}, {});
/** For recordings that nobody filtered: the band that EEGMAT comes in, causal, as live use needs. */
const band = { lowHz: 0.5, highHz: 45, zeroPhase: false };
const filtered = signals(band, band);

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

const three = (recipe, models = all) => ({ recipe, models, seeds: [0, 1, 2] });
const one = (recipe, models = all) => ({ recipe, models, seeds: [0] });

export const candidates = {
  'frozen, concatenated': three(frozen()),
  'frozen, late': three(frozen({ fusion: 'late' }), both),
  'frozen, 30 s of ECG, concatenated': three(frozen({ prepare: context })),
  'frozen, 30 s of ECG, late': three(frozen({ prepare: context, fusion: 'late' }), both),
  'frozen, 30 s of ECG, concatenated, dropout': three(
    frozen({ prepare: context, modalityDropout: 0.3 }),
    both,
  ),
  'frozen, 30 s of ECG, late, dropout': three(
    frozen({ prepare: context, fusion: 'late', modalityDropout: 0.3 }),
    both,
  ),
  'frozen, 30 s of ECG, gated, dropout': three(
    frozen({ prepare: context, fusion: 'gated', modalityDropout: 0.3 }),
    both,
  ),
  'frozen, 30 s of ECG, strong decay': three(frozen({ prepare: context }, { decay: 1, rate: 1e-2 })),
  'frozen, 30 s of ECG, late, strong decay': three(
    frozen({ prepare: context, fusion: 'late' }, { decay: 1, rate: 1e-2 }),
    both,
  ),
  'frozen, 30 s of ECG, mlp': three(frozen({ prepare: context, head: { kind: 'mlp', hidden: 64 } })),
  'frozen, 30 s of ECG, mlp, late': three(
    frozen({ prepare: context, head: { kind: 'mlp', hidden: 64 }, fusion: 'late' }),
    both,
  ),
  'frozen, 30 s of ECG, filtered, concatenated': three(frozen({ prepare: filtered })),
  'frozen, 30 s of ECG, filtered, late, dropout': three(
    frozen({ prepare: filtered, fusion: 'late', modalityDropout: 0.3 }),
    both,
  ),
  'frozen, 30 s of ECG, 1 layer': three(frozen({ prepare: context }, { layers: [1, 1] })),
  'frozen, 30 s of ECG, 4 layers': three(frozen({ prepare: context }, { layers: [4, 4] })),
  'all, 30 s of ECG': one(tuned('all', { prepare: context }), ['ecg', 'eeg+ecg']),
  'last layer, 30 s of ECG': one(tuned({ lastLayers: 1 }, { prepare: context }), ['ecg', 'eeg+ecg']),
  'lora, 30 s of ECG': one(
    tuned(
      { lora: { rank: 8, alpha: 16 } },
      { prepare: context, learningRates: { backbone: 1e-3, head: 5e-4 } },
    ),
    ['ecg', 'eeg+ecg'],
  ),
};
