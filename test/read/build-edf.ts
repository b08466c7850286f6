/** A small valid EDF+D file for damage to begin with: two rates, a gap, annotations. */
import { annotationSignal, edfFile } from './build.ts';

export function sampleEdf(): Record<string, Uint8Array> {
  const signals = [
    {
      label: 'EEG Cz',
      perRecord: 20,
      values: (r: number) => Array.from({ length: 20 }, (_, i) => r * 1000 - i * 77),
    },
    { label: 'SpO2', perRecord: 1, values: (r: number) => [r] },
    annotationSignal(['+0.25', '+1.25', '+7.25'], { 1: '+1.5\x150.5\x14schön@@SpO2\x14\0' }),
  ];
  return { 'sample.edf': edfFile({ signals, records: 3, reserved: 'EDF+D' }) };
}
