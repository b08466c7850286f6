/** heartmind in a real Chromium: read, prepare and predict there, and compare with Node. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, launch, type Page } from 'puppeteer-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { Random } from '../../src/core/random.ts';
import { parseModelConfig } from '../../src/model/config.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import { encodeModel } from '../../src/model/model-file.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { openRecording } from '../../src/read/open.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import * as inNode from './fixtures/page.ts';
import { startServer, type TestServer } from './fixtures/server.ts';

/** In the functions that run inside the page. */
declare const page: typeof inNode;

const chromium =
  process.env.HEARTMIND_CHROMIUM ||
  ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
    .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
const title = chromium ? 'in Chromium' : 'in Chromium (skipped: there is none; set HEARTMIND_CHROMIUM)';

const eegChannels = ['Fz', 'Cz', 'Pz', 'O1'];

/** A fused model with its initial parameters, as a file. */
function makeModel(eeg: readonly string[], seconds: number, layers: number): Uint8Array {
  const recipe = parseRecipe({
    version: 1,
    signals: {
      eeg: { channels: eeg, lowHz: 0.5, highHz: 45, notchHz: 50, scaleMicrovolts: 100 },
      ecg: { channels: ['ECG'], lowHz: 0.5, highHz: 40, scaleMicrovolts: 1000 },
    },
    window: { lengthSeconds: seconds, stepSeconds: 5 },
  });
  const config = parseModelConfig({
    signals: {
      eeg: { encoder: { layers }, channels: eeg, patches: seconds },
      ecg: { encoder: { layers: 1 }, channels: ['ECG'], patches: seconds },
    },
    head: { kind: 'mlp', hidden: 32, classes: 3 },
  });
  const tensors = initialParameters(modelParameters(config), new Random(5));
  return encodeModel({ config, recipe, classes: ['calm', 'neutral', 'excited'], tensors });
}

/** 60 s: noise with an alpha rhythm at 256 Hz, and an ECG of one spike a second at 500 Hz. */
function makeEdf(): Uint8Array {
  const random = new Random(3);
  const seconds = 60;
  const eeg = eegChannels.map((name) => ({
    name,
    unit: 'uV',
    rateHz: 256,
    samples: Float64Array.from(
      { length: seconds * 256 },
      (_, t) => 12 * random.normal() + 20 * Math.sin((2 * Math.PI * 10 * t) / 256),
    ),
  }));
  const ecg = Float64Array.from(
    { length: seconds * 500 },
    (_, t) => 0.01 * random.normal() + Math.exp(-(((t % 500) - 100) ** 2) / 50),
  );
  return encodeEdf({ channels: [...eeg, { name: 'ECG', unit: 'mV', rateHz: 500, samples: ecg }] });
}

/** A WFDB record of one lead, format 16. */
const wfdbSignal = Int16Array.from({ length: 50 }, (_, t) => 10 * t);
const edf = makeEdf();
const files = {
  'a.edf': edf,
  'cut.edf': edf.subarray(0, 100_000),
  'noise.edf': new TextEncoder().encode('no recording at all'),
  'empty.edf': new Uint8Array(),
  'r.hea': new TextEncoder().encode('r 1 100 50\nr.dat 16 100/mV 16 0 0 0 0 II\n'),
  'r.dat': new Uint8Array(wfdbSignal.buffer),
  'model.safetensors': makeModel(eegChannels, 5, 2),
  // A software adapter is slow: little for it.
  'small.safetensors': makeModel(['Fz', 'Cz'], 1, 1),
};

async function bundlePage(): Promise<string> {
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'fixtures/page.ts'),
    platform: 'browser',
    external: [/^onnxruntime-web/, /^h5wasm/],
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  await bundle.close();
  expect(output.length).toBe(1);
  return output[0].code;
}

const maxDifference = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe.skipIf(!chromium)(title, () => {
  let server: TestServer;
  let browser: Browser;
  let main: Page;

  /** The first windows' probabilities by Node: [W, K]. */
  async function predictInNode(
    model: 'model.safetensors' | 'small.safetensors',
    windows: number,
    precision: 'float32' | 'int8' = 'float32',
  ): Promise<readonly number[]> {
    const { probabilities } = await inNode.predict(
      await openRecording(bytesSource('a.edf', edf)),
      files[model],
      await createNodeBackend({ device: 'cpu', threads: 2 }),
      { batches: [64], windows, precision },
    );
    return probabilities[0]!;
  }

  async function openPage(path: string, from = browser): Promise<Page> {
    const opened = await from.newPage();
    await opened.goto(server.origin + path);
    await opened.waitForFunction('globalThis.page');
    return opened;
  }

  const start = (...flags: string[]) =>
    launch({
      executablePath: chromium!,
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', ...flags],
    });

  beforeAll(async () => {
    server = await startServer(await bundlePage(), files);
    browser = await start();
    main = await openPage('/');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it('a chosen EDF file is prepared and classified as in Node, with threads and overlapping calls', async () => {
    const found = await main.evaluate(() =>
      page.predictFile(
        '/files/a.edf',
        '/files/model.safetensors',
        { device: 'cpu', threads: 2 },
        { batches: [4, 3], windows: 12 },
      ),
    );
    expect(found.backend).toMatch(/^onnxruntime-web \d+\.\d+\.\d+, cpu, 2 threads$/);
    const expected = await predictInNode('model.safetensors', 12);
    expect([found.windows, expected.length]).toEqual([12, 36]);
    // The windows must tell apart, or agreement would mean little.
    expect(maxDifference(expected.slice(3), expected)).toBeGreaterThan(1e-3);
    for (const probabilities of found.probabilities) {
      expect(maxDifference(probabilities, expected)).toBeLessThan(1e-5);
    }
  });

  it('INT8 gives what it gives in Node, without the overflow of 16 bits that some kernels have', async () => {
    const found = await main.evaluate(() =>
      page.predictFile(
        '/files/a.edf',
        '/files/model.safetensors',
        { device: 'cpu', threads: 2 },
        { batches: [64], windows: 12, precision: 'int8' },
      ),
    );
    const [exact, rounded] = [
      await predictInNode('model.safetensors', 12),
      await predictInNode('model.safetensors', 12, 'int8'),
    ];
    const cost = maxDifference(rounded, exact);
    expect(cost).toBeGreaterThan(1e-5);
    expect(maxDifference(found.probabilities[0]!, rounded)).toBeLessThan(cost / 2);
  });

  it('a page that is not isolated runs on one thread, whatever was asked for', async () => {
    const shared = await openPage('/shared');
    const description = await shared.evaluate(() => page.describeBackend({ device: 'cpu', threads: 2 }));
    expect(description).toMatch(/, cpu, 1 threads$/);
    await shared.close();
  });

  it('outputs are written in place, and unfit targets refused', async () => {
    const found = await main.evaluate(() => page.runInPlace({ device: 'cpu' }));
    expect(found).toEqual({
      names: ['twice'],
      isTarget: true,
      values: [2, 4, 6],
      error:
        'BackendError: engine: the run failed (output twice is float32 [3], the tensor to write it into float32 [4]).',
    });
  });

  it.each(['/files/', '/whole/'])('a URL under %s gives what a File gives', async (folder) => {
    const before = server.requests.length;
    const [edf, wfdb] = await main.evaluate(
      async (at) => [await page.read([`${at}a.edf`], 'url'), await page.read([`${at}r.hea`], 'url')] as const,
      folder,
    );
    const asked = server.requests.slice(before).filter((request) => request.includes('a.edf'));
    expect(asked[0]).toBe(`${folder}a.edf bytes=0-65535`);
    if (folder === '/files/') expect(asked.length).toBeGreaterThan(1);
    else expect(asked.length).toBe(1);
    const [edfBlob, wfdbBlob] = await main.evaluate(
      async () =>
        [
          await page.read(['/files/a.edf'], 'blob'),
          await page.read(['/files/r.hea', '/files/r.dat'], 'blob'),
        ] as const,
    );
    expect(edf).toEqual(edfBlob);
    expect(edf.channels).toEqual([...eegChannels, 'ECG']);
    expect(wfdb).toEqual(wfdbBlob);
    expect(wfdb).toEqual({ format: 'wfdb', channels: ['II'], first: [4.5, 4.6, 4.7, 4.8, 4.9] });
  });

  it.each([
    ['blob', ['/files/noise.edf'], /^FormatError: .*noise\.edf/],
    ['blob', ['/files/cut.edf'], /^FormatError: .*cut\.edf .*truncated/],
    ['blob', ['/files/r.hea'], /^FormatError: .*r\.dat/],
    ['url', ['/files/cut.edf'], /^FormatError: .*cut\.edf .*truncated/],
    ['url', ['/files/empty.edf'], /^FormatError: .*empty\.edf: the file is empty/],
    [
      'url',
      ['/files/none.edf'],
      /^FormatError: \/files\/none\.edf: the server answers 404\. Check the address\.$/,
    ],
    ['url', ['http://127.0.0.1:9/a.edf'], /^FormatError: http:.*a\.edf: cannot be fetched \(.*CORS\)\.$/],
    ['url', ['http://'], /^FormatError: http:\/\/: this is no URL/],
  ] as const)('by %s, %s is refused with its reason', async (how, urls, message) => {
    const found = await main.evaluate((from, list) => page.readFailure(list, from), how, urls);
    expect(found).toMatch(message);
  });

  it('an absent WebGPU is a clear error, and auto takes the cores', async () => {
    const found = await main.evaluate(() => page.backendFailure({ device: 'webgpu' }));
    expect(found).toBe(
      'BackendError: device webgpu: not usable here (the browser offers no WebGPU adapter). Use a browser and a GPU with WebGPU, on https or localhost, or device cpu.',
    );
    expect(await main.evaluate(() => page.describeBackend({}))).toContain(', cpu, ');
  });

  it('on WebGPU a fused model gives what Node gives, and values stay on the device', async ({ skip }) => {
    const withGpu = await start('--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader');
    try {
      const gpuPage = await openPage('/', withGpu);
      const hasAdapter = await gpuPage.evaluate(async () => (await navigator.gpu?.requestAdapter()) != null);
      skip(!hasAdapter, 'this Chromium has no software adapter for WebGPU');
      const found = await gpuPage.evaluate(() =>
        page.predictFile(
          '/files/a.edf',
          '/files/small.safetensors',
          { device: 'webgpu' },
          { batches: [2], windows: 2 },
        ),
      );
      expect(found.backend).toContain(', webgpu, ');
      const expected = await predictInNode('small.safetensors', 2);
      expect(expected.length).toBe(6);
      expect(maxDifference(expected, found.probabilities[0]!)).toBeLessThan(1e-4);
      const kept = await gpuPage.evaluate(() => page.keepOnDevice({ device: 'webgpu' }));
      expect(kept.values).toEqual([1, 2, 3].map((value) => value * 2 ** 20));
      expect(kept.sums).toEqual(Array.from({ length: 20 }, (_, i) => 6 * 2 ** i));
      // Computing WebGPU on the cores is no gain: auto does not choose it.
      expect(await gpuPage.evaluate(() => page.describeBackend({}))).toContain(', cpu, ');
    } finally {
      await withGpu.close();
    }
  });

  it('an absent onnxruntime-web is a clear error', async () => {
    const bare = await openPage('/without-ort');
    const found = await bare.evaluate(() => page.backendFailure({ device: 'cpu' }));
    expect(found).toMatch(
      /^BackendError: device cpu: onnxruntime-web cannot be loaded \(.*npm install onnxruntime-web/,
    );
    await bare.close();
  });

  it('absent .wasm files are a clear error; wasmPaths says where they are', async () => {
    const moved = await openPage('/moved');
    const found = await moved.evaluate(() => page.backendFailure({ device: 'cpu', threads: 1 }));
    expect(found).toMatch(/^BackendError: device cpu: not usable here \(.*wasmPaths\.$/);
    await moved.reload();
    await moved.waitForFunction('globalThis.page');
    const description = await moved.evaluate(() =>
      page.describeBackend({ device: 'cpu', threads: 1, wasmPaths: '/ort/' }),
    );
    expect(description).toContain(', cpu, 1 threads');
    await moved.close();
  });
});
