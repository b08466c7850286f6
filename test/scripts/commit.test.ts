import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-commit-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8' }).trim();
}

/** A folder with heartmind's script in it; what the script finds there. */
async function copyScript(root: string): Promise<() => string> {
  await mkdir(join(root, 'scripts'), { recursive: true });
  const copy = join(root, 'scripts', 'commit.mjs');
  await cp(join(import.meta.dirname, '../../scripts/commit.mjs'), copy);
  const { findCommit } = await import(pathToFileURL(copy).href);
  return findCommit;
}

test('is the commit of the repository that heartmind is, with + where its sources differ', async () => {
  git(folder, 'init', '-q');
  const find = await copyScript(folder);
  await mkdir(join(folder, 'src'));
  await writeFile(join(folder, 'src', 'a.ts'), '1');
  git(folder, 'add', '.');
  git(folder, 'commit', '-qm', 'first');
  const commit = git(folder, 'rev-parse', '--short=12', 'HEAD');
  expect(find()).toBe(commit);
  await writeFile(join(folder, 'notes.md'), 'no part of the program');
  expect(find()).toBe(commit);
  await writeFile(join(folder, 'src', 'a.ts'), '2');
  expect(find()).toBe(`${commit}+`);
});

test("is not the commit of somebody else's repository around an installed heartmind, nor one of none", async () => {
  git(folder, 'init', '-q');
  const find = await copyScript(join(folder, 'node_modules', 'heartmind'));
  await writeFile(join(folder, 'a'), '1');
  git(folder, 'add', 'a');
  git(folder, 'commit', '-qm', 'theirs');
  expect(find()).toBe('');
  await rm(join(folder, '.git'), { recursive: true });
  expect(find()).toBe('');
});
