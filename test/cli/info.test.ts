/** `info` of a file, a folder, a dataset and standard input; the page of traces; what a file says cannot harm either. */
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { buildCli, heartmindIn, main, removeCli } from './workspace.ts';

let folder: string;
const info = (...args: string[]) => heartmindIn(folder, ['info', ...args, '--progress', 'none']);
const braille = /[\u2801-\u28ff]{10}/;

function example(seconds: number, label = 'eyes closed', name = 'Fz'): Uint8Array {
  const rateHz = 200;
  const samples = (of: (t: number) => number) =>
    Float64Array.from({ length: seconds * rateHz }, (_, i) => of(i / rateHz));
  const ecg = (t: number) => Math.exp(-((((t % 0.8) - 0.3) / 0.012) ** 2)) + 0.01 * Math.sin(90 * t);
  return encodeEdf({
    channels: [
      { name, unit: 'uV', rateHz, samples: samples((t) => 50 * Math.sin(2 * Math.PI * 10 * t)) },
      { name: 'ECG', unit: 'mV', rateHz, samples: samples(ecg) },
      { name: 'flat', unit: 'uV', rateHz, samples: samples(() => 0) },
    ],
    annotations: [{ start: seconds / 2, duration: 1, label }],
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-info-'));
  // No data that the machine happens to have.
  process.env.HEARTMIND_DATA = join(folder, 'data');
  await mkdir(join(folder, 'bids/sub-01/eeg'), { recursive: true });
  await mkdir(join(folder, 'bids/sub-02/eeg'), { recursive: true });
  await writeFile(join(folder, 'a.edf'), example(60));
  await writeFile(join(folder, 'evil.edf'), example(20, '<script>x</script>', '<img src=x>'));
  await writeFile(join(folder, 'bids/sub-01/eeg/one.edf'), example(30));
  await writeFile(join(folder, 'bids/sub-02/eeg/two.edf'), example(10, 'x', 'Cz'));
  await writeFile(join(folder, 'bids/sub-02/eeg/short.edf'), example(10).subarray(0, 9000));
  await writeFile(join(folder, 'bids/participants.tsv'), 'participant_id\tage\nsub-01\t30\n');
  for (const name of ['eegmat', 'eegmat-part']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'Subject00_1.edf'), example(10));
    await writeFile(join(folder, name, 'Subject00_2.edf'), example(10));
  }
  await buildCli();
});
afterAll(async () => {
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

describe.concurrent('info', () => {
  test('a file has a picture, unless it is unwanted', async () => {
    const { stdout } = await info('a.edf');
    expect(stdout).toMatch(/# {2}channel {2}unit/);
    expect(stdout).toMatch(new RegExp(`Fz +${braille.source}`));
    expect(stdout).toMatch(/Fz .* -50(\.\d)? … 50(\.\d)? uV/);
    expect(stdout).not.toContain('\x1b');
    const plain = await info('a.edf', '--no-picture');
    expect(plain.stdout).not.toMatch(braille);
    expect(plain.stdout).toContain('annotations: eyes closed × 1');
  });

  test('the JSON has the envelope', async () => {
    const { envelope, channels, spans } = JSON.parse((await info('a.edf', '--json')).stdout);
    expect(spans).toEqual([{ start: 0, duration: 60 }]);
    expect(channels[2].quality.flat).toBe(true);
    expect(envelope.share).toBe(1);
    expect(envelope.low[0][3]).toBeCloseTo(-50, 0);
    expect(JSON.parse((await info('a.edf', '--json', '--no-picture')).stdout)).not.toHaveProperty('envelope');
  });

  test('standard input', async () => {
    const stdout = await new Promise<string>((resolve) => {
      const child = spawn(process.execPath, [main, 'info', '-'], { cwd: folder });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      child.on('close', () => resolve(text));
      child.stdin.end(example(10));
    });
    expect(stdout).toMatch(/^standard input: edf, 10 s/);
  });

  test('a folder: what is in common, who, what cannot be read', async () => {
    const { code, stdout } = await info('bids');
    expect(code).toBe(0);
    expect(stdout).toContain('bids: 2 recordings of 2 subjects (BIDS), 40 s in all');
    expect(stdout).toContain('channels in every recording: ECG, flat (2)');
    expect(stdout).toMatch(/in some: Fz × 1, Cz × 1/);
    expect(stdout).toContain('rates: 200 Hz × 2');
    expect(stdout).toMatch(/cannot be read: 1\n.*short\.edf ends at byte/);
    const summary = JSON.parse((await info('bids', '--json', '--tolerant')).stdout);
    expect(summary).toMatchObject({ recordings: 3, subjects: 2, unreadable: [], withNotes: 1 });
  });

  test('a folder counts a recording once, however many files and segments it has', async () => {
    const many = join(folder, 'many');
    await mkdir(many);
    const header =
      'Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=v.eeg\nMarkerFile=v.vmrk\n';
    const form =
      'DataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels=1\nSamplingInterval=4000\n';
    await writeFile(
      join(many, 'v.vhdr'),
      `${header}${form}[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\nCh1=Cz,,1,uV\n`,
    );
    await writeFile(
      join(many, 'v.vmrk'),
      'Brain Vision Data Exchange Marker File, Version 1.0\n[Marker Infos]\n',
    );
    for (const name of ['v.eeg', 's1.dat', 's2.dat']) await writeFile(join(many, name), new Uint8Array(20));
    await writeFile(join(many, 'm.hea'), '# a comment\nm/2 1 10 20\ns1 10\ns2 10\n');
    for (const name of ['s1', 's2'])
      await writeFile(join(many, `${name}.hea`), `${name} 1 10 10\n${name}.dat 16 1/mV 0 0 0 0 0 II\n`);
    await writeFile(join(many, 'nothing.edf'), '');
    const summary = JSON.parse((await info('many', '--json')).stdout);
    expect(summary).toMatchObject({ recordings: 2, otherFiles: 6 });
    expect(summary.formats).toMatchObject({
      brainvision: { recordings: 1 },
      wfdb: { recordings: 1, seconds: 2 },
    });
    expect(summary.unreadable).toMatchObject([
      { path: 'nothing.edf', error: expect.stringMatching(/is empty/) },
    ]);
  });

  test('a folder of links, as git-annex makes them: files once, by their names; what was not fetched is told of', async () => {
    const annex = join(folder, 'annex');
    await mkdir(join(annex, '.git/annex/objects'), { recursive: true });
    await writeFile(join(annex, '.git/annex/objects/key.edf'), example(10));
    await symlink('.git/annex/objects/key.edf', join(annex, 'sub-01_eeg.edf'));
    await symlink('.git/annex/objects/other.edf', join(annex, 'sub-02_eeg.edf'));
    const summary = JSON.parse((await info('annex', '--json')).stdout);
    expect(summary).toMatchObject({ recordings: 1, otherFiles: 0 });
    expect(summary.unreadable).toMatchObject([
      { path: 'sub-02_eeg.edf', error: expect.stringMatching(/there is no such file/) },
    ]);
    expect(await (await openFolder(annex)).list()).toEqual(['sub-01_eeg.edf']);
  });

  test.skipIf(process.platform === 'win32')('a pipe is refused, with the way in', async () => {
    const pipe = join(folder, 'pipe.edf');
    await promisify(execFile)('mkfifo', [pipe]);
    const { code, stderr } = await info('pipe.edf');
    expect(stderr).toMatch(/pipe\.edf: this is a pipe .* Give - and send it to standard input/);
    expect(code).toBe(3);
  });

  test('a dataset: what it is; with a folder, what is there', async () => {
    const facts = await info('ludb');
    expect(facts.stdout).toMatch(/^ludb: .*\n {2}licence: ODC-BY/);
    const { stdout } = await info('eegmat=eegmat-part');
    expect(stdout).toContain('eegmat-part: 2 trials of 1 subjects, 20 s');
    expect(stdout).toMatch(/Subject\*_1\.edf +1 +36 +missing/);
    expect(stdout).toContain('The copy is not complete.');
    expect(stdout).toContain('task: rest × 1, arithmetic × 1');
    const { copy } = JSON.parse((await info('eegmat=eegmat-part', '--json')).stdout);
    expect(copy).toMatchObject({ trials: 2, subjects: 1, labels: { task: { counts: { rest: 1 } } } });
  });

  test('what is there wins over a name', async () => {
    expect((await info('eegmat')).stdout).toMatch(/^eegmat: 2 recordings,/);
  });

  test.each([
    [['nope'], 3, /nope: there is no such file/],
    [['ludb=nope'], 3, /nope: no folder that can be read/],
    [['ludb', '--html', 'x.html'], 2, /--html: there is no recording to draw/],
    [['a.edf', '--input-rate', '0'], 2, /--input-rate: '0' is no rate/],
  ])('%j', async (args, code, message) => {
    const finished = await heartmindIn(folder, ['info', ...args], undefined);
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(code);
  });
});

describe.concurrent('the page of traces', () => {
  test('has every channel twice, gaps, marks, beats and spectra', async () => {
    expect((await info('a.edf', '--html', 'a.html')).stdout).toContain('Traces: a.html');
    const page = parseHTML(await readFile(join(folder, 'a.html'), 'utf8')).document;
    const [overview, excerpt] = page.querySelectorAll('figure svg');
    const names = (svg: Element) =>
      [...svg.querySelectorAll('text.name')].map(({ textContent }) => textContent);
    expect(names(overview!)).toEqual(['Fz', 'ECG', 'flat']);
    expect(names(excerpt!)).toEqual(['Fz', 'ECG', 'flat']);
    expect(excerpt!.querySelectorAll('path.beat').length).toBeGreaterThan(10);
    expect(excerpt!.querySelector('text.label')!.textContent).toBe('eyes closed');
    expect(page.querySelectorAll('svg.spectrum').length).toBe(2);
    expect(page.querySelector('td.fault')!.textContent).toBe('flat');
    expect(page.body.textContent).toContain('R peaks, 75 per minute');
    expect(page.querySelectorAll('script').length).toBe(0);
  });

  test('what a file says is text', async () => {
    await info('evil.edf', '--html', 'evil.html');
    const text = await readFile(join(folder, 'evil.html'), 'utf8');
    expect(text).not.toMatch(/<script|<img/);
    expect(text).toContain('&lt;script&gt;x&lt;/script&gt;');
  });

  test('of a folder, a section a recording', async () => {
    await info('bids', '--html', 'bids.html', '--json');
    const page = parseHTML(await readFile(join(folder, 'bids.html'), 'utf8')).document;
    expect(page.querySelectorAll('section h1').length).toBe(2);
  });
});
