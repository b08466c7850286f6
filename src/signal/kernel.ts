/**
 * The inner loops of Fourier transform and resampling as WebAssembly, two float64 an instruction: 4 to 12 times as fast
 * as the TypeScript that they replace, which was far behind SciPy. Source: scripts/kernels/signal.as. This file starts
 * it, where it is first used, and hands out its memory; addresses are in bytes.
 */
import { DataError } from '../core/errors.ts';
import { kernelBase64 } from './generated/kernel.ts';

type Stage = (from: number, to: number, roots: number, l: number, m: number) => void;

/** What signal.as exports; its comments say what each does. */
export interface KernelFunctions {
  readonly memory: WebAssembly.Memory;
  readonly stage2: Stage;
  readonly stage3: Stage;
  readonly stage4: Stage;
  readonly stage5: Stage;
  stageOdd(...args: [...Parameters<Stage>, r: number, cycle: number, scratch: number]): void;
  multiply(a: number, b: number, n: number): void;
  unpackReal(z: number, half: number, roots: number, re: number, im: number): void;
  packReal(re: number, im: number, half: number, roots: number, z: number): void;
  addPower(z: number, n: number, power: number): void;
  addPowerReal(z: number, half: number, roots: number, power: number): void;
  swapScale(z: number, n: number, scale: number): void;
  taper(x: number, window: number, n: number, to: number, stride: number): void;
  polyphase(
    x: number,
    n: number,
    taps: number,
    start: number,
    offset: number,
    up: number,
    down: number,
    y: number,
    length: number,
  ): void;
}

const pageBytes = 65536;
/** The kernel's memory never shrinks: beyond this it is given up after use, plans and all. */
const maxKeptBytes = 2 ** 28;

/** The kernel's memory: plans, which stay, and above them what one call needs. */
export class Workspace {
  readonly run: KernelFunctions;
  readonly #plans = new Map<string, unknown>();
  /** Address behind the plans, and behind all that is in use. */
  #kept = 64;
  #used = 64;

  constructor() {
    const bytes = Uint8Array.from(atob(kernelBase64), (character) => character.charCodeAt(0));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { abort() {} } });
    this.run = instance.exports as unknown as KernelFunctions;
  }

  get byteLength(): number {
    return this.run.memory.buffer.byteLength;
  }

  /** Give back what the last call had. */
  clear(): void {
    this.#used = this.#kept;
  }

  /** The plan of that name; what `make` allocates stays. Ask for plans before allocating anything else. */
  plan<T>(name: string, make: () => T): T {
    if (!this.#plans.has(name)) {
      this.#plans.set(name, make());
      this.#kept = this.#used;
    }
    return this.#plans.get(name) as T;
  }

  /** The address of `count` float64. DataError beyond the 4 GiB that WebAssembly reaches. */
  allocate(count: number): number {
    const address = this.#used;
    const end = address + Math.ceil(count / 8) * 64;
    const missing = Math.ceil((end - this.byteLength) / pageBytes);
    try {
      if (missing > 0) this.run.memory.grow(missing);
    } catch (cause) {
      throw new DataError(
        `signal: ${count} numbers need ${end} bytes at once, which cannot be had. Work on shorter signals.`,
        { cause },
      );
    }
    this.#used = end;
    return address;
  }

  /** The memory at an address as float64, until something is allocated. */
  floats(address: number, count: number): Float64Array {
    return new Float64Array(this.run.memory.buffer, address, count);
  }

  /** A copy of x in the memory. */
  put(x: Float64Array | Int32Array): number {
    const address = this.allocate(x.length);
    if (x instanceof Float64Array) this.floats(address, x.length).set(x);
    else new Int32Array(this.run.memory.buffer, address, x.length).set(x);
    return address;
  }
}

let current: Workspace | undefined;

/** Work with the kernel; what it allocates outside of plans is gone afterwards. */
export function withWorkspace<T>(work: (workspace: Workspace) => T): T {
  if (!current || current.byteLength > maxKeptBytes) current = new Workspace();
  current.clear();
  return work(current);
}
