import { expect, it } from 'vitest';
import { describeCommand } from '../../src/cli/command.ts';

it('describes what was asked without the places of this machine', () => {
  const described = (words: string) => describeCommand(words.split(' '));
  expect(described('evaluate --data ptbxl=/data/ptb-xl --threads 1 --json --seeds 0,1')).toBe(
    'heartmind evaluate --data ptbxl=PATH --seeds 0,1',
  );
  expect(described('reproduce dreamer --data /home/ann/DREAMER.mat --out /tmp/run --tune')).toBe(
    'heartmind reproduce dreamer --data DREAMER.mat --tune',
  );
  expect(described('reproduce eegmat --eeg /home/ann/runs/a/model.safetensors,eeg-4:2 --device cpu')).toBe(
    'heartmind reproduce eegmat --eeg a/model.safetensors,eeg-4:2',
  );
});
