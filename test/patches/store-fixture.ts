/** A small store of EEG and ECG, drawn from a seed: 7 subjects, 20 trials of 0 to 5 windows. */
import { Random } from '../../src/core/random.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import type { SampleType } from '../../src/patches/store-format.ts';
import type { StorePlan } from '../../src/patches/store-plan.ts';
import type { TrialPiece } from '../../src/patches/store-writer.ts';

export const recipe = parseRecipe({
  version: 1,
  signals: {
    eeg: { channels: ['Fz', 'Cz'], scaleMicrovolts: 100 },
    ecg: { channels: ['ECG'], scaleMicrovolts: 1000 },
  },
  window: { lengthSeconds: 2, stepSeconds: 2 },
});
export const sizes = { eeg: 2 * 400, ecg: 400 };

export function planOf(trials = 20, type: SampleType = 'int16'): StorePlan {
  return {
    recipe,
    dataset: { name: 'toy', title: 'Toy', licence: 'CC0', url: '', citation: '', splits: {} },
    targets: { mood: ['calm', 'tense'] },
    type,
    windowsPerShard: 8,
    trials: Array.from({ length: trials }, (_, i) => ({
      id: `trial ${i}`,
      subject: `person ${i % 7}`,
      targets: {
        ...(i % 5 === 4 ? {} : { mood: i % 2 === 0 ? 'calm' : 'tense' }),
        age: 20 + i,
        note: `№ ${i}`,
      },
    })),
  };
}

/** A trial as one piece, or as two. */
export function piecesOf(trial: number): TrialPiece[] {
  const random = Random.derive(5, 'piece', trial);
  const windows = trial % 6;
  const bits = (size: number) => Uint16Array.from({ length: size }, () => random.integer(65_536));
  const piece = (index: number, first: number, count: number): TrialPiece => ({
    trial,
    piece: index,
    signals: {
      eeg: { bits: bits(count * sizes.eeg), peak: new Float32Array(count).fill(trial) },
      ecg: { bits: bits(count * sizes.ecg), peak: new Float32Array(count).fill(first) },
    },
    start: Float64Array.from({ length: count }, (_, i) => 2 * (first + i)),
    beats: Float64Array.of(first + 0.1, first + 0.2),
    dropped:
      windows === 1
        ? [{ what: 'window', reason: 'flat Cz', count: 2, examples: [`trial ${trial} at 2 s`] }]
        : [],
  });
  if (windows < 4) return [piece(0, 0, windows)];
  return [piece(0, 0, 2), piece(1, 2, windows - 2)];
}

export const allPieces = (trials = 20) => Array.from({ length: trials }, (_, i) => piecesOf(i)).flat();
