/** An explanation as data: what the page is drawn from, and what `--json` writes. All attributions are in units of the explained number. */
import type { Dropped, Modality } from '../patches/windows.ts';
import type { NamedBand } from './explain-bands.ts';
import type { Hidden } from './explain-occlusion.ts';
import type { SanityLevel } from './explain-sanity.ts';
import type { Quantity } from './explain-target.ts';

/** Attention of an encoder, mean over heads and windows. */
export interface AttentionSummary {
  readonly layers: number;
  /** Rows of [C][C], a matrix a layer. */
  readonly channels: readonly (readonly number[])[];
  /** [N][N], a matrix a layer. */
  readonly patches: readonly (readonly number[])[];
  /** Rollout through all layers. */
  readonly channelRollout: readonly number[];
  readonly patchRollout: readonly number[];
}

/** How two ways of explaining agree: mean rank correlation within windows, and in how many they name the same as strongest. */
export interface Agreement {
  /** null where it is not defined: fewer than three parts. */
  readonly rankCorrelation: number | null;
  readonly parts: number;
  readonly sameStrongest: number;
}

/** One modality over the explained windows. */
export interface ExplainedSignal {
  readonly channels: readonly string[];
  readonly bands: readonly NamedBand[];
  /** How channels and seconds were hidden for occlusion. */
  readonly hiding: { readonly channels: Hidden; readonly seconds: Hidden };
  /** Means over windows: attributions, and effects of hiding. */
  readonly byChannel: { readonly attribution: readonly number[]; readonly occlusion: readonly number[] };
  readonly byBand: { readonly attribution: readonly number[]; readonly occlusion: readonly number[] };
  /** [C · bands]. */
  readonly byChannelAndBand: readonly number[];
  /** Along the recording from `start`, second by second; null where no window lies, a mean where several do. */
  readonly start: number;
  readonly bySecond: {
    readonly attribution: readonly (number | null)[];
    readonly occlusion: readonly (number | null)[];
  };
  /** Per channel, every 0.1 s from `start`. */
  readonly stretches: readonly (readonly (number | null)[])[];
  /** What the model was given, per channel, in microvolt at 200 Hz from `start`; left out of JSON. */
  readonly traces: readonly Float32Array[];
  readonly agreement: {
    readonly cells: Agreement;
    readonly channels: Agreement;
    readonly seconds: Agreement;
    readonly bands: Agreement;
  };
  readonly attention: AttentionSummary;
}

export interface Explanation {
  readonly version: 1;
  readonly source: string;
  /** Seconds of the recording. */
  readonly duration: number;
  readonly classes: readonly string[];
  /** The class that is explained, and which number of it. */
  readonly class: string;
  readonly quantity: Quantity;
  readonly baseline: 'zero' | 'mean';
  readonly windowSeconds: number;
  /** The prediction over all of the recording. */
  readonly timeline: readonly { readonly start: number; readonly probabilities: readonly number[] }[];
  /** The windows that are explained. */
  readonly windows: readonly {
    readonly start: number;
    /** Of the class. */
    readonly probability: number;
    readonly value: number;
    readonly baselineValue: number;
    readonly gap: number;
    readonly relativeGap: number;
    readonly steps: number;
    readonly converged: boolean;
  }[];
  readonly signals: { readonly [M in Modality]?: ExplainedSignal };
  /** Likeness to the attributions of randomised models, of the windows with most to explain. */
  readonly sanity: {
    readonly windows: number;
    readonly draws: number;
    readonly levels: readonly SanityLevel[];
  };
  readonly dropped: readonly Dropped[];
  readonly engine: string;
}

/** As JSON: numbers to six digits, traces left out. */
export function encodeExplanation(explanation: Explanation): string {
  const text = JSON.stringify(
    explanation,
    (key, value) => {
      if (key === 'traces') return undefined;
      return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
    },
    1,
  );
  // Rows of numbers on one line each.
  const short = text.replace(
    /\[\s+((?:-?[\d.e+-]+|null)(?:,\s+(?:-?[\d.e+-]+|null))*)\s+\]/g,
    (_, row: string) => `[${row.replace(/\s+/g, ' ')}]`,
  );
  return `${short}\n`;
}
