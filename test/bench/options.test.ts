import { expect, test } from 'vitest';
import { parseOptions, sections } from '../../bench/options.ts';

test('without arguments: the usual sections, peers that are present, python3', () => {
  expect(parseOptions([], {})).toEqual({
    full: false,
    only: ['ceiling', 'step', 'latency', 'signals', 'readers'],
    peers: 'present',
    python: 'python3',
  });
  expect(parseOptions(['--full'], {}).only).toEqual(sections);
});

test('a part, in the order of the sections; Python by option before environment', () => {
  const options = parseOptions(['--only', 'latency,step', '--peers', 'off', '--python', 'a'], {
    HEARTMIND_PYTHON: 'b',
  });
  expect(options).toEqual({ full: false, only: ['step', 'latency'], peers: 'off', python: 'a' });
  expect(parseOptions([], { HEARTMIND_PYTHON: 'b' }).python).toBe('b');
});

test.each([
  [
    ['--only', 'stap'],
    "bench: 'stap' is no section. Use some of ceiling, step, latency, signals, readers, choices.",
  ],
  [['--peers', 'no'], "bench: --peers is off or install, not 'no'."],
  [['--fast'], "bench: '--fast' is no option."],
  [['--python'], 'bench: --python wants a value.'],
])('%j is refused', (args, message) => {
  expect(() => parseOptions(args, {})).toThrow(message);
});
