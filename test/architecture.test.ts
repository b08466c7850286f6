/** The folder listing is the architecture: imports go down the ranks, ARCHITECTURE.md names every file, src/ is one piece. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ranks: Readonly<Record<string, number>> = {
  core: 0,
  read: 1,
  signal: 1,
  graph: 1,
  metrics: 1,
  patches: 2,
  runtime: 2,
  model: 3,
  datasets: 3,
  train: 4,
  evaluate: 5,
  cli: 6,
};
/** The entry points may import everything. */
const entryRank = 7;

const root = resolve(import.meta.dirname, '..');
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/${file}`)
  .sort();
const imports = new Map(
  files.map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
    return [file, found] as const;
  }),
);

function folderOf(file: string): string {
  return file.split('/').length > 2 ? file.split('/')[1]! : '';
}

function rankOf(file: string): number {
  const folder = folderOf(file);
  return folder === '' ? entryRank : (ranks[folder] ?? Number.NaN);
}

function resolveImport(file: string, specifier: string): string {
  return relative(root, resolve(root, dirname(file), specifier));
}

describe('imports', () => {
  it('every folder of src/ has a rank', () => {
    expect(files.filter((file) => Number.isNaN(rankOf(file)))).toEqual([]);
  });

  it('go to a lower rank or the same folder', () => {
    const wrong = files.flatMap((file) =>
      imports
        .get(file)!
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolveImport(file, specifier))
        .filter((target) => folderOf(target) !== folderOf(file) && rankOf(target) >= rankOf(file))
        .map((target) => `${file} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('form no cycle at run time', () => {
    const runtimeImports = new Map(
      files.map((file) => {
        const text = readFileSync(join(root, file), 'utf8').replace(/(?:import|export) type [^;]*;/g, '');
        const found = [...text.matchAll(/from\s*'(\.[^']+)'/g)].map((match) =>
          resolveImport(file, match[1]!),
        );
        return [file, found] as const;
      }),
    );
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      state.set(file, 'open');
      for (const target of runtimeImports.get(file) ?? []) visit(target, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('keep Node and the engines out of the pure part', () => {
    const impure = files.filter((file) => {
      const nodeOnly =
        /-node\.ts$|\/node-[^/]*\.ts$/.test(file) || file === 'src/node.ts' || folderOf(file) === 'cli';
      return (
        !nodeOnly &&
        imports.get(file)!.some((name) => name.startsWith('node:') || name.startsWith('onnxruntime-node'))
      );
    });
    expect(impure).toEqual([]);
    const importers = files.filter((file) =>
      imports.get(file)!.some((name) => name.startsWith('onnxruntime-node')),
    );
    expect(importers).toEqual(['src/runtime/ort-node.ts']);
  });

  it('of the pure and browser entry points never reach a Node file', () => {
    for (const entry of ['src/index.ts', 'src/browser.ts']) {
      const reached = new Set<string>();
      const walk = (file: string): void => {
        if (reached.has(file)) return;
        reached.add(file);
        for (const name of imports.get(file) ?? []) if (name.startsWith('.')) walk(resolveImport(file, name));
      };
      walk(entry);
      expect([...reached].filter((file) => /-node\.ts$|\/node-[^/]*\.ts$/.test(file))).toEqual([]);
    }
  });
});

describe('ARCHITECTURE.md', () => {
  it('has a line for every file of src/', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    expect(files.filter((file) => !text.includes(`\`${file.slice('src/'.length)}\``))).toEqual([]);
  });

  it('names no file that is gone', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const named = [...text.matchAll(/^\| `([a-z-]+\/[a-z0-9/_-]+\.ts)`/gm)].map((match) => `src/${match[1]}`);
    expect(named.filter((file) => !files.includes(file))).toEqual([]);
  });
});
