/** heartmind tensors ↔ ONNX Runtime's, and the Program over a session: the same for Node and the browser. */
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common';
import { BackendError, ShapeError } from '../core/errors.ts';
import type { DType, Tensor } from '../core/tensor.ts';
import { Graph } from '../graph/ir.ts';
import { encodeOnnx } from '../graph/onnx.ts';
import type { CompileOptions, Program } from './backend.ts';

/** What a Program needs of a session: onnxruntime-node's own, or the browser's behind a queue. */
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** A tensor given in `fetches` is written in place; null asks for a new one. */
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, OrtTensor | null>>,
  ): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

/** The bytes of a graph, or bytes as they are. */
export function modelBytes(graph: Graph | Uint8Array): Uint8Array {
  return graph instanceof Graph ? encodeOnnx(graph) : graph;
}

/** Session options that fix B. */
export function batchOverride({
  batch,
}: CompileOptions): Pick<InferenceSession.SessionOptions, 'freeDimensionOverrides'> {
  return batch === undefined ? {} : { freeDimensionOverrides: { B: batch } };
}

/** A Program over an ONNX Runtime session. `Tensor` is the constructor of that runtime. */
export function sessionProgram(session: OrtSession, TensorClass: TensorConstructor): Program {
  const known = new Set(session.inputNames);
  const wrap = ({ dtype, data, shape }: Tensor) => new TensorClass(dtype, data as never, shape) as OrtTensor;
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds, outputs = session.outputNames, into = {}) {
      checkFeeds(feeds, session.inputNames, known);
      const inputs = Object.fromEntries(session.inputNames.map((name) => [name, wrap(feeds[name]!)]));
      const fetches: Record<string, OrtTensor | null> = {};
      for (const name of outputs) fetches[name] = into[name] ? wrap(into[name]) : null;
      let results: Readonly<Record<string, OrtTensor>>;
      try {
        results = await session.run(inputs, fetches);
      } catch (cause) {
        throw new BackendError(`engine: the run failed (${messageOf(cause)}).`, { cause });
      }
      return Object.fromEntries(outputs.map((name) => [name, into[name] ?? unwrap(name, results[name])]));
    },
    dispose: () => session.release(),
  };
}

/** Message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** ShapeError where a feed is not exactly the inputs. */
export function checkFeeds(
  feeds: Readonly<Record<string, unknown>>,
  wanted: readonly string[],
  known: ReadonlySet<string>,
): void {
  const missing = wanted.filter((name) => !Object.hasOwn(feeds, name));
  const extra = Object.keys(feeds).filter((name) => !known.has(name));
  if (missing.length === 0 && extra.length === 0) return;
  const facts = [
    missing.length > 0 ? `lacks the inputs ${missing.slice(0, 10).join(', ')}` : '',
    extra.length > 0 ? `has unknown inputs ${extra.slice(0, 10).join(', ')}` : '',
  ].filter((fact) => fact !== '');
  throw new ShapeError(
    `run: the feed ${facts.join(' and ')}.`,
    'run',
    wanted.join(', '),
    Object.keys(feeds).join(', '),
  );
}

/** The engine's tensor as ours; BackendError where it is missing. */
export function unwrap(name: string, result: OrtTensor | undefined): Tensor {
  if (!result) throw new BackendError(`engine: no output '${name}'.`);
  return { dtype: result.type as DType, shape: [...result.dims], data: result.data } as Tensor;
}
