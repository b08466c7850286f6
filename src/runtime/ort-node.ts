/** The engine in Node: onnxruntime-node, on `cpu`, `webgpu` (ships inside the package) or `cuda` (user installs it). */
import { availableParallelism } from 'node:os';
import { BackendError } from '../core/errors.ts';
import type { Backend, Device } from './backend.ts';
import { openOrtBackend } from './ort-backend.ts';
import { messageOf } from './ort-tensors.ts';

type OrtNode = typeof import('onnxruntime-node');

export interface NodeBackendOptions {
  /** auto: cuda where its libraries are installed, else cpu. Default auto. */
  readonly device?: 'auto' | Device;
  /** Threads inside an operator. Default: one per core. */
  readonly threads?: number;
}

const fixes: Readonly<Record<Device, string>> = {
  cpu: 'Reinstall onnxruntime-node.',
  webgpu: 'It needs a GPU with a Vulkan or Direct3D 12 driver. Use --device cpu.',
  cuda: 'It needs an NVIDIA GPU, CUDA 12, cuDNN 9 and the CUDA libraries of onnxruntime-node (README.md, GPUs). Use --device cpu.',
};

/** An engine on a device; BackendError, with what to do, where the device or onnxruntime-node is absent. */
export async function createNodeBackend({
  device = 'auto',
  threads,
}: NodeBackendOptions = {}): Promise<Backend> {
  const count = threads ?? availableParallelism();
  const ort = await loadOrt();
  if (device !== 'auto') return openDevice(ort, device, count);
  // WebGPU is not chosen unasked: whether it is faster than the cores depends on the adapter.
  const hasCuda = ort.listSupportedBackends().some(({ name, bundled }) => name === 'cuda' && bundled);
  if (hasCuda) {
    try {
      return await openDevice(ort, 'cuda', count);
    } catch {
      // No usable GPU: the cores it is.
    }
  }
  return openDevice(ort, 'cpu', count);
}

/** It is an optional dependency: its own install script downloads CUDA libraries, and where that fails npm leaves it out. */
async function loadOrt(): Promise<OrtNode> {
  // Its library counts sessions and devices in a database in the user's home, a log in the temporary folder, and sends
  // them to its maker unless this is set before it is loaded. What is computed here is nobody else's business. In a
  // worker thread the variable is a copy that the library does not see: set it for the whole process there.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  try {
    const ort = await import('onnxruntime-node');
    ort.env.logLevel = 'fatal'; // what goes wrong arrives as an exception, not as lines on stderr
    return ort;
  } catch (cause) {
    throw new BackendError(
      `engine: onnxruntime-node is not installed (${messageOf(cause).split('\n')[0]}). Run \`npm install onnxruntime-node@1.30.0 --ignore-scripts\`.`,
      { cause },
    );
  }
}

function openDevice(ort: OrtNode, device: Device, threads: number): Promise<Backend> {
  return openOrtBackend({
    description: `onnxruntime-node ${ort.env.versions.node}, ${device}, ${threads} threads`,
    device,
    Tensor: ort.Tensor,
    options: {
      executionProviders: [device],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // A plan of all memory made ahead holds 0.5 GB more in training and saves no time (docs/benchmarks.md).
      enableMemPattern: false,
      logSeverityLevel: 4,
    },
    // Its binding knows no device buffers but WebGPU's: of cuda every output comes to the host.
    keepsOutputs: device === 'webgpu',
    fix: fixes[device],
    create: (model, options) => ort.InferenceSession.create(model, options),
  });
}
