import { defineConfig } from 'tsdown';

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
  inputOptions: { external: [/^node:/, /^onnxruntime-(node|web|common)/, /^koffi/] },
});
