/**
 * Running updates: batches → the next parameters and moments, in place. The state lives in two preallocated copies: an
 * update reads one and writes the other, so that an update that turns out not finite leaves the good one untouched.
 */
import { ConfigError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { float32, scalar, type Tensor, zeros } from '../core/tensor.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { savedValues } from './checkpoint.ts';
import {
  type BuildLoss,
  buildFusedGraph,
  buildGradientGraph,
  buildUpdateGraph,
  names,
  type StepGraph,
  scalarOf,
  type TrainedParameter,
  trainable,
  type UpdateOptions,
} from './step-graphs.ts';

/** What one run of a step takes: the kind names the compiled graph (e.g. the number of leads). */
export interface Batch {
  readonly kind: string;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

export interface StepOutcome {
  readonly loss: number;
  /** Global norm of the gradients before clipping. */
  readonly norm: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** `parameter/…`, `first/…` and `second/…` of all that learns. */
type State = Record<string, Tensor<'float32'>>;

export interface StepRunnerOptions {
  readonly backend: Backend;
  readonly specs: readonly TrainedParameter[];
  readonly initial: FloatTensors;
  /** The loss for a kind of batch. */
  readonly build: (kind: string) => BuildLoss;
  readonly update: UpdateOptions;
  /** The gradient graph and the update graph even for a single batch; as accumulation always does. */
  readonly separate?: boolean;
}

interface Compiled extends StepGraph {
  readonly program: Program;
  /** Buffers of the dropout bytes, filled anew for every run. */
  readonly bytes: Readonly<Record<string, Tensor<'uint8'>>>;
}

export class StepRunner {
  readonly #options: StepRunnerOptions;
  readonly #compiled = new Map<string, Promise<Compiled>>();
  readonly #frozen: Record<string, Tensor> = {};
  #current: State = {};
  #next: State = {};
  #update: Promise<Program> | undefined;
  /** Updates taken. */
  steps = 0;

  /** ConfigError where nothing learns. */
  constructor(options: StepRunnerOptions) {
    this.#options = options;
    if (trainable(options.specs).length === 0)
      throw new ConfigError('train: every parameter is frozen. Tune at least one.', 'tune');
    for (const { name, shape, group } of options.specs) {
      const value = options.initial.get(name)!;
      if (group === undefined) {
        this.#frozen[names.parameter(name)] = value;
        continue;
      }
      this.#current[names.parameter(name)] = float32(shape, value.data.slice());
      for (const key of [names.first(name), names.second(name)]) this.#current[key] = zeros('float32', shape);
    }
    for (const [key, { shape }] of Object.entries(this.#current)) this.#next[key] = zeros('float32', shape);
  }

  /** The state that learns, by name; live buffers, valid until the next update. */
  get state(): Readonly<Record<string, Tensor<'float32'>>> {
    return this.#current;
  }

  /** All parameters, frozen ones included; live buffers, valid until the next update. */
  parameters(): FloatTensors {
    return new Map(
      this.#options.specs.map(({ name }) => {
        const key = names.parameter(name);
        return [name, (this.#current[key] ?? this.#frozen[key]) as Tensor<'float32'>];
      }),
    );
  }

  /** Go on from a saved state; FormatError where something of it is missing. */
  restore(state: ReadonlyMap<string, Tensor>, steps: number): void {
    for (const [key, { shape, data }] of Object.entries(this.#current))
      data.set(savedValues(state, key, shape));
    this.steps = steps;
  }

  /**
   * Compute an update from one batch, or from several whose gradients are averaged. It takes effect by `commit`.
   */
  async compute(
    batches: readonly Batch[],
    rates: Readonly<Record<string, number>>,
    random: Random,
  ): Promise<StepOutcome> {
    const scalars: Record<string, Tensor> = { [names.step]: scalar(this.steps + 1) };
    for (const [group, rate] of Object.entries(rates)) scalars[names.rate(group)] = scalar(rate);
    const [first] = batches;
    if (batches.length === 1 && !this.#options.separate) {
      const compiled = await this.#compile(first!.kind, true);
      const results = await this.#run(compiled, first!, scalars, random, this.#into());
      return { ...outcomeOf(compiled, results), norm: scalarOf(results, names.norm) };
    }
    return this.#accumulate(batches, scalars, random);
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

  async #accumulate(
    batches: readonly Batch[],
    scalars: Readonly<Record<string, Tensor>>,
    random: Random,
  ): Promise<StepOutcome> {
    const learning = trainable(this.#options.specs);
    const sums: Record<string, Tensor<'float32'>> = {};
    for (const { name, shape } of learning) sums[names.gradient(name)] = zeros('float32', shape);
    const outcomes: Omit<StepOutcome, 'norm'>[] = [];
    for (const batch of batches) {
      const compiled = await this.#compile(batch.kind, false);
      const results = await this.#run(compiled, batch, {}, random);
      outcomes.push(outcomeOf(compiled, results));
      for (const [key, { data }] of Object.entries(sums))
        addScaled(data, results[key]!.data as Float32Array, 1 / batches.length);
    }
    this.#update ??= this.#options.backend.compile(
      buildUpdateGraph(this.#options.specs, this.#options.update),
    );
    const update = await this.#update;
    const feeds = pick(update.inputNames, { ...this.#current, ...sums, ...scalars });
    const results = await update.run(feeds, update.outputNames, this.#into());
    const metrics: Record<string, number> = {};
    for (const outcome of outcomes) {
      for (const [name, value] of Object.entries(outcome.metrics))
        metrics[name] = (metrics[name] ?? 0) + value / outcomes.length;
    }
    const loss = outcomes.reduce((sum, outcome) => sum + outcome.loss / outcomes.length, 0);
    return { loss, norm: scalarOf(results, names.norm), metrics };
  }

  #into(): Record<string, Tensor> {
    return Object.fromEntries(Object.entries(this.#next).map(([key, value]) => [names.next(key), value]));
  }

  #run(
    { program, bytes }: Compiled,
    batch: Batch,
    scalars: Readonly<Record<string, Tensor>>,
    random: Random,
    into: Readonly<Record<string, Tensor>> = {},
  ): Promise<Record<string, Tensor>> {
    for (const { data } of Object.values(bytes)) random.fillBytes(data);
    const all = { ...this.#frozen, ...this.#current, ...bytes, ...scalars, ...batch.feeds };
    return program.run(pick(program.inputNames, all), program.outputNames, into);
  }

  #compile(kind: string, fused: boolean): Promise<Compiled> {
    const key = `${fused ? 'fused' : 'gradients'} ${kind}`;
    const found = this.#compiled.get(key) ?? this.#compileNow(kind, fused);
    this.#compiled.set(key, found);
    return found;
  }

  async #compileNow(kind: string, fused: boolean): Promise<Compiled> {
    const { specs, update, build, backend } = this.#options;
    const built = fused
      ? buildFusedGraph(build(kind), specs, update)
      : buildGradientGraph(build(kind), specs);
    const bytes = Object.fromEntries(built.dropouts.map(({ name, shape }) => [name, zeros('uint8', shape)]));
    return { ...built, bytes, program: await backend.compile(built.graph) };
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

function outcomeOf(compiled: Compiled, results: Readonly<Record<string, Tensor>>): Omit<StepOutcome, 'norm'> {
  const metrics = compiled.metrics.map((name) => [name, scalarOf(results, names.metric(name))]);
  return { loss: scalarOf(results, names.loss), metrics: Object.fromEntries(metrics) };
}

function addScaled(sum: Float32Array, values: Float32Array, scale: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + scale * values[i]!;
}
