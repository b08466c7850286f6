/** 2,000 damaged files through every reader; `npm run fuzz` takes as many as one likes, and watches memory too. */
import { describe, expect, it } from 'vitest';
import { makeCase, runCase } from './cases.ts';
import { buildCorpus } from './corpus.ts';
import { type Open, probe } from './probe.ts';
import { runUrlCase } from './url-cases.ts';

const corpus = await buildCorpus();
const cases = 2000;
const perFormat = Math.ceil(cases / corpus.length);

describe(`damaged files, ${perFormat} of each format`, () => {
  it.each(corpus.map((entry, i) => [entry.name, entry, i] as const))('%s', async (_, entry, index) => {
    // Undamaged, it opens: else nothing below would be tested.
    expect(await probe(entry.open, entry.files, entry.options ?? {})).toBe('opened');
    let opened = 0;
    for (let i = 0; i < perFormat; i++) {
      const one = makeCase(corpus, 1, i * corpus.length + index);
      try {
        opened += Number((await runCase(one)).outcome === 'opened');
      } catch (error) {
        throw new Error(`case ${i * corpus.length + index} of seed 1: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
    // Damage that is never noticed, or always fatal, tests nothing.
    expect(opened).toBeGreaterThan(0);
    expect(opened).toBeLessThan(perFormat);
  });
});

const urlCases = 45;
describe('servers that fail', () => {
  it(`give right bytes or an error of ours, in ${urlCases} cases`, async () => {
    const outcomes = new Map<string, number>();
    const numbers = Array.from({ length: urlCases }, (_, i) => i).values();
    const worker = async () => {
      for (const number of numbers) {
        const { way, outcome } = await runUrlCase(1, number).catch((error: Error) => {
          throw new Error(`case ${number} of seed 1: ${error.message}`, { cause: error });
        });
        outcomes.set(`${way} ${outcome}`, (outcomes.get(`${way} ${outcome}`) ?? 0) + 1);
      }
    };
    // Most of the time of a case is waiting.
    await Promise.all(Array.from({ length: 8 }, worker));
    // Trouble that is never overcome, or never fatal, tests nothing.
    for (const way of ['recording', 'store', 'download'])
      for (const outcome of ['opened', 'refused'])
        expect(outcomes.get(`${way} ${outcome}`)).toBeGreaterThan(0);
  }, 120_000);
});

describe('the probe notices', () => {
  const files = { 'x.edf': corpus[0]!.files['x.edf']! };
  const entry = corpus.find(({ name }) => name === 'edf')!;

  it('an error that is none of ours', async () => {
    const open = async () => (undefined as unknown as { channels: [] }).channels as never;
    await expect(probe(open, files, {})).rejects.toThrow(/escaped: TypeError/);
  });

  it('samples that do not exist', async () => {
    const open: Open = async (source, options) => {
      const recording = await entry.open(source, options);
      return { ...recording!, read: async (_, start, end) => new Float64Array(Math.max(0, end - start)) };
    };
    await expect(probe(open, files, {})).rejects.toThrow(/do not exist and were given/);
  });

  it('a changed prototype', async () => {
    const open = async () => {
      Object.assign(Object.prototype, { polluted: 1 });
      return undefined;
    };
    try {
      await expect(probe(open, files, {})).rejects.toThrow(/prototype was changed/);
    } finally {
      delete (Object.prototype as { polluted?: number }).polluted;
    }
  });

  it('a case that takes too long', async () => {
    const slow = { ...entry, open: async () => void (await new Promise((done) => setTimeout(done, 1100))) };
    const one = { entry: slow, files, tolerant: false, bytes: 1 };
    await expect(runCase(one as never)).rejects.toThrow(/ms at best of three/);
  });
});
