/**
 * Updates on a device on which parameters, moments and gradients stay: a step sends the batch and brings back scalars. The
 * state comes to the host where somebody asks for it (checkpoints, validation, the end), gradients where machines share
 * the batch. All of it lies in one buffer for each block of the layout, so that an update is a few large passes.
 */
import { scalar, sizeOf, type Tensor } from '../core/tensor.ts';
import type { DeviceTensor, Residency, ResidentProgram } from '../runtime/backend.ts';
import { buildGradientGraph, buildSumGraph, buildUpdateGraph, names, scalarOf } from './step-graphs.ts';
import {
  type BatchPart,
  type Figures,
  GradientPrograms,
  type PlaceOptions,
  pick,
  type StepPlace,
  type UpdateScalars,
} from './step-place.ts';

type Buffers = Record<string, DeviceTensor>;

const stateKeys = ['parameter', 'first', 'second'] as const;

export class DeviceStep implements StepPlace {
  readonly #options: PlaceOptions;
  readonly #resident: Residency;
  readonly #programs: GradientPrograms<ResidentProgram>;
  /** `parameter/i`, `first/i` and `second/i` for every block; absent while the host has what is newest. */
  #current: Buffers | undefined;
  /** The same as an update left it, not yet in effect. */
  #next: Buffers = {};
  /** `gradient/i`, summed over parts and ranks. */
  #sums: Buffers = {};
  /** Whether the host's state is older than the device's. */
  #behind = false;
  #frozen: Promise<DeviceTensor> | undefined;
  #add: Promise<ResidentProgram> | undefined;
  #update: Promise<ResidentProgram> | undefined;

  constructor(options: PlaceOptions, resident: Residency) {
    this.#options = options;
    this.#resident = resident;
    const { specs, build, precision, layout } = options;
    this.#programs = new GradientPrograms(
      (kind) => buildGradientGraph(build(kind), specs, { precision, layout }),
      ({ graph }) => resident.compile(graph, this.#blockNames(names.gradient)),
    );
  }

  async gradients(parts: readonly BatchPart[], scale: number): Promise<Figures> {
    const figures = { total: 0, weight: 0 };
    disposeAll(this.#sums);
    const parameters = await this.#upload();
    const frozen = await this.#uploadFrozen();
    for (const part of parts) {
      const { program, weight, feeds } = await this.#programs.prepare(part);
      const all = { ...parameters, ...frozen, ...feeds, [names.scale]: scalar(scale) };
      const { kept, values } = await program.run(pick(program.inputNames, all));
      figures.total += scalarOf(values, names.total);
      figures.weight += weight ?? scalarOf(values, names.weight);
      await this.#addUp(kept);
    }
    return this.#sumOverRanks(figures);
  }

  async update({ divisor, rates, step }: UpdateScalars): Promise<number> {
    const { layout, update: options } = this.#options;
    disposeAll(this.#next);
    const keys = stateKeys.flatMap((key) => this.#blockNames(names[key]));
    this.#update ??= this.#resident.compile(buildUpdateGraph(layout, options), keys.map(names.next));
    const update = await this.#update;
    const scalars: Record<string, Tensor> = { [names.weight]: scalar(divisor), [names.step]: scalar(step) };
    for (const [group, rate] of Object.entries(rates)) scalars[names.rate(group)] = scalar(rate);
    const all = { ...(await this.#upload()), ...this.#sums, ...scalars };
    const { kept, values } = await update.run(pick(update.inputNames, all));
    this.#next = Object.fromEntries(keys.map((key) => [key, kept[names.next(key)]!]));
    return scalarOf(values, names.norm);
  }

  commit(): void {
    const before = this.#current!;
    this.#current = this.#next;
    this.#next = {};
    this.#behind = true;
    disposeAll(before);
  }

  restored(): void {
    disposeAll(this.#current ?? {});
    this.#current = undefined;
    this.#behind = false;
  }

  async fetch(): Promise<void> {
    if (!this.#behind) return;
    for (const { key, values } of this.#hostBlocks())
      values.set(await this.#resident.download(this.#current![key]!));
    this.#behind = false;
  }

  async dispose(): Promise<void> {
    for (const buffers of [this.#current ?? {}, this.#next, this.#sums]) disposeAll(buffers);
    (await this.#frozen)?.dispose();
    await this.#programs.dispose();
    await (await this.#add)?.dispose();
    await (await this.#update)?.dispose();
  }

  #blockNames(key: (name: string) => string): string[] {
    return this.#options.layout.blocks.map((_, i) => key(`${i}`));
  }

  /** The blocks of the state on the host, by the names of the buffers. */
  #hostBlocks(): { readonly key: string; readonly values: Float32Array }[] {
    const { layout, state } = this.#options;
    return stateKeys.flatMap((key) =>
      layout.blocks.map(({ start, length }, i) => ({
        key: names[key](`${i}`),
        values: state[key].subarray(start, start + length),
      })),
    );
  }

  async #upload(): Promise<Buffers> {
    if (this.#current) return this.#current;
    const buffers: Buffers = {};
    for (const { key, values } of this.#hostBlocks()) buffers[key] = await this.#resident.upload(values);
    this.#current = buffers;
    return buffers;
  }

  /** All frozen parameters in one buffer, in the order of the specs. */
  async #uploadFrozen(): Promise<Buffers> {
    const { specs, initial } = this.#options;
    const frozen = specs.filter(({ group }) => group === undefined);
    if (frozen.length === 0) return {};
    if (!this.#frozen) {
      const flat = new Float32Array(frozen.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
      let end = 0;
      for (const { name } of frozen) {
        flat.set(initial.get(name)!.data, end);
        end += initial.get(name)!.data.length;
      }
      this.#frozen = this.#resident.upload(flat);
    }
    return { [names.frozen]: await this.#frozen };
  }

  /** Add a part's gradients to the sums; the first ones are the sums. */
  async #addUp(part: Readonly<Buffers>): Promise<void> {
    const sums = this.#sums;
    if (Object.keys(sums).length === 0) {
      Object.assign(sums, part);
      return;
    }
    const keys = this.#blockNames(names.gradient);
    this.#add ??= this.#resident.compile(buildSumGraph(this.#options.layout), keys.map(names.sum));
    const parts = Object.fromEntries(keys.map((key) => [names.part(key), part[key]!]));
    const { kept } = await (await this.#add).run({ ...sums, ...parts });
    disposeAll(sums);
    disposeAll(parts);
    for (const key of keys) sums[key] = kept[names.sum(key)]!;
  }

  async #sumOverRanks(figures: Figures): Promise<Figures> {
    const { layout, ranks } = this.#options;
    if (!ranks) return figures;
    const flat = new Float32Array(layout.length + 2);
    for (const [i, { start }] of layout.blocks.entries())
      flat.set(await this.#resident.download(this.#sums[names.gradient(`${i}`)]!), start);
    flat.set([figures.total, figures.weight], layout.length);
    await ranks.sum(flat);
    disposeAll(this.#sums);
    for (const [i, { start, length }] of layout.blocks.entries())
      this.#sums[names.gradient(`${i}`)] = await this.#resident.upload(flat.subarray(start, start + length));
    return { total: flat[layout.length]!, weight: flat[layout.length + 1]! };
  }
}

/** Dispose of buffers and forget them. */
function disposeAll(buffers: Buffers): void {
  for (const [key, buffer] of Object.entries(buffers)) {
    buffer.dispose();
    delete buffers[key];
  }
}
