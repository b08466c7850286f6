/**
 * The one training loop: epochs of batches, a schedule per update, validation and early stopping, checkpoints and exact
 * resume, a clean stop, and a guard against losses that are not finite. What is trained is a `TrainingTask`.
 */
import { DivergenceError, InterruptedError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { float32, type Tensor } from '../core/tensor.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { Backend } from '../runtime/backend.ts';
import { type BatchCut, cutBatch } from './batch-parts.ts';
import {
  assertSameRun,
  type CheckpointStore,
  decodeCheckpoint,
  encodeCheckpoint,
  savedValues,
  type TrainingProgress,
} from './checkpoint.ts';
import {
  anyRank,
  areEqual,
  assertSameTask,
  isWriter,
  meet,
  shareBytes,
  shareFigures,
  timeSums,
} from './distributed.ts';
import { Draws } from './draws.ts';
import type { Stage } from './progress.ts';
import type { Ranks } from './ranks.ts';
import type { Optimization } from './recipe.ts';
import { learningRateAt } from './schedule.ts';
import { type Batch, type BatchPart, type StepOutcome, StepRunner } from './step.ts';
import { type BuildLoss, names, type TrainedParameter, trainable } from './step-graphs.ts';

export interface TrainingTask {
  readonly specs: readonly TrainedParameter[];
  readonly initial: FloatTensors;
  /** Highest learning rate of each group. */
  readonly learningRates: Readonly<Record<string, number>>;
  /** Training windows. */
  readonly count: number;
  /** Tokens in a window, over all modalities. */
  readonly tokens: number;
  /** The loss of so many windows at once, of a kind of batch. */
  build(kind: string, windows: number): BuildLoss;
  /** The batch of these windows; `draws` decides whatever else is drawn (masks, subsets). */
  draw(indices: readonly number[], draws: Draws): Batch | Promise<Batch>;
  /** The windows in the order of an epoch (0-based). Default: shuffled by the seed. */
  order?(epoch: number): ArrayLike<number>;
  /** Scores of the parameters on held-out data; called on every rank, which may share the work. */
  validate?(parameters: FloatTensors): Promise<Readonly<Record<string, number>>>;
  /** The validation score that chooses the best epoch. */
  readonly score?: { readonly name: string; readonly mode: 'min' | 'max' };
}

/** Where figures go while training. */
export interface MetricsLog {
  record(step: number, values: Readonly<Record<string, number>>): void | Promise<void>;
  flush(): void | Promise<void>;
}

export interface TrainingOptions {
  readonly backend: Backend;
  readonly seed: number;
  readonly optimization: Optimization;
  /** What a checkpoint must agree in to be resumed: recipe and data hash. Plain JSON. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** Rank 0 reads and writes it; so with the log and progress. */
  readonly store?: CheckpointStore;
  readonly log?: MetricsLog;
  /** Live progress, in windows. */
  readonly progress?: (totalWindows: number) => Stage;
  /** The machines that share every batch; this process alone where absent. */
  readonly ranks?: Ranks | undefined;
  /** Aborted: finish the update, write a checkpoint, throw InterruptedError; so where the reading of windows was stopped. */
  readonly signal?: AbortSignal;
}

/** A row for every epoch: `epoch` (1-based), `step`, `trainLoss`, and the validation's scores. */
export type Curves = readonly Readonly<Record<string, number | null>>[];

export interface TrainingResult {
  /** Of the best epoch where a score chooses one, else of the last. */
  readonly parameters: FloatTensors;
  readonly curves: Curves;
  /** 1-based. */
  readonly bestEpoch: number;
  readonly steps: number;
}

/**
 * Train a task, or go on where its checkpoint stands. ConfigError for a checkpoint of another run, DivergenceError,
 * InterruptedError, StorageError.
 */
export async function train(task: TrainingTask, options: TrainingOptions): Promise<TrainingResult> {
  const { store: _, log: __, progress: ___, ...silent } = options;
  const run = new TrainingRun(task, isWriter(options.ranks) ? options : silent);
  try {
    await run.resume();
    return await run.finish();
  } finally {
    try {
      await options.log?.flush();
    } finally {
      await run.dispose();
    }
  }
}

class TrainingRun {
  readonly #runner: StepRunner;
  readonly #stepsPerEpoch: number;
  readonly #totalSteps: number;
  readonly #stage: Stage | undefined;
  /** How an update's batch is cut. */
  readonly #cut: BatchCut;
  /** The order of the epoch asked for last. */
  #order: { readonly epoch: number; readonly windows: ArrayLike<number> } | undefined;
  /** The parts of the next update, asked for ahead. */
  #ahead: { readonly update: number; readonly parts: Promise<BatchPart[]> } | undefined;
  readonly #best = new Map<string, Tensor<'float32'>>();
  #at: Omit<TrainingProgress, 'step'>;
  #lastSave = performance.now();
  /** Of the ranks' last sum of gradients. */
  #seconds = { waiting: 0, summing: 0 };

  constructor(
    readonly task: TrainingTask,
    readonly options: TrainingOptions,
  ) {
    const { backend, optimization } = options;
    const ranks =
      options.ranks &&
      timeSums(options.ranks, (waiting, summing) => {
        this.#seconds = { waiting, summing };
      });
    const { specs, initial } = task;
    const { device } = backend;
    this.#cut = cutBatch(optimization, { tokens: task.tokens, device, ranks: ranks?.size });
    const build = (kind: string) => task.build(kind, this.#cut.windows);
    const { precision } = optimization;
    this.#runner = new StepRunner({ backend, specs, initial, build, update: optimization, precision, ranks });
    this.#stepsPerEpoch = Math.ceil(task.count / optimization.batch);
    this.#totalSteps = this.#stepsPerEpoch * optimization.epochs;
    this.#at = { epoch: 0, position: 0, finished: false, lossSum: 0, best: null, curves: [] };
    this.#stage = options.progress?.(this.#totalSteps * optimization.batch);
  }

  /** Go on where the checkpoint stands; several ranks begin with the state of rank 0 in any case. */
  async resume(): Promise<void> {
    const { store, ranks } = this.options;
    await assertSameTask(ranks, this.options.identity);
    const found = await store?.load();
    const bytes = await shareBytes(ranks, found ?? (ranks?.rank === 0 ? this.#encode() : undefined));
    if (bytes) this.#restore(bytes);
  }

  #restore(bytes: Uint8Array): void {
    const { identity, progress, tensors } = decodeCheckpoint(bytes);
    assertSameRun(identity, this.options.identity);
    const { step, ...at } = progress;
    this.#at = at;
    this.#runner.restore(tensors, step);
    if (at.best)
      for (const { name, shape } of trainable(this.task.specs))
        this.#best.set(name, float32(shape, savedValues(tensors, `best/${name}`, shape)));
    this.#stage?.update(step * this.options.optimization.batch);
  }

  async finish(): Promise<TrainingResult> {
    while (!this.#at.finished) await this.#epoch();
    this.#stage?.end();
    await this.#runner.fetch();
    const parameters: FloatTensors = new Map();
    for (const [name, { shape, data }] of this.#runner.parameters())
      parameters.set(name, this.#best.get(name) ?? float32(shape, data.slice()));
    const { best, curves, epoch } = this.#at;
    return { parameters, curves, bestEpoch: best?.epoch ?? epoch, steps: this.#runner.steps };
  }

  dispose(): Promise<void> {
    return this.#runner.dispose();
  }

  async #epoch(): Promise<void> {
    const { checkpointSeconds } = this.options.optimization;
    while (this.#at.position < this.#stepsPerEpoch) {
      const begun = performance.now();
      const parts = await this.#nextParts();
      await this.#stopIfAsked();
      const { loss } = await this.#step(parts!, begun);
      this.#at = { ...this.#at, position: this.#at.position + 1, lossSum: this.#at.lossSum + loss };
      const due = performance.now() - this.#lastSave >= 1000 * checkpointSeconds;
      if (due && this.#at.position < this.#stepsPerEpoch) await this.#save();
    }
    await this.#endEpoch();
  }

  /** The parts of the next update; undefined where the reading of them was stopped, which is a stop before that update. */
  async #nextParts(): Promise<BatchPart[] | undefined> {
    const update = this.#runner.steps;
    try {
      return await (this.#ahead?.update === update ? this.#ahead.parts : this.#draw(update));
    } catch (error) {
      if (this.#isStopped(error)) return undefined;
      throw error;
    }
  }

  #isStopped(error: unknown): boolean {
    return error instanceof InterruptedError && this.options.signal?.aborted === true;
  }

  async #step(parts: BatchPart[], begun: number): Promise<StepOutcome> {
    const { optimization, ranks, log } = this.options;
    const update = this.#runner.steps;
    const rates = this.#rates();
    const computing = this.#runner.compute(parts, rates);
    if (update + 1 < this.#totalSteps) {
      // Drawn while the engine computes. A failure shows when it is this update's turn.
      this.#ahead = { update: update + 1, parts: this.#draw(update + 1) };
      this.#ahead.parts.catch(() => {});
    }
    const outcome = await computing;
    const { loss, norm } = outcome;
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) await this.#diverge(parts, outcome);
    this.#runner.commit();
    const step = this.#runner.steps;
    const learningRate = withPrefix(rates, 'learningRate/');
    const seconds = {
      'seconds/update': (performance.now() - begun) / 1000,
      'seconds/wait': this.#seconds.waiting,
      'seconds/sum': this.#seconds.summing,
    };
    await log?.record(step, {
      'train/loss': loss,
      'train/gradientNorm': norm,
      ...learningRate,
      ...(optimization.precision === 'float16' && { 'train/repeats': this.#runner.repeats }),
      ...(ranks && seconds),
    });
    this.#stage?.update(step * optimization.batch, { loss });
    return outcome;
  }

  /** This rank's parts of an update's batch. */
  async #draw(update: number): Promise<BatchPart[]> {
    const { seed, optimization, ranks } = this.options;
    const { batch } = optimization;
    const { parts: count, windows: size } = this.#cut;
    const { windows } = this.#orderOf(Math.floor(update / this.#stepsPerEpoch));
    const start = (update % this.#stepsPerEpoch) * batch;
    const parts: BatchPart[] = [];
    for (let i = 0; i < count; i++) {
      const first = ((ranks?.rank ?? 0) * count + i) * size;
      const draws = new Draws(seed, update, first);
      // The last batch of an epoch is filled from its beginning: graphs have a fixed batch size.
      const at = (j: number) => windows[(start + first + j) % windows.length]!;
      const indices = Array.from({ length: size }, (_, j) => at(j));
      parts.push({ batch: await this.task.draw(indices, draws), draws });
    }
    return parts;
  }

  #orderOf(epoch: number) {
    if (this.#order?.epoch !== epoch) {
      const shuffled = () =>
        Random.derive(this.options.seed, 'order', epoch).shuffle(
          Array.from({ length: this.task.count }, (_, i) => i),
        );
      this.#order = { epoch, windows: this.task.order?.(epoch) ?? shuffled() };
    }
    return this.#order;
  }

  #rates(): Record<string, number> {
    const { warmupSteps, minimumLearningRate } = this.options.optimization;
    const schedule = { totalSteps: this.#totalSteps, warmupSteps, minimum: minimumLearningRate };
    return Object.fromEntries(
      Object.entries(this.task.learningRates).map(([group, base]) => [
        group,
        learningRateAt(this.#runner.steps, base, schedule),
      ]),
    );
  }

  async #endEpoch(): Promise<void> {
    const { optimization, log } = this.options;
    const { epochs, validateEvery, patience } = optimization;
    const epoch = this.#at.epoch + 1;
    const due = epoch % validateEvery === 0 || epoch === epochs;
    await this.#runner.fetch();
    await this.#reunite();
    const scores = due ? await this.#validate() : undefined;
    if (scores) await log?.record(this.#runner.steps, withPrefix(scores, 'validation/'));
    const loss = this.#at.lossSum / this.#stepsPerEpoch;
    const row = { epoch, step: this.#runner.steps, trainLoss: loss, ...(scores && finiteOrNull(scores)) };
    const best = scores ? this.#chooseBest(scores, epoch) : this.#at.best;
    // Patience counts validations.
    const waited = best ? Math.floor((epoch - best.epoch) / validateEvery) : 0;
    const finished = epoch >= epochs || (patience !== null && waited >= patience);
    this.#at = { epoch, position: 0, finished, lossSum: 0, best, curves: [...this.#at.curves, row] };
    await this.#save();
  }

  /** The scores, the same on every rank: early stopping and the best epoch follow from them. */
  async #validate(): Promise<Readonly<Record<string, number>> | undefined> {
    try {
      const scores = await this.task.validate?.(this.#runner.parameters());
      return scores && (await shareFigures(this.options.ranks, scores));
    } catch (error) {
      if (!this.#isStopped(error)) throw error;
      // All updates of the epoch are done: who goes on validates first.
      await this.#save();
      throw this.#stopped();
    }
  }

  /**
   * Ranks compute the same update, to the bit on equal processors. Where processors differ, roundings may; then every
   * rank takes the state of rank 0 before they can add up.
   */
  async #reunite(): Promise<void> {
    const { ranks } = this.options;
    if (!ranks || (await areEqual(ranks, Object.values(this.#runner.state)))) return;
    const bytes = await shareBytes(ranks, isWriter(ranks) ? this.#encode() : undefined);
    this.#restore(bytes!);
  }

  #chooseBest(scores: Readonly<Record<string, number>>, epoch: number): TrainingProgress['best'] {
    const { best } = this.#at;
    const { name, mode } = this.task.score ?? {};
    const score = name === undefined ? undefined : scores[name];
    // A score that cannot be computed (one class only) is no better than any.
    if (score === undefined || !Number.isFinite(score)) return best;
    const better = best === null || (mode === 'min' ? score < best.score : score > best.score);
    if (!better) return best;
    for (const { name: parameter, shape } of trainable(this.task.specs)) {
      const { data } = this.#runner.state[names.parameter(parameter)]!;
      this.#best.set(parameter, float32(shape, data.slice()));
    }
    return { score, epoch };
  }

  async #save(): Promise<void> {
    // Figures first: a log must not end before the checkpoint that it belongs to.
    await this.options.log?.flush();
    await this.#runner.fetch();
    await this.options.store?.save(this.#encode());
    this.#lastSave = performance.now();
  }

  #encode(further: ReadonlyMap<string, Tensor> = new Map()): Uint8Array {
    const tensors = new Map<string, Tensor>([...Object.entries(this.#runner.state), ...further]);
    for (const [name, value] of this.#best) tensors.set(`best/${name}`, value);
    const progress: TrainingProgress = { ...this.#at, step: this.#runner.steps };
    return encodeCheckpoint({ identity: this.options.identity, progress, tensors });
  }

  async #stopIfAsked(): Promise<void> {
    const { ranks, signal } = this.options;
    // A sum of its own: some microseconds an update, and every rank stops before the same one.
    if (!(await anyRank(ranks, signal?.aborted ?? false))) return;
    await this.#save();
    await meet(ranks); // nobody leaves, and so ends the others, before the checkpoint is written
    throw this.#stopped();
  }

  #stopped(): InterruptedError {
    const kept = this.options.store ? 'A checkpoint is written; run again to resume.' : 'Nothing is kept.';
    return new InterruptedError(
      `training: stopped after ${this.#runner.steps} of ${this.#totalSteps} updates. ${kept}`,
    );
  }

  /** Keep the state before the update and the batch that led astray, then give up. */
  async #diverge(parts: readonly BatchPart[], { loss, norm }: StepOutcome): Promise<never> {
    const step = this.#runner.steps + 1;
    const offending = parts.flatMap(({ batch }, i) =>
      Object.entries(batch.feeds).map(([name, value]): [string, Tensor] => [`batch/${i}/${name}`, value]),
    );
    await this.#runner.fetch();
    const bytes = this.#encode(new Map(offending));
    const saved = await this.options.store?.saveBeside(`diverged-step-${step}.safetensors`, bytes);
    throw new DivergenceError(
      `training: at update ${step} the loss is ${loss} and the gradient norm ${norm}. Lower the learning rate${saved ? `, or look at the batch in ${saved}` : ''}.`,
      step,
      saved,
    );
  }
}

function withPrefix(values: Readonly<Record<string, number>>, prefix: string): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

function finiteOrNull(values: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  );
}
