/**
 * The whole model: windows of one or both modalities → encoders → fusion → head → logits. One encoder per modality,
 * parameters named `eeg.…`, `ecg.…`, `head.…`.
 */

import { ShapeError } from '../core/errors.ts';
import type { Dim, Graph, Value } from '../graph/ir.ts';
import { sigmoid, softmax } from '../graph/operators.ts';
import type { Modality } from '../patches/windows.ts';
import { encode, encoderParameters, partOf } from './cbramod.ts';
import { type ModelConfig, modalitiesOf, takesTokens } from './config.ts';
import { type DropoutInput, DropoutSites } from './dropout.ts';
import { firstLayers } from './encoder-parameters.ts';
import { fuseEmbeddings, fusionParameters, type Present } from './fusion.ts';
import { applyHead, headParameters } from './heads.ts';
import type { Lora } from './lora.ts';
import { type FloatTensors, fitParameters, type ParameterSpec, prefixed } from './parameters.ts';
import { poolMean } from './pooling.ts';
import type { ParameterSource } from './tokens.ts';

export { initialParameters, type ParameterSpec } from './parameters.ts';

/** [B, C, N, P] of each modality of the model, and where it has nulls which windows have the modality. */
export type ModelInputs = { readonly [M in Modality]?: Value } & { readonly present?: Present };

/** Dropout of the encoders and of the head, while training. */
export interface ModelDropouts {
  readonly eeg?: DropoutSites;
  readonly ecg?: DropoutSites;
  readonly head?: DropoutSites;
}

/** Dropout sites for a training graph of this model, with the probabilities of its configuration. */
export function modelDropouts(graph: Graph, config: ModelConfig): ModelDropouts {
  const encoders = modalitiesOf(config).map((modality) => {
    const { dropout } = config.signals[modality]!.encoder;
    return [modality, new DropoutSites(graph, dropout, `${modality}.dropout`)] as const;
  });
  return {
    ...Object.fromEntries(encoders),
    head: new DropoutSites(graph, config.head.dropout, 'head.dropout'),
  };
}

/** The random bytes that the sites want, once the model is built. */
export function dropoutInputs(dropouts: ModelDropouts): DropoutInput[] {
  return [dropouts.eeg, dropouts.ecg, dropouts.head].flatMap((sites) => sites?.inputs ?? []);
}

/**
 * Every parameter of a model: its encoders without mask token and reconstruction, the head, and what lies between them.
 */
export function modelParameters(config: ModelConfig): ParameterSpec[] {
  const encoders = modalitiesOf(config).flatMap((modality) =>
    prefixed(`${modality}.`, encoderParameters(config.signals[modality]!.encoder, 'features')),
  );
  return [
    ...encoders,
    ...prefixed('head.', headParameters(config)),
    ...prefixed('fusion.', fusionParameters(config)),
  ];
}

/** Build the encoders: tokens [B, C, N, D] of each modality, or their means [B, D] where the model takes those. */
export function buildEmbeddings(
  config: ModelConfig,
  inputs: ModelInputs,
  parameter: ParameterSource,
  dropouts: ModelDropouts = {},
  lora?: Lora,
): Value[] {
  return modalitiesOf(config).map((modality) => {
    const patches = inputs[modality];
    if (patches === undefined) {
      throw new ShapeError(`model: it takes ${modality}, which is not given.`, 'model', modality, 'nothing');
    }
    const embedding = encode({
      patches,
      parameter: (name) => parameter(`${modality}.${name}`),
      config: config.signals[modality]!.encoder,
      dropout: dropouts[modality],
      lora,
    });
    return takesTokens(config) ? embedding : poolMean(embedding);
  });
}

/** Build what follows the encoders: their embeddings, as `buildEmbeddings` gives them → logits [B, K]. */
export function buildDecision(
  config: ModelConfig,
  embeddings: readonly Value[],
  parameter: ParameterSource,
  {
    present,
    dropout,
  }: { readonly present?: Present | undefined; readonly dropout?: DropoutSites | undefined } = {},
): Value {
  const features = fuseEmbeddings(embeddings, config, (name) => parameter(`fusion.${name}`), {
    ...(present && { present }),
    dropout,
  });
  return applyHead(features, config, (name) => parameter(`head.${name}`), dropout, present);
}

/**
 * Build the whole model: logits [B, K]. `inputs` are [B, C, N, P], one for each modality of the configuration; with nulls
 * also `present`.
 */
export function buildLogits(
  config: ModelConfig,
  inputs: ModelInputs,
  parameter: ParameterSource,
  dropouts: ModelDropouts = {},
  lora?: Lora,
): Value {
  const embeddings = buildEmbeddings(config, inputs, parameter, dropouts, lora);
  return buildDecision(config, embeddings, parameter, { present: inputs.present, dropout: dropouts.head });
}

/** What a model says, of its logits [B, K]: probabilities of classes or labels, or numbers. */
export function outputsOf(logits: Value, { head }: Pick<ModelConfig, 'head'>): Value {
  if (head.output === 'number') return logits;
  return head.output === 'labels' ? sigmoid(logits) : softmax(logits, 1);
}

/** Inputs of a graph that say which windows have a modality: `eeg.present`, bool [B]; undefined for a model without nulls. */
export function presenceInputs(graph: Graph, config: ModelConfig, batch: Dim): Present | undefined {
  if (!config.nullEmbeddings) return undefined;
  return Object.fromEntries(
    modalitiesOf(config).map((modality) => [modality, graph.input(presenceName(modality), 'bool', [batch])]),
  );
}

/** The input that says which windows have a modality. */
export const presenceName = (modality: Modality): string => `${modality}.present`;

/**
 * Put pre-trained encoders into a model's parameters: a copy of `parameters` in which every `eeg.…` and `ecg.…` that is
 * given is replaced. FormatError where an encoder's tensors do not fit the configuration.
 */
export function placeEncoders(
  parameters: FloatTensors,
  config: ModelConfig,
  encoders: { readonly [M in Modality]?: FloatTensors },
): FloatTensors {
  const placed = new Map(parameters);
  for (const modality of modalitiesOf(config)) {
    const given = encoders[modality];
    if (given === undefined) continue;
    const { encoder } = config.signals[modality]!;
    const first = firstLayers(given, encoder.layers);
    const specs = encoderParameters(encoder, partOf(first));
    const fitted = fitParameters(first, specs, `${modality} encoder`);
    for (const { name } of encoderParameters(encoder, 'features'))
      placed.set(`${modality}.${name}`, fitted.get(name)!);
  }
  return placed;
}
