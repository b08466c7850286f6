/**
 * The engine in a page or worker: onnxruntime-web, on `cpu` (WebAssembly) or `webgpu`. It is loaded when a backend is
 * created, and only the build that the device needs: 14 MB of WebAssembly for `cpu`, 27 MB for `webgpu`.
 */
import type { Env, InferenceSession, Tensor } from 'onnxruntime-common';
import { BackendError } from '../core/errors.ts';
import type { Backend } from './backend.ts';
import { openOrtBackend } from './ort-backend.ts';
import { messageOf, type OrtSession } from './ort-tensors.ts';

type WebDevice = 'cpu' | 'webgpu';
type OrtWeb = typeof import('onnxruntime-web');

export interface WebBackendOptions {
  /** auto: webgpu where there is a hardware adapter, else cpu. Default auto. */
  readonly device?: 'auto' | WebDevice;
  /**
   * Threads inside an operator. Default: half of the cores, at most 4. More than one needs a cross-origin isolated page
   * (headers `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`), else it is 1.
   * The first backend of a device decides for the whole page: `description` says how many there are.
   */
  readonly threads?: number;
  /** Where the `ort-wasm-*` files of onnxruntime-web lie: a folder ending in `/`, or each file. Default: beside its script. */
  readonly wasmPaths?: Env.WasmPrefixOrFilePaths;
}

const fixes: Readonly<Record<WebDevice, string>> = {
  cpu: "Serve onnxruntime-web's .wasm files beside its script, or say where they are with wasmPaths.",
  webgpu: 'Use a browser and a GPU with WebGPU, on https or localhost, or device cpu.',
};

/** An engine on a device of this page; BackendError, with what to do, where the device or onnxruntime-web is absent. */
export async function createWebBackend({
  device = 'auto',
  ...options
}: WebBackendOptions = {}): Promise<Backend> {
  if (device !== 'auto') return openDevice(device, options);
  const adapter = await findAdapter().catch(() => undefined);
  // A fallback adapter computes WebGPU on the cores: slower than WebAssembly there.
  if (adapter && !adapter.info.isFallbackAdapter) {
    try {
      return await openDevice('webgpu', options);
    } catch {
      // No usable GPU: the cores it is.
    }
  }
  return openDevice('cpu', options);
}

async function openDevice(
  device: WebDevice,
  { threads, wasmPaths }: Omit<WebBackendOptions, 'device'>,
): Promise<Backend> {
  if (device === 'webgpu' && !(await findAdapter().catch(() => undefined))) {
    throw new BackendError(
      `device webgpu: not usable here (the browser offers no WebGPU adapter). ${fixes.webgpu}`,
    );
  }
  const ort = await loadOrt(device);
  ort.env.wasm.numThreads ??= chooseThreads(threads); // once it runs, its threads are fixed
  if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
  ort.env.logLevel = 'error';
  return openOrtBackend({
    description: `onnxruntime-web ${ort.env.versions.web}, ${device}, ${ort.env.wasm.numThreads} threads`,
    device,
    Tensor: ort.Tensor,
    options: {
      executionProviders: [device === 'cpu' ? 'wasm' : device],
      logSeverityLevel: 4, // what goes wrong arrives as an exception, not as lines in the console
    },
    keepsOutputs: device === 'webgpu',
    fix: fixes[device],
    create: (model, sessionOptions) =>
      takeTurn(async () => queuedSession(await ort.InferenceSession.create(model, sessionOptions))),
  });
}

async function loadOrt(device: WebDevice): Promise<OrtWeb> {
  try {
    return await (device === 'cpu' ? import('onnxruntime-web/wasm') : import('onnxruntime-web/webgpu'));
  } catch (cause) {
    throw new BackendError(
      `device ${device}: onnxruntime-web cannot be loaded (${messageOf(cause)}). Run \`npm install onnxruntime-web\` and bundle or serve it with the page.`,
      { cause },
    );
  }
}

async function findAdapter(): Promise<GPUAdapter | undefined> {
  const gpu = (globalThis.navigator as Partial<Navigator> | undefined)?.gpu;
  return (await gpu?.requestAdapter()) ?? undefined;
}

function chooseThreads(wanted: number | undefined): number {
  if (!globalThis.crossOriginIsolated) return 1; // threads share memory, which only isolated pages may
  return wanted ?? Math.min(4, Math.ceil((navigator.hardwareConcurrency || 1) / 2));
}

let lastTurn: Promise<unknown> = Promise.resolve();

/** onnxruntime-web shares one stack between all sessions, and calls that overlap would corrupt it: one after the other. */
function takeTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => undefined);
  return turn;
}

/** The session with its calls in turn, and with outputs written in place, which onnxruntime-web itself does not do. */
function queuedSession(session: InferenceSession): OrtSession {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds, fetches) {
      const results = await takeTurn(() => session.run(feeds, Object.keys(fetches)));
      return Object.fromEntries(
        Object.entries(fetches).map(([name, target]) => [name, copyInto(target, results[name]!, name)]),
      );
    },
    release: () => takeTurn(() => session.release()),
  };
}

function copyInto(target: Tensor | null, result: Tensor, name: string): Tensor {
  if (target === null) return result;
  if (String(target.dims) !== String(result.dims) || target.type !== result.type) {
    throw new Error(
      `output ${name} is ${result.type} [${result.dims}], the tensor to write it into ${target.type} [${target.dims}]`,
    );
  }
  (target.data as Float32Array).set(result.data as Float32Array);
  return target;
}
