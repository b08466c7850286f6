/**
 * Running updates: batches → the next parameters and moments, on the host or where the device keeps the state. An update
 * takes effect by `commit` only: one that turns out not finite leaves the state as it was.
 */
import { BackendError, ConfigError } from '../core/errors.ts';
import { float32, type Tensor } from '../core/tensor.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { computesFloat16 } from '../runtime/devices.ts';
import type { FlatState } from './adamw.ts';
import { savedValues } from './checkpoint.ts';
import { LossScale } from './loss-scale.ts';
import { DeviceStep } from './step-device.ts';
import { layOut, names, trainable } from './step-graphs.ts';
import { HostStep } from './step-host.ts';
import type { BatchPart, PlaceOptions, StepPlace, StepRunnerOptions } from './step-place.ts';

export type { Batch, BatchPart, StepRunnerOptions } from './step-place.ts';

export interface StepOutcome {
  readonly loss: number;
  /** Global norm of the gradients before clipping. */
  readonly norm: number;
}

export class StepRunner {
  readonly #options: PlaceOptions;
  readonly #place: StepPlace;
  readonly #tensors: Record<string, Tensor<'float32'>> = {};
  /** While computing in float16. */
  readonly #lossScale: LossScale | undefined;
  #checked = false;
  /** Updates taken. */
  steps = 0;

  /** ConfigError where nothing learns. */
  constructor(options: StepRunnerOptions) {
    const { backend, specs, initial, update, precision } = options;
    if (trainable(specs).length === 0)
      throw new ConfigError('train: every parameter is frozen. Tune at least one.', 'tune');
    const layout = layOut(specs, update);
    const flat = () => new Float32Array(layout.length);
    const state: FlatState = { parameter: flat(), first: flat(), second: flat() };
    for (const { name, shape, start, length } of layout.parameters) {
      for (const key of ['parameter', 'first', 'second'] as const)
        this.#tensors[names[key](name)] = float32(shape, state[key].subarray(start, start + length));
      this.#tensors[names.parameter(name)]!.data.set(initial.get(name)!.data);
    }
    if (precision === 'float16') {
      this.#lossScale = new LossScale();
      this.#tensors[names.scale] = this.#lossScale.state;
    }
    this.#options = { ...options, layout, state };
    this.#place = backend.resident
      ? new DeviceStep(this.#options, backend.resident)
      : new HostStep(this.#options);
  }

  /**
   * `parameter/…`, `first/…` and `second/…` of all that learns, and the `scale` of float16; live buffers, of the last
   * update after `fetch` and until the next one.
   */
  get state(): Readonly<Record<string, Tensor<'float32'>>> {
    return this.#tensors;
  }

  /** Updates computed again in float16, by a smaller scale of the loss. */
  get repeats(): number {
    return this.#lossScale?.repeats ?? 0;
  }

  /** All parameters, frozen ones included; live buffers, of the last update after `fetch` and until the next one. */
  parameters(): FloatTensors {
    const { specs, initial } = this.#options;
    return new Map(
      specs.map(({ name }) => [name, this.#tensors[names.parameter(name)] ?? initial.get(name)!]),
    );
  }

  /** Bring the state to the host, from a device that keeps it. */
  fetch(): Promise<void> {
    return this.#place.fetch();
  }

  /** Go on from a saved state; FormatError where something of it is missing. */
  restore(state: ReadonlyMap<string, Tensor>, steps: number): void {
    for (const [key, { shape, data }] of Object.entries(this.#tensors))
      data.set(savedValues(state, key, shape));
    this.#place.restored();
    this.steps = steps;
  }

  /** Compute an update from the parts of a batch. BackendError where the device lacks the precision. */
  async compute(parts: readonly BatchPart[], rates: Readonly<Record<string, number>>): Promise<StepOutcome> {
    await this.#checkPrecision();
    for (;;) {
      const scale = this.#lossScale?.value ?? 1;
      const { total, weight } = await this.#place.gradients(parts, scale);
      const norm = await this.#place.update({ divisor: weight * scale, rates, step: this.steps + 1 });
      const loss = total / weight;
      if (!Number.isFinite(loss) || !this.#lossScale?.shouldRepeat({ weight, norm })) return { loss, norm };
    }
  }

  /** Let the computed update take effect. */
  commit(): void {
    this.#place.commit();
    this.#lossScale?.succeeded();
    this.steps++;
  }

  dispose(): Promise<void> {
    return this.#place.dispose();
  }

  async #checkPrecision(): Promise<void> {
    const { backend, precision } = this.#options;
    if (this.#checked || precision !== 'float16') return;
    if (!(await computesFloat16(backend)))
      throw new BackendError(
        `device ${backend.device}: it does not compute in float16 (WebGPU adapters need shader-f16). Set optimization.precision to float32.`,
      );
    this.#checked = true;
  }
}
