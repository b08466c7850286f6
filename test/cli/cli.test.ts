import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseResult } from '../../src/evaluate/result.ts';
import { decodeOnnx } from '../../src/graph/onnx.ts';
import { decodeModel } from '../../src/model/model-file.ts';
import { decodeSafetensors } from '../../src/model/safetensors.ts';
import { decodeCheckpoint } from '../../src/train/checkpoint.ts';
import {
  buildCli,
  type Finished,
  finetuneRecipe,
  heartmindIn,
  makeWorkspace,
  pretrainRecipe,
  removeCli,
  secondsPerFile,
  states,
  subjects,
} from './workspace.ts';

const verbs = [
  'demo',
  'info',
  'convert',
  'prepare',
  'pretrain',
  'finetune',
  'evaluate',
  'predict',
  'embed',
  'report',
  'export',
];
const cpu = ['--device', 'cpu', '--threads', '1', '--progress', 'none'];
const recording = 'a/anna-calm.edf';
/** Windows of 2 s without overlap. */
const windowsPerFile = secondsPerFile / 2;

let folder: string;
const heartmind = (...args: string[]) => heartmindIn(folder, args);
const bytesOf = async (path: string) => new Uint8Array(await readFile(join(folder, path)));
const jsonOf = async (path: string) => JSON.parse(await readFile(join(folder, path), 'utf8'));

/** Run, and show what went wrong where it did. */
async function succeed(...args: string[]): Promise<Finished> {
  const finished = await heartmind(...args);
  expect(`${finished.code} ${finished.stderr}`).toMatch(/^0 /);
  return finished;
}

beforeAll(async () => {
  [folder] = await Promise.all([makeWorkspace(), buildCli()]);
  await succeed(
    ...['pretrain', '--data', 'a/labels.csv', '--recipe', 'pretrain.json', '--out', 'runs/ecg', ...cpu],
  );
  await succeed(
    ...['finetune', '--data', 'a/labels.csv', '--recipe', 'finetune.json', '--validation-subjects', '2'],
    ...['--ecg', 'runs/ecg/encoder.safetensors', '--out', 'runs/mine', ...cpu],
  );
});
afterAll(async () => {
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

describe.concurrent('help and usage', () => {
  test.each(verbs)('%s --help shows an example and exits with 0', async (verb) => {
    const { code, stdout, stderr } = await heartmind(verb, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [usage, ...examples] = stdout.split('\n').filter((line) => line.includes(`heartmind ${verb}`));
    expect(usage).not.toContain('--help');
    expect(examples.at(-1)).toContain(`heartmind ${verb} --help`);
  });

  test('the help of the whole lists every verb', async () => {
    const { code, stdout } = await heartmind('--help');
    expect(code).toBe(0);
    for (const verb of verbs) expect(stdout).toMatch(new RegExp(`^ {2}${verb} +\\S`, 'm'));
  });

  test("--version prints the package's version", async () => {
    const { version } = JSON.parse(
      await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'),
    ) as { version: string };
    expect(await heartmind('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each([
    [['fly'], 'No command registered for `fly`'],
    [['info', '--nope', 'x.edf'], 'No flag registered for --nope. See --help.'],
    [
      ['predict', 'm', 'x.edf', '--step', '0'],
      "--step: '0' is no time. Give more than 0 seconds. See --help.",
    ],
    [['info', '--json=maybe', 'x.edf'], 'Cannot convert maybe to a boolean. See --help.'],
    [
      ['evaluate', '--data', 'x.csv', '--out', 'x', '--seeds', '0,0'],
      "--seeds: '0,0' are no distinct whole numbers. Write 0,1,2. See --help.",
    ],
    [
      ['evaluate', '--data', 'x.csv', '--out', 'x'],
      'evaluate: give --recipe to train and test, or --model to test a finished one; one of them.',
    ],
    [
      ['export', 'm', '--encoder', 'w', '--out', 'x.onnx'],
      'export: give a model or run, or --encoder with weights; one of them.',
    ],
    [['demo', '--ecg', 'x'], '--ecg: x is to pre-train on, and the released ecg-12 needs none.'],
    [['demo', '--full', '--pretrain'], 'demo: --full pre-trains already. Leave --pretrain out.'],
    [['embed', 'runs/mine', recording, '--out', 'x.txt'], "--out: 'x.txt' ends neither in .npz"],
    [['finetune', '--data', 'x', '--recipe', 'nope', '--out', 'x'], "--recipe: there is no 'nope'."],
    [
      ['evaluate', '--data', 'fish', '--model', 'runs/mine', '--out', 'x'],
      "--data: 'fish' is none of: sample-eegmat",
    ],
  ])('%j is wrong usage: exit code 2 and a sentence', async (args, message) => {
    const { code, stdout, stderr } = await heartmind(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('a boolean flag takes nothing, or =false and =true; a lone word after it is an argument', async () => {
    const isJson = async (...args: string[]) => {
      const { code, stdout } = await heartmind('info', ...args, recording);
      return code === 0 ? stdout.startsWith('{') : code;
    };
    expect(await isJson()).toBe(false);
    expect(await isJson('--json')).toBe(true);
    expect(await isJson('--json=true')).toBe(true);
    expect(await isJson('--json=false')).toBe(false);
    expect(await isJson('--no-json')).toBe(false);
    expect(await isJson('--json', 'false')).toBe(3); // no such file
  });
});

describe('every verb', () => {
  test('info describes a recording as a table and as JSON', async () => {
    const text = await succeed('info', recording);
    expect(text.stdout).toContain(`${recording}: edf, ${secondsPerFile} s`);
    expect(text.stdout).toMatch(/^2 {2}ECG +uV +200 +1600 .* ok$/m);
    const one = JSON.parse((await succeed('info', recording, '--json')).stdout);
    expect(one.channels.map(({ name }: { name: string }) => name)).toEqual(['Fz', 'Cz', 'ECG']);
    expect(one).toMatchObject({ format: 'edf', duration: secondsPerFile });
    const two = JSON.parse((await succeed('info', recording, 'a/ben-calm.edf', '--json')).stdout);
    expect(two.map(({ source }: { source: string }) => source)).toEqual([recording, 'a/ben-calm.edf']);
  });

  test('info without a file tells which devices are usable', async () => {
    const devices = JSON.parse((await succeed('info', '--json')).stdout);
    expect(devices.map(({ device }: { device: string }) => device)).toEqual(['cpu', 'webgpu', 'cuda']);
    expect(devices[0]).toMatchObject({ usable: true, resident: false });
    for (const { device, usable, description } of devices)
      if (!usable) expect(description).toMatch(new RegExp(`^device ${device}: not usable here`));
    expect((await succeed('info')).stdout).toMatch(/^device +usable +float16 +keeps the state\n/);
  });

  test('info opens a truncated file only with --tolerant', async () => {
    const whole = await bytesOf(recording);
    await writeFile(join(folder, 'short.edf'), whole.subarray(0, whole.length - 700));
    const strict = await heartmind('info', 'short.edf');
    expect({ code: strict.code, stdout: strict.stdout }).toEqual({ code: 3, stdout: '' });
    const { stdout } = await succeed('info', 'short.edf', '--tolerant', '--json');
    expect(JSON.parse(stdout).duration).toBe(secondsPerFile - 1);
  });

  test('pretrain writes weights with their origin, a report, and the figures of every update', async () => {
    const { tensors, metadata } = decodeSafetensors(await bytesOf('runs/ecg/encoder.safetensors'), 'encoder');
    expect(tensors.size).toBeGreaterThan(10);
    expect(JSON.parse(metadata.subjects!)).toEqual(subjects);
    expect(JSON.parse(metadata.recipe!)).toMatchObject(pretrainRecipe);
    const metrics = (await readFile(join(folder, 'runs/ecg/training/pretrain/metrics.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const steps = metrics.filter((line) => 'train/loss' in line).map(({ step }) => step);
    const perEpoch = (5 * states.length * windowsPerFile) / pretrainRecipe.optimization.batch; // one of six validates
    expect(steps).toEqual(
      Array.from({ length: pretrainRecipe.optimization.epochs * perEpoch }, (_, i) => i + 1),
    );
    const result = parseResult(await jsonOf('runs/ecg/result.json'));
    expect(result.curves[0]!.rows).toHaveLength(pretrainRecipe.optimization.epochs);
    expect(await readFile(join(folder, 'runs/ecg/report.html'), 'utf8')).toContain('Pre-training');
  });

  test('finetune writes a model that carries recipe, classes and whom it has seen', async () => {
    const model = decodeModel(await bytesOf('runs/mine/model.safetensors'), 'model');
    expect(model.classes).toEqual(states);
    expect(model.recipe.window.lengthSeconds).toBe(finetuneRecipe.prepare.window.lengthSeconds);
    expect(JSON.parse(model.provenance!.subjects!)).toEqual(subjects);
    expect(await readFile(join(folder, 'runs/mine/report.html'), 'utf8')).toContain('Fine-tuning');
    expect(parseResult(await jsonOf('runs/mine/result.json')).models).toEqual({});
  });

  test('finetune starts from the encoder that it is given', async () => {
    // The encoder is frozen, so that it stands in the model as it came.
    const encoder = decodeSafetensors(await bytesOf('runs/ecg/encoder.safetensors'), 'encoder').tensors;
    const model = decodeModel(await bytesOf('runs/mine/model.safetensors'), 'model').tensors;
    const shared = [...model.keys()].filter((name) => name.startsWith('ecg.'));
    expect(shared.length).toBeGreaterThan(10);
    for (const name of shared)
      expect([name, model.get(name)!.data]).toEqual([name, encoder.get(name.slice('ecg.'.length))!.data]);
  });

  test('evaluate under k-fold tests everybody, with two seeds and every baseline', async () => {
    const args = ['evaluate', '--data', 'a/labels.csv', '--recipe', 'finetune.json', '--protocol', 'k-fold'];
    const { stdout } = await succeed(
      ...[...args, '--folds', '2', '--validation-subjects', '1', '--seeds', '0,1'],
      ...['--ecg', 'runs/ecg/encoder.safetensors', '--out', 'runs/k', '--json', ...cpu],
    );
    const printed = JSON.parse(stdout);
    expect(printed.result).toBe(join(folder, 'runs/k/result.json'));
    expect(printed.report).toBe(join(folder, 'runs/k/report.html'));
    const result = parseResult(await jsonOf('runs/k/result.json'));
    expect(printed.models).toEqual(result.models);
    const classical = ['classical-eeg', 'classical-ecg', 'classical-eeg+ecg'];
    expect(Object.keys(result.models)).toEqual(
      ['eeg', 'ecg', 'eeg+ecg', 'majority', 'prior', ...classical].concat(
        classical.map((name) => `${name}-standardised`),
      ),
    );
    expect(result.seeds).toEqual([0, 1]);
    expect(result.details.ecg!.perSeed).toHaveLength(2);
    expect(result.folds.flatMap(({ test: tested }) => tested).sort()).toEqual(subjects);
    expect(result.models.majority!.accuracy!.mean).toBe(0.5);
    expect(result.notes).toEqual([
      'The ecg encoder begins as runs/ecg/encoder.safetensors, which has seen unlabelled recordings of people with the names of 6 of the 6 tested subjects. Whether they are the same people is not known; where they are, its scores are transductive.',
    ]);
    const report = await readFile(join(folder, 'runs/k/report.html'), 'utf8');
    expect(report).toContain('where they are, its scores are transductive');
    expect(report).toContain('carla');
    for (const name of ['eeg', 'ecg', 'eeg+ecg']) {
      const { classes } = decodeModel(await bytesOf(`runs/k/models/${name}.safetensors`), name);
      expect(classes).toEqual(states);
    }
  });

  test('evaluate tests a finished model on other people only', async () => {
    await mkdir(join(folder, 'b'), { recursive: true });
    const rows = ['file,subject,state'];
    for (const state of states) {
      for (const [from, to] of [
        ['anna', 'anna'],
        ['ben', 'gus'],
      ] as const) {
        await copyFile(join(folder, `a/${from}-${state}.edf`), join(folder, `b/${to}-${state}.edf`));
        rows.push(`${to}-${state}.edf,${to},${state}`);
      }
    }
    await writeFile(join(folder, 'b/labels.csv'), rows.join('\n'));
    const on = (data: string) => [
      'evaluate',
      '--data',
      data,
      '--model',
      'runs/mine',
      '--out',
      'runs/b',
      ...cpu,
    ];
    const { stdout } = await succeed(...on('b/labels.csv'));
    expect(stdout).toContain('finished model on 1 subjects, of whom 1 may be among those it was trained on');
    const result = parseResult(await jsonOf('runs/b/result.json'));
    expect(Object.keys(result.models)).toEqual(['eeg+ecg']);
    expect(result.details['eeg+ecg']!.perSubject.map(({ subject }) => subject)).toEqual(['gus']);
    // Gus is Ben under another name, which no name tells.
    expect(result.notes).toEqual([
      '1 subject was left out: the model was trained on people of the same names, who may be they.',
      'Whether the model was trained on 1 of the 1 tested subjects is not known: names in its training data and here cannot be compared.',
      "The model's ecg encoder has seen unlabelled recordings of 6 people of own data. Whether they are 1 of the 1 tested subjects is not known: names there and here cannot be compared.",
    ]);
    const none = await heartmind(...on('a/labels.csv'));
    expect(none.code).toBe(3);
    expect(none.stderr).toBe(
      'evaluate: the model was trained on people with the names of all 6 subjects of own data. Test it on other people; where these are others, give them other names.\n',
    );
  });

  test('predict prints a CSV timeline, and as many windows as --step asks for', async () => {
    const { stdout } = await succeed('predict', 'runs/mine', recording, 'a/ben-stress.edf', ...cpu);
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header).toBe('file,start,duration,predicted,p_calm,p_stress');
    expect(rows.map((row) => row.split(',').slice(0, 3).join())).toEqual(
      [recording, 'a/ben-stress.edf'].flatMap((file) => [0, 2, 4, 6].map((start) => `${file},${start},2`)),
    );
    for (const row of rows) {
      const [predicted, ...probabilities] = row.split(',').slice(3);
      const [calm, stress] = probabilities.map(Number);
      expect(calm! + stress!).toBeCloseTo(1, 5);
      expect(predicted).toBe(calm! > stress! ? 'calm' : 'stress');
    }
    const dense = await succeed('predict', 'runs/mine', recording, '--step', '0.5', ...cpu);
    expect(dense.stdout.trimEnd().split('\n')).toHaveLength(1 + (secondsPerFile - 2) / 0.5 + 1);
  });

  test('predict writes the same timeline as JSON to a file, and nothing to stdout', async () => {
    const { stdout } = await succeed(
      ...['predict', 'runs/mine/model.safetensors', recording, '--format', 'json', '--out', 'timeline.json'],
      ...cpu,
    );
    expect(stdout).toBe('');
    const [timeline] = await jsonOf('timeline.json');
    expect(timeline).toMatchObject({ source: recording, classes: states, dropped: [] });
    const csv = (await succeed('predict', 'runs/mine', recording, ...cpu)).stdout.trimEnd().split('\n');
    for (const [i, { probabilities }] of timeline.entries.entries())
      expect(csv[i + 1]).toContain(probabilities.map((p: number) => p.toFixed(6)).join());
  });

  test('--precision int8 moves predictions and embeddings a little', async () => {
    const predict = async (precision: string) => {
      const flags = ['--precision', precision, '--format', 'json', ...cpu];
      const [timeline] = JSON.parse((await succeed('predict', 'runs/mine', recording, ...flags)).stdout);
      return timeline.entries.flatMap(({ probabilities }: { probabilities: number[] }) => probabilities);
    };
    const embed = async (precision: string) => {
      const flags = ['--precision', precision, '--out', `${precision}.safetensors`, ...cpu];
      await succeed('embed', 'runs/mine', recording, ...flags);
      const { tensors } = decodeSafetensors(await bytesOf(`${precision}.safetensors`), precision);
      return [...(tensors.get('ecg')!.data as Float32Array)];
    };
    for (const values of [predict, embed]) {
      const [exact, rounded] = [await values('float32'), await values('int8')];
      const largest = Math.max(...exact.map((value: number, i: number) => Math.abs(value - rounded[i]!)));
      expect(largest).toBeGreaterThan(1e-6);
      expect(largest).toBeLessThan(0.2);
    }
    const refused = await heartmind('predict', 'runs/mine', recording, '--precision', 'int4');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('int4');
  });

  test('embed writes npz and safetensors with pooled embeddings, tokens where asked, and where they come from', async () => {
    await succeed('embed', 'runs/mine', recording, 'a/ben-calm.edf', '--out', 'x.npz', '--tokens', ...cpu);
    const files = unzipSync(await bytesOf('x.npz'));
    const shapes = Object.entries(files).map(([name, bytes]) => [
      name,
      /'shape': \(([\d, ]+?),?\)/.exec(new TextDecoder('latin1').decode(bytes.subarray(0, 128)))![1],
    ]);
    const count = 2 * windowsPerFile;
    expect(Object.fromEntries(shapes)).toEqual({
      'eeg.npy': `${count}, 200`,
      'eeg.tokens.npy': `${count}, 2, 2, 200`,
      'ecg.npy': `${count}, 200`,
      'ecg.tokens.npy': `${count}, 1, 2, 200`,
      'start.npy': `${count}`,
      'file.npy': `${count}`,
      'files.npy': '2',
    });
    await succeed('embed', 'runs/ecg/encoder.safetensors', recording, '--out', 'x.safetensors', ...cpu);
    const { tensors, metadata } = decodeSafetensors(await bytesOf('x.safetensors'), 'x');
    expect([...tensors.keys()].sort()).toEqual(['ecg', 'file', 'start']);
    expect([...tensors.get('start')!.data]).toEqual([0, 2, 4, 6]);
    expect(JSON.parse(metadata.files!)).toEqual([recording]);
    // The same frozen encoder, alone and in the model: the same embedding.
    const npy = files['ecg.npy']!.slice(128);
    const fromModel = new Float32Array(npy.buffer, 0, windowsPerFile * 200);
    for (const [i, value] of (tensors.get('ecg')!.data as Float32Array).entries())
      expect(value).toBeCloseTo(fromModel[i]!, 5);
  });

  test('export writes ONNX files of a model and of an encoder', async () => {
    const signature = async (path: string) => {
      const { graph, metadata } = decodeOnnx(await bytesOf(path));
      return {
        inputs: Object.fromEntries(graph.inputs.map(({ name, shape }) => [name, shape])),
        outputs: [...graph.outputs].map(([name]) => name),
        kind: metadata['heartmind.kind'],
      };
    };
    expect((await succeed('export', 'runs/mine', '--out', 'm.onnx')).stdout).toBe('m.onnx\n');
    expect(await signature('m.onnx')).toEqual({
      inputs: { eeg: ['B', 2, 2, 200], ecg: ['B', 1, 2, 200] },
      outputs: ['probabilities'],
      kind: 'model',
    });
    await succeed('export', 'runs/mine', '--precision', 'int8', '--out', 'small.onnx');
    expect(await signature('small.onnx')).toEqual(await signature('m.onnx'));
    expect((await bytesOf('small.onnx')).length).toBeLessThan(0.7 * (await bytesOf('m.onnx')).length);
    await succeed(
      ...['export', '--encoder', 'runs/ecg/encoder.safetensors', '--out', 'e.onnx'],
      ...['--channels', '3', '--patches', '4'],
    );
    expect(await signature('e.onnx')).toEqual({
      inputs: { patches: ['B', 3, 4, 200], mask: ['B', 3, 4] },
      outputs: ['embedding', 'reconstruction'],
      kind: 'encoder',
    });
  });

  test("report draws a run's page again from its result alone", async () => {
    const path = join(folder, 'runs/mine/report.html');
    const before = await readFile(path, 'utf8');
    await rm(path);
    expect((await succeed('report', 'runs/mine')).stdout).toBe(`${path}\n`);
    expect(await readFile(path, 'utf8')).toBe(before);
    await rm(path);
    await succeed('report', 'runs/mine/result.json');
    expect(existsSync(path)).toBe(true);
  });
});

describe.concurrent('errors', () => {
  const pretraining = (...more: string[]) => ['pretrain', '--data', 'a/labels.csv', ...more, ...cpu];

  test.each([
    ['a missing recording', 3, ['info', 'nope.edf'], 'nope.edf: there is no such file. Check the path.\n'],
    [
      'a missing result',
      3,
      ['report', 'nope'],
      'nope: there is no result. Give the folder of a finished run.\n',
    ],
    [
      'a run without a model',
      3,
      ['predict', 'a', recording],
      'a: no model in this folder (looked for model.safetensors,',
    ],
    ['weights that are no model', 3, ['predict', 'runs/ecg/encoder.safetensors', recording], 'are no model.'],
    ['a recording that is none', 3, ['info', 'a/labels.csv'], 'a/labels.csv'],
    [
      'a target that is not there',
      3,
      pretraining('--recipe', 'finetune.json', '--out', 'no-target')
        .with(0, 'finetune')
        .concat('--target', 'mood'),
      "own data: no target 'mood'. It has: state.\n",
    ],
    [
      'a recipe of another task',
      2,
      pretraining('--recipe', 'finetune.json', '--out', 'other-task'),
      'finetune.json.task: "finetune" is not allowed.',
    ],
    [
      'weights that a recipe has no encoder for',
      2,
      [
        ...['finetune', '--data', 'a/labels.csv', '--recipe', 'finetune-ecg.json', '--out', 'no-encoder'],
        ...['--eeg', 'runs/ecg/encoder.safetensors'],
      ],
      '--eeg: the recipe has no eeg encoder. Add one to its encoders.\n',
    ],
  ])('%s ends with exit code %i', async (_what, expected, args, message) => {
    const { code, stdout, stderr } = await heartmind(...args);
    expect({ code, stdout, stderr: code === expected ? '' : stderr }).toEqual({
      code: expected,
      stdout: '',
      stderr: '',
    });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('a wrong key of a recipe is named, with the one that was meant: exit code 2', async () => {
    const { optimization } = pretrainRecipe;
    const wrong = { ...pretrainRecipe, optimization: { ...optimization, batchh: 4 } };
    await writeFile(join(folder, 'wrong.json'), JSON.stringify(wrong));
    const { code, stderr } = await heartmind(...pretraining('--recipe', 'wrong.json', '--out', 'wrong'));
    expect(code).toBe(2);
    expect(stderr).toContain("wrong.json.optimization.batchh: this key is unknown. Did you mean 'batch'?");
    await writeFile(join(folder, 'broken.json'), '{');
    const broken = await heartmind(...pretraining('--recipe', 'broken.json', '--out', 'broken'));
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain('broken.json: no valid JSON (');
  });

  test('a run folder that cannot be written ends with exit code 5', async () => {
    await writeFile(join(folder, 'occupied'), '');
    const run = await heartmind(...pretraining('--recipe', 'pretrain.json', '--out', 'occupied/run'));
    expect(run.code).toBe(5);
    expect(run.stderr).toContain('occupied/run');
    const file = await heartmind('export', 'runs/mine', '--out', 'occupied/m.onnx');
    expect(file.code).toBe(5);
    expect(file.stderr).toBe(
      'occupied/m.onnx: cannot be written (a part of the path is a file, not a folder). Check the path.\n',
    );
  });

  test('a device that is not there ends with exit code 4 and what to do', async (context) => {
    const { code, stderr } = await heartmind(
      ...['predict', 'runs/mine', recording, '--device', 'cuda', '--progress', 'none'],
    );
    if (code === 0) context.skip('this machine has CUDA');
    expect(code).toBe(4);
    expect(stderr).toContain('Use --device cpu.');
  });

  test('--debug adds the stack', async () => {
    const { code, stderr } = await heartmind('info', 'nope.edf', '--debug');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^FormatError: nope\.edf: there is no such file/);
    expect(stderr).toMatch(/^\s+at /m);
  });

  test('--strict stops at a recording that cannot be read; without it the recording is counted', async () => {
    await writeFile(join(folder, 'a/broken.edf'), 'no recording');
    await writeFile(
      join(folder, 'a/broken.csv'),
      `${await readFile(join(folder, 'a/labels.csv'), 'utf8')}broken.edf,ben,calm\n`,
    );
    const run = (out: string, ...more: string[]) =>
      heartmind(
        ...['pretrain', '--data', 'a/broken.csv', '--recipe', 'pretrain.json', '--out', out, ...more],
        ...[...cpu, '--json'],
      );
    const lenient = await run('runs/lenient');
    expect(lenient.code).toBe(0);
    const { dropped } = parseResult(await jsonOf('runs/lenient/result.json')).data;
    expect(dropped).toMatchObject([{ what: 'recording', count: 1, examples: ['broken.edf'] }]);
    const strict = await run('runs/strict', '--strict');
    expect({ code: strict.code, stdout: strict.stdout }).toEqual({ code: 3, stdout: '' });
    expect(strict.stderr).toContain('broken.edf has 12 bytes, a header has at least 256.');
    expect(existsSync(join(folder, 'runs/strict/encoder.safetensors'))).toBe(false);
  });
});

describe('long work', () => {
  test('Ctrl-C exits with 130 and a checkpoint; the same command then ends in the same weights, bit for bit', async () => {
    const epochs = 6;
    await writeFile(
      join(folder, 'long.json'),
      JSON.stringify({ ...pretrainRecipe, optimization: { ...pretrainRecipe.optimization, epochs } }),
    );
    const pretrain = (out: string) => [
      ...['pretrain', '--data', 'a/labels.csv', '--recipe', 'long.json', '--out', out, '--json'],
      ...['--device', 'cpu', '--threads', '1', '--progress', 'json'],
    ];
    const whole = await succeed(...pretrain('runs/whole'));
    // Standard output is one document, standard error one JSON object a line.
    const printed = JSON.parse(whole.stdout);
    expect(Object.keys(printed)).toEqual(['weights', 'report', 'last']);
    expect(printed.last.epoch).toBe(epochs);
    const lines = whole.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ stage: 'pre-train ecg', ended: true, secondsLeft: 0 });

    let asked = false;
    const stopped = await heartmindIn(folder, pretrain('runs/stopped'), (stderr, child) => {
      if (asked || !stderr.includes('pre-train ecg')) return;
      asked = true;
      child.kill('SIGINT');
    });
    expect({ code: stopped.code, stdout: stopped.stdout }).toEqual({ code: 130, stdout: '' });
    expect(stopped.stderr).toMatch(
      /training: stopped after \d+ of 60 updates\. A checkpoint is written; run/,
    );
    const { progress } = decodeCheckpoint(
      await bytesOf('runs/stopped/training/pretrain/checkpoint.safetensors'),
    );
    expect(progress.finished).toBe(false);
    expect(progress.step).toBeGreaterThan(0);
    expect(existsSync(join(folder, 'runs/stopped/encoder.safetensors'))).toBe(false);

    await succeed(...pretrain('runs/stopped'));
    const [expected, actual] = await Promise.all(
      ['whole', 'stopped'].map((name) => bytesOf(`runs/${name}/encoder.safetensors`)),
    );
    expect(Buffer.compare(actual!, expected!)).toBe(0);
    const figures = async (name: string) =>
      (await readFile(join(folder, `runs/${name}/training/pretrain/metrics.jsonl`), 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => ({ ...JSON.parse(line), time: 0 }));
    expect(await figures('stopped')).toEqual(await figures('whole'));
  });

  test('a finished run with another recipe is refused by the key that differs', async () => {
    const other = { ...pretrainRecipe, seed: 7 };
    await writeFile(join(folder, 'other.json'), JSON.stringify(other));
    const { code, stderr } = await heartmind(
      ...['pretrain', '--data', 'a/labels.csv', '--recipe', 'other.json', '--out', 'runs/ecg', ...cpu],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('recipe.seed: the checkpoint has 0, this run has 7.');
  });
});
