/**
 * The one interface behind which graphs run. A backend is a parameter, never a global.
 * `ort-node.ts` (onnxruntime-node) and `ort-web.ts` (onnxruntime-web) implement it.
 */
import type { DType, Tensor } from '../core/tensor.ts';
import type { Graph } from '../graph/ir.ts';

export type Device = 'cpu' | 'webgpu' | 'cuda';

export interface CompileOptions {
  /** Fix the batch size B: lets the engine plan its memory. */
  readonly batch?: number;
}

export interface Backend {
  /** What it runs on, for reports: `onnxruntime-node 1.30.0, cpu, 2 threads`. */
  readonly description: string;
  readonly device: Device;
  /** Prepare a graph, or the bytes of an ONNX model, to be run. BackendError where the engine refuses it. */
  compile(graph: Graph | Uint8Array, options?: CompileOptions): Promise<Program>;
  /**
   * Values that stay on the device from run to run. Absent where there is nothing to gain (cpu) or the engine does not
   * offer it (cuda: onnxruntime-node hands every output of it to the host).
   */
  readonly resident?: Residency;
}

export type Feeds = Readonly<Record<string, Tensor>>;

export interface Program {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Run once. `outputs` limits what is computed and returned (default: all). A tensor given in `into` is written
   * in place and returned, which saves an allocation for weights that are updated every step.
   */
  run(feeds: Feeds, outputs?: readonly string[], into?: Feeds): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/** A value on the device. It takes memory there until it is disposed. */
export interface DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Let its memory go; runs that were given it before are not disturbed. */
  dispose(): void;
}

/** Keeping values on the device: what training does with its state. */
export interface Residency {
  /** [n] float32 on the device, the caller's to dispose. */
  upload(values: Float32Array): Promise<DeviceTensor>;
  /** A copy of [n] float32 on the host; the value stays. */
  download(tensor: DeviceTensor): Promise<Float32Array>;
  /** Prepare a graph whose outputs of these names stay on the device. */
  compile(graph: Graph, keep: readonly string[]): Promise<ResidentProgram>;
}

export type ResidentFeeds = Readonly<Record<string, Tensor | DeviceTensor>>;

export interface ResidentProgram {
  readonly inputNames: readonly string[];
  /** Run once. `kept`: new values on the device, the caller's to dispose; `values`: all other outputs. */
  run(feeds: ResidentFeeds): Promise<{
    readonly kept: Readonly<Record<string, DeviceTensor>>;
    readonly values: Readonly<Record<string, Tensor>>;
  }>;
  dispose(): Promise<void>;
}
