import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { hasModule } from '../../bench/rivals.ts';

const python = process.env.HEARTMIND_PYTHON ?? 'python3';
const ready = ['torch', 'safetensors', 'numpy'].every((name) => hasModule(python, name));

test.skipIf(!ready)(
  'PyTorch rendering: outputs and gradients are the golden ones (needs Python with torch)',
  () => {
    const root = resolve(import.meta.dirname, '../..');
    const text = execFileSync(python, ['bench/peers/cbramod_torch.py', '--check'], {
      cwd: root,
      encoding: 'utf8',
    });
    const { compared, relative } = JSON.parse(text);
    expect(compared).toBe(53);
    expect(relative).toBeLessThan(1e-4);
  },
);
