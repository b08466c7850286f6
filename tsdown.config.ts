import { writeFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';
import { commitFile, findCommit } from './scripts/commit.mjs';

const commit = findCommit();

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    node: 'src/node.ts',
    browser: 'src/browser.ts',
    cli: 'src/cli/main.ts',
  },
  platform: 'neutral',
  target: 'es2023',
  dts: true,
  fixedExtension: false,
  define: { HEARTMIND_COMMIT: JSON.stringify(commit) },
  inputOptions: {
    external: [/^node:/, /^onnxruntime-(node|web|common)/, /^koffi/],
    checks: { pluginTimings: false },
  },
  onSuccess: () => writeFileSync(commitFile, commit),
});
