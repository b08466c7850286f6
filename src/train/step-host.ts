/**
 * Updates on the host: gradients of the parts of a batch, and of the machines that share it, add up in one flat array;
 * then one pass over the state, which lies flat as well. A device without memory of its own for us (cuda, see docs/gpu.md)
 * takes the parameters and gives the gradients at every run.
 */
import { float32, scalar, type Tensor } from '../core/tensor.ts';
import type { Program } from '../runtime/backend.ts';
import { type AdamWOptions, clippingScale, normOf, updateBlock } from './adamw.ts';
import { buildGradientGraph, names, scalarOf } from './step-graphs.ts';
import {
  type BatchPart,
  type Figures,
  GradientPrograms,
  type PlaceOptions,
  pick,
  type StepPlace,
  type UpdateScalars,
} from './step-place.ts';

export class HostStep implements StepPlace {
  readonly #options: PlaceOptions;
  readonly #programs: GradientPrograms<Program>;
  /** Parameters by name: frozen ones, and views of the state. */
  readonly #parameters: Record<string, Tensor> = {};
  /** [gradients, total, weight], summed over parts and ranks. */
  readonly #sums: Float32Array;
  #part: Float32Array | undefined;
  /** What `commit` will do. */
  #pending: AdamWOptions | undefined;

  constructor(options: PlaceOptions) {
    this.#options = options;
    const { backend, specs, build, initial, layout, state, precision } = options;
    this.#programs = new GradientPrograms(
      (kind) => buildGradientGraph(build(kind), specs, { precision }),
      ({ graph }) => backend.compile(graph),
    );
    for (const { name, group } of specs)
      if (group === undefined) this.#parameters[names.parameter(name)] = initial.get(name)!;
    for (const { name, shape, start, length } of layout.parameters)
      this.#parameters[names.parameter(name)] = float32(
        shape,
        state.parameter.subarray(start, start + length),
      );
    this.#sums = new Float32Array(layout.length + 2);
  }

  async gradients(parts: readonly BatchPart[], scale: number): Promise<Figures> {
    const { layout, ranks } = this.#options;
    for (const [i, part] of parts.entries()) {
      if (i === 0) {
        await this.#gradients(part, scale, this.#sums);
        continue;
      }
      this.#part ??= new Float32Array(layout.length + 2);
      await this.#gradients(part, scale, this.#part);
      addTo(this.#sums, this.#part);
    }
    await ranks?.sum(this.#sums);
    return { total: this.#sums[layout.length]!, weight: this.#sums[layout.length + 1]! };
  }

  async update({ divisor, rates, step }: UpdateScalars): Promise<number> {
    const { layout, update } = this.#options;
    const norm = normOf(this.#sums, layout.length) / divisor;
    this.#pending = { rates, step, scale: clippingScale(norm, update.clipNorm) / divisor };
    return norm;
  }

  commit(): void {
    const { layout, state } = this.#options;
    for (const block of layout.blocks) updateBlock(state, this.#sums, block, this.#pending!);
  }

  restored(): void {}

  async fetch(): Promise<void> {}

  dispose(): Promise<void> {
    return this.#programs.dispose();
  }

  /** Write the gradients, the total and the weight of a part into a flat array. */
  async #gradients(part: BatchPart, scale: number, flat: Float32Array): Promise<void> {
    const { program, weight, feeds } = await this.#programs.prepare(part);
    const { length, parameters } = this.#options.layout;
    const into: Record<string, Tensor> = {};
    for (const { name, shape, start, length: size } of parameters)
      into[names.gradient(name)] = float32(shape, flat.subarray(start, start + size));
    const all = { ...this.#parameters, ...feeds, [names.scale]: scalar(scale) };
    const results = await program.run(pick(program.inputNames, all), program.outputNames, into);
    flat[length] = scalarOf(results, names.total);
    flat[length + 1] = weight ?? scalarOf(results, names.weight);
  }
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}
