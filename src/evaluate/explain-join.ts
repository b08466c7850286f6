/** Explained windows of one modality → means over them, and what lies along the recording. */
import { maxOf, minOf } from '../core/arrays.ts';
import { type AttentionMaps, layerAttention, rolloutAttention } from '../model/attention.ts';
import { modelRateHz } from '../patches/recipe.ts';
import type { Modality } from '../patches/windows.ts';
import { explainedBands } from './explain-bands.ts';
import { meanOfKnown, rankCorrelation } from './explain-correlation.ts';
import type { Occlusion } from './explain-occlusion.ts';
import type { Agreement, AttentionSummary, ExplainedSignal, Explanation } from './explain-result.ts';
import { type AttributionSums, stretchSeconds } from './explain-sums.ts';

/** One window's modality. */
export interface SignalParts {
  /** Seconds from the recording's start. */
  readonly start: number;
  readonly sums: AttributionSums;
  readonly occlusion: Occlusion;
}

export type ExplainedWindow = Explanation['windows'][number] & {
  readonly signals: { readonly [M in Modality]?: SignalParts };
};

export interface JoinOptions {
  readonly windows: readonly ExplainedWindow[];
  readonly modality: Modality;
  readonly channels: readonly string[];
  readonly scaleMicrovolts: number;
  /** [C, N, P] of each window in model units. */
  readonly samples: readonly Float32Array[];
  readonly attention: AttentionMaps;
  readonly hiding: ExplainedSignal['hiding'];
}

/** Join the windows of a modality. */
export function joinModality(options: JoinOptions): ExplainedSignal {
  const { windows, modality, channels, scaleMicrovolts, samples, attention, hiding } = options;
  const parts = windows.map((window) => window.signals[modality]!);
  const start = minOf(parts.map((part) => part.start));
  const mean = (of: (part: SignalParts) => ArrayLike<number>) => meanRows(parts.map(of));
  const along = (of: (part: SignalParts) => ArrayLike<number>, step: number) =>
    spreadAlong(parts.map((part) => ({ offset: Math.round((part.start - start) / step), values: of(part) })));
  const rows = <T extends ArrayLike<number>>(
    all: T,
    take: (from: number, to: number) => ArrayLike<number>,
  ) => {
    const length = all.length / channels.length;
    return channels.map((_, c) => take(c * length, (c + 1) * length));
  };
  return {
    ...{ channels, hiding, start, bands: explainedBands[modality] },
    byChannel: {
      attribution: mean(({ sums }) => sums.channels),
      occlusion: mean(({ occlusion }) => occlusion.channels),
    },
    byBand: {
      attribution: mean(({ sums }) => sums.bands),
      occlusion: mean(({ occlusion }) => occlusion.bands),
    },
    byChannelAndBand: mean(({ sums }) => sums.channelBands),
    bySecond: {
      attribution: along(({ sums }) => sums.seconds, 1),
      occlusion: along(({ occlusion }) => occlusion.seconds, 1),
    },
    stretches: channels.map((_, c) =>
      along(
        ({ sums: { stretches } }) => rows(stretches, (from, to) => stretches.subarray(from, to))[c]!,
        stretchSeconds,
      ),
    ),
    traces: channels.map((_, c) =>
      Float32Array.from(
        spreadAlong(
          samples.map((sample, i) => ({
            offset: Math.round((parts[i]!.start - start) * modelRateHz),
            values: rows(sample, (from, to) => sample.subarray(from, to))[c]!,
          })),
        ),
        (value) => (value === null ? Number.NaN : value * scaleMicrovolts),
      ),
    ),
    agreement: {
      cells: agreementOf(parts, ({ sums, occlusion }) => [sums.cells, occlusion.cells]),
      channels: agreementOf(parts, ({ sums, occlusion }) => [sums.channels, occlusion.channels]),
      seconds: agreementOf(parts, ({ sums, occlusion }) => [sums.seconds, occlusion.seconds]),
      bands: agreementOf(parts, ({ sums, occlusion }) => [sums.bands, occlusion.bands]),
    },
    attention: summariseAttention(attention),
  };
}

function meanRows(rows: readonly ArrayLike<number>[]): number[] {
  return Array.from(rows[0]!, (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
}

/** Windows laid along the recording: null where none lies, the mean where several do. */
function spreadAlong(
  windows: readonly { readonly offset: number; readonly values: ArrayLike<number> }[],
): (number | null)[] {
  const length = maxOf(windows.map(({ offset, values }) => offset + values.length));
  const sums = new Float64Array(length);
  const counts = new Uint32Array(length);
  for (const { offset, values } of windows) {
    for (let i = 0; i < values.length; i++) {
      sums[offset + i]! += values[i]!;
      counts[offset + i]!++;
    }
  }
  return Array.from(sums, (sum, i) => (counts[i]! > 0 ? sum / counts[i]! : null));
}

function agreementOf(
  parts: readonly SignalParts[],
  of: (part: SignalParts) => readonly [Float64Array, Float64Array],
): Agreement {
  const pairs = parts.map(of);
  const mean = meanOfKnown(pairs.map(([a, b]) => rankCorrelation(a, b)));
  // Hiding by zeros moves all effects alike; the strongest is the one that stands out from their median.
  const strongest = (values: Float64Array) => {
    const sorted = Array.from(values).sort((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)]!;
    const away = values.map((value) => Math.abs(value - middle));
    return away.indexOf(maxOf(away));
  };
  return {
    rankCorrelation: Number.isNaN(mean) ? null : mean,
    parts: pairs[0]![0].length,
    sameStrongest: pairs.filter(([a, b]) => strongest(a) === strongest(b)).length,
  };
}

function summariseAttention(maps: AttentionMaps): AttentionSummary {
  const layers = Array.from({ length: maps.layers }, (_, layer) => layer);
  const ofLayers = (axis: 'channels' | 'patches') =>
    layers.map((layer) => Array.from(layerAttention(maps, axis, layer)));
  return {
    layers: maps.layers,
    ...{ channels: ofLayers('channels'), patches: ofLayers('patches') },
    channelRollout: Array.from(rolloutAttention(maps, 'channels')),
    patchRollout: Array.from(rolloutAttention(maps, 'patches')),
  };
}
