/** `convert` as a user runs it: formats by name, parts, folders, what is refused, what is said to be lost, how it stops. */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApplication, run, text_en } from '@stricli/core';
import { gzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Context, describeError, describeUsageError, exitCodeOf } from '../../src/cli/command.ts';
import { convertCommand } from '../../src/cli/convert.ts';
import { writeOutput } from '../../src/cli/convert-output.ts';
import { StorageError } from '../../src/core/errors.ts';
import { watchInputs } from '../../src/core/input-files-node.ts';
import type { Recording } from '../../src/core/recording.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { readChannels } from '../../src/read/read-channels.ts';
import { buildCli, heartmindIn, main, removeCli } from './workspace.ts';

let folder: string;
let endWatch: () => void;
const quiet = ['--progress', 'none'];
const convert = (...args: string[]) => heartmindIn(folder, ['convert', ...args, ...quiet]);
const files = async (inside = '.') => (await readdir(join(folder, inside), { recursive: true })).sort();

/** In this process, which is where most refusals need no other; a path is a name with a point, or a folder's. */
async function convertHere(args: readonly string[]): Promise<{ code: number; stderr: string }> {
  const printed = { code: 0, stderr: '' };
  const isPath = (text: string) => /^(in|out\d?|x|twins(-out)?|\.gz|[\w/.]+\.[\w.]+)$/.test(text);
  const application = buildApplication(convertCommand, {
    name: 'heartmind convert',
    scanner: { caseStyle: 'allow-kebab-for-camel' },
    determineExitCode: exitCodeOf,
    localization: {
      loadText: () => ({
        ...text_en,
        exceptionWhileRunningCommand: (error) => describeError(error, false),
        exceptionWhileParsingArguments: describeUsageError,
      }),
    },
  });
  const fake = {
    stdout: { write: () => true },
    stderr: {
      write: (text: string) => {
        printed.stderr += text;
      },
    },
    exitCode: undefined as number | string | null | undefined,
  };
  const context = { process: fake, signal: new AbortController().signal } as unknown as Context;
  await run(
    application,
    [...args.map((text) => (isPath(text) ? join(folder, text) : text)), ...quiet],
    context,
  );
  // A negative code is stricli's own, for wrong usage; main.ts makes it 2.
  printed.code = Number(fake.exitCode) < 0 ? 2 : Number(fake.exitCode);
  return printed;
}

async function read<T>(path: string, work: (recording: Recording) => Promise<T>): Promise<T> {
  const recording = await openRecordingFile(join(folder, path));
  try {
    return await work(recording);
  } finally {
    await recording.close();
  }
}

const rateHz = 100;
function example(seconds = 20): Uint8Array {
  const samples = (scale: number) =>
    Float64Array.from(
      { length: seconds * rateHz },
      (_, i) => Math.round(1000 * Math.sin(i / 7) * scale) / 10,
    );
  return encodeEdf({
    channels: [
      { name: 'Fz', unit: 'uV', rateHz, samples: samples(1), resolution: 0.1 },
      { name: 'T3', unit: 'uV', rateHz, samples: samples(0.5), resolution: 0.1 },
      { name: 'ECG', unit: 'mV', rateHz, samples: samples(0.01), resolution: 0.1 },
    ],
    startTime: new Date('2020-02-03T04:05:06Z'),
    annotations: [{ start: 12, duration: 1, label: 'eyes closed' }],
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-convert-'));
  await mkdir(join(folder, 'in/deep'), { recursive: true });
  const bytes = example();
  await writeFile(join(folder, 'a.edf'), bytes);
  await writeFile(join(folder, 'in/one.edf'), bytes);
  await writeFile(join(folder, 'in/deep/two.edf.gz'), gzipSync(bytes));
  await writeFile(join(folder, 'in/notes.txt'), 'nothing to read');
  await writeFile(join(folder, 'short.edf'), bytes.subarray(0, bytes.length - 300));
  endWatch = watchInputs();
  await buildCli();
});
afterAll(async () => {
  endWatch();
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

describe.concurrent('convert', () => {
  test('by the name of the output; stored integers, time and annotations stay', async () => {
    const { code, stdout } = await convert('a.edf', 'same.bdf', '--json');
    expect(code).toBe(0);
    const { format, files: written, channels } = JSON.parse(stdout);
    expect({ format, channels, written: written.length }).toEqual({ format: 'edf', channels: 3, written: 1 });
    const before = await read('a.edf', async (recording) => ({
      ...recording,
      samples: await readChannels(recording),
    }));
    const after = await read('same.bdf', async (recording) => ({
      ...recording,
      samples: await readChannels(recording),
    }));
    expect(after.format).toBe('bdf');
    expect(after.startTime).toEqual(before.startTime);
    expect(after.annotations).toEqual(before.annotations);
    for (const [c, samples] of after.samples.entries()) {
      const worst = samples.reduce((most, x, i) => Math.max(most, Math.abs(x - before.samples[c]![i]!)), 0);
      expect(worst).toBeLessThan(1e-9);
    }
  });

  test('channels, a range, a rate', async () => {
    const { code, stderr } = await convert(
      ...['a.edf', 'part.edf', '--channels', 'T7,ecg', '--start', '0:10', '--end', '15', '--rate', '50'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await read('part.edf', async ({ channels, annotations, startTime, duration }) => {
      expect(channels.map(({ name, rateHz: hz, lengthSamples }) => [name, hz, lengthSamples])).toEqual([
        ['T3', 50, 250],
        ['ECG', 50, 250],
      ]);
      expect(annotations).toMatchObject([{ start: 2, duration: 1, label: 'eyes closed' }]);
      expect(startTime?.toISOString()).toBe('2020-02-03T04:05:16.000Z');
      expect(duration).toBe(5);
    });
  });

  test('compressed, from standard input', async () => {
    const finished = await new Promise<number | null>((resolve) => {
      const child = spawn(process.execPath, [main, 'convert', '-', 'piped.edf.gz', ...quiet], {
        cwd: folder,
      });
      child.on('close', resolve);
      child.stdin.end(example());
    });
    expect(finished).toBe(0);
    expect((await readFile(join(folder, 'piped.edf.gz'))).subarray(0, 2)).toEqual(Buffer.of(0x1f, 0x8b));
    await read('piped.edf.gz', async ({ channels }) => expect(channels[0]!.lengthSamples).toBe(2000));
  });

  test('a folder keeps its order of files; what is no recording stays behind', async () => {
    const { code, stdout } = await convert('in', 'out', '--to', 'bdf');
    expect({ code, lines: stdout.split('\n').filter((line) => line.includes('→')).length }).toEqual({
      code: 0,
      lines: 2,
    });
    expect(await files('out')).toEqual(['deep', 'deep/two.bdf', 'one.bdf']);
  });

  test('recordings of one name keep their old extension', async () => {
    await mkdir(join(folder, 'twins'));
    await copyFile(join(folder, 'a.edf'), join(folder, 'twins/a.edf'));
    expect(await convertHere(['a.edf', 'twins/a.hea'])).toMatchObject({ code: 0, stderr: '' });
    expect(await convertHere(['twins', 'twins-out', '--to', 'bdf'])).toMatchObject({ code: 0, stderr: '' });
    expect(await files('twins-out')).toEqual(['a.edf.bdf', 'a.hea.bdf']);
  });

  test('records of WFDB get names that it allows', async () => {
    await mkdir(join(folder, 'spaced'));
    await copyFile(join(folder, 'a.edf'), join(folder, 'spaced/S 01 (rest).edf'));
    const here = [join(folder, 'spaced'), join(folder, 'spaced-out'), '--to', 'wfdb'];
    expect(await convertHere(here)).toMatchObject({ code: 0, stderr: '' });
    expect(await files('spaced-out')).toEqual(['S_01_rest_.atr', 'S_01_rest_.dat', 'S_01_rest_.hea']);
  });

  test('a header and the files that it names come compressed together, and are read so', async () => {
    expect(await convertHere(['a.edf', 'z/rec.hea.gz'])).toMatchObject({ code: 0, stderr: '' });
    expect(await files('z')).toEqual(['rec.atr.gz', 'rec.dat.gz', 'rec.hea.gz']);
    await read('z/rec.hea.gz', async ({ channels, annotations }) => {
      expect(channels.map(({ name }) => name)).toEqual(['Fz', 'T3', 'ECG']);
      expect(annotations).toMatchObject([{ start: 12 }]);
    });
  });

  test('what is left of another record of its name is no part of a record', async () => {
    expect(await convertHere(['a.edf', 'stale/r.hea'])).toMatchObject({ code: 0 });
    await rm(join(folder, 'stale/r.hea'));
    const cut = ['a.edf', 'stale/r.hea', '--start', '1', '--end', '2'];
    expect((await convertHere(cut)).stderr).toMatch(/r\.atr: the file is there\. Give --force/);
    expect(await convertHere([...cut, '--force'])).toMatchObject({ code: 0, stderr: '' });
    expect(await files('stale')).toEqual(['r.dat', 'r.hea']);
    expect(await convertHere(['a.edf', 'stale/r.hea.gz', '--force'])).toMatchObject({ code: 0 });
    await read('stale/r.hea.gz', async ({ duration, annotations }) => {
      expect(duration).toBe(20);
      expect(annotations).toHaveLength(1);
    });
  });

  test.each(['npz', 'parquet'])('%s by its name', async (extension) => {
    expect(await convertHere(['a.edf', `table.${extension}`])).toMatchObject({ code: 0, stderr: '' });
    expect(await files()).toContain(`table.${extension}`);
  });

  test('one broken recording does not stop the others, and is not passed over', async () => {
    await mkdir(join(folder, 'mixed'));
    await copyFile(join(folder, 'short.edf'), join(folder, 'mixed/a.edf'));
    await copyFile(join(folder, 'a.edf'), join(folder, 'mixed/b.edf'));
    const { code, stdout, stderr } = await convert('mixed', 'mixed-out', '--to', 'edf');
    expect(code).toBe(3);
    expect(stdout).toMatch(/mixed\/b\.edf .* → mixed-out\/b\.edf/);
    expect(stderr).toMatch(/a\.edf ends at byte[\s\S]*1 of 2 recordings could not be converted/);
    expect(await files('mixed-out')).toEqual(['b.edf']);
  });

  test('a truncated file only with --tolerant, and that is noted', async () => {
    expect(await convert('short.edf', 'short.bdf')).toMatchObject({ code: 3, stdout: '' });
    const { code, stdout } = await convert('short.edf', 'short.bdf', '--tolerant');
    expect(code).toBe(0);
    expect(stdout).toMatch(/note: edf: truncated: .* 19 of 20 records/);
  });

  test.each([
    ['its own input', ['a.edf', 'a.edf', '--force'], 2, /a\.edf: this file is being read/],
    ['a file that is there', ['a.edf', 'in/one.edf'], 2, /in\/one\.edf: the file is there\. Give --force/],
    ['an unknown format', ['a.edf', 'a.mp3'], 2, /the name says no format.*edf \(\.edf\)/],
    ['a name that is an end alone', ['a.edf', '.gz'], 2, /says no format/],
    ['an unknown --to', ['a.edf', 'x', '--to', 'mp3'], 2, /'mp3' cannot be written/],
    ['standard output', ['a.edf', '-', '--to', 'edf'], 2, /output is - and cannot .* Name a file/],
    ['a folder without --to', ['in', 'out2'], 2, /Say in which format: --to edf/],
    [
      'two inputs of one name',
      ['a.edf', 'in/../a.edf', 'out3', '--to', 'edf'],
      2,
      /would both become a\.edf\.edf/,
    ],
    ['an empty range', ['a.edf', 'x.edf', '--start', '9', '--end', '8'], 2, /the range 9–8 s is empty/],
    ['a range beyond', ['a.edf', 'x.edf', '--start', '99'], 3, /nothing is recorded from 99/],
    [
      'a channel that is not there',
      ['a.edf', 'x.edf', '--channels', 'Cz'],
      3,
      /'Cz' is none of .*Fz, T3, ECG/,
    ],
    ['no time', ['a.edf', 'x.edf', '--start', 'noon'], 2, /--start: 'noon' is no time/],
    ['no rate', ['a.edf', 'x.edf', '--rate', '-5'], 2, /--rate: '-5' is no rate/],
    ['an input that is not there', ['nope.edf', 'x.edf'], 3, /nope\.edf: there is no such file/],
  ])('refuses %s', async (_, args, code, message) => {
    const before = await readFile(join(folder, 'a.edf'));
    const finished = await convertHere(args);
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(code);
    expect(await readFile(join(folder, 'a.edf'))).toEqual(before);
    // Other tests run in this folder at the same time, so unfinished files may be theirs: what is refused leaves no output.
    const left = (await files()).filter((name) => /^x[^/]*$/.test(name));
    expect(left).toEqual([]);
  });

  test('Ctrl-C leaves nothing behind', async () => {
    await writeFile(join(folder, 'long.edf'), example(60_000));
    let stopped = false;
    const { code, stderr } = await heartmindIn(
      folder,
      ['convert', 'long.edf', 'long.bdf', '--rate', '99', '--progress', 'json'],
      (text, child) => {
        if (stopped || !text.includes('"stage"')) return;
        stopped = true;
        child.kill('SIGINT');
      },
    );
    expect({ code, stderr }).toMatchObject({ code: 130 });
    expect(stderr).toMatch(/long\.bdf: stopped; nothing of it was kept/);
    expect((await files()).filter((name) => name.includes('long'))).toEqual(['long.edf']);
  });
});

describe('files of an output', () => {
  const options = {
    mainName: 'x.hea',
    force: false,
    signal: new AbortController().signal,
  };
  async function* bytes(...texts: string[]) {
    for (const text of texts) yield new TextEncoder().encode(text);
  }

  test('come together, the main one last', async () => {
    const order: string[] = [];
    async function* written() {
      yield { name: 'x.hea', bytes: bytes('header') };
      order.push(...(await files('together')));
      yield { name: 'x.dat', bytes: bytes('sam', 'ples') };
    }
    const found = await writeOutput(join(folder, 'together'), written(), options);
    expect(order.filter((name) => !name.endsWith('.tmp'))).toEqual([]);
    expect(found.map(({ path, bytes: length }) => [path.slice(-5), length])).toEqual([
      ['x.dat', 7],
      ['x.hea', 6],
    ]);
  });

  test('a full disk is a StorageError, and nothing stays', async () => {
    const { open, rename } = await import('node:fs/promises');
    const full = (async (...args: Parameters<typeof open>) => {
      const handle = await open(...args);
      handle.write = async () => {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      };
      return handle;
    }) as typeof open;
    async function* written() {
      yield { name: 'x.hea', bytes: bytes('header') };
    }
    const failing = writeOutput(join(folder, 'full'), written(), {
      ...options,
      files: { open: full, rename },
    });
    await expect(failing).rejects.toThrow(StorageError);
    await expect(failing).rejects.toThrow(/x\.hea: cannot be written after .* \(the disk is full\)/);
    expect(await files('full')).toEqual([]);
  });
});
