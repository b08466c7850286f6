/** A model over a recording: class probabilities window by window. */
import { maxOf } from '../core/arrays.ts';
import { ConfigError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
import type { MayLack } from '../patches/lenient-montage.ts';
import { type RecordingWindowsOptions, recordingWindows } from '../patches/recording-windows.ts';
import type { Dropped } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { ModelConfig } from './config.ts';
import { type LackingOptions, mayLack } from './lacking.ts';
import type { TrainedModel } from './model-file.ts';
import type { FloatTensors } from './parameters.ts';
import type { InferenceOptions } from './precision.ts';
import { type BatchOptions, Predictor } from './predict.ts';

export interface TimelineEntry {
  /** Seconds from the recording's start. */
  readonly start: number;
  readonly duration: number;
  /** The class with the highest probability. */
  readonly predicted: string;
  /** In the order of the classes. */
  readonly probabilities: readonly number[];
}

export interface Timeline {
  readonly source: string;
  readonly classes: readonly string[];
  readonly entries: readonly TimelineEntry[];
  /** What was left out, and what to know. */
  readonly dropped: readonly Dropped[];
}

/** Predicts recordings with a trained model, prepared by the recipe that the model carries. */
export class TimelinePredictor {
  readonly #predictor: Predictor;
  readonly #mayLack: MayLack;

  constructor(
    backend: Backend,
    readonly model: TrainedModel & { readonly tensors: FloatTensors },
    { missingChannels, ...options }: InferenceOptions & LackingOptions = {},
  ) {
    this.#mayLack = mayLack(model.config, { missingChannels });
    this.#predictor = new Predictor(backend, model.config, model.tensors, options);
  }

  /** Predict a recording. ChannelError where it lacks channels, DataError where no window is left. */
  async predict(
    recording: Recording,
    { batch, onProgress, ...options }: Omit<RecordingWindowsOptions, 'mayLack'> & BatchOptions = {},
  ): Promise<Timeline> {
    const { recipe, classes } = this.model;
    if (options.stepSeconds !== undefined && !(options.stepSeconds > 0))
      throw new ConfigError(
        `step: ${options.stepSeconds} s. Give more than 0 seconds.`,
        'stepSeconds',
        '> 0',
      );
    const windows = await recordingWindows(recording, recipe, {
      ...options,
      mayLack: this.#mayLack,
    });
    const probabilities = await this.#predictor.probabilities(windows.signals, {
      ...(batch === undefined ? {} : { batch }),
      ...(onProgress && { onProgress }),
    });
    const entries = Array.from(windows.start, (start, i) => {
      const row = Array.from(probabilities.subarray(i * classes.length, (i + 1) * classes.length));
      const predicted = describeOutputs(row, classes, this.model.config);
      return { start, duration: recipe.window.lengthSeconds, predicted, probabilities: row };
    });
    return { source: recording.source, classes, entries, dropped: windows.dropped };
  }

  dispose(): Promise<void> {
    return this.#predictor.dispose();
  }
}

/** The class of a row, its labels above one half, or its number, as a word. */
export function describeOutputs(
  row: readonly number[],
  classes: readonly string[],
  { head }: Pick<ModelConfig, 'head'>,
): string {
  if (head.output === 'number') return String(Number(row[0]!.toPrecision(4)));
  if (head.output === 'labels') return classes.filter((_, k) => row[k]! > 0.5).join('+') || 'none';
  return classes[row.indexOf(maxOf(row))]!;
}
