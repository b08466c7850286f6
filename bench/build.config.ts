/** The benchmark as plain JavaScript for Node 20, which runs no TypeScript: into a cache, not into dist. */
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { main: 'main.ts', worker: 'ours/worker.ts' },
  outDir: '../node_modules/.cache/heartmind-bench/built',
  platform: 'node',
  target: 'es2023',
  dts: false,
  fixedExtension: false,
  inputOptions: {
    external: [/^node:/, /^onnxruntime-(node|web|common)/, 'koffi', /^h5wasm/],
    checks: { pluginTimings: false },
  },
});
