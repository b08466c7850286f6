/** Inference as a user gets it: Embedder and Predictor, windows in, pooled embeddings or probabilities out. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Random } from '../../src/core/random.ts';
import { encoderConfig, parseModelConfig } from '../../src/model/config.ts';
import type { FloatTensors } from '../../src/model/parameters.ts';
import { Embedder, Predictor } from '../../src/model/predict.ts';
import { decodeSafetensors } from '../../src/model/safetensors.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import type { Prepared } from './worker.ts';

export interface EmbeddingJob {
  /** Safetensors that both sides load. */
  readonly weights: string;
  /** Raw float32 windows that both sides read. */
  readonly data: string;
  readonly channels: number;
  readonly patches: number;
  readonly batch: number;
  readonly layers: number;
}

export async function embedding(job: EmbeddingJob): Promise<Prepared> {
  const { channels, patches, batch, layers } = job;
  const backend = await createNodeBackend({ device: 'cpu' });
  const tensors = readTensors(job.weights);
  const data = readWindows(job.data, batch * channels * patches * 200);
  const begun = performance.now();
  const embedder = new Embedder(backend, encoderConfig({ layers }), tensors, { channels, patches });
  const { pooled } = await embedder.embed(data, { batch });
  return {
    ready: {
      first: (performance.now() - begun) / 1000,
      digest: digestOf(pooled),
      engine: { engine: backend.description, threads: availableParallelism() },
    },
    async run() {
      await embedder.embed(data, { batch });
      return undefined;
    },
  };
}

export interface FusedJob {
  readonly weights: string;
  readonly data: string;
  readonly eeg: readonly [channels: number, patches: number];
  readonly ecg: readonly [channels: number, patches: number];
  readonly batch: number;
  readonly layers: number;
}

export async function fusedModel(job: FusedJob): Promise<Prepared> {
  const { batch, layers } = job;
  const backend = await createNodeBackend({ device: 'cpu' });
  const config = fusedConfig(job);
  const size = (key: 'eeg' | 'ecg') => batch * job[key][0] * job[key][1] * 200;
  const all = readWindows(job.data, size('eeg') + size('ecg'));
  const signal = (key: 'eeg' | 'ecg', data: Float32Array) => ({
    channels: config.signals[key]!.channels,
    patches: job[key][1],
    patchSamples: 200,
    data,
  });
  const signals = {
    eeg: signal('eeg', all.subarray(0, size('eeg'))),
    ecg: signal('ecg', all.subarray(size('eeg'))),
  };
  const begun = performance.now();
  const predictor = new Predictor(backend, config, readTensors(job.weights));
  const probabilities = await predictor.probabilities(signals, { batch });
  return {
    ready: {
      first: (performance.now() - begun) / 1000,
      digest: digestOf(probabilities),
      engine: { engine: backend.description, threads: availableParallelism(), layers },
    },
    async run() {
      await predictor.probabilities(signals, { batch });
      return undefined;
    },
  };
}

/** EEG and ECG encoders, mean-pooled, concatenated, MLP head with two classes. */
export function fusedConfig({ eeg, ecg, layers }: Pick<FusedJob, 'eeg' | 'ecg' | 'layers'>) {
  const signal = ([channels, patches]: readonly [number, number], prefix: string) => ({
    encoder: { layers },
    channels: Array.from({ length: channels }, (_, i) => `${prefix}${i}`),
    patches,
  });
  return parseModelConfig({
    signals: { eeg: signal(eeg, 'E'), ecg: signal(ecg, 'L') },
    head: { kind: 'mlp', hidden: 200, classes: 2 },
  });
}

/** Noise of the amplitude that scaled signals have. */
export function drawWindows(length: number): Float32Array {
  const random = Random.derive(0, 'bench', 'windows');
  return Float32Array.from({ length }, () => 0.3 * random.normal());
}

function readTensors(path: string): FloatTensors {
  return decodeSafetensors(readFileSync(path), path).tensors as FloatTensors;
}

function readWindows(path: string, length: number): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 4 * length));
}

function digestOf(values: Float32Array): number[] {
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return [norm, values[0]!, values[values.length >> 1]!];
}
