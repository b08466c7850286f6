/**
 * Running updates: batches → the next parameters and moments. Gradients of the parts of a batch, and of the machines that
 * share it, add up in one flat array; then one update of the state, which lies flat as well.
 */
import { ConfigError } from '../core/errors.ts';
import { float32, type Tensor, zeros } from '../core/tensor.ts';
import type { DropoutInput } from '../model/dropout.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { type AdamWOptions, clippingScale, type FlatState, normOf, updateBlock } from './adamw.ts';
import { savedValues } from './checkpoint.ts';
import type { Draws } from './draws.ts';
import type { Ranks } from './ranks.ts';
import {
  type BuildLoss,
  buildGradientGraph,
  type FlatLayout,
  type GradientGraph,
  layOut,
  names,
  scalarOf,
  type TrainedParameter,
  trainable,
  type UpdateOptions,
} from './step-graphs.ts';

/** What one run of a step takes: the kind names the compiled graph (e.g. the number of leads). */
export interface Batch {
  readonly kind: string;
  /** How many. */
  readonly samples: number;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Samples of an update's batch that are computed at once, and their random numbers. */
export interface BatchPart {
  readonly batch: Batch;
  readonly draws: Draws;
}

export interface StepOutcome {
  readonly loss: number;
  /** Global norm of the gradients before clipping. */
  readonly norm: number;
}

export interface StepRunnerOptions {
  readonly backend: Backend;
  readonly specs: readonly TrainedParameter[];
  readonly initial: FloatTensors;
  /** The loss for a kind of batch. */
  readonly build: (kind: string) => BuildLoss;
  readonly update: UpdateOptions;
  readonly ranks?: Ranks | undefined;
}

interface Compiled extends GradientGraph {
  readonly program: Program;
  /** Buffers of the dropout masks, filled anew for every run. */
  readonly masks: Readonly<Record<string, Tensor<'bool'>>>;
}

export class StepRunner {
  readonly #options: StepRunnerOptions;
  readonly #layout: FlatLayout;
  readonly #compiled = new Map<string, Promise<Compiled>>();
  readonly #frozen: Record<string, Tensor> = {};
  /** [gradients, total, weight], summed over parts and ranks. */
  readonly #sums: Float32Array;
  #part: Float32Array | undefined;
  readonly #state: FlatState;
  readonly #tensors: Record<string, Tensor<'float32'>> = {};
  /** What `commit` will do. */
  #pending: Pick<AdamWOptions, 'scale' | 'rates'> | undefined;
  /** Updates taken. */
  steps = 0;

  /** ConfigError where nothing learns. */
  constructor(options: StepRunnerOptions) {
    this.#options = options;
    if (trainable(options.specs).length === 0)
      throw new ConfigError('train: every parameter is frozen. Tune at least one.', 'tune');
    this.#layout = layOut(options.specs, options.update);
    const { length, parameters } = this.#layout;
    const flat = () => new Float32Array(length);
    this.#state = { parameter: flat(), first: flat(), second: flat() };
    this.#sums = new Float32Array(length + 2);
    for (const { name, shape, start, length: size } of parameters) {
      for (const key of ['parameter', 'first', 'second'] as const)
        this.#tensors[names[key](name)] = float32(shape, this.#state[key].subarray(start, start + size));
    }
    for (const { name, group } of options.specs) {
      const value = options.initial.get(name)!;
      const key = names.parameter(name);
      if (group === undefined) this.#frozen[key] = value;
      else this.#tensors[key]!.data.set(value.data);
    }
  }

  /** `parameter/…`, `first/…` and `second/…` of all that learns; live buffers, valid until the next update. */
  get state(): Readonly<Record<string, Tensor<'float32'>>> {
    return this.#tensors;
  }

  /** All parameters, frozen ones included; live buffers, valid until the next update. */
  parameters(): FloatTensors {
    return new Map(
      this.#options.specs.map(({ name }) => {
        const key = names.parameter(name);
        return [name, (this.#tensors[key] ?? this.#frozen[key]) as Tensor<'float32'>];
      }),
    );
  }

  /** Go on from a saved state; FormatError where something of it is missing. */
  restore(state: ReadonlyMap<string, Tensor>, steps: number): void {
    for (const [key, { shape, data }] of Object.entries(this.#tensors))
      data.set(savedValues(state, key, shape));
    this.steps = steps;
  }

  /** Compute an update from the parts of a batch. It takes effect by `commit`. */
  async compute(parts: readonly BatchPart[], rates: Readonly<Record<string, number>>): Promise<StepOutcome> {
    const { length } = this.#layout;
    for (const [i, part] of parts.entries()) {
      if (i === 0) {
        await this.#gradients(part, this.#sums);
        continue;
      }
      this.#part ??= new Float32Array(length + 2);
      await this.#gradients(part, this.#part);
      addTo(this.#sums, this.#part);
    }
    await this.#options.ranks?.sum(this.#sums);
    const [total, weight] = [this.#sums[length]!, this.#sums[length + 1]!];
    const norm = normOf(this.#sums, length) / weight;
    this.#pending = { rates, scale: clippingScale(norm, this.#options.update.clipNorm) / weight };
    return { loss: total / weight, norm };
  }

  /** Let the computed update take effect. */
  commit(): void {
    const options = { ...this.#pending!, step: ++this.steps };
    for (const block of this.#layout.blocks) updateBlock(this.#state, this.#sums, block, options);
  }

  async dispose(): Promise<void> {
    for (const compiled of this.#compiled.values()) await (await compiled).program.dispose();
  }

  /** Write the gradients, the total and the weight of a part into a flat array. */
  async #gradients({ batch, draws }: BatchPart, flat: Float32Array): Promise<void> {
    const { program, dropouts, masks, weight } = await this.#compile(batch.kind);
    drawMasks(dropouts, masks, draws, batch.samples);
    const { length, parameters } = this.#layout;
    const into: Record<string, Tensor> = {};
    for (const { name, shape, start, length: size } of parameters)
      into[names.gradient(name)] = float32(shape, flat.subarray(start, start + size));
    const all = { ...this.#frozen, ...this.#tensors, ...masks, ...batch.feeds };
    const results = await program.run(pick(program.inputNames, all), program.outputNames, into);
    flat[length] = scalarOf(results, names.total);
    flat[length + 1] = weight ?? scalarOf(results, names.weight);
  }

  #compile(kind: string): Promise<Compiled> {
    const found = this.#compiled.get(kind) ?? this.#compileNow(kind);
    this.#compiled.set(kind, found);
    return found;
  }

  async #compileNow(kind: string): Promise<Compiled> {
    const { specs, build, backend } = this.#options;
    const built = buildGradientGraph(build(kind), specs);
    const masks = Object.fromEntries(built.dropouts.map(({ name, shape }) => [name, zeros('bool', shape)]));
    return { ...built, masks, program: await backend.compile(built.graph) };
  }
}

/** New masks for every dropout site, sample by sample: every site's leading axis begins with the samples. */
function drawMasks(
  dropouts: readonly DropoutInput[],
  masks: Readonly<Record<string, Tensor<'bool'>>>,
  draws: Draws,
  samples: number,
): void {
  for (let i = 0; i < samples; i++) {
    const random = draws.sample('dropout', i);
    for (const { name, drops } of dropouts) {
      const { data } = masks[name]!;
      const size = data.length / samples;
      drops.fill(data.subarray(i * size, (i + 1) * size), random);
    }
  }
}

function pick(
  wanted: readonly string[],
  all: Readonly<Record<string, Tensor | undefined>>,
): Record<string, Tensor> {
  return Object.fromEntries(
    wanted.flatMap((name) => {
      const value = all[name];
      return value ? [[name, value]] : [];
    }),
  );
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}
