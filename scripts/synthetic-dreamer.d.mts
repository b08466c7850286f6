export interface SyntheticDreamerOptions {
  /** Default: 23. */
  readonly people?: number;
  /** Default: 18. */
  readonly films?: number;
  /** Of each film. Default: 60. */
  readonly seconds?: number;
  /** Of each neutral film. Default: 61. */
  readonly baselineSeconds?: number;
  /** Where the effect lies. Default: none. */
  readonly effect?: 'eeg' | 'ecg' | 'interaction' | 'none';
  /** The rating that it is about. Default: valence. */
  readonly target?: 'valence' | 'arousal' | 'dominance';
  /** 0 to below 1. Default: 0.3. */
  readonly effectSize?: number;
  /** The part of films whose rating is the film's own, 0 to 1. Default: 0. */
  readonly confound?: number;
  /** How much trials differ whatever is planted, 0 to 1. Default: 0.1. */
  readonly fingerprint?: number;
  readonly seed?: number;
}

type Kind = 'baseline' | 'stimuli';

export const electrodes: readonly string[];
export const ratings: readonly string[];
export function dreamerPlan(options?: SyntheticDreamerOptions): Required<SyntheticDreamerOptions>;
export function plantedIn(
  options: SyntheticDreamerOptions,
  person: number,
  film: number,
): { scores: Record<string, number>; eegSign: number; ecgSign: number };
export function eegOf(
  options: SyntheticDreamerOptions,
  person: number,
  film: number,
  kind: Kind,
): Float64Array<ArrayBuffer>;
export function ecgOf(
  options: SyntheticDreamerOptions,
  person: number,
  film: number,
  kind: Kind,
): Float64Array<ArrayBuffer>;
export function dreamerPieces(options?: SyntheticDreamerOptions): Generator<Uint8Array<ArrayBuffer>>;
export function matHeader(): Uint8Array<ArrayBuffer>;
export function dreamerVariable(options?: SyntheticDreamerOptions): {
  readonly byteLength: number;
  pieces(): Generator<Uint8Array<ArrayBuffer>>;
};
