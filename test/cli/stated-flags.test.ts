/** Every verb × every flag that states something of a recording: it reaches the reader, or there is no such flag. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApplication, buildRouteMap, run, text_en } from '@stricli/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeError } from '../../src/cli/command.ts';
import { convertCommand } from '../../src/cli/convert.ts';
import { embedCommand } from '../../src/cli/embed.ts';
import { evaluateCommand } from '../../src/cli/evaluate.ts';
import { explainCommand } from '../../src/cli/explain.ts';
import { finetuneCommand } from '../../src/cli/finetune.ts';
import { infoCommand } from '../../src/cli/info.ts';
import { predictCommand } from '../../src/cli/predict.ts';
import { prepareCommand } from '../../src/cli/prepare.ts';
import { pretrainCommand } from '../../src/cli/pretrain.ts';
import { probeCommand } from '../../src/cli/probe.ts';
import { freeLocks } from '../../src/core/folder-lock-node.ts';
import { Random } from '../../src/core/random.ts';
import { parseModelConfig } from '../../src/model/config.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import { encodeModel } from '../../src/model/model-file.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { finetuneRecipe, pretrainRecipe } from './workspace.ts';

const routes = {
  ...{ info: infoCommand, convert: convertCommand, prepare: prepareCommand, pretrain: pretrainCommand },
  ...{ finetune: finetuneCommand, evaluate: evaluateCommand, predict: predictCommand },
  ...{ embed: embedCommand, probe: probeCommand, explain: explainCommand },
};
let folder: string;
const at = (name: string) => join(folder, name);

/** What a verb writes to standard error and output, and its exit code. */
async function call(args: readonly string[]): Promise<{ code: unknown; text: string }> {
  let text = '';
  const write = (more: string) => {
    text += more;
    return true;
  };
  const application = buildApplication(buildRouteMap({ routes, docs: { brief: 'all' } }), {
    name: 'heartmind',
    scanner: { caseStyle: 'allow-kebab-for-camel' },
    localization: {
      loadText: () => ({
        ...text_en,
        exceptionWhileRunningCommand: (error: unknown) => describeError(error, false),
        commandErrorResult: (error: unknown) => describeError(error, false),
      }),
    },
  });
  const process = { stdout: { write }, stderr: { write }, exitCode: undefined as unknown };
  await run(application, args, { process, signal: new AbortController().signal } as never);
  // As a process does when it ends.
  freeLocks();
  return { code: process.exitCode, text };
}

function edf(seconds: number): Uint8Array {
  const rateHz = 200;
  const channels = ['Fz', 'Cz', 'ECG'].map((name, k) => ({
    ...{ name, unit: 'uV', rateHz },
    samples: Float64Array.from({ length: seconds * rateHz }, (_, i) => 40 * Math.sin((i * (k + 3)) / 40)),
  }));
  return encodeEdf({ channels });
}

function model(): Uint8Array {
  const recipe = parseRecipe({
    version: 1,
    signals: { ecg: { channels: ['ECG'], scaleMicrovolts: 1000 } },
    window: { lengthSeconds: 2, stepSeconds: 2 },
  });
  const config = parseModelConfig({
    signals: { ecg: { encoder: { layers: 1 }, patches: 2, channels: ['ECG'] } },
    head: { kind: 'linear', classes: 2 },
  });
  const tensors = initialParameters(modelParameters(config), new Random(5));
  return encodeModel({ config, recipe, classes: ['calm', 'stress'], tensors });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-stated-'));
  await writeFile(at('a.edf'), edf(8));
  // Cut within its last record: nobody opens it without --tolerant.
  await writeFile(at('cut.edf'), edf(8).subarray(0, -100));
  for (const name of ['a', 'cut'])
    await writeFile(
      at(`${name}.csv`),
      `file,subject,state,start,end\n${['s1', 's2', 's3', 's4'].map((s, k) => `${name}.edf,${s},${k % 2 ? 'calm' : 'stress'},${2 * k},${2 * k + 2}\n`).join('')}`,
    );
  await writeFile(at('model.safetensors'), model());
  const ecgAlone = { ...finetuneRecipe, encoders: { ecg: finetuneRecipe.encoders.ecg } };
  const prepare = { ...ecgAlone.prepare, signals: { ecg: ecgAlone.prepare.signals.ecg } };
  await writeFile(at('finetune.json'), JSON.stringify({ ...ecgAlone, prepare }));
  await writeFile(at('pretrain.json'), JSON.stringify(pretrainRecipe));
  await writeFile(at('windows.json'), JSON.stringify(prepare));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const quiet = ['--progress', 'none'];
const cpu = [...quiet, '--device', 'cpu', '--threads', '1'];
const weights = () => at('model.safetensors');
/** A call of each verb on a recording, `name` without its ending. */
const verbs: Readonly<Record<keyof typeof routes, (name: string) => string[]>> = {
  info: (name) => ['info', at(`${name}.edf`), ...quiet],
  convert: (name) => ['convert', at(`${name}.edf`), at('out.bdf'), '--force', ...quiet],
  prepare: (name) => [
    ...['prepare', at(`${name}.csv`), '--recipe', at('windows.json'), '--out', at(`store-${name}`)],
    ...['--workers', '0', '--force', '--strict', ...quiet],
  ],
  pretrain: (name) => [
    ...['pretrain', '--data', at(`${name}.csv`), '--recipe', at('pretrain.json'), '--out', at('run-p')],
    ...['--strict', ...cpu],
  ],
  finetune: (name) => [
    ...[
      'finetune',
      '--data',
      at(`${name}.csv`),
      '--recipe',
      at('finetune.json'),
      '--out',
      at('run-f'),
      ...cpu,
    ],
  ],
  evaluate: (name) => [
    ...['evaluate', '--data', at(`${name}.csv`), '--model', weights(), '--out', at('run-e'), ...cpu],
  ],
  predict: (name) => ['predict', weights(), at(`${name}.edf`), ...cpu],
  embed: (name) => ['embed', weights(), at(`${name}.edf`), '--out', at('out.npz'), ...cpu],
  probe: (name) => ['probe', 'untrained:1', '--data', at(`${name}.csv`), '--target', 'state', ...cpu],
  explain: (name) => ['explain', weights(), at(`${name}.edf`), '--json', at('why.json'), ...cpu],
};
/** What a.edf contradicts, and what the reader says then. */
const refused: [flag: string, value: string, message: RegExp][] = [
  ['--input-unit', 'mV', /--input-unit: .*a\.edf states '.V' for 'Fz', 'mV' was given/],
  ['--input-rate', '100', /--input-rate: .*a\.edf states 200 Hz for 'Fz', 100 Hz was given/],
  ['--input-bits', '16', /--input-bits: .*a\.edf is edf, which says how wide its samples are/],
  ['--channels', 'Nothing', /Nothing/],
  ['--max-elements', '8', /holds more than 8 cells, .* raise the limit with --max-elements\./],
];

describe.each(Object.keys(verbs) as (keyof typeof verbs)[])('%s', (verb) => {
  test.each(refused)('does not ignore %s', async (flag, value, message) => {
    const { code, text } = await call([...verbs[verb]('a'), flag, value]);
    expect(text.replaceAll('\n', ' ')).toMatch(message);
    expect(code).not.toBe(0);
  });

  test('does not ignore --tolerant', async () => {
    const advice = /cut\.edf.*--tolerant/;
    expect((await call(verbs[verb]('cut'))).text.replaceAll('\n', ' ')).toMatch(advice);
    expect((await call([...verbs[verb]('cut'), '--tolerant'])).text.replaceAll('\n', ' ')).not.toMatch(
      advice,
    );
  });
});
