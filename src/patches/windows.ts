/** What preparation gives and everything after it takes: equally shaped windows of one or both modalities, with labels. */
import type { Recipe } from './recipe.ts';

export type Modality = 'eeg' | 'ecg';

/** Windows of one modality, in model units (microvolt / recipe scale): data is [W, C, N, P]. */
export interface SignalWindows {
  readonly channels: readonly string[];
  /** N: patches in a window; modalities may differ in it (context.ts). */
  readonly patches: number;
  /** P: samples in a patch. */
  readonly patchSamples: number;
  readonly data: Float32Array;
}

/** Something left out, and why: printed in every report. */
export interface Dropped {
  /** `window`, `channel`, `recording`, `subject`. */
  readonly what: string;
  readonly reason: string;
  readonly count: number;
  /** Up to ten examples. */
  readonly examples: readonly string[];
}

/** Of what lies before a trial, on the trial's clock: an earlier recording ends where the trial's own begins. */
export interface TrialPast {
  /** R peaks in seconds. */
  readonly beats: Float64Array;
  /** Where two recordings join, in seconds: no interval of beats and no spectrum goes across. */
  readonly seams: Float64Array;
}

export interface WindowSet {
  readonly recipe: Recipe;
  /** W. */
  readonly count: number;
  readonly signals: { readonly [M in Modality]?: SignalWindows };
  /** Class index per window; absent for unlabelled data. */
  readonly label?: Int32Array;
  readonly classes: readonly string[];
  /** Subject, trial (one recording or one stimulus) and start in seconds of each window. */
  readonly subject: readonly string[];
  readonly trial: readonly string[];
  readonly start: Float64Array;
  /**
   * Seconds of signal before each window that its contexts reach back to. Less at the beginning of a stretch only where the
   * recipe lets contexts look ahead: there they end later (`contextSpan` in context.ts). Absent where all signals are as long as their windows.
   */
  readonly history?: Float64Array;
  /** What was shown in each window, `` where nothing is known of it; absent where no trial of the data names a stimulus. */
  readonly stimulus?: readonly string[];
  /** R peaks of each trial, in seconds, where the recipe has ECG: for the classical baseline. */
  readonly beats: ReadonlyMap<string, Float64Array>;
  /** Beats and seams before each trial that contexts reach back to; absent where no context runs over the session. */
  readonly past?: ReadonlyMap<string, TrialPast>;
  readonly dropped: readonly Dropped[];
  /** sha256 over the windows and labels: names the data in checkpoints and results. */
  readonly hash: string;
}
