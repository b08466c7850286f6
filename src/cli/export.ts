/** `heartmind export`: an encoder or a trained model as one ONNX file. */
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { checkOutput, writeFileAtomically } from '../core/output-node.ts';
import { visibleLine } from '../core/visible-text.ts';
import { exportEncoder, exportModel } from '../model/export.ts';
import type { InferencePrecision } from '../model/precision.ts';
import { parseStoredRecipe } from '../patches/recipe.ts';
import {
  type Context,
  inferencePrecisionFlag,
  modelNameFlag,
  optionalText,
  parseCount,
  parseText,
  requiredText,
} from './command.ts';
import { defaultChoice, readModelAndNote } from './model-argument.ts';
import { readEncoder } from './model-source.ts';

interface Flags {
  readonly out: string;
  readonly encoder?: string;
  readonly channels?: number;
  readonly patches?: number;
  readonly model?: string;
  readonly precision: InferencePrecision;
}

export const exportCommand = buildCommand<Flags, [string?], Context>({
  docs: {
    brief: 'Write an encoder or a trained model as one ONNX file that any ONNX Runtime runs',
    customUsage: [
      { input: 'runs/demo --out fused.onnx', brief: 'eeg, ecg → probabilities' },
      { input: '--out workload.onnx', brief: 'The released model' },
      { input: 'runs/demo --precision int8 --out small.onnx', brief: 'A smaller, faster file' },
      {
        input: '--encoder W.safetensors --channels 19 --patches 10 --out encoder.onnx',
        brief: 'patches, mask → embedding, reconstruction',
      },
    ],
  },
  parameters: {
    flags: {
      out: requiredText('File to write', 'file.onnx'),
      encoder: optionalText("An encoder's weights (.safetensors, .pth) instead of a model", 'weights'),
      channels: {
        kind: 'parsed',
        parse: parseCount('--channels'),
        brief: 'Channels of the encoder',
        optional: true,
        placeholder: 'C',
      },
      patches: {
        kind: 'parsed',
        parse: parseCount('--patches'),
        brief: 'Patches of the encoder',
        optional: true,
        placeholder: 'N',
      },
      ...inferencePrecisionFlag,
      ...modelNameFlag,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'A model (file, run, released name; default: workload)',
          parse: parseText,
          placeholder: 'model',
          optional: true,
        },
      ],
    },
  },
  async func({ out, encoder, channels, patches, precision, model: name }, path) {
    await writeFileAtomically(out, await exportBytes());
    this.process.stdout.write(`${out}\n`);

    async function exportBytes(): Promise<Uint8Array> {
      if (encoder !== undefined && path !== undefined)
        throw new ConfigError(
          'export: give a model or run, or --encoder with weights; one of them.',
          '--encoder',
        );
      if (encoder === undefined) {
        const log = (text: string) => void process.stderr.write(`${visibleLine(text)}\n`);
        const chosen = path === undefined ? defaultChoice : { model: path, isDefault: false };
        const model = await readModelAndNote('export', chosen, name, { log });
        await checkOutput(out);
        return exportModel(model, { precision });
      }
      if (channels === undefined || patches === undefined)
        throw new ConfigError(
          'export: an encoder takes any number of channels and patches; its file has fixed ones. Give --channels and --patches.',
          '--channels',
        );
      const { tensors, metadata } = await readEncoder(encoder);
      await checkOutput(out);
      const recipe = metadata.prepare ? parseStoredRecipe(JSON.parse(metadata.prepare), encoder) : undefined;
      return exportEncoder(tensors, { channels, patches, precision, ...(recipe && { recipe }) });
    }
  },
});
