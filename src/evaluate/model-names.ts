/** What the name of a model in a table says of it. */
import type { Modality } from '../patches/windows.ts';

/** Not a deep model: what one must beat. */
export function isBaseline(name: string): boolean {
  return isTrivial(name) || name.startsWith('classical');
}

/** It looks at no signal. */
export function isTrivial(name: string): boolean {
  return name === 'majority' || /(^|-)prior$/.test(name);
}

/** A benchmark's row of embeddings with classical features added: `eeg+classical`, standardised or not. */
export function isHybrid(name: string): boolean {
  return /\+classical(-standardised)?$/.test(name);
}

/** It sees all of a person's windows at once, so it is not on equal terms with a model that sees one. */
export function isTransductive(name: string): boolean {
  return name.endsWith('-standardised');
}

/** A deep model of one modality alone: `eeg`, or a rung of a ladder, `eeg-lora`. */
export function isSingleModality(name: string): boolean {
  return /^(eeg|ecg)(-|$)/.test(name);
}

/** A deep model tested without one of its modalities: `eeg+ecg, ECG missing`. */
export function isTestedWithout(name: string): boolean {
  return / (missing|zeros)$/.test(name);
}

/** A rung of a ladder on both modalities, `eeg+ecg-gated`, tested with both. */
export function isRung(name: string): boolean {
  return name.startsWith('eeg+ecg-') && !isTestedWithout(name);
}

/** What the name of a deep model of a ladder, or of one tested without a modality, says; '' for any other. */
export function describeVariant(name: string): string {
  const [, signals, rung, lost, how] =
    /^(eeg\+ecg|eeg|ecg)(?:-([^,]+))?(?:, (EEG|ECG) (missing|zeros))?$/.exec(name) ?? [];
  if (!signals || (!rung && !lost)) return '';
  const given = signals.toUpperCase().replace('+', ' + ');
  const test =
    how === 'missing'
      ? `, tested without ${lost}: its learned null instead`
      : `, tested with zeros instead of ${lost}`;
  return `${given}${rung ? `, ${rung}` : ''}${lost ? test : ''}`;
}

/** The scores of which less is better. */
export function isLowerBetter(score: string): boolean {
  return score === 'ece' || score === 'brier';
}

/** The signals that a benchmark's row sees, of embeddings and of `classical-` ones alike: `eeg+ecg-rate-standardised` → both. */
export function modalitiesIn(name: string): Modality[] {
  return name
    .replace(/^classical-/, '')
    .replace(/-standardised$/, '')
    .replace(/-(late|rate|even)$|\+classical$/, '')
    .split(/[+×]/) as Modality[];
}
