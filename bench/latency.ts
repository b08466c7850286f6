/** Inference: one window and batches, the encoder's pooled embedding and the fused model's probabilities. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../src/core/random.ts';
import { encoderConfig } from '../src/model/config.ts';
import { initialEncoder } from '../src/model/encoder-parameters.ts';
import { initialParameters, modelParameters } from '../src/model/model.ts';
import { encodeSafetensors } from '../src/model/safetensors.ts';
import { drawWindows, fusedConfig } from './ours/inference.ts';
import { race } from './race.ts';
import type { Case } from './report.ts';
import type { Rivals } from './rivals.ts';

const layers = 12;
const windows = [
  { channels: 19, patches: 4 },
  { channels: 12, patches: 10 },
  { channels: 64, patches: 10 },
] as const;
/** EEGMAT's: 20 EEG rows and one ECG, five seconds. */
const fused = { eeg: [20, 5], ecg: [1, 5] } as const;
const tolerance = 1e-3;

export async function measureLatency(
  rivals: Rivals,
  full: boolean,
  say: (line: string) => void,
): Promise<Case[]> {
  const files = writeInputs(rivals.scratch);
  const cases: Case[] = [];
  const batches = full ? [1, 4, 16, 64] : [1, 16];
  for (const { channels, patches } of windows) {
    for (const batch of batches) {
      if (channels === 64 && batch > 16) continue;
      const name = `encoder, ${channels} × ${patches}, ${plural(batch)}`;
      const job = { task: 'embedding', ...files.encoder, channels, patches, batch, layers };
      cases.push(await compare(name, job, { channels, patches, batch }));
    }
  }
  for (const batch of batches) {
    const job = { task: 'fusedModel', ...files.fused, ...fused, batch, layers };
    cases.push(await compare(`fused model, 20 × 5 and 1 × 5, ${plural(batch)}`, job, { ...fused, batch }));
  }
  return cases;

  async function compare(name: string, job: object, settings: object): Promise<Case> {
    say(name);
    const eager = { ...job, compile: false };
    const compiled = { ...job, compile: true };
    const entries = [
      rivals.ours({ ...job }),
      ...(rivals.peers
        ? [
            rivals.python('torch', 'PyTorch eager', eager),
            ...('batch' in settings && (settings.batch === 1 || full)
              ? [rivals.python('torch', 'PyTorch compile, weights frozen', compiled)]
              : []),
          ]
        : []),
    ];
    const outcomes = await race(entries, { seconds: full ? 5 : 1.5, rounds: 7, tolerance, say });
    return { name, settings: { ...settings, layers }, outcomes };
  }
}

function plural(batch: number): string {
  return batch === 1 ? 'one window' : `${batch} windows`;
}

/** The same weights and windows for all rivals. */
function writeInputs(scratch: string) {
  const data = join(scratch, 'windows.f32');
  const encoder = join(scratch, 'encoder.safetensors');
  const model = join(scratch, 'fused.safetensors');
  if (!existsSync(model)) {
    writeFileSync(data, new Uint8Array(drawWindows(64 * 64 * 10 * 200).buffer));
    writeFileSync(encoder, encodeSafetensors(initialEncoder(encoderConfig({ layers }), 0)));
    const parameters = modelParameters(fusedConfig({ ...fused, layers }));
    writeFileSync(
      model,
      encodeSafetensors(initialParameters(parameters, Random.derive(0, 'bench', 'model'))),
    );
  }
  return { encoder: { weights: encoder, data }, fused: { weights: model, data } };
}
