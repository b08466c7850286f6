/** What the name of a model in a table says of it. */

/** Not a deep model: what one must beat. */
export function isBaseline(name: string): boolean {
  return isTrivial(name) || name.startsWith('classical');
}

/** It looks at no signal. */
export function isTrivial(name: string): boolean {
  return name === 'majority' || /(^|-)prior$/.test(name);
}

/** It sees all of a person's windows at once, so it is not on equal terms with a model that sees one. */
export function isTransductive(name: string): boolean {
  return name.endsWith('-standardised');
}

/** A deep model of one modality alone. */
export function isSingleModality(name: string): boolean {
  return name === 'eeg' || name === 'ecg';
}

/** The scores of which less is better. */
export function isLowerBetter(score: string): boolean {
  return score === 'ece' || score === 'brier';
}
