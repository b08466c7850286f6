/** The fuzzer as plain JavaScript for Node 20, which runs no TypeScript: into a cache, not into dist. */
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { main: 'main.ts', worker: 'worker.ts', 'bomb-worker': 'bomb-worker.ts' },
  outDir: '../../node_modules/.cache/heartmind-fuzz/built',
  platform: 'node',
  target: 'es2023',
  dts: false,
  fixedExtension: false,
  inputOptions: {
    external: [/^node:/, 'h5wasm', 'h5wasm/node'],
    checks: { pluginTimings: false },
  },
});
