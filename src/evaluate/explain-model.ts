/**
 * A model as explanations need it: the explained number of windows, and its gradient with respect to their samples, under
 * any parameters (those of the model, or randomised ones). Both graphs take the parameters as inputs, so that one
 * compilation serves all of them.
 */
import { float32, type Tensor, tensor } from '../core/tensor.ts';
import { differentiate } from '../graph/differentiate.ts';
import { Graph } from '../graph/ir.ts';
import { reduceSum } from '../graph/operators.ts';
import { type ModelConfig, modalitiesOf } from '../model/config.ts';
import {
  buildLogits,
  type ModelInputs,
  modelParameters,
  presenceInputs,
  presenceName,
} from '../model/model.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { Modality } from '../patches/windows.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { buildTarget, type Quantity } from './explain-target.ts';

/** One window in model units: [C, N, P] of each modality of the model. */
export type Sample = { readonly [M in Modality]?: Float32Array };

export interface Target {
  /** Index of the class. */
  readonly class: number;
  readonly quantity: Quantity;
}

/** Tokens computed at once: enough to keep an engine busy, little enough for its caches. */
const tokensAtOnce = 1024;
const mostWindows = 32;

export class ExplainedModel {
  readonly #backend: Backend;
  readonly #shapes: readonly (readonly [Modality, readonly [number, number, number]])[];
  readonly #batch: number;
  #values: Promise<Program> | undefined;
  #gradients: Promise<Program> | undefined;

  constructor(
    backend: Backend,
    readonly config: ModelConfig,
    readonly target: Target,
  ) {
    this.#backend = backend;
    this.#shapes = modalitiesOf(config).map((modality) => {
      const { channels, patches, encoder } = config.signals[modality]!;
      return [modality, [channels.length, patches, encoder.patchSamples]];
    });
    const tokens = this.#shapes.reduce((sum, [, [channels, patches]]) => sum + channels * patches, 0);
    this.#batch = Math.max(1, Math.min(mostWindows, Math.floor(tokensAtOnce / tokens)));
  }

  /** The explained number of each window; a modality may be `missing` where the model has a null for it. */
  async values(
    samples: readonly Sample[],
    parameters: FloatTensors,
    missing?: Modality,
  ): Promise<Float64Array> {
    this.#values ??= this.#backend.compile(this.#build('B', false));
    const program = await this.#values;
    const result = new Float64Array(samples.length);
    for (let start = 0; start < samples.length; start += this.#batch) {
      const some = samples.slice(start, start + this.#batch);
      const { value } = await program.run(this.#feed(some, some.length, parameters, missing));
      result.set(value!.data as Float32Array, start);
    }
    return result;
  }

  /** Call `take` with each window's index and the gradient of its number, in order; the arrays are reused. */
  async gradients(
    samples: readonly Sample[],
    parameters: FloatTensors,
    take: (index: number, gradient: Sample) => void,
  ): Promise<void> {
    // Gradients are built for a fixed batch; the last one is filled with zeros.
    this.#gradients ??= this.#backend.compile(this.#build(this.#batch, true));
    const program = await this.#gradients;
    for (let start = 0; start < samples.length; start += this.#batch) {
      const some = samples.slice(start, start + this.#batch);
      const outputs = await program.run(this.#feed(some, this.#batch, parameters));
      for (const i of some.keys()) {
        const gradient = this.#shapes.map(([modality]) => {
          const data = outputs[`gradient.${modality}`]!.data as Float32Array;
          const size = data.length / this.#batch;
          return [modality, data.subarray(i * size, (i + 1) * size)] as const;
        });
        take(start + i, Object.fromEntries(gradient));
      }
    }
  }

  async dispose(): Promise<void> {
    for (const program of [this.#values, this.#gradients]) await (await program)?.dispose();
    this.#values = undefined;
    this.#gradients = undefined;
  }

  #build(batch: number | 'B', withGradients: boolean): Graph {
    const graph = new Graph('heartmind explanation');
    const inputs = Object.fromEntries(
      this.#shapes.map(([modality, shape]) => [
        modality,
        graph.input(modality, 'float32', [batch, ...shape]),
      ]),
    ) as ModelInputs;
    const parameters = new Map(
      modelParameters(this.config).map(({ name, shape }) => [name, graph.input(name, 'float32', shape)]),
    );
    const present = presenceInputs(graph, this.config, batch);
    const logits = buildLogits(
      this.config,
      { ...inputs, ...(present && { present }) },
      (name) => parameters.get(name)!,
    );
    // A label's own logit is its log-odds; a number is what it is.
    const quantity = this.config.head.output ? 'logit' : this.target.quantity;
    const value = buildTarget(logits, this.target.class, quantity);
    graph.output('value', value);
    if (!withGradients) return graph;
    // Windows do not touch each other: the gradient of their sum is the gradient of each.
    const modalities = this.#shapes.map(([modality]) => modality);
    const gradients = differentiate(
      reduceSum(value),
      modalities.map((modality) => inputs[modality]!),
    );
    for (const [i, modality] of modalities.entries()) graph.output(`gradient.${modality}`, gradients[i]!);
    return graph;
  }

  #feed(
    samples: readonly Sample[],
    batch: number,
    parameters: FloatTensors,
    missing?: Modality,
  ): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = Object.fromEntries(parameters);
    for (const [modality, shape] of this.#shapes) {
      const size = shape[0] * shape[1] * shape[2];
      const data = new Float32Array(batch * size);
      for (const [i, sample] of samples.entries()) data.set(sample[modality]!, i * size);
      feeds[modality] = float32([batch, ...shape], data);
      if (!this.config.nullEmbeddings) continue;
      const isPresent = new Uint8Array(batch).fill(modality === missing ? 0 : 1);
      feeds[presenceName(modality)] = tensor('bool', [batch], isPresent);
    }
    return feeds;
  }
}

/** A window of zeros: what a hidden patch is to the encoders (the mask token of pre-training is a zero patch). */
export function silence(sample: Sample): Sample {
  return mapSample(sample, (x) => new Float32Array(x.length));
}

/** The same for each modality there is. */
export function mapSample<A, B>(
  sample: { readonly [M in Modality]?: A },
  of: (values: A, modality: Modality) => B,
): { [M in Modality]?: B } {
  return Object.fromEntries(entriesOf(sample).map(([modality, values]) => [modality, of(values, modality)]));
}

/** The modalities there are. */
export function entriesOf<A>(sample: { readonly [M in Modality]?: A }): [Modality, A][] {
  return Object.entries(sample) as [Modality, A][];
}
