/** Small EEGLAB datasets with their signals in a file beside them. */
import { mat5 } from './build-mat.ts';

export interface SetParts {
  readonly fileName: string;
  readonly channels: number;
  readonly samples: number;
  readonly rate?: number;
  readonly trials?: number;
}

const { struct, text, doubles, file, compressed } = mat5();

/** A `.set` whose EEG struct names a file of signals; an event lies on the third sample. */
export function eeglabSet({ fileName, channels, samples, rate = 250, trials = 1 }: SetParts): Uint8Array {
  const number = (value: number) => doubles([1, 1], [value]);
  const labels = ['Cz', 'ECG'].map((label) => text(label));
  const event = struct([1, 1], ['type', 'latency'], [text('go'), number(3)]);
  const fields = {
    srate: number(rate),
    nbchan: number(channels),
    pnts: number(samples),
    trials: number(trials),
    data: text(fileName),
    chanlocs: struct([1, 2], ['labels'], labels),
    event,
  };
  return file(compressed(struct([1, 1], Object.keys(fields), Object.values(fields), 'EEG')));
}

export function fdt(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** A small valid dataset, the main file first. */
export function eeglabSamples(): Record<string, Uint8Array> {
  return {
    'x.set': eeglabSet({ fileName: 'x.fdt', channels: 2, samples: 50 }),
    'x.fdt': fdt(Array.from({ length: 100 }, (_, i) => Math.sin(i))),
  };
}
