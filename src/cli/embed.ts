/** `heartmind embed MODEL FILE…`: embeddings of every window, for other tools. */

import { buildCommand } from '@stricli/core';
import { joinArrays } from '../core/arrays.ts';
import { ConfigError } from '../core/errors.ts';
import { noteInputPath } from '../core/input-files-node.ts';
import { checkOutput, writeFileAtomically } from '../core/output-node.ts';
import { type Tensor, tensor } from '../core/tensor.ts';
import { encoderConfig, modalitiesOf } from '../model/config.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { withoutPrefix } from '../model/parameters.ts';
import type { InferencePrecision } from '../model/precision.ts';
import { Embedder } from '../model/predict.ts';
import { releasedIndex } from '../model/released-weights-node.ts';
import { encodeSafetensors } from '../model/safetensors.ts';
import { parseRecipe, parseStoredRecipe, type Recipe } from '../patches/recipe.ts';
import { recordingWindows } from '../patches/recording-windows.ts';
import type { Modality, WindowSet } from '../patches/windows.ts';
import { encodeNpz } from '../read/numpy/npz.ts';
import type { Backend } from '../runtime/backend.ts';
import {
  type Context,
  createBackend,
  createWorkProgress,
  inferencePrecisionFlag,
  modelNameFlag,
  optionalText,
  parseText,
  requiredText,
  type WorkFlags,
  workFlags,
} from './command.ts';
import { findModelFile, isModelFile, readEncoder, readModel } from './model-source.ts';
import { inputOptionsOf, openInput, type ReadFlags, readFlags } from './read-flags.ts';
import { readRecipe } from './recipe-file.ts';

interface Flags extends WorkFlags, ReadFlags {
  readonly out: string;
  readonly model?: string;
  readonly recipe?: string;
  readonly tokens: boolean;
  readonly precision: InferencePrecision;
}

export const embedCommand = buildCommand<Flags, [string, ...string[]], Context>({
  docs: {
    brief: 'Embed recordings window by window, as safetensors or npz',
    customUsage: [
      { input: 'ecg-12 my.edf --out my.npz', brief: 'A released encoder' },
      { input: 'runs/demo my.edf --out my.npz', brief: 'Pooled embeddings [windows, 200] of each modality' },
      {
        input: 'runs/demo/encoders/ecg.safetensors 100.hea --out 100.safetensors',
        brief: 'A pre-trained encoder alone',
      },
      {
        input: 'cbramod.pth a.edf --recipe eeg.json --out a.npz --tokens',
        brief: 'Official weights, a recipe of yours, every token',
      },
    ],
  },
  parameters: {
    flags: {
      out: requiredText('File to write: .npz or .safetensors', 'file'),
      ...modelNameFlag,
      recipe: optionalText('How to prepare recordings, for weights that do not carry it', 'file.json'),
      tokens: { kind: 'boolean', brief: 'Every token [windows, channels, patches, 200] too', default: false },
      ...readFlags,
      ...inferencePrecisionFlag,
      ...workFlags,
    },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        brief: 'A model, a run or weights, then recordings',
        parse: parseText,
        placeholder: 'model file…',
      },
    },
  },
  async func(flags, path, ...files) {
    if (files.length === 0)
      throw new ConfigError(
        `embed: '${path}' stands alone. Name weights (${[...releasedIndex().keys()].join(', ')}, a run, a file), then recordings.`,
        'model',
        'weights, then recordings',
      );
    const encode = encoderOf(flags.out);
    const { recipe, encoders } = await readEncoders(path, flags);
    for (const file of files) noteInputPath(file);
    await checkOutput(flags.out);
    const progress = createWorkProgress(flags);
    const backend = await createBackend(flags);
    const stage = progress.stage('embed', files.length, 'recordings');
    const sets: WindowSet[] = [];
    for (const [i, file] of files.entries()) {
      const recording = await openInput(file, inputOptionsOf(flags, this.signal));
      try {
        sets.push(await recordingWindows(recording, recipe));
      } finally {
        await recording.close();
      }
      stage.update(i + 1);
    }
    const arrays = new Map<string, Tensor>();
    for (const [modality, { layers, tensors }] of Object.entries(encoders) as [Modality, Encoder][])
      for (const [name, array] of await embedAll(backend, modality, { layers, tensors }, sets, flags))
        arrays.set(name, array);
    stage.end();
    const count = sets.reduce((sum, { count: n }) => sum + n, 0);
    arrays.set(
      'start',
      tensor('float64', [count], Float64Array.from(sets.flatMap(({ start }) => [...start]))),
    );
    arrays.set(
      'file',
      tensor('int32', [count], Int32Array.from(sets.flatMap(({ count: n }, i) => Array<number>(n).fill(i)))),
    );
    await writeFileAtomically(flags.out, encode(arrays, files));
    for (const [i, { dropped }] of sets.entries())
      for (const { what, reason, count: n } of dropped)
        progress.log(`${files[i]}: ${n} × ${what}: ${reason}`);
    const shapes = [...arrays].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
    progress.log(`${flags.out}: ${shapes.join(', ')}`);
  },
});

interface Encoder {
  readonly layers: number;
  readonly tensors: FloatTensors;
}

type Encode = (arrays: ReadonlyMap<string, Tensor>, files: readonly string[]) => Uint8Array;

function encoderOf(out: string): Encode {
  if (out.endsWith('.npz'))
    return (arrays, files) =>
      encodeNpz(new Map<string, Tensor | readonly string[]>([...arrays, ['files', files]]));
  if (out.endsWith('.safetensors'))
    return (arrays, files) =>
      encodeSafetensors(arrays, { format: 'heartmind', files: JSON.stringify(files) });
  throw new ConfigError(
    `--out: '${out}' ends neither in .npz nor in .safetensors. Choose one.`,
    '--out',
    '.npz, .safetensors',
  );
}

async function readEncoders(
  path: string,
  flags: Flags,
): Promise<{ recipe: Recipe; encoders: { [M in Modality]?: Encoder } }> {
  const given = flags.recipe === undefined ? undefined : parseRecipe(readRecipe(flags.recipe), flags.recipe);
  const file = await findModelFile(path, flags.model);
  if (await isModelFile(file)) {
    const model = await readModel(file);
    const encoders = modalitiesOf(model.config).map((modality) => [
      modality,
      {
        layers: model.config.signals[modality]!.encoder.layers,
        tensors: withoutPrefix(model.tensors, `${modality}.`),
      },
    ]);
    return { recipe: given ?? model.recipe, encoders: Object.fromEntries(encoders) };
  }
  const { tensors, layers, metadata } = await readEncoder(file);
  const recipe =
    given ?? (metadata.prepare ? parseStoredRecipe(JSON.parse(metadata.prepare), file) : undefined);
  if (!recipe)
    throw new ConfigError(
      `--recipe: ${file} does not say how recordings are prepared. Give a recipe with the signals that it takes.`,
      '--recipe',
    );
  const modality: Modality = recipe.signals.eeg ? 'eeg' : 'ecg';
  return { recipe, encoders: { [modality]: { layers, tensors } } };
}

async function embedAll(
  backend: Backend,
  modality: Modality,
  { layers, tensors }: Encoder,
  sets: readonly WindowSet[],
  { tokens, precision }: Pick<Flags, 'tokens' | 'precision'>,
): Promise<[string, Tensor][]> {
  const { channels, patches } = sets[0]!.signals[modality]!;
  const embedder = new Embedder(
    backend,
    encoderConfig({ layers }),
    tensors,
    { channels: channels.length, patches },
    { precision },
  );
  const all: Float32Array[] = [];
  const every: Float32Array[] = [];
  let count = 0;
  for (const set of sets) {
    const result = await embedder.embed(set.signals[modality]!.data, { tokens });
    all.push(result.pooled);
    if (result.tokens) every.push(result.tokens);
    count += result.count;
  }
  await embedder.dispose();
  const width = all[0]!.length / sets[0]!.count;
  const arrays: [string, Tensor][] = [
    [modality, tensor('float32', [count, width], joinArrays(Float32Array, all))],
  ];
  if (tokens)
    arrays.push([
      `${modality}.tokens`,
      tensor('float32', [count, channels.length, patches, width], joinArrays(Float32Array, every)),
    ]);
  return arrays;
}
