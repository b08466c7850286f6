/**
 * Sleep scored in epochs of 30 s → trials: epochs of one label that follow one another are one stretch, so that a filter
 * sees more than 30 s; windows of 30 s then are the epochs. Stages are those of the AASM manual; of Rechtschaffen and
 * Kales' (R&K), S1 → N1, S2 → N2, S3 and S4 → N3, REM → R. Movement time and unscored epochs have no stage.
 */
import { parseRecipe, type Recipe } from '../patches/recipe.ts';
import type { Trial } from './dataset.ts';

export const sleepStages = ['W', 'N1', 'N2', 'N3', 'R'] as const;
export type SleepStage = (typeof sleepStages)[number];

export const epochSeconds = 30;

/** How scorers write stages, after `SLEEP-`, `Sleep stage` and the like are taken off, in upper case. */
const written: Readonly<Record<string, SleepStage>> = {
  ...{ W: 'W', WAKE: 'W', S0: 'W', '0': 'W' },
  ...{ N1: 'N1', S1: 'N1', '1': 'N1', NREM1: 'N1' },
  ...{ N2: 'N2', S2: 'N2', '2': 'N2', NREM2: 'N2' },
  ...{ N3: 'N3', S3: 'N3', '3': 'N3', S4: 'N3', '4': 'N3', NREM3: 'N3', N4: 'N3' },
  ...{ R: 'R', REM: 'R' },
};

/** `SLEEP-S4`, `Sleep stage N3`, `4` → N3; undefined for anything that is no stage. */
export function sleepStage(text: string): SleepStage | undefined {
  const bare = text
    .trim()
    .toUpperCase()
    .replace(/^SLEEP[- ](STAGE[- ]?)?/, '');
  return Object.hasOwn(written, bare) ? written[bare] : undefined;
}

/** Scored time. Seconds from the recording's start. */
export interface ScoredEpoch {
  readonly start: number;
  readonly duration: number;
  readonly targets: Readonly<Record<string, string | number>>;
}

/**
 * Epochs → stretches in order. Two epochs are joined where one begins at the other's end (within a tenth of a second) and
 * all their targets agree. An epoch that begins within an earlier one loses what they share.
 */
export function joinEpochs(epochs: readonly ScoredEpoch[]): ScoredEpoch[] {
  const sorted = epochs.filter(({ duration }) => duration > 0).sort((a, b) => a.start - b.start);
  const stretches: { start: number; duration: number; targets: ScoredEpoch['targets']; key: string }[] = [];
  let end = 0;
  for (const epoch of sorted) {
    const start = Math.max(epoch.start, end);
    const duration = epoch.start + epoch.duration - start;
    if (duration < 0.1) continue;
    const key = JSON.stringify(Object.entries(epoch.targets).sort());
    const last = stretches.at(-1);
    if (last?.key === key && Math.abs(last.start + last.duration - start) < 0.1)
      last.duration = start + duration - last.start;
    else stretches.push({ start, duration, targets: epoch.targets, key });
    end = start + duration;
  }
  return stretches.map(({ start, duration, targets }) => ({ start, duration, targets }));
}

/** The stretches of one night as trials. */
export function sleepTrials(
  night: Pick<Trial, 'id' | 'subject' | 'file' | 'reader'>,
  epochs: readonly ScoredEpoch[],
  values: Trial['targets'] = {},
): Trial[] {
  return joinEpochs(epochs).map(({ start, duration, targets }) => ({
    ...night,
    id: `${night.id} at ${Math.round(start)} s`,
    start,
    end: start + duration,
    targets: { ...values, ...targets },
  }));
}

/** EEG and one ECG lead in windows of an epoch: the bands in which sleep is scored. */
export function sleepRecipe(eegChannels: readonly string[], notchHz: 50 | 60): Recipe {
  return parseRecipe({
    version: 1,
    signals: {
      eeg: { channels: [...eegChannels], scaleMicrovolts: 100, lowHz: 0.3, highHz: 35, notchHz },
      ecg: { channels: ['ECG'], scaleMicrovolts: 1000, lowHz: 0.5, highHz: 45, notchHz },
    },
    window: { lengthSeconds: epochSeconds, stepSeconds: epochSeconds },
  });
}

export const stageFact =
  'W, N1, N2, N3 or R of the AASM manual; of Rechtschaffen and Kales, S1 → N1, S2 → N2, S3 and S4 → N3; movement time and unscored epochs are left out';
