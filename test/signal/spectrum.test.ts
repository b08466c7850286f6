import { describe, expect, it } from 'vitest';
import { ConfigError, DataError } from '../../src/core/errors.ts';
import { bandPower, welch } from '../../src/signal/spectrum.ts';
import { golden, numbersAt, relativeError } from './golden.ts';

const x = numbersAt(golden.x);

describe('welch', () => {
  it.each(golden.welch)('equals SciPy: $rateHz Hz, segments of $segmentSamples', (c) => {
    const { frequencyHz, density } = welch(x, c.rateHz, c);
    expect(relativeError(frequencyHz, numbersAt(c.frequencyHz))).toBeLessThan(1e-12);
    const expected = numbersAt(c.density);
    expect(relativeError(density, expected)).toBeLessThan(1e-12);
    // Weak frequencies too, except at 0 Hz, where only rounding errors remain.
    for (let k = 1; k < expected.length; k++)
      expect(Math.abs(density[k]! / expected[k]! - 1)).toBeLessThan(1e-9);
  });

  it('integrates to the variance', () => {
    const noise = Float64Array.from({ length: 20_000 }, (_, i) => Math.sin((i + 3) ** 2 * 1.7));
    const { density } = welch(noise, 200, { segmentSamples: 400 });
    const variance = noise.reduce((sum, value) => sum + value * value, 0) / noise.length;
    expect(density.reduce((sum, value) => sum + value, 0) * 0.5).toBeCloseTo(variance, 1);
  });

  it('refuses segments that do not fit', () => {
    expect(() => welch(x.slice(0, 99), 200, { segmentSamples: 100 })).toThrow(DataError);
    expect(() => welch(x, 200, { segmentSamples: 1 })).toThrow(ConfigError);
    expect(() => welch(x, 200, { segmentSamples: 100, overlapSamples: 100 })).toThrow(ConfigError);
    expect(() => welch(x, 0, { segmentSamples: 100 })).toThrow(ConfigError);
  });
});

describe('bandPower', () => {
  it('is the mean density in [low, high)', () => {
    const power = { frequencyHz: Float64Array.of(0, 1, 2, 3, 4), density: Float64Array.of(10, 1, 2, 3, 40) };
    expect(bandPower(power, 1, 4)).toBe(2);
    expect(bandPower(power, 0.5, 1.5)).toBe(1);
    expect(() => bandPower(power, 4.5, 6)).toThrow(DataError);
  });
});
