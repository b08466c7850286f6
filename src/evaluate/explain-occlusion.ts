/**
 * Occlusion, the check of gradients: hide a part of a window and see how the explained number moves. A part's effect is
 * f(x) − f(x without it): positive where it spoke for the class, as attributions are.
 *
 * - A channel, or a second of all channels of a modality, is left out: the model runs on the others (`drop`). A zero channel
 *   would change the statistics of group normalisation, which run over all channels and patches, and so every other token;
 *   and a fine-tuned model has not seen a zero patch: in test/evaluate/explain.test.ts zeros in places without meaning move
 *   the log-odds several times as much as leaving them out. What dropping costs: what lies behind moves up by one in
 *   the position convolution. A model's only channel or second, and those of a head that takes every token by its place
 *   (all-patches), can only become zeros (`zero`).
 * - A single patch of a channel cannot be left out; it becomes a zero patch, the mask token of pre-training. That shifts all
 *   effects of patches alike, so their order is looked at, not their size.
 * - A band is taken out of all channels of a modality by a band-stop filter of the window.
 */
import type { ModelConfig } from '../model/config.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { patchSamples } from '../patches/recipe.ts';
import type { Modality } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { explainedBands, removeBand } from './explain-bands.ts';
import { ExplainedModel, entriesOf, type Sample } from './explain-model.ts';

export const hidings = ['drop', 'zero'] as const;
export type Hiding = (typeof hidings)[number];
/** What was done in the end. */
export type Hidden = Hiding | 'null';

/** Effects of hiding parts of one window's modality. */
export interface Occlusion {
  /** [C, N]. */
  readonly cells: Float64Array;
  /** [C]. */
  readonly channels: Float64Array;
  /** [N]: all channels of the modality at once. */
  readonly seconds: Float64Array;
  /** [bands] of explain-bands.ts. */
  readonly bands: Float64Array;
}

/** How channels or seconds of a modality are hidden: as asked, or otherwise where none can be left out. */
export function hidingOf(
  config: ModelConfig,
  modality: Modality,
  axis: 'channels' | 'seconds',
  wanted: Hiding,
): Hidden {
  const { channels, patches } = config.signals[modality]!;
  if (axis === 'channels' && channels.length === 1 && config.nullEmbeddings) return 'null';
  const count = axis === 'channels' ? channels.length : patches;
  return count === 1 || config.head.kind === 'all-patches' ? 'zero' : wanted;
}

/** Runs a model with parts of windows hidden. */
export class Occluder {
  readonly #backend: Backend;
  readonly #whole: ExplainedModel;
  readonly #parameters: FloatTensors;
  readonly #hiding: Hiding;
  /** Models with a channel or a second less. */
  readonly #smaller = new Map<string, ExplainedModel>();

  /** `whole` stays the caller's to dispose. */
  constructor(backend: Backend, whole: ExplainedModel, parameters: FloatTensors, hiding: Hiding = 'drop') {
    this.#backend = backend;
    this.#whole = whole;
    this.#parameters = parameters;
    this.#hiding = hiding;
  }

  /** Hide every part of a window in turn. */
  async occlude(sample: Sample): Promise<{ [M in Modality]?: Occlusion }> {
    const [value] = await this.#whole.values([sample], this.#parameters);
    const result: { [M in Modality]?: Occlusion } = {};
    for (const [modality, data] of entriesOf(sample)) {
      const { channels, patches } = this.#whole.config.signals[modality]!;
      const [C, N] = [channels.length, patches];
      const bands = explainedBands[modality];
      const range = (n: number) => Array.from({ length: n }, (_, i) => i);
      const effects = async (hidden: readonly Sample[], model = this.#whole, missing?: Modality) =>
        (await model.values(hidden, this.#parameters, missing)).map((without) => value! - without);
      /** The window without the cells for which `isHidden` holds, by zeros or less long. */
      const without = (hiding: Hiding, isHidden: (channel: number, second: number) => boolean): Sample => {
        const cells = range(C * N).map((cell) => isHidden(Math.floor(cell / N), cell % N));
        return {
          ...sample,
          [modality]: hiding === 'drop' ? dropPatches(data, cells) : zeroPatches(data, cells),
        };
      };
      const hideAll = (axis: 'channels' | 'seconds') => {
        const hiding = hidingOf(this.#whole.config, modality, axis, this.#hiding);
        if (hiding === 'null') return effects([sample], this.#whole, modality);
        const hidden = range(axis === 'channels' ? C : N).map((i) =>
          without(hiding, (c, n) => (axis === 'channels' ? c : n) === i),
        );
        return effects(hidden, hiding === 'drop' ? this.#withoutOne(modality, axis) : this.#whole);
      };
      result[modality] = {
        cells: await effects(range(C * N).map((i) => without('zero', (c, n) => c * N + n === i))),
        channels: await hideAll('channels'),
        seconds: await hideAll('seconds'),
        bands: await effects(
          bands.map((band) => ({
            ...sample,
            [modality]: eachRow(data, N * patchSamples, (row) => removeBand(row, band)),
          })),
        ),
      };
    }
    return result;
  }

  async dispose(): Promise<void> {
    for (const model of this.#smaller.values()) await model.dispose();
  }

  #withoutOne(modality: Modality, axis: 'channels' | 'seconds'): ExplainedModel {
    const { config, target } = this.#whole;
    const signal = config.signals[modality]!;
    const smaller =
      axis === 'channels'
        ? { ...signal, channels: signal.channels.slice(1) }
        : { ...signal, patches: signal.patches - 1 };
    const key = `${modality} ${axis}`;
    const model =
      this.#smaller.get(key) ??
      new ExplainedModel(
        this.#backend,
        { ...config, signals: { ...config.signals, [modality]: smaller } },
        target,
      );
    this.#smaller.set(key, model);
    return model;
  }
}

function zeroPatches(data: Float32Array, isHidden: readonly boolean[]): Float32Array {
  const x = data.slice();
  for (const [i, hidden] of isHidden.entries())
    if (hidden) x.fill(0, i * patchSamples, (i + 1) * patchSamples);
  return x;
}

function dropPatches(data: Float32Array, isHidden: readonly boolean[]): Float32Array {
  const rest = new Float32Array(isHidden.filter((hidden) => !hidden).length * patchSamples);
  let at = 0;
  for (const [i, hidden] of isHidden.entries()) {
    if (hidden) continue;
    rest.set(data.subarray(i * patchSamples, (i + 1) * patchSamples), at);
    at += patchSamples;
  }
  return rest;
}

function eachRow(data: Float32Array, length: number, of: (row: Float32Array) => Float32Array): Float32Array {
  const result = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += length)
    result.set(of(data.subarray(start, start + length)), start);
  return result;
}
