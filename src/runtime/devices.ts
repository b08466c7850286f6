/** Which devices are usable here, and what they can do: found by trying. */
import { HeartmindError } from '../core/errors.ts';
import { Graph } from '../graph/ir.ts';
import { cast, matmul } from '../graph/operators.ts';
import type { Backend, Device } from './backend.ts';

export interface DeviceReport {
  readonly device: Device;
  /** The engine's description where it runs, else why it does not and what to do. */
  readonly description: string;
  readonly usable: boolean;
  /** Whether it computes in float16. */
  readonly float16: boolean;
  /** Whether the state of training stays on it between updates. */
  readonly resident: boolean;
}

/** Try devices in turn with a function that opens them. */
export async function tryDevices(
  devices: readonly Device[],
  open: (device: Device) => Promise<Backend>,
): Promise<DeviceReport[]> {
  const reports: DeviceReport[] = [];
  for (const device of devices) {
    try {
      const backend = await open(device);
      const { description, resident } = backend;
      const float16 = await computesFloat16(backend);
      reports.push({ device, description, usable: true, float16, resident: resident !== undefined });
    } catch (error) {
      if (!(error instanceof HeartmindError)) throw error;
      reports.push({ device, description: error.message, usable: false, float16: false, resident: false });
    }
  }
  return reports;
}

/** Whether a product in float16 runs: WebGPU adapters may lack `shader-f16`. On cpu it runs, but is computed in float32. */
export async function computesFloat16(backend: Backend): Promise<boolean> {
  const graph = new Graph('float16');
  const x = cast(graph.input('x', 'float32', [2, 2]), 'float16');
  graph.output('y', cast(matmul(x, x), 'float32'));
  try {
    const program = await backend.compile(graph);
    try {
      const { y } = await program.run({
        x: { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      });
      return [...y!.data].map(Number).join() === '7,10,15,22';
    } finally {
      await program.dispose();
    }
  } catch {
    return false;
  }
}
