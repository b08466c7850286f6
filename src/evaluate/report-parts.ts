/** Pieces that the report's sections share. */
import { colourOf } from './charts.ts';
import { type Html, html, join } from './html.ts';
import { isBaseline, isTestedWithout } from './model-names.ts';
import type { Result } from './result.ts';
import { formatSpread, type SpreadScore, spreadOf } from './score-spread.ts';

/** A drawing over its caption. */
export function figure(content: Html, caption: string, folded = false): Html {
  const inner = html`<figure><div class="scroll">${content}</div><figcaption>${caption}</figcaption></figure>`;
  return folded ? html`<details><summary>${caption.split(':')[0]!}</summary>${inner}</details>` : inner;
}

/** The models' names beside their colours. */
export function legend(models: readonly string[]): Html {
  return html`<p class="legend">${join(models.map((model) => html`<span>${dot(model)}${model}</span>`))}</p>`;
}

export function dot(model: string): Html {
  return html`<span class="dot" style="background:${colourOf(model)}"></span>`;
}

/** A score over its interval, or over the scores of the people where too few were tested for one. */
export function interval(value: SpreadScore | undefined, tested: number): Html {
  if (!value || value.mean === null) return html`–`;
  return html`<strong>${digits(value.mean)}</strong>${spreadLine(value, tested)}`;
}

/** The spread alone, on a line of its own; `write` writes one number. */
export function spreadLine(
  value: SpreadScore,
  tested: number,
  write: (value: number | null) => string = digits,
): Html {
  // A page has room for everybody.
  const text = formatSpread(spreadOf(value, tested), write, Number.POSITIVE_INFINITY);
  return text === '' ? html`` : html`<br><span class="small">${text}</span>`;
}

/** Three digits without the leading zero; – where there is none. */
export function digits(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(3).replace(/^(-?)0\./, '$1.');
}

/** Whole per cent; – where there is none. */
export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${Math.round(100 * value)}\u00a0%`;
}

/** The models whose curves are worth a line: the deep ones as trained, and the classical baseline of all modalities. */
export function shownModels<T>(by: Readonly<Record<string, T>>): Record<string, T> {
  const deep = Object.keys(by).filter((name) => !isBaseline(name) && !isTestedWithout(name));
  const classical = ['classical-eeg+ecg', 'classical-eeg', 'classical-ecg'].find((name) => name in by);
  return Object.fromEntries([...deep, ...(classical ? [classical] : [])].map((name) => [name, by[name]!]));
}

/** What a coin would reach. */
export function chanceOf({ dataset }: Pick<Result, 'dataset'>): number {
  return 1 / dataset.classes.length;
}
