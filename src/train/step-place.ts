/**
 * Where an update is computed: on the host's arrays (`step-host.ts`), or on a device on which state and gradients stay
 * (`step-device.ts`). And what both do alike: a gradient program for each kind of batch, with its dropout masks.
 */
import { type Tensor, zeros } from '../core/tensor.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { Backend } from '../runtime/backend.ts';
import type { FlatState } from './adamw.ts';
import type { Draws } from './draws.ts';
import type { Ranks } from './ranks.ts';
import type {
  BuildLoss,
  FlatLayout,
  GradientGraph,
  Precision,
  TrainedParameter,
  UpdateOptions,
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

export interface StepRunnerOptions {
  readonly backend: Backend;
  readonly specs: readonly TrainedParameter[];
  readonly initial: FloatTensors;
  /** The loss for a kind of batch. */
  readonly build: (kind: string) => BuildLoss;
  readonly update: UpdateOptions;
  readonly ranks?: Ranks | undefined;
  /** Default float32. */
  readonly precision?: Precision | undefined;
}

/** What a place is made for. */
export interface PlaceOptions extends StepRunnerOptions {
  readonly layout: FlatLayout;
  /** The state on the host: the place reads it after `restored`, and writes it by `fetch` at the latest. */
  readonly state: FlatState;
}

/** A loss as its total and weight. */
export interface Figures {
  readonly total: number;
  readonly weight: number;
}

/** The scalars of an update. */
export interface UpdateScalars {
  /** What the gradients are divided by: the loss's weight, and the scale of its total. */
  readonly divisor: number;
  readonly rates: Readonly<Record<string, number>>;
  /** 1 for the first update. */
  readonly step: number;
}

export interface StepPlace {
  /** Gradients of the parts' totals times `scale`, summed over parts and ranks, where they are needed next. */
  gradients(parts: readonly BatchPart[], scale: number): Promise<Figures>;
  /** Prepare the next state from the gradients: the norm of the mean's gradient. */
  update(scalars: UpdateScalars): Promise<number>;
  /** Let it take effect. */
  commit(): void;
  /** The state on the host was changed. */
  restored(): void;
  /** Bring the state to the host. */
  fetch(): Promise<void>;
  dispose(): Promise<void>;
}

/** Compiled gradient graphs by kind of batch. */
export class GradientPrograms<P extends { dispose(): Promise<void> }> {
  readonly #compiled = new Map<string, Promise<Compiled<P>>>();

  constructor(
    readonly build: (kind: string) => GradientGraph,
    readonly compile: (built: GradientGraph) => Promise<P>,
  ) {}

  /** The program of a part and what it takes besides parameters; the masks are valid until the next call. */
  async prepare({ batch, draws }: BatchPart) {
    const found = this.#compiled.get(batch.kind) ?? this.#compileNow(batch.kind);
    this.#compiled.set(batch.kind, found);
    const { program, built, masks } = await found;
    drawMasks(built, masks, draws, batch.samples);
    return { program, weight: built.weight, feeds: { ...masks, ...batch.feeds } };
  }

  async dispose(): Promise<void> {
    for (const compiled of this.#compiled.values()) await (await compiled).program.dispose();
  }

  async #compileNow(kind: string): Promise<Compiled<P>> {
    const built = this.build(kind);
    const masks = Object.fromEntries(built.dropouts.map(({ name, shape }) => [name, zeros('bool', shape)]));
    return { built, masks, program: await this.compile(built) };
  }
}

interface Compiled<P> {
  readonly program: P;
  readonly built: GradientGraph;
  /** Buffers of the dropout masks, filled anew for every run. */
  readonly masks: Readonly<Record<string, Tensor<'bool'>>>;
}

/** New masks for every dropout site, sample by sample: every site's leading axis begins with the samples. */
function drawMasks(
  { dropouts }: GradientGraph,
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

/** The values that a program takes, of all that there are. */
export function pick<T>(
  wanted: readonly string[],
  all: Readonly<Record<string, T | undefined>>,
): Record<string, T> {
  const found: Record<string, T> = {};
  for (const name of wanted) if (all[name] !== undefined) found[name] = all[name];
  return found;
}
