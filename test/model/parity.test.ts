/** The encoder against the official PyTorch code: see scripts/golden/model.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { float32, type Tensor, zeros } from '../../src/core/tensor.ts';
import { differentiate } from '../../src/graph/differentiate.ts';
import { Graph, type Value } from '../../src/graph/ir.ts';
import { type Mean, maskedMse, meanOf } from '../../src/graph/losses.ts';
import { add } from '../../src/graph/operators.ts';
import { encode, encoderParameters, encodeStages, reconstruct } from '../../src/model/cbramod.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { constantParameters } from '../../src/model/export.ts';
import type { ParameterSource } from '../../src/model/tokens.ts';
import { loadEncoderWeights } from '../../src/model/weights.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { Draws } from '../../src/train/draws.ts';
import { StepRunner } from '../../src/train/step.ts';
import { goldenBytes, goldenTensors, maxDifference, relativeDifference } from './golden.ts';

const config = encoderConfig({ layers: 2, dropout: 0 });
const { tensors } = loadEncoderWeights(goldenBytes('weights.safetensors'), 'weights');
const vectors = goldenTensors('vectors.safetensors');
const trained = encoderParameters(config).filter((spec) => !spec.frozen);
const values = (tensor: Tensor | undefined) => tensor!.data as Float32Array;

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 2 });
});

describe('the forward pass equals the official code within 2e-5', () => {
  it.each([
    ['plain', '', 'B'],
    ['masked', '_masked', 'B'],
    ['plain, fixed batch', '', 2],
    ['masked, fixed batch', '_masked', 2],
  ] as const)('%s', async (_, suffix, batch) => {
    const graph = new Graph('parity');
    const patches = graph.input('patches', 'float32', [batch, 19, 4, 200]);
    const mask = suffix === '' ? undefined : graph.input('mask', 'bool', [batch, 19, 4]);
    const parameter = constantParameters(graph, tensors);
    const stages = encodeStages({ patches, parameter, config, ...(mask && { mask }) });
    const names = [`patch_emb${suffix}`, 'layer0', 'layer1'];
    for (const [i, name] of names.entries()) graph.output(name, stages[i]!);
    graph.output(`output${suffix}`, reconstruct(stages.at(-1)!, parameter));
    const program = await backend.compile(graph);
    const results = await program.run({ patches: vectors('input'), ...(mask && { mask: vectors('mask') }) });
    // The reference holds the layers of the plain pass only.
    const checked = [...graph.outputs.keys()].filter((name) => suffix === '' || name.endsWith(suffix));
    for (const name of checked) {
      expect(results[name]!.shape).toEqual([2, 19, 4, 200]);
      expect(maxDifference(values(results[name]), values(vectors(name))), name).toBeLessThan(2e-5);
    }
    await program.dispose();
  });
});

/** Masked reconstruction loss. */
function buildReconstruction(graph: Graph, parameter: ParameterSource): Mean {
  const patches = graph.input('patches', 'float32', [2, 19, 4, 200]);
  const mask = graph.input('mask', 'bool', [2, 19, 4]);
  return maskedMse(reconstruct(encode({ patches, mask, parameter, config }), parameter), patches, mask);
}

/** The same with the parameters as inputs. */
function buildLoss(graph: Graph): { loss: Value; parameters: Value[] } {
  const inputs = new Map(trained.map(({ name, shape }) => [name, graph.input(name, 'float32', shape)]));
  const fixed = constantParameters(graph, tensors);
  const loss = buildReconstruction(graph, (name) => inputs.get(name) ?? fixed(name));
  return { loss: meanOf(loss), parameters: [...inputs.values()] };
}

describe('training equals the official code', () => {
  it('every gradient of the masked loss within 1e-4 (norm of the difference over norm)', async () => {
    const graph = new Graph('gradients');
    const { loss, parameters } = buildLoss(graph);
    graph.output('loss', loss);
    for (const [i, gradient] of differentiate(loss, parameters).entries()) {
      graph.output(`gradient ${trained[i]!.name}`, gradient);
    }
    const program = await backend.compile(graph);
    const weights = Object.fromEntries(trained.map(({ name }) => [name, tensors.get(name)!]));
    const results = await program.run({ ...weights, patches: vectors('input'), mask: vectors('mask') });
    expect(relativeDifference(values(results.loss), values(vectors('loss_masked_mse')))).toBeLessThan(1e-5);
    const differences = trained.map(({ name }): [string, number] => [
      name,
      relativeDifference(values(results[`gradient ${name}`]), values(vectors(`grad.${name}`))),
    ]);
    expect(differences.length).toBe(50);
    expect(differences.filter(([, difference]) => !(difference < 1e-4))).toEqual([]);
    await program.dispose();
  });

  it('20 AdamW steps: loss and gradient norm within 1e-4 at every step, and the final weights', async () => {
    const path = join(import.meta.dirname, '../golden/model/trajectory.json');
    const reference = JSON.parse(readFileSync(path, 'utf8')) as Record<string, number[]>;
    const golden = goldenTensors('trajectory.safetensors');
    const runner = new StepRunner({
      backend,
      specs: encoderParameters(config).map(({ name, shape, frozen }) =>
        frozen ? { name, shape } : { name, shape, group: 'all' },
      ),
      initial: tensors,
      build: () => (graph, parameter) => ({ loss: buildReconstruction(graph, parameter) }),
      update: { clipNorm: 1, weightDecay: 0.05, decayOn: 'all' },
    });
    const masks = golden('masks').data as Uint8Array;
    const maskSize = 2 * 19 * 4;
    for (let i = 0; i < 20; i++) {
      // Cosine from 5e-5 to 1e-6 over 20 updates.
      const rate = 1e-6 + ((5e-5 - 1e-6) * (1 + Math.cos((Math.PI * i) / 20))) / 2;
      expect(Math.abs(rate / reference.lr![i]! - 1)).toBeLessThan(1e-9);
      const at = (i % 4) * maskSize;
      const mask: Tensor = { dtype: 'bool', shape: [2, 19, 4], data: masks.slice(at, at + maskSize) };
      const batch = { kind: 'all', samples: 2, feeds: { mask, patches: vectors('input') } };
      const { loss, norm } = await runner.compute([{ batch, draws: new Draws(0, i, 0) }], { all: rate });
      runner.commit();
      expect(Math.abs(loss / reference.loss_f64![i]! - 1), `loss ${i}`).toBeLessThan(1e-4);
      expect(Math.abs(norm / reference.grad_norm_f64![i]! - 1), `norm ${i}`).toBeLessThan(1e-4);
    }
    for (const name of [
      'encoder.layers.0.self_attn_s.in_proj_weight',
      'encoder.layers.1.norm2.weight',
      'patch_embedding.positional_encoding.0.weight',
      'patch_embedding.proj_in.0.weight',
      'proj_out.0.bias',
    ]) {
      expect(
        relativeDifference(values(runner.parameters().get(name)), values(golden(`final.${name}`))),
        name,
      ).toBeLessThan(1e-5);
    }
    await runner.dispose();
  });
});

describe('the mask token', () => {
  it('has a zero gradient in no NaN: a hidden patch has no spectrum, and the input can be differentiated', async () => {
    const graph = new Graph('input gradient');
    const parameter = constantParameters(graph, tensors);
    const patches = graph.input('patches', 'float32', [1, 2, 2, 200]);
    const embedding = encode({ patches, parameter, config });
    const loss = maskedMse(
      embedding,
      add(embedding.graph.constant(float32([1, 2, 2, 200], new Float32Array(800))), 0),
      graph.constant({ dtype: 'bool', shape: [1, 2, 2], data: Uint8Array.of(1, 1, 1, 1) }),
    );
    graph.output('gradient', differentiate(meanOf(loss), [patches])[0]!);
    const program = await backend.compile(graph);
    const { gradient } = await program.run({ patches: zeros('float32', [1, 2, 2, 200]) });
    expect(values(gradient).every(Number.isFinite)).toBe(true);
    expect(values(gradient).some((x) => x !== 0)).toBe(true);
    await program.dispose();
  });
});
