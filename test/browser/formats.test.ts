/** Every format in a real Chromium, as a chosen file and by ranged requests: the same values as in Node. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, launch, type Page } from 'puppeteer-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { openRecording } from '../../src/read/open.ts';
import { buildCorpus } from '../fuzz/corpus.ts';
import * as inNode from './fixtures/formats-page.ts';
import { startServer, type TestServer } from './fixtures/server.ts';

/** In the functions that run inside the page. */
declare const page: typeof inNode;

const chromium =
  process.env.HEARTMIND_CHROMIUM ||
  ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
    .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
const title = chromium
  ? 'formats in Chromium'
  : 'formats in Chromium (skipped: there is none; set HEARTMIND_CHROMIUM)';

const corpus = (await buildCorpus()).filter(({ open }) => open === openRecording);

async function bundlePage(): Promise<string> {
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'fixtures/formats-page.ts'),
    platform: 'browser',
    external: [/^onnxruntime-web/],
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  await bundle.close();
  return output[0].code;
}

describe.skipIf(!chromium)(title, () => {
  let server: TestServer;
  let browser: Browser;
  let main: Page;

  beforeAll(async () => {
    const files = corpus.flatMap(({ files: set }, i) =>
      Object.entries(set).map(([name, bytes]) => [`${i}/${name}`, bytes] as const),
    );
    server = await startServer(await bundlePage(), Object.fromEntries(files));
    browser = await launch({
      executablePath: chromium!,
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    });
    main = await browser.newPage();
    await main.goto(`${server.origin}/`);
    await main.waitForFunction('globalThis.page');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it.each(corpus.map((entry, i) => [entry.name, entry, i] as const))('%s', async (_, entry, i) => {
    const [name] = Object.keys(entry.files);
    const source = bytesSource(name!, entry.files[name!]!, entry.files);
    const options = entry.options ?? {};
    const expected = await inNode.digestOf(await openRecording(source, options));
    expect(expected.sums.length).toBeGreaterThan(0);
    const urls = Object.keys(entry.files).map((file) => `/files/${i}/${encodeURIComponent(file)}`);
    for (const how of ['blob', 'url'] as const) {
      const found = await main.evaluate(
        (paths, way, given) => page.readFiles(paths, way, given),
        urls,
        how,
        options,
      );
      expect(found).toEqual(expected);
    }
  });
});
