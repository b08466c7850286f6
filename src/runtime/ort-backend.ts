/** A Backend over ONNX Runtime, the same for Node and the browser: compile a graph, and try the device once. */
import type { InferenceSession, TensorConstructor } from 'onnxruntime-common';
import { BackendError, HeartmindError } from '../core/errors.ts';
import { Graph } from '../graph/ir.ts';
import { add } from '../graph/operators.ts';
import { fuseMatmul } from '../graph/passes.ts';
import { expandLogSoftmax } from '../graph/webgpu.ts';
import type { Backend, Device } from './backend.ts';
import { ortResidency } from './ort-resident.ts';
import { batchOverride, messageOf, modelBytes, type OrtSession, sessionProgram } from './ort-tensors.ts';

/** What differs between the runtimes. */
export interface OrtEngine {
  readonly description: string;
  readonly device: Device;
  readonly Tensor: TensorConstructor;
  readonly options: InferenceSession.SessionOptions;
  /** Whether outputs can stay in the device's buffers. */
  readonly keepsOutputs: boolean;
  /** What to do where the device is not usable: the last sentence of the error. */
  readonly fix: string;
  create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<OrtSession>;
}

/** The last passes over a graph, by what a device is good at. */
const fitTo: Readonly<Record<Device, (graph: Graph) => Graph>> = {
  cpu: fuseMatmul,
  webgpu: expandLogSoftmax,
  cuda: (graph) => graph,
};

/** A backend whose device has run one addition. BackendError, with what to do, where it cannot. */
export async function openOrtBackend(engine: OrtEngine): Promise<Backend> {
  const { description, device, Tensor, options } = engine;
  const create = async (graph: Graph | Uint8Array, sessionOptions: InferenceSession.SessionOptions) => {
    try {
      const fitted = graph instanceof Graph ? fitTo[device](graph) : graph;
      return await engine.create(modelBytes(fitted), sessionOptions);
    } catch (cause) {
      if (cause instanceof HeartmindError) throw cause;
      throw new BackendError(`${device}: the engine refused the graph (${messageOf(cause)}).`, { cause });
    }
  };
  const backend: Backend = {
    description,
    device,
    async compile(graph, compileOptions = {}) {
      return sessionProgram(await create(graph, { ...options, ...batchOverride(compileOptions) }), Tensor);
    },
    ...(engine.keepsOutputs && {
      resident: ortResidency(
        (graph, places) => create(graph, { ...options, preferredOutputLocation: places }),
        Tensor,
      ),
    }),
  };
  await probe(backend, engine.fix);
  return backend;
}

/** Run one addition, so that an absent device fails here and not in the middle of something. */
async function probe(backend: Backend, fix: string): Promise<void> {
  const graph = new Graph('probe');
  graph.output('y', add(graph.input('x', 'float32', [2]), 1));
  try {
    const program = await backend.compile(graph);
    await program.run({ x: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } });
    await program.dispose();
  } catch (cause) {
    throw new BackendError(
      `device ${backend.device}: not usable here (${messageOf(cause).replace(/\s+/g, ' ').slice(0, 200)}). ${fix}`,
      { cause },
    );
  }
}
