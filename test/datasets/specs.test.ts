import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, DataError } from '../../src/core/errors.ts';
import { eegmat } from '../../src/datasets/eegmat.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { assertDisjoint } from '../../src/datasets/folds.ts';
import { datasets, findDataset } from '../../src/datasets/registry.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';

describe('registry', () => {
  it.each(Object.entries(datasets))('%s says what it is, and how to get it', (name, spec) => {
    expect(spec.name).toBe(name);
    expect(spec.title).not.toBe('');
    expect(spec.licence).not.toBe('');
    if (!name.startsWith('bids')) {
      expect(spec.url).toMatch(/^https:\/\//);
      expect(spec.citation).toMatch(/\(\d{4}\)|\b(19|20)\d\d\b/);
    }
    expect(spec.modalities).toEqual(Object.keys(spec.recipe.signals));
    expect(parseRecipe(spec.recipe)).toEqual(spec.recipe);
    for (const fold of Object.values(spec.splits)) assertDisjoint(fold);
    // A folder's targets are known with the folder.
    if (spec.defaultTarget !== undefined && !spec.describe)
      expect(spec.targets).toHaveProperty([spec.defaultTarget]);
    for (const label of Object.values(spec.labels ?? {}))
      if (label.kind === 'multilabel')
        for (const target of label.targets) expect(spec.targets[target]).toEqual(['0', '1']);
  });

  it.each(Object.entries(datasets))('%s has facts that hang together', (_, { facts, url }) => {
    expect(facts.how).toMatch(/\.$/);
    expect(facts.layout.length).toBeGreaterThan(0);
    for (const { path } of facts.layout) expect(path).not.toMatch(/^\/|\\/);
    for (const { ratesHz, channels } of facts.signals) {
      for (const rate of ratesHz) expect(rate).toBeGreaterThan(0);
      expect(new Set(channels).size).toBe(channels.length);
    }
    if (facts.access !== 'open') expect(facts.applyUrl).toMatch(/^https:/);
    if (!facts.download) return;
    expect(facts.download.baseUrl).toMatch(/^https:\/\/.*\/$/);
    // What PhysioNet publishes lies at the same place as its page.
    if (url.startsWith('https://physionet.org/content/')) {
      expect(facts.download.baseUrl).toBe(url.replace('/content/', '/files/'));
      expect(facts.download.checksumList).toBe('SHA256SUMS.txt');
    }
  });

  it('lists the known names where one is unknown, names of Object.prototype too', () => {
    const known = Object.keys(datasets).join(', ');
    for (const name of ['eegmatt', 'constructor'])
      expect(() => findDataset(name)).toThrow(
        new ConfigError(`dataset '${name}' is unknown. Known: ${known}.`, 'dataset', known),
      );
    expect(findDataset('eegmat')).toBe(eegmat);
  });
});

describe('openFolder', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'heartmind-folder-'));
    mkdirSync(join(root, 'b/c'), { recursive: true });
    for (const file of ['z.txt', 'b/c/deep.txt', 'a.txt']) writeFileSync(join(root, file), file);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('lists all files below it, sorted, however its path is written', async () => {
    const paths = [
      root,
      `${root}/`,
      `${root}/.`,
      `${root}/b/..`,
      relative('.', root),
      `./${relative('.', root)}`,
    ];
    for (const path of paths) {
      const folder = await openFolder(path);
      expect(await folder.list(), path).toEqual(['a.txt', 'b/c/deep.txt', 'z.txt']);
      const source = await folder.open('b/c/deep.txt');
      expect(new TextDecoder().decode(await source.read(0, source.byteLength))).toBe('b/c/deep.txt');
      await source.close?.();
    }
  });

  it('says where there is no folder', async () => {
    const path = join(root, 'absent');
    await expect(openFolder(path)).rejects.toThrow(
      new DataError(`${path}: no folder that can be read. Check the path.`),
    );
  });
});
