/**
 * Why a model says what it says of a recording: which channels, seconds and frequency bands moved the prediction, by
 * integrated gradients; how far occlusion agrees; whether the explanation passes its sanity check; where the encoders attend.
 * Windows are prepared by the recipe that the model carries, one after another without overlap.
 */
import { maxOf } from '../core/arrays.ts';
import { ConfigError, DataError, InterruptedError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
import { attentionMaps } from '../model/attention.ts';
import { modalitiesOf } from '../model/config.ts';
import type { TrainedModel } from '../model/model-file.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { Predictor } from '../model/predict.ts';
import { contextSpan } from '../patches/context.ts';
import { recordingWindows } from '../patches/recording-windows.ts';
import type { Modality, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { Progress } from '../train/progress.ts';
import { type ExplainedWindow, joinModality, type SignalParts } from './explain-join.ts';
import { ExplainedModel, mapSample, type Sample, silence, type Target } from './explain-model.ts';
import { type Hiding, hidingOf, Occluder, type Occlusion } from './explain-occlusion.ts';
import { integrateGradients, type PathAttribution } from './explain-path.ts';
import type { Explanation } from './explain-result.ts';
import { checkSanity, sanityLevels } from './explain-sanity.ts';
import { type AttributionSums, sumAttribution } from './explain-sums.ts';
import { classIndex, type Quantity } from './explain-target.ts';

/** Where paths begin: a silent signal, or the mean of the recording's windows. */
export const baselines = ['zero', 'mean'] as const;
export type Baseline = (typeof baselines)[number];

export interface ExplainOptions {
  readonly backend: Backend;
  readonly model: TrainedModel & { readonly tensors: FloatTensors };
  readonly recording: Recording;
  /** Windows that begin in [start, start + seconds) are explained: seconds from the recording's start; the first 30. */
  readonly start?: number;
  readonly seconds?: number;
  /** The class to explain; the one with the highest mean probability over these windows by default. */
  readonly className?: string | undefined;
  readonly quantity?: Quantity;
  readonly baseline?: Baseline;
  /** How channels and seconds are hidden, where there is a choice. */
  readonly hiding?: Hiding;
  /** Windows of the sanity check (those with most to explain), and random models at each of its levels; 0 for none. */
  readonly sanityWindows?: number;
  readonly draws?: number;
  readonly seed?: number;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Explain a recording's windows. ChannelError where it lacks the model's channels, DataError where no whole window is in the
 * range, ConfigError for an unknown class, InterruptedError once the signal is aborted.
 */
export async function explainRecording(options: ExplainOptions): Promise<Explanation> {
  const { backend, model, recording, start = 0, seconds = 30, baseline = 'zero', hiding = 'drop' } = options;
  const { config, classes, recipe, tensors } = model;
  const quantity = options.quantity ?? 'log-odds';
  if (!(seconds > 0) || !(start >= 0))
    throw new ConfigError(
      `explain: ${seconds} s from ${start} s on. Give a start from 0 and more than 0 seconds.`,
      'seconds',
      '> 0',
    );
  const asked = options.className === undefined ? undefined : classIndex(classes, options.className);
  const windows = await recordingWindows(recording, recipe, { stepSeconds: recipe.window.lengthSeconds });
  const chosen = chooseWindows(windows, start, start + seconds, recording.source);
  const timeline = await predictAll(options, windows);
  const target: Target = { class: asked ?? likeliest(timeline, chosen, classes.length), quantity };

  const samples = chosen.map((index) => sampleOf(windows, index));
  const origin = baseline === 'zero' ? silence(samples[0]!) : meanSample(windows);
  const explained = new ExplainedModel(backend, config, target);
  const occluder = new Occluder(backend, explained, tensors, hiding);
  try {
    const attributions = await eachWindow(options, 'attributions', samples, (sample) =>
      integrateGradients(explained, tensors, sample, { baseline: origin }),
    );
    const occlusions = await eachWindow(options, 'occlusion', samples, (sample) => occluder.occlude(sample));
    const sanity = await checkStrongest(options, explained, samples, attributions, origin);
    const attention = await attentionMaps(backend, config, tensors, takeWindows(windows, chosen));
    const explainedWindows = chosen.map((index, i) =>
      describeWindow(windows, index, timeline[index]![target.class]!, attributions[i]!, occlusions[i]!),
    );
    return {
      ...{ version: 1, source: recording.source, duration: recording.duration, classes, quantity, baseline },
      class: classes[target.class]!,
      windowSeconds: recipe.window.lengthSeconds,
      timeline: Array.from(windows.start, (at, i) => ({ start: at, probabilities: timeline[i]! })),
      windows: explainedWindows.map(({ signals: _, ...window }) => window),
      signals: Object.fromEntries(
        modalitiesOf(config).map((modality) => [
          modality,
          joinModality({
            ...{ windows: explainedWindows, modality },
            channels: config.signals[modality]!.channels,
            scaleMicrovolts: recipe.signals[modality]!.scaleMicrovolts,
            samples: samples.map((sample) => sample[modality]!),
            attention: attention[modality]!,
            hiding: {
              channels: hidingOf(config, modality, 'channels', hiding),
              seconds: hidingOf(config, modality, 'seconds', hiding),
            },
          }),
        ]),
      ),
      sanity,
      dropped: windows.dropped,
      engine: backend.description,
    };
  } finally {
    await explained.dispose();
    await occluder.dispose();
  }
}

/** Indices of the windows that begin in [from, to). */
function chooseWindows({ start }: WindowSet, from: number, to: number, source: string): number[] {
  const chosen = Array.from(start.keys()).filter((i) => start[i]! >= from && start[i]! < to);
  if (chosen.length > 0) return chosen;
  const [first, last] = [start[0]!, start.at(-1)!];
  throw new DataError(
    `${source}: none of its ${start.length} usable windows begins from ${from} s to ${to} s; they begin from ${first} s to ${last} s. Choose another start.`,
  );
}

/** Class probabilities of every window. */
async function predictAll({ backend, model }: ExplainOptions, windows: WindowSet): Promise<number[][]> {
  const predictor = new Predictor(backend, model.config, model.tensors);
  try {
    const probabilities = await predictor.probabilities(windows.signals);
    const K = model.classes.length;
    return Array.from({ length: windows.count }, (_, i) =>
      Array.from(probabilities.subarray(i * K, (i + 1) * K)),
    );
  } finally {
    await predictor.dispose();
  }
}

function likeliest(
  timeline: readonly (readonly number[])[],
  chosen: readonly number[],
  classes: number,
): number {
  const sums = Array.from({ length: classes }, (_, k) =>
    chosen.reduce((sum, i) => sum + timeline[i]![k]!, 0),
  );
  return sums.indexOf(maxOf(sums));
}

/** Progress, and a place to stop, for what is done window by window. */
async function eachWindow<T>(
  { progress, signal }: ExplainOptions,
  name: string,
  samples: readonly Sample[],
  work: (sample: Sample) => Promise<T>,
): Promise<T[]> {
  const stage = progress?.stage(name, samples.length);
  const results: T[] = [];
  for (const [i, sample] of samples.entries()) {
    if (signal?.aborted) throw new InterruptedError('explain: stopped. Run it again.');
    results.push(await work(sample));
    stage?.update(i + 1);
  }
  stage?.end();
  return results;
}

/** The sanity check on the windows in which most is explained. */
async function checkStrongest(
  { model, sanityWindows = 2, draws = 2, seed = 0, progress, signal }: ExplainOptions,
  explained: ExplainedModel,
  samples: readonly Sample[],
  attributions: readonly PathAttribution[],
  baseline: Sample,
): Promise<Explanation['sanity']> {
  const moved = ({ value, baselineValue }: PathAttribution) => Math.abs(value - baselineValue);
  const strongest = attributions
    .map((attribution, i) => ({ attribution, sample: samples[i]! }))
    .sort((a, b) => moved(b.attribution) - moved(a.attribution))
    .slice(0, sanityWindows);
  if (strongest.length === 0 || draws === 0) return { windows: 0, draws: 0, levels: [] };
  const total = sanityLevels(model.config).length * draws * strongest.length;
  const stage = progress?.stage('random weights', total);
  const levels = await checkSanity(explained, model.tensors, strongest, {
    ...{ baseline, draws, seed },
    onProgress: (done) => {
      if (signal?.aborted) throw new InterruptedError('explain: stopped. Run it again.');
      stage?.update(done);
    },
  });
  stage?.end();
  return { windows: strongest.length, draws, levels };
}

function describeWindow(
  windows: WindowSet,
  index: number,
  probability: number,
  attribution: PathAttribution,
  occlusion: { readonly [M in Modality]?: Occlusion },
): ExplainedWindow {
  const { value, baselineValue, gap, relativeGap, steps, converged } = attribution;
  const start = windows.start[index]!;
  const signals = mapSample(attribution.gradient, (_, modality): SignalParts => {
    const { channels } = windows.signals[modality]!;
    const sums: AttributionSums = sumAttribution(attribution, modality, channels.length);
    // A modality may have more seconds than the window that it goes with.
    return { start: contextSpan(windows, modality, index)[0], sums, occlusion: occlusion[modality]! };
  });
  return { ...{ start, probability, value, baselineValue, gap, relativeGap, steps, converged }, signals };
}

function sampleOf({ signals, count }: WindowSet, index: number): Sample {
  return mapSample(signals, ({ data }) => {
    const size = data.length / count;
    return data.slice(index * size, (index + 1) * size);
  });
}

function meanSample({ signals, count }: WindowSet): Sample {
  return mapSample(signals, ({ data }) => {
    const size = data.length / count;
    const mean = new Float64Array(size);
    for (let i = 0; i < data.length; i++) mean[i % size]! += data[i]! / count;
    return Float32Array.from(mean);
  });
}

function takeWindows({ signals, count }: WindowSet, indices: readonly number[]): WindowSet['signals'] {
  return mapSample(signals, (signal) => {
    const size = signal.data.length / count;
    const data = new Float32Array(indices.length * size);
    for (const [i, index] of indices.entries())
      data.set(signal.data.subarray(index * size, (index + 1) * size), i * size);
    return { ...signal, data };
  });
}
