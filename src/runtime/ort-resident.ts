/**
 * Values that stay on a WebGPU device between runs: outputs bound to its buffers, fed again as they are. The same for Node
 * and the browser.
 *
 * onnxruntime-node 1.30 aborts the process when such a tensor is asked for its data, so values go up and down through a
 * session that copies. A session with kept outputs is always asked for all of them: the binding counts places among those
 * asked for, not among those that there are.
 */
import type { Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common';
import { BackendError } from '../core/errors.ts';
import type { DType, Tensor } from '../core/tensor.ts';
import { Graph } from '../graph/ir.ts';
import type { DeviceTensor, Residency, ResidentProgram } from './backend.ts';
import { checkFeeds, messageOf, type OrtSession, unwrap } from './ort-tensors.ts';

/** Where a session leaves each of its outputs. */
export type OutputPlaces = Readonly<Record<string, 'gpu-buffer' | 'cpu'>>;

/** Residency on an engine that can leave outputs in its device's buffers; `create` compiles a graph that way. */
export function ortResidency(
  create: (graph: Graph, places: OutputPlaces) => Promise<OrtSession>,
  TensorClass: TensorConstructor,
): Residency {
  // Kept for good: the device lives as long as a session on it, and values as long as the device.
  const copies = new Map<'gpu-buffer' | 'cpu', Promise<OrtSession>>();
  const copyTo = async (place: 'gpu-buffer' | 'cpu', x: OrtTensor): Promise<OrtTensor> => {
    const session = copies.get(place) ?? create(copyGraph(), { y: place });
    copies.set(place, session);
    return (await runAll(await session, { x })).y!;
  };
  return {
    async upload(values) {
      return new OrtDeviceTensor(
        await copyTo('gpu-buffer', new TensorClass('float32', values, [values.length])),
      );
    },
    async download(tensor) {
      return (await copyTo('cpu', engineTensor(tensor, TensorClass))).data as Float32Array;
    },
    async compile(graph, keep) {
      const kept = new Set(keep);
      const places = [...graph.outputs.keys()].map(
        (name) => [name, kept.has(name) ? 'gpu-buffer' : 'cpu'] as const,
      );
      return residentProgram(await create(graph, Object.fromEntries(places)), kept, TensorClass);
    },
  };
}

function residentProgram(
  session: OrtSession,
  keep: ReadonlySet<string>,
  TensorClass: TensorConstructor,
): ResidentProgram {
  const { inputNames } = session;
  const known = new Set(inputNames);
  return {
    inputNames,
    async run(feeds) {
      checkFeeds(feeds, inputNames, known);
      const inputs = Object.fromEntries(
        inputNames.map((name) => [name, engineTensor(feeds[name]!, TensorClass)]),
      );
      const kept: Record<string, DeviceTensor> = {};
      const values: Record<string, Tensor> = {};
      for (const [name, result] of Object.entries(await runAll(session, inputs))) {
        if (keep.has(name)) kept[name] = new OrtDeviceTensor(result);
        else values[name] = unwrap(name, result);
      }
      return { kept, values };
    },
    dispose: () => session.release(),
  };
}

async function runAll(
  session: OrtSession,
  inputs: Readonly<Record<string, OrtTensor>>,
): Promise<Readonly<Record<string, OrtTensor>>> {
  const fetches = Object.fromEntries(session.outputNames.map((name) => [name, null]));
  try {
    return await session.run(inputs, fetches);
  } catch (cause) {
    throw new BackendError(`engine: the run failed (${messageOf(cause)}).`, { cause });
  }
}

/** y = x, [B] of any length: what carries values over. */
function copyGraph(): Graph {
  const graph = new Graph('copy');
  graph.output('y', graph.input('x', 'float32', ['B']));
  return graph;
}

/** A tensor of the engine in a buffer of its device, behind our interface. */
class OrtDeviceTensor implements DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  #tensor: OrtTensor | undefined;

  constructor(tensor: OrtTensor) {
    this.#tensor = tensor;
    this.dtype = tensor.type as DType;
    this.shape = [...tensor.dims];
  }

  get tensor(): OrtTensor {
    if (this.#tensor) return this.#tensor;
    throw new BackendError(
      `device tensor: ${this.dtype} [${this.shape}] is disposed. Dispose of it after its last run.`,
    );
  }

  dispose(): void {
    this.#tensor?.dispose();
    this.#tensor = undefined;
  }
}

function engineTensor(value: Tensor | DeviceTensor, TensorClass: TensorConstructor): OrtTensor {
  if (value instanceof OrtDeviceTensor) return value.tensor;
  if ('data' in value) return new TensorClass(value.dtype, value.data as never, value.shape) as OrtTensor;
  throw new BackendError('engine: the value lies on the device of another engine. Upload it to this one.');
}
