/**
 * Validation of masked reconstruction: held-out windows, fixed masks → the loss of each kind of mask apart, beside two
 * trivial references, and an example to look at.
 */
import { Random } from '../core/random.ts';
import { float32, type Tensor, tensor } from '../core/tensor.ts';
import { Graph } from '../graph/ir.ts';
import { mul, reduceMean, sub } from '../graph/operators.ts';
import { encode, encoderParameters, reconstruct } from '../model/cbramod.ts';
import type { EncoderConfig } from '../model/config.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { drawMask, hiddenLead, type MaskKind, type MaskRecipe, visible } from '../patches/mask.ts';
import type { SignalWindows } from '../patches/windows.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { type Rows, spreadRows } from './distributed.ts';
import type { Ranks } from './ranks.ts';
import { names } from './step-graphs.ts';

/** Original, mask and reconstruction of one held-out window: [C, N·P] in model units, the mask [C, N] as codes. */
export interface ReconstructionExample {
  readonly modality: 'eeg' | 'ecg';
  readonly channels: readonly string[];
  readonly patches: number;
  readonly patchSamples: number;
  readonly kind: MaskKind;
  readonly original: Float32Array;
  readonly mask: Uint8Array;
  readonly reconstruction: Float32Array;
}

/** Sums of squared errors per kind; dual's patches apart by why they are hidden. */
type Sums = Map<string, { sum: number; count: number }>;

export interface ReconstructionOptions {
  readonly backend: Backend;
  readonly config: EncoderConfig;
  readonly windows: SignalWindows;
  readonly modality: 'eeg' | 'ecg';
  readonly mask: MaskRecipe;
  readonly seed: number;
  readonly batch: number;
  /** Share the windows; every rank must ask for the scores. */
  readonly ranks?: Ranks | undefined;
}

/** The kinds worth telling apart: those trained on, and what dual is made of. */
export function validationKinds({ mixture }: MaskRecipe, channels: number): MaskKind[] {
  const trained = (Object.entries(mixture) as [MaskKind, number][]).flatMap(([kind, weight]) =>
    weight > 0 ? [kind] : [],
  );
  const parts: MaskKind[] = trained.includes('dual') && channels > 1 ? ['intra', 'inter'] : [];
  return [...new Set([...trained, ...parts, 'span' as const])];
}

export class ReconstructionValidation {
  readonly #options: ReconstructionOptions;
  readonly #count: number;
  /** A mask for every window, by kind: drawn once. */
  readonly #masks: ReadonlyMap<MaskKind, readonly Uint8Array[]>;
  readonly #references: Readonly<Record<string, number>>;
  #program: Promise<Program> | undefined;

  constructor(options: ReconstructionOptions) {
    this.#options = options;
    const { windows, mask, seed } = options;
    const { channels, patches, patchSamples, data } = windows;
    this.#count = data.length / (channels.length * patches * patchSamples);
    this.#masks = new Map(
      validationKinds(mask, channels.length).map((kind) => {
        const random = Random.derive(seed, 'validation', kind);
        const masks = Array.from({ length: this.#count }, () =>
          drawMask(kind, channels, patches, mask, random),
        );
        return [kind, masks];
      }),
    );
    this.#references = this.#computeReferences();
  }

  /**
   * Mean squared error over the hidden samples: `loss` (as mixed in training), `loss.intra` …, `loss.dual.intra` and
   * `loss.dual.inter`, and the same of predicting zero (`zero.…`) and each lead's mean (`mean.…`).
   */
  async scores(parameters: FloatTensors): Promise<Record<string, number>> {
    const sums: Sums = new Map();
    for (const [kind, masks] of this.#masks) {
      const { ranks, batch } = this.#options;
      const compute = (rows: Rows) => this.#errors(parameters, masks, rows);
      const errors = await spreadRows(ranks, this.#count, batch, compute);
      const size = masks[0]!.length;
      for (let i = 0; i < errors.length; i++)
        addError(sums, kind, masks[Math.floor(i / size)]![i % size]!, errors[i]!);
    }
    const losses = meansOf(sums, 'loss');
    return { loss: this.#mixed(losses), ...losses, ...this.#references };
  }

  /** One held-out window under a mask, with its reconstruction. */
  async example(parameters: FloatTensors, kind: MaskKind, index = 0): Promise<ReconstructionExample> {
    const { windows, modality } = this.#options;
    const { channels, patches, patchSamples, data } = windows;
    const size = channels.length * patches * patchSamples;
    const mask = this.#masks.get(kind)![index]!;
    const original = data.slice(index * size, (index + 1) * size);
    const program = await this.#compile();
    const feeds = {
      patches: float32([1, channels.length, patches, patchSamples], original),
      mask: tensor(
        'bool',
        [1, channels.length, patches],
        mask.map((code) => Number(code !== visible)),
      ),
      ...parameterFeeds(program, parameters),
    };
    const { reconstruction } = await program.run(feeds, ['reconstruction']);
    return {
      ...{ modality, channels, patches, patchSamples, kind, original, mask },
      reconstruction: Float32Array.from(reconstruction!.data as Float32Array),
    };
  }

  async dispose(): Promise<void> {
    await (await this.#program)?.dispose();
    this.#program = undefined;
  }

  /** The mean of the kinds' losses, weighted as in training. */
  #mixed(losses: Readonly<Record<string, number>>): number {
    let [sum, total] = [0, 0];
    for (const [kind, weight] of Object.entries(this.#options.mask.mixture)) {
      if (weight === 0) continue;
      sum += weight * losses[`loss.${kind}`]!;
      total += weight;
    }
    return sum / total;
  }

  /** The mean squared error of every patch of these windows [W, C, N]. */
  async #errors(parameters: FloatTensors, masks: readonly Uint8Array[], rows: Rows): Promise<Float32Array> {
    const { windows, batch } = this.#options;
    const { channels, patches, patchSamples, data } = windows;
    const size = channels.length * patches;
    const program = await this.#compile();
    const fixed = parameterFeeds(program, parameters);
    const errors = new Float32Array((rows.end - rows.start) * size);
    for (let start = rows.start; start < rows.end; start += batch) {
      const end = Math.min(rows.end, start + batch);
      const hidden = new Uint8Array((end - start) * size);
      for (let i = start; i < end; i++)
        hidden.set(
          masks[i]!.map((code) => Number(code !== visible)),
          (i - start) * size,
        );
      const slice = data.subarray(start * size * patchSamples, end * size * patchSamples);
      const feeds = {
        patches: float32([end - start, channels.length, patches, patchSamples], slice),
        mask: tensor('bool', [end - start, channels.length, patches], hidden),
        ...fixed,
      };
      const results = await program.run(feeds, ['errors']);
      errors.set(results.errors!.data as Float32Array, (start - rows.start) * size);
    }
    return errors;
  }

  #compile(): Promise<Program> {
    this.#program ??= this.#options.backend.compile(this.#graph());
    return this.#program;
  }

  /** patches and mask → reconstruction [B, C, N, P] and the mean squared error of every patch [B, C, N]. */
  #graph(): Graph {
    const { config, windows } = this.#options;
    const graph = new Graph('reconstruction');
    const size = ['B', windows.channels.length, windows.patches];
    const patches = graph.input('patches', 'float32', [...size, windows.patchSamples]);
    const mask = graph.input('mask', 'bool', size);
    const inputs = new Map(
      encoderParameters(config).map(({ name, shape }) => [
        name,
        graph.input(names.parameter(name), 'float32', shape),
      ]),
    );
    const parameter = (name: string) => inputs.get(name)!;
    const reconstruction = reconstruct(encode({ patches, mask, parameter, config }), parameter);
    const error = sub(reconstruction, patches);
    graph.output('errors', reduceMean(mul(error, error), [3], { keepDims: false }));
    graph.output('reconstruction', reconstruction);
    return graph;
  }

  #computeReferences(): Record<string, number> {
    const { channels, patches, patchSamples, data } = this.#options.windows;
    const zero: Sums = new Map();
    const mean: Sums = new Map();
    for (const [kind, masks] of this.#masks) {
      for (const [window, mask] of masks.entries()) {
        for (let channel = 0; channel < channels.length; channel++) {
          const start = (window * channels.length + channel) * patches * patchSamples;
          const lead = data.subarray(start, start + patches * patchSamples);
          const average = lead.reduce((sum, x) => sum + x, 0) / lead.length;
          for (let patch = 0; patch < patches; patch++) {
            const code = mask[channel * patches + patch]!;
            const values = lead.subarray(patch * patchSamples, (patch + 1) * patchSamples);
            addError(zero, kind, code, meanSquare(values, 0));
            addError(mean, kind, code, meanSquare(values, average));
          }
        }
      }
    }
    return { ...meansOf(zero, 'zero'), ...meansOf(mean, 'mean') };
  }
}

function parameterFeeds(program: Program, parameters: FloatTensors): Record<string, Tensor> {
  return Object.fromEntries(
    [...parameters]
      .map(([name, value]) => [names.parameter(name), value] as const)
      .filter(([name]) => program.inputNames.includes(name)),
  );
}

function addError(sums: Sums, kind: MaskKind, code: number, error: number): void {
  if (code === visible) return;
  const keys = kind === 'dual' ? [kind, code === hiddenLead ? 'dual.inter' : 'dual.intra'] : [kind];
  for (const key of keys) {
    const entry = sums.get(key) ?? { sum: 0, count: 0 };
    entry.sum += error;
    entry.count++;
    sums.set(key, entry);
  }
}

function meansOf(sums: Sums, prefix: string): Record<string, number> {
  return Object.fromEntries([...sums].map(([kind, { sum, count }]) => [`${prefix}.${kind}`, sum / count]));
}

function meanSquare(values: Float32Array, level: number): number {
  let sum = 0;
  for (const x of values) sum += (x - level) ** 2;
  return sum / values.length;
}
