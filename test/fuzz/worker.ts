/** A process that runs cases and reports; its parent kills it when it hangs, and starts another after a violation. */
import { makeCase, runCase } from './cases.ts';
import { buildCorpus } from './corpus.ts';
import { probe, Violation } from './probe.ts';
import { buildSharedCorpus } from './shared-corpus.ts';

export interface Order {
  readonly seed: number;
  readonly numbers: readonly number[];
  /** Only these formats; all when empty. */
  readonly formats: readonly string[];
  /** Folder of conformance files; taken where it is there. */
  readonly shared: string;
}

export type Message =
  | { readonly kind: 'begin'; readonly number: number; readonly name: string }
  | {
      readonly kind: 'end';
      readonly number: number;
      readonly name: string;
      readonly outcome: 'opened' | 'refused';
      readonly milliseconds: number;
      /** Bytes by which the process was larger than ever before. */
      readonly growth: number;
      readonly bytes: number;
    }
  | { readonly kind: 'violation'; readonly number: number; readonly name: string; readonly fact: string };

/** Beyond this and 64 times its files' bytes, a case takes too much memory: engines grow in steps of some megabytes. */
const freeBytes = 48 * 2 ** 20;
const bytesPerByte = 64;

const send = (message: Message) => process.send!(message);
const peak = () => process.resourceUsage().maxRSS * 1024;

process.once('message', async ({ seed, numbers, formats, shared }: Order) => {
  const all = [...(await buildCorpus()), ...(await buildSharedCorpus(shared))];
  const corpus = formats.length === 0 ? all : all.filter(({ name }) => formats.includes(name));
  // Compiled once, so that the first case does not pay for libraries.
  for (const entry of corpus) await probe(entry.open, entry.files, entry.options ?? {});
  for (const number of numbers) {
    const one = makeCase(corpus, seed, number);
    const { name } = one.entry;
    send({ kind: 'begin', number, name });
    const before = peak();
    try {
      const { outcome, milliseconds } = await runCase(one);
      const growth = peak() - before;
      if (growth > freeBytes + bytesPerByte * one.bytes)
        throw new Violation(`took ${Math.round(growth / 2 ** 20)} MiB for ${one.bytes} bytes`);
      send({ kind: 'end', number, name, outcome, milliseconds, growth, bytes: one.bytes });
    } catch (error) {
      send({ kind: 'violation', number, name, fact: (error as Error).message });
    }
  }
  process.disconnect();
});
