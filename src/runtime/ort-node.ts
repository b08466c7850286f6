/** The engine in Node: onnxruntime-node, on `cpu`, `webgpu` (ships inside the package) or `cuda` (user installs it). */
import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { BackendError, HeartmindError } from '../core/errors.ts';
import { Graph } from '../graph/ir.ts';
import { add } from '../graph/operators.ts';
import type { Backend, Device } from './backend.ts';
import { batchOverride, messageOf, modelBytes, sessionProgram } from './ort-tensors.ts';

export interface NodeBackendOptions {
  /** auto: cuda where its libraries are installed, else cpu. Default auto. */
  readonly device?: 'auto' | Device;
  /** Threads inside an operator. Default: one per core. */
  readonly threads?: number;
}

const fixes: Readonly<Record<Device, string>> = {
  cpu: 'Reinstall onnxruntime-node.',
  webgpu: 'It needs a GPU with a Vulkan or Direct3D 12 driver. Use --device cpu.',
  cuda: 'It needs an NVIDIA GPU, CUDA 12, cuDNN 9 and `npm install onnxruntime-node --onnxruntime-node-install=cuda12`. Use --device cpu.',
};

/** An engine on a device; BackendError, with what to do, where the device is absent. */
export async function createNodeBackend({
  device = 'auto',
  threads,
}: NodeBackendOptions = {}): Promise<Backend> {
  const count = threads ?? availableParallelism();
  if (device !== 'auto') return openDevice(device, count);
  // WebGPU is not chosen unasked: whether it is faster than the cores depends on the adapter.
  const hasCuda = ort.listSupportedBackends().some(({ name, bundled }) => name === 'cuda' && bundled);
  if (hasCuda) {
    try {
      return await openDevice('cuda', count);
    } catch {
      // No usable GPU: the cores it is.
    }
  }
  return openDevice('cpu', count);
}

async function openDevice(device: Device, threads: number): Promise<Backend> {
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4, // what goes wrong arrives as an exception, not as lines on stderr
  };
  const backend: Backend = {
    description: `onnxruntime-node ${ort.env.versions.node}, ${device}, ${threads} threads`,
    device,
    async compile(graph, compileOptions = {}) {
      try {
        const session = await ort.InferenceSession.create(modelBytes(graph), {
          ...options,
          ...batchOverride(compileOptions),
        });
        return sessionProgram(session, ort.Tensor);
      } catch (cause) {
        if (cause instanceof HeartmindError) throw cause;
        throw new BackendError(`${device}: the engine refused the graph (${messageOf(cause)}).`, { cause });
      }
    },
  };
  await probe(backend);
  return backend;
}

/** Run one addition, so that an absent device fails here and not in the middle of something. */
async function probe(backend: Backend): Promise<void> {
  const graph = new Graph('probe');
  graph.output('y', add(graph.input('x', 'float32', [2]), 1));
  try {
    const program = await backend.compile(graph);
    await program.run({ x: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } });
    await program.dispose();
  } catch (cause) {
    throw new BackendError(
      `device ${backend.device}: not usable here (${messageOf(cause).replace(/\s+/g, ' ').slice(0, 200)}). ${fixes[backend.device]}`,
      { cause },
    );
  }
}
