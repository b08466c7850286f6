/**
 * Running updates: batches → the next parameters and moments. Gradients of the parts of a batch, and of the machines that
 * share it, add up in one flat array; then one update. The state lives in two preallocated copies: an update reads one
 * and writes the other, so that an update that turns out not finite leaves the good one untouched.
 */
import { ConfigError } from '../core/errors.ts';
import { float32, scalar, type Tensor, zeros } from '../core/tensor.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { savedValues } from './checkpoint.ts';
import type { Draws } from './draws.ts';
import type { Ranks } from './ranks.ts';
import {
  type BuildLoss,
  buildGradientGraph,
  buildUpdateGraph,
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
  /** Buffers of the dropout bytes, filled anew for every run. */
  readonly bytes: Readonly<Record<string, Tensor<'uint8'>>>;
}

/** The update takes the state in blocks that stay in a core's cache from one operator to the next. */
const blockLength = 1 << 16;

export class StepRunner {
  readonly #options: StepRunnerOptions;
  readonly #layout: FlatLayout;
  readonly #compiled = new Map<string, Promise<Compiled>>();
  readonly #frozen: Record<string, Tensor> = {};
  /** [gradients, total, weight], summed over parts and ranks. */
  readonly #sums: Float32Array;
  #part: Float32Array | undefined;
  #current: FlatState;
  #next: FlatState;
  #update: Promise<Program> | undefined;
  /** Updates taken. */
  steps = 0;

  /** ConfigError where nothing learns. */
  constructor(options: StepRunnerOptions) {
    this.#options = options;
    if (trainable(options.specs).length === 0)
      throw new ConfigError('train: every parameter is frozen. Tune at least one.', 'tune');
    this.#layout = layOut(options.specs, options.update, blockLength);
    this.#current = new FlatState(this.#layout);
    this.#next = new FlatState(this.#layout);
    this.#sums = new Float32Array(this.#layout.length + 2);
    for (const { name, group } of options.specs) {
      const value = options.initial.get(name)!;
      const key = names.parameter(name);
      if (group === undefined) this.#frozen[key] = value;
      else this.#current.tensors[key]!.data.set(value.data);
    }
  }

  /** `parameter/…`, `first/…` and `second/…` of all that learns; live buffers, valid until the next update. */
  get state(): Readonly<Record<string, Tensor<'float32'>>> {
    return this.#current.tensors;
  }

  /** All parameters, frozen ones included; live buffers, valid until the next update. */
  parameters(): FloatTensors {
    return new Map(
      this.#options.specs.map(({ name }) => {
        const key = names.parameter(name);
        return [name, (this.#current.tensors[key] ?? this.#frozen[key]) as Tensor<'float32'>];
      }),
    );
  }

  /** Go on from a saved state; FormatError where something of it is missing. */
  restore(state: ReadonlyMap<string, Tensor>, steps: number): void {
    for (const [key, { shape, data }] of Object.entries(this.#current.tensors))
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
    this.#update ??= this.#options.backend.compile(buildUpdateGraph(this.#layout, this.#options.update));
    const update = await this.#update;
    const feeds: Record<string, Tensor> = {
      ...this.#current.blocks,
      [names.step]: scalar(this.steps + 1),
      [names.weight]: scalar(weight),
    };
    for (const [group, rate] of Object.entries(rates)) feeds[names.rate(group)] = scalar(rate);
    for (const [i, { start, length: size }] of this.#layout.blocks.entries())
      feeds[names.gradient(`${i}`)] = float32([size], this.#sums.subarray(start, start + size));
    const into = Object.fromEntries(
      Object.entries(this.#next.blocks).map(([key, value]) => [names.next(key), value]),
    );
    const results = await update.run(pick(update.inputNames, feeds), update.outputNames, into);
    return { loss: total / weight, norm: scalarOf(results, names.norm) };
  }

  /** Let the computed update take effect. */
  commit(): void {
    [this.#current, this.#next] = [this.#next, this.#current];
    this.steps++;
  }

  async dispose(): Promise<void> {
    for (const compiled of this.#compiled.values()) await (await compiled).program.dispose();
    await (await this.#update)?.dispose();
  }

  /** Write the gradients, the total and the weight of a part into a flat array. */
  async #gradients({ batch, draws }: BatchPart, flat: Float32Array): Promise<void> {
    const { program, bytes, weight } = await this.#compile(batch.kind);
    fillBytes(bytes, draws, batch.samples);
    const { length, parameters } = this.#layout;
    const into: Record<string, Tensor> = {};
    for (const { name, shape, start, length: size } of parameters)
      into[names.gradient(name)] = float32(shape, flat.subarray(start, start + size));
    const all = { ...this.#frozen, ...this.#current.tensors, ...bytes, ...batch.feeds };
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
    const bytes = Object.fromEntries(built.dropouts.map(({ name, shape }) => [name, zeros('uint8', shape)]));
    return { ...built, bytes, program: await backend.compile(built.graph) };
  }
}

/** Parameters and moments in flat arrays, seen as tensors by name and as blocks by number. */
class FlatState {
  readonly tensors: Record<string, Tensor<'float32'>> = {};
  readonly blocks: Record<string, Tensor<'float32'>> = {};

  constructor({ length, parameters, blocks }: FlatLayout) {
    for (const key of [names.parameter, names.first, names.second]) {
      const flat = new Float32Array(length);
      for (const { name, shape, start, length: size } of parameters)
        this.tensors[key(name)] = float32(shape, flat.subarray(start, start + size));
      for (const [i, { start, length: size }] of blocks.entries())
        this.blocks[key(`${i}`)] = float32([size], flat.subarray(start, start + size));
    }
  }
}

/** New random bytes for every dropout site, sample by sample: every site's leading axis begins with the samples. */
function fillBytes(bytes: Readonly<Record<string, Tensor<'uint8'>>>, draws: Draws, samples: number): void {
  for (let i = 0; i < samples; i++) {
    const random = draws.sample('dropout', i);
    for (const { data } of Object.values(bytes)) {
      const size = data.length / samples;
      random.fillBytes(data.subarray(i * size, (i + 1) * size));
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
