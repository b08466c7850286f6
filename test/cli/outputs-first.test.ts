/** Every verb that works long looks at its outputs before it computes: what stands in the way is said at once. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCli, heartmindIn, makeWorkspace, removeCli } from './workspace.ts';

const file = 'a/anna-calm.edf';
const data = ['--data', 'a/labels.csv'];
/** Arguments before the output, and what of it is a file (for a run: in its folder). */
const verbs: Readonly<
  Record<string, { readonly args: readonly string[]; readonly files?: readonly string[] }>
> = {
  predict: { args: ['workload', file, '--out'] },
  'predict --live': { args: ['workload', '--live', file, '--idle', '1', '--out'] },
  embed: { args: ['ecg-12', file, '--out'] },
  explain: { args: ['workload', file, '--out'] },
  export: { args: ['workload', '--out'] },
  info: { args: [file, '--html'] },
  convert: { args: [file] },
  probe: { args: ['untrained:1', ...data, '--target', 'state', '--out'] },
  pretrain: {
    args: [...data, '--recipe', 'pretrain.json', '--out'],
    files: ['encoder.safetensors', 'result.json', 'report.html', 'training'],
  },
  finetune: {
    args: [...data, '--recipe', 'finetune.json', '--out'],
    files: ['model.safetensors', 'result.json', 'report.html', 'training'],
  },
  evaluate: {
    args: [...data, '--recipe', 'finetune.json', '--protocol', 'k-fold', '--out'],
    files: ['result.json', 'report.html', 'models', 'training'],
  },
  demo: { args: ['--out'], files: ['result.json', 'report.html', 'encoders', 'models', 'training'] },
  reproduce: {
    args: ['eegmat', '--out'],
    files: ['reproduce-eegmat.json', 'report.html', 'kept', 'training'],
  },
  prepare: { args: ['a/labels.csv', '--recipe', 'pretrain.json', '--out'], files: [] },
};
/** They download into a place of their own, or draw one page within a second. */
const others = ['fetch', 'report'];
/** Names of files: a folder in their place is in the way. All else are folders: a file is. */
const isFile = (name: string) => /\.\w+$/.test(name);
const extensions: Readonly<Record<string, string>> = {
  embed: '.npz',
  explain: '.html',
  export: '.onnx',
  info: '.html',
  convert: '.bdf',
  probe: '.json',
};
const given = (verb: string) => [...verb.split(' ').slice(0, 1), ...verbs[verb]!.args];

let folder: string;
beforeAll(async () => {
  [folder] = await Promise.all([makeWorkspace(), buildCli()]);
  await writeFile(join(folder, 'plain'), 'a file');
});
afterAll(async () => {
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

/** Refused in one line, by its exit code, before anything was computed. */
async function expectRefused(args: readonly string[], reason: RegExp): Promise<void> {
  const quiet = args[0] === 'export' || args[0] === 'info' ? [] : ['--progress', 'json'];
  const { code, stdout, stderr } = await heartmindIn(folder, [...args, ...quiet]);
  expect(stderr).toMatch(reason);
  expect([2, 5], stderr).toContain(code);
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/"(done|loss)":[1-9]/);
}

test('no verb is missing here', async () => {
  const { stdout } = await heartmindIn(folder, ['--help']);
  const commands = stdout.slice(stdout.indexOf('COMMANDS')).matchAll(/^ {2}([a-z]+) /gm);
  const known = [...Object.keys(verbs).map((verb) => verb.split(' ')[0]), ...others];
  expect([...commands].map(([, name]) => name).filter((name) => !known.includes(name!))).toEqual([]);
});

describe.each(Object.keys(verbs))('%s', (verb) => {
  const { files } = verbs[verb]!;

  test('refuses a path that leads through a file', () =>
    expectRefused(
      [...given(verb), `plain/x${extensions[verb] ?? ''}`],
      /part of the path is a file|is a file/,
    ));

  test.skipIf(files)('refuses a folder in the place of its file, and its own input', async () => {
    const taken = `taken${extensions[verb] ?? ''}`;
    await mkdir(join(folder, taken), { recursive: true });
    if (verb === 'convert') await mkdir(join(folder, 'taken.bdf/anna-calm.edf'), { recursive: true });
    await expectRefused(
      [...given(verb), taken, ...(verb === 'convert' ? ['--to', 'edf'] : [])],
      /this is a folder\. Name a file in it/,
    );
    // Their formats are not those of recordings.
    if (['embed', 'export', 'probe'].includes(verb)) return;
    const before = await readFile(join(folder, file));
    await expectRefused(
      [...given(verb), file, ...(verb === 'convert' ? ['--force'] : [])],
      /this file is being read\. Write to another name or folder/,
    );
    expect(Buffer.compare(await readFile(join(folder, file)), before)).toBe(0);
  });

  test.each(files ?? [])('refuses a run in whose folder something else stands as %s', async (name) => {
    const run = `runs/${verb}-${name}`;
    await mkdir(join(folder, run), { recursive: true });
    if (isFile(name)) await mkdir(join(folder, run, name));
    else await writeFile(join(folder, run, name), 'a file');
    await expectRefused([...given(verb), run], isFile(name) ? /is a folder/ : /part of the path is a file/);
    expect(await readdir(join(folder, run))).toEqual([name]);
  });
});
