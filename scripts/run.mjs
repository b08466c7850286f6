#!/usr/bin/env node
/**
 * What the README's commands do before their own work: install the pinned packages and build, only where needed.
 *   npm run setup   packages + build
 *   npm run demo    setup, then `heartmind demo`
 *   npm run bench   setup, the benchmark built into a cache, then bench/main.ts
 *   npm run fuzz    setup, the fuzzer built into a cache, then damaged files through every reader
 *   npm test        setup, a browser where one can be installed, then every test; last line `N passed, N failed`
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCommit, readBuiltCommit } from './commit.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const [task = 'setup', ...rest] = process.argv.slice(2);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`heartmind: this is Node ${process.versions.node}, it needs 20.19 or newer. Install a newer Node.`);
}
if (task === 'setup') setup();
else if (task === 'demo') demo();
else if (task === 'bench') runBuilt('bench', 'bench/build.config.ts');
else if (task === 'fuzz') runBuilt('fuzz', 'test/fuzz/build.config.ts');
else if (task === 'test') test();
else fail(`run.mjs: '${task}' is not a task. Use setup, demo, bench, fuzz or test.`);

function setup() {
  const installed = 'node_modules/.package-lock.json';
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync('package-lock.json').mtimeMs) {
    step('installing the pinned packages (npm ci)');
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  const built = 'dist/cli.js';
  const sources = ['package.json', 'tsdown.config.ts', ...listFiles('src')];
  const isOld =
    !existsSync(built) || sources.some((file) => statSync(file).mtimeMs > statSync(built).mtimeMs);
  // The built program tells its commit in every result, so that a new commit needs a new build.
  if (isOld || readBuiltCommit() !== findCommit()) {
    step('building (tsdown)');
    build('tsdown.config.ts');
  }
}

function demo() {
  setup();
  process.exit(
    spawnSync(process.execPath, ['dist/cli.js', 'demo', ...rest], { stdio: 'inherit' }).status ?? 1,
  );
}

/** A program of ours that is no part of the package: built into a cache, then run with the worker's path or alone. */
function runBuilt(name, config) {
  setup();
  const folder = dirname(config);
  const built = `node_modules/.cache/heartmind-${name}/built`;
  const sources = [
    ...['bench', 'test'].flatMap((from) => listFiles(from)).filter((file) => file.endsWith('.ts')),
    ...listFiles('src'),
  ];
  const main = join(built, 'main.js');
  if (!existsSync(main) || sources.some((file) => statSync(file).mtimeMs > statSync(main).mtimeMs)) {
    step(`building ${folder} (tsdown)`);
    build(config);
  }
  const workers = name === 'bench' ? [join(built, 'worker.js')] : [];
  const { status } = spawnSync(process.execPath, [main, ...workers, ...rest], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

function test() {
  setup();
  step('checking types and style (tsc, biome)');
  const checked = [
    runNode('typescript/package.json', 'tsc', ['--noEmit'], false),
    runNode('@biomejs/biome/package.json', 'biome', ['check', '.'], false),
  ];
  const env = { ...process.env, HEARTMIND_CHROMIUM: findChromium() ?? '' };
  const folder = mkdtempSync(join(tmpdir(), 'heartmind-test-'));
  const report = join(folder, 'report.json');
  step('running the tests (vitest)');
  runNode(
    'vitest/package.json',
    'vitest',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...rest],
    false,
    env,
  );
  let passed = 0;
  let failed = checked.filter((ok) => !ok).length;
  let skipped = 0;
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8'));
    passed = counts.numPassedTests;
    skipped = counts.numPendingTests;
    failed += counts.numFailedTests;
    // A file that fails to load holds no tests of its own but is a failure all the same.
    failed += counts.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    ).length;
    if (!counts.success && failed === 0) failed = 1;
  } catch (error) {
    console.error(`test: the runner left no report (${error.message}).`);
    failed += 1;
  }
  rmSync(folder, { recursive: true, force: true });
  if (skipped > 0)
    console.log(`${skipped} skipped: what they need is not on this machine; their names say what.`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}

/** Chromium for the browser tests: one that is there, else Debian's where we may install it, else none. */
function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const find = () =>
    [
      process.env.HEARTMIND_CHROMIUM,
      ...(process.env.PATH ?? '').split(':').flatMap((d) => names.map((n) => join(d, n))),
    ].find((path) => path && existsSync(path));
  const found = find();
  if (found) return found;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    step('no Chromium found: the browser tests are skipped. Install chromium to run them.');
    return undefined;
  }
  step("installing Debian's chromium for the browser tests");
  const quiet = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 600_000,
  };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], quiet);
  return find();
}

function build(config) {
  run(process.execPath, ['scripts/build.mjs', config]);
}

/** Run the `bin` of an installed package with this Node; end with its code unless `must` is false. */
function runNode(manifest, bin, args, must = true, env = process.env) {
  const require = createRequire(join(root, 'package.json'));
  const path = require.resolve(manifest);
  const { bin: bins } = JSON.parse(readFileSync(path, 'utf8'));
  return run(
    process.execPath,
    [join(dirname(path), typeof bins === 'string' ? bins : bins[bin]), ...args],
    must,
    env,
  );
}

function run(command, args, must = true, env = process.env) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
  if (status !== 0 && must) fail(`${command} ${args.join(' ')} ended with ${status ?? error?.message}.`);
  return status === 0;
}

function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? listFiles(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

function step(message) {
  console.error(`▸ ${message}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
