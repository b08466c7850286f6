/** Units in every spelling and encoding that headers were seen with, and what no header may be taken for. */
import { describe, expect, it } from 'vitest';
import { isKnownUnit, microvolts, repairUnit, unitFactor, unitOf } from '../../src/core/units.ts';

const latin1 = (...bytes: readonly number[]) => String.fromCharCode(...bytes);

describe('a microvolt', () => {
  it.each([
    ['uV', 'uV'],
    ['with the micro sign', '\u00b5V'],
    ['with the Greek letter', '\u03bcV'],
    ['the single character', '\u33b6'],
    ['full width', '\uff55\uff36'],
    ['microvolt', 'microvolt'],
    ['microvolts', 'microvolts'],
    ['Microvolts', 'Microvolts'],
    ['micro volt', 'micro volt'],
    ['uVolts', 'uVolts'],
    ['[uV]', '[uV]'],
    ['UTF-8 bytes of the sign', latin1(0xc2, 0xb5, 0x56)],
    ['UTF-8 bytes of the letter', latin1(0xce, 0xbc, 0x56)],
    ['Shift-JIS', latin1(0x83, 0xca, 0x56)],
    ['CP437', latin1(0xe6, 0x56)],
    ['Windows-1253', latin1(0xec, 0x56)],
    ['GBK', latin1(0xa6, 0xcc, 0x56)],
    ['a byte replaced by a point', '.V'],
    ['a question mark', '?V'],
    ['a replacement character', '\ufffdV'],
  ])('is known: %s', (_, unit) => {
    expect(microvolts(unit)).toBe(1);
  });

  it('is shown as one where its sign came in another encoding, else as the file writes it', () => {
    expect(repairUnit(latin1(0xc2, 0xb5, 0x56))).toEqual({ unit: 'µV', how: 'encoding' });
    expect(repairUnit('.V')).toEqual({ unit: 'µV', how: 'lost' });
    expect(repairUnit('microvolts')).toEqual({ unit: 'microvolts', how: 'plain' });
  });
});

it.each([
  ['V', 1e6],
  ['volts', 1e6],
  ['mV', 1e3],
  ['MV', 1e3],
  ['millivolt', 1e3],
  ['millivolts', 1e3],
  ['nV', 1e-3],
  ['nanovolts', 1e-3],
])('%s is worth %d µV', (unit, worth) => {
  expect(microvolts(unit)).toBe(worth);
});

it.each(['', '%', 'xV', 'ADC', 'revolt', 'uV^2', 'dB', 'constructor', '__proto__'])(
  "'%s' is no voltage",
  (unit) => {
    expect(microvolts(unit)).toBeUndefined();
  },
);

it('knows which units say what their numbers are', () => {
  for (const unit of ['uV', '%', 'degC', '°C', 'bpm', 'mmHg', 'uS', 'm/s^2', 'Boolean', 'kOhm'])
    expect([unit, isKnownUnit(unit)]).toEqual([unit, true]);
  for (const unit of ['', ' ', 'a.u.', 'n/a', 'adu', '.V'])
    expect([unit, isKnownUnit(unit)]).toEqual([unit, false]);
  expect(unitOf({ unit: '' }, 'mV')).toBe('mV');
  expect(unitOf({ unit: 'uV' }, 'mV')).toBe('uV');
  expect(unitOf({ unit: '%' }, 'mV')).toBe('%');
  expect(unitOf({ unit: '' }, undefined)).toBe('');
  // A format's custom comes last.
  expect(unitOf({ unit: '', assumedUnit: 'uV' }, undefined)).toBe('uV');
  expect(unitOf({ unit: '', assumedUnit: 'uV' }, 'mV')).toBe('mV');
  expect(unitOf({ unit: 'mV', assumedUnit: 'uV' }, undefined)).toBe('mV');
});

it('says how a unit can be stated where it cannot be known', () => {
  expect(() => unitFactor('', 'uV')).toThrow(
    /no unit is stated .*--input-unit uV.*signals\.eeg\.unit.*input_unit/,
  );
  expect(() => unitFactor('adu', 'uV')).toThrow(/'adu' is not a voltage/);
});
