/**
 * A training step as a user gets it: `pretrain` with a recipe, one update at a time. The log holds each update back until
 * it is asked for, so that drawing masks, dropout, gradients, clipping and AdamW are all in the time.
 */
import { availableParallelism } from 'node:os';
import { countFlops } from '../../src/graph/flops.ts';
import { Graph } from '../../src/graph/ir.ts';
import { type Backend, Random, twelveLeads } from '../../src/index.ts';
import { eegmatChannels } from '../../src/patches/recipe.ts';
import type { WindowSet } from '../../src/patches/windows.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { pretrain } from '../../src/train/pretrain.ts';
import { parsePretrainRecipe } from '../../src/train/recipe.ts';
import type { Prepared } from './worker.ts';

export interface StepJob {
  readonly modality: 'eeg' | 'ecg';
  readonly channels: number;
  readonly patches: number;
  readonly batch: number;
  /** Parts that the batch is computed in; what the recipe's default makes of it where absent. */
  readonly accumulate?: number;
  readonly layers: number;
  readonly threads?: number;
}

export async function pretrainingStep(job: StepJob): Promise<Prepared> {
  const threads = job.threads ?? availableParallelism();
  const backend = await createNodeBackend({ device: 'cpu', threads });
  const watched = watch(backend);
  const gate = new Gate();
  const begun = performance.now();
  const failed = pretrain({
    backend: watched.backend,
    windows: synthesiseWindows(job),
    recipe: recipeOf(job),
    log: { record: () => gate.pass(), flush: () => {} },
  }).then(() => {
    throw new Error('step: the training ended before the measurement.');
  });
  failed.catch(() => {});
  const arrival = () => Promise.race([gate.arrival(), failed]) as Promise<number>;
  const first = ((await arrival()) - begun) / 1000;
  return {
    ready: {
      first,
      compile: watched.seconds,
      flops: (watched.flops * job.batch) / watched.windows,
      engine: { engine: backend.description, threads, windowsAtOnce: watched.windows },
    },
    async run() {
      const released = performance.now();
      gate.open();
      return ((await arrival()) - released) / 1000;
    },
  };
}

/** Where the loop waits after each update. */
class Gate {
  #open: (() => void) | undefined;
  #arrived: ((time: number) => void) | undefined;
  #waiting: number | undefined;

  pass(): Promise<void> {
    const now = performance.now();
    if (this.#arrived) this.#arrived(now);
    else this.#waiting = now;
    this.#arrived = undefined;
    return new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  arrival(): Promise<number> {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) return Promise.resolve(waiting);
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  open(): void {
    this.#open?.();
  }
}

/** The same backend, its compiling timed; products and windows of the largest graph, which is the gradients'. */
function watch(backend: Backend) {
  const seen = { seconds: 0, flops: 0, windows: 1 };
  const watching: Backend = Object.create(backend, {
    compile: {
      async value(...[graph, options]: Parameters<Backend['compile']>) {
        const begun = performance.now();
        const program = await backend.compile(graph, options);
        seen.seconds += (performance.now() - begun) / 1000;
        const flops = graph instanceof Graph ? countFlops(graph) : 0;
        if (graph instanceof Graph && flops > seen.flops) {
          const patches = graph.inputs.find(({ name }) => name === 'patches');
          Object.assign(seen, { flops, windows: Number(patches?.shape[0] ?? 1) });
        }
        return program;
      },
    },
  });
  return Object.assign(seen, { backend: watching });
}

function recipeOf({ modality, batch, accumulate, layers }: StepJob) {
  return parsePretrainRecipe({
    version: 1,
    task: 'pretrain',
    modality,
    encoder: { layers, dropout: 0.1 },
    learningRate: 5e-4,
    mask: { mixture: { random: 1 } },
    optimization: {
      epochs: 100_000,
      batch,
      ...(accumulate === undefined ? {} : { accumulate }),
      minimumLearningRate: 1e-5,
      validateEvery: 100_000,
    },
  });
}

/** Noise of the amplitude that scaled signals have, from two people. */
function synthesiseWindows({ modality, channels, patches, batch }: StepJob): WindowSet {
  const random = Random.derive(0, 'bench', 'windows');
  const count = 2 * batch + 2;
  const data = Float32Array.from({ length: count * channels * patches * 200 }, () => 0.3 * random.normal());
  const names = (modality === 'ecg' ? twelveLeads : eegmatChannels).slice(0, channels);
  const signal = { channels: names, patches, patchSamples: 200, data };
  return {
    recipe: {
      version: 1,
      signals: {},
      window: { lengthSeconds: patches, stepSeconds: patches, maxAbsMicrovolts: null, dropFlat: true },
    },
    count,
    signals: { [modality]: signal },
    classes: [],
    subject: Array.from({ length: count }, (_, i) => (i < 2 ? 'held out' : 'training')),
    trial: Array.from({ length: count }, (_, i) => `${i}`),
    start: new Float64Array(count),
    beats: new Map(),
    dropped: [],
    hash: 'bench',
  };
}
