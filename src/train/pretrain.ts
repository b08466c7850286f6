/**
 * Pre-training an encoder by masked reconstruction: windows of one modality [W, C, N, P] → weights under CBraMod's
 * official names. Source: CBraMod (arXiv 2412.07236); dual masking of ECG: arXiv 2512.15250.
 */
import { DataError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { float32, tensor } from '../core/tensor.ts';
import { joinOrigins, type Origin } from '../datasets/people.ts';
import { maskedMse } from '../graph/losses.ts';
import { encode, encoderParameters, reconstruct } from '../model/cbramod.ts';
import { DropoutSites } from '../model/dropout.ts';
import { type FloatTensors, fitParameters, initialParameters } from '../model/parameters.ts';
import { encodeSafetensors, hashTensors } from '../model/safetensors.ts';
import { drawLeadSubset } from '../patches/lead-subset.ts';
import { drawMask, drawMaskKind, visible } from '../patches/mask.ts';
import {
  asReader,
  readSignals,
  type SignalShape,
  type WindowIndex,
  type WindowReader,
} from '../patches/window-reader.ts';
import type { WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { cutBatch } from './batch-parts.ts';
import type { Draws } from './draws.ts';
import { type Curves, type TrainingOptions, type TrainingTask, train } from './loop.ts';
import type { PretrainRecipe } from './recipe.ts';
import { type ReconstructionExample, ReconstructionValidation, validationKinds } from './reconstruction.ts';
import type { Batch } from './step.ts';
import type { BuildLoss } from './step-graphs.ts';
import { TrainingWindows } from './training-windows.ts';

export interface PretrainOptions
  extends Pick<TrainingOptions, 'store' | 'log' | 'progress' | 'signal' | 'ranks'> {
  readonly backend: Backend;
  /** In memory, or read from a store while training. */
  readonly windows: WindowSet | WindowReader;
  readonly recipe: PretrainRecipe;
  /** Name of the data, for the provenance. */
  readonly dataset?: string;
  /** Weights to go on from; drawn from the seed where absent. */
  readonly initial?: FloatTensors;
  /** What their file says of whom they have seen: `dataset`, `subjects`. */
  readonly initialOrigin?: Origin;
  /** Who validates; a share of the subjects drawn from the seed where absent. */
  readonly validationSubjects?: readonly string[];
}

export interface PretrainResult {
  /** Official names. */
  readonly tensors: FloatTensors;
  readonly curves: Curves;
  readonly validationSubjects: readonly string[];
  /** A held-out window under each kind of mask. */
  readonly examples: readonly ReconstructionExample[];
  readonly provenance: Readonly<Record<string, string>>;
}

/**
 * Pre-train an encoder. DataError where the modality is absent or fewer than two subjects are given; errors of the
 * loop.
 */
export async function pretrain(options: PretrainOptions): Promise<PretrainResult> {
  const { backend, recipe } = options;
  const { modality, seed, mask, optimization } = recipe;
  const windows = asReader(options.windows);
  const shape = windows.signals[modality];
  if (!shape)
    throw new DataError(`pretrain: the windows hold no ${modality}. Add it to the recipe's signals.`);
  const tokens = shape.channels.length * shape.patches;
  const validationSubjects = options.validationSubjects ?? drawSubjects(windows, recipe);
  const split = splitWindows(windows, validationSubjects, recipe);
  const validation = new ReconstructionValidation({
    backend,
    modality,
    mask,
    seed,
    config: recipe.encoder,
    windows: (await readSignals(windows, split.validation, [modality]))[modality]!,
    batch: cutBatch(optimization, { tokens }).windows,
    ranks: options.ranks,
  });
  const specs = encoderParameters(recipe.encoder);
  const initial = options.initial
    ? fitParameters(options.initial, specs, 'initial encoder')
    : drawInitial(specs, recipe);
  const training = new TrainingWindows({
    ...{ windows, seed, modalities: [modality], batch: optimization.batch },
    indices: split.training,
    ranks: options.ranks,
  });
  const task: TrainingTask = {
    ...training.order,
    specs: specs.map(({ name, shape, frozen }) => ({ name, shape, ...(frozen ? {} : { group: 'encoder' }) })),
    initial,
    learningRates: { encoder: recipe.learningRate },
    count: split.training.length,
    tokens,
    build: (kind, size) => {
      const [channels, patches] = kind.split('x').map(Number);
      return buildPretrainLoss(recipe, size, channels!, patches!);
    },
    draw: async (indices, draws) =>
      drawBatch(
        shape,
        (await training.read(indices.map((i) => split.training[i]!)))[modality]!,
        indices.length,
        recipe,
        draws,
      ),
    validate: (parameters) => validation.scores(parameters),
    score: { name: 'loss', mode: 'min' },
  };
  const identity = {
    recipe,
    data: windows.hash,
    validationSubjects,
    initial: options.initial ? hashTensors(options.initial) : null,
    ...training.identity,
  };
  try {
    const { parameters, curves, bestEpoch } = await train(task, { ...options, seed, optimization, identity });
    const examples: ReconstructionExample[] = [];
    for (const kind of validationKinds(mask, shape.channels.length))
      examples.push(await validation.example(parameters, kind));
    const own = {
      ...(options.dataset === undefined ? {} : { dataset: options.dataset }),
      subjects: JSON.stringify([...new Set(windows.subject)].sort()),
    };
    const provenance = {
      recipe: JSON.stringify(recipe),
      prepare: JSON.stringify(windows.recipe),
      // Whom the encoder has seen: an evaluation can tell when it tests on them.
      ...(options.initial ? joinOrigins(own, options.initialOrigin ?? {}) : own),
      data: windows.hash,
      seed: String(seed),
      bestEpoch: String(bestEpoch),
      engine: backend.description,
    };
    return { tensors: parameters, curves, validationSubjects, examples, provenance };
  } finally {
    await validation.dispose();
  }
}

function drawInitial(
  specs: ReturnType<typeof encoderParameters>,
  { seed, outputInitial }: PretrainRecipe,
): FloatTensors {
  const drawn = initialParameters(specs, Random.derive(seed, 'initial'));
  if (outputInitial === 'zeros')
    for (const [name, { data }] of drawn) if (name.startsWith('proj_out.')) data.fill(0);
  return drawn;
}

/** The weights as a file: official names, where they come from in the metadata. */
export function encodePretrained({ tensors, provenance }: PretrainResult): Uint8Array {
  return encodeSafetensors(tensors, { format: 'heartmind', ...provenance });
}

/** Masked reconstruction of [batch, channels, patches, P]. */
export function buildPretrainLoss(
  { encoder: config }: Pick<PretrainRecipe, 'encoder'>,
  batch: number,
  channels: number,
  patches: number,
): BuildLoss {
  return (graph, parameter) => {
    const target = graph.input('patches', 'float32', [batch, channels, patches, config.patchSamples]);
    const mask = graph.input('mask', 'bool', [batch, channels, patches]);
    const dropout = new DropoutSites(graph, config.dropout);
    const embedding = encode({ patches: target, mask, parameter, config, dropout });
    const loss = maskedMse(reconstruct(embedding, parameter), target, mask);
    return { loss, dropouts: dropout.inputs };
  };
}

/**
 * Windows with a subset of their channels each and cut to a length (as many and as long in the whole batch), and what is
 * hidden in each.
 */
function drawBatch(
  { channels, patches: whole, patchSamples }: SignalShape,
  data: Float32Array,
  count: number,
  { mask: maskRecipe, leadSubsets, cropPatches }: PretrainRecipe,
  draws: Draws,
): Batch {
  const sizes = leadSubsets.length > 0 ? leadSubsets : [channels.length];
  const size = Math.min(channels.length, sizes[draws.shared('leads').integer(sizes.length)]!);
  const lengths = cropPatches.length > 0 ? cropPatches : [whole];
  const patches = Math.min(whole, lengths[draws.shared('crop').integer(lengths.length)]!);
  const row = patches * patchSamples;
  const spare = (whole - patches) * patchSamples;
  const values = new Float32Array(count * size * row);
  const hidden = new Uint8Array(count * size * patches);
  for (let i = 0; i < count; i++) {
    const random = draws.sample('mask', i);
    const leads = drawLeadSubset(channels.length, size, random);
    const offset = spare > 0 ? draws.sample('crop', i).integer(spare + 1) : 0;
    for (const [j, lead] of leads.entries()) {
      const start = (i * channels.length + lead) * whole * patchSamples + offset;
      values.set(data.subarray(start, start + row), (i * size + j) * row);
    }
    const kind = drawMaskKind(maskRecipe, random);
    const present = leads.map((lead) => channels[lead]!);
    hidden.set(
      drawMask(kind, present, patches, maskRecipe, random).map((code) => Number(code !== visible)),
      i * size * patches,
    );
  }
  return {
    kind: `${size}x${patches}`,
    samples: count,
    feeds: {
      patches: float32([count, size, patches, patchSamples], values),
      mask: tensor('bool', [count, size, patches], hidden),
    },
  };
}

/** A share of the subjects, at least one; DataError where none would be left to train on. */
function drawSubjects(windows: WindowIndex, { seed, validationShare }: PretrainRecipe): string[] {
  const subjects = [...new Set(windows.subject)].sort();
  if (subjects.length < 2)
    throw new DataError(
      `pretrain: the windows are of ${subjects.length} subject; at least 2 are due, as some validate. Add recordings.`,
    );
  const count = Math.min(subjects.length - 1, Math.max(1, Math.round(validationShare * subjects.length)));
  return Random.derive(seed, 'validation', 'subjects').shuffle(subjects).slice(0, count).sort();
}

/** Indices of training and validation windows; the latter thinned evenly to the recipe's number. */
function splitWindows(windows: WindowIndex, validationSubjects: readonly string[], recipe: PretrainRecipe) {
  const held = new Set(validationSubjects);
  const training: number[] = [];
  const validating: number[] = [];
  for (const [i, subject] of windows.subject.entries()) (held.has(subject) ? validating : training).push(i);
  if (training.length === 0 || validating.length === 0)
    throw new DataError(
      `pretrain: ${training.length} windows train and ${validating.length} validate; both need some. Choose other validation subjects.`,
    );
  const count = Math.min(validating.length, recipe.validationWindows);
  const thinned = Array.from(
    { length: count },
    (_, i) => validating[Math.floor((i * validating.length) / count)]!,
  );
  return { training, validation: thinned };
}
