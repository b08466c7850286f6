/**
 * The one interface behind which graphs run. A backend is a parameter, never a global.
 * `ort-node.ts` (onnxruntime-node) and `ort-web.ts` (onnxruntime-web) implement it.
 */
import type { Tensor } from '../core/tensor.ts';
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
