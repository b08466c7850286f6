/** An explanation in words: what was found, and how far it can be trusted. */
import { maxOf, minOf } from '../core/arrays.ts';
import { meanOfKnown } from './explain-correlation.ts';
import type { ExplainedSignal, Explanation } from './explain-result.ts';

export interface Finding {
  readonly text: string;
  readonly isWarning?: true;
}

/** Names in a sentence at most. */
const mostNames = 3;
/** A part is worth a sentence from this share of the largest on. */
const worthSaying = 0.2;
/** Above this likeness to attributions of random models an explanation shows the input more than the model. */
export const sanityLimit = 0.5;
/** Below this rank correlation gradients and occlusion do not speak of the same thing. */
const agreementLimit = 0.2;

/** What was found: the prediction, what moved it, by channel, band and second. */
export function findings(explanation: Explanation): Finding[] {
  const { windows, signals, class: name, quantity, baseline } = explanation;
  const mean = (of: (window: Explanation['windows'][number]) => number) => meanOfKnown(windows.map(of));
  const isSingle = windows.length === 1;
  const probabilities = windows.map(({ probability }) => probability);
  const range =
    windows.length > 1
      ? ` (from ${minOf(probabilities).toFixed(2)} to ${maxOf(probabilities).toFixed(2)})`
      : '';
  const [value, origin] = [mean((window) => window.value), mean((window) => window.baselineValue)];
  const begins = baseline === 'zero' ? 'a silent signal' : "the mean of the recording's windows";
  const all = Object.values(signals);
  return [
    {
      text: `The model gives “${name}” a probability of ${mean(({ probability }) => probability).toFixed(2)}${range} ${isSingle ? 'in one window' : `on average over ${windows.length} windows`}.`,
    },
    {
      text: `The ${quantity} of “${name}” is ${signed(value)}${isSingle ? '' : ' on average'}; for ${begins} it is ${signed(origin)}. The difference of ${signed(value - origin)} is shared out below: parts with a plus speak for “${name}”, parts with a minus against it.`,
    },
    ...(all.length > 1
      ? [
          {
            text: `By signal: ${entries(signals)
              .map(
                ([modality, signal]) =>
                  `${modality.toUpperCase()} ${signed(total(signal.byChannel.attribution))}`,
              )
              .join(', ')}.`,
          },
        ]
      : []),
    ...entries(signals).flatMap(([modality, signal]) => describeSignal(modality.toUpperCase(), signal)),
  ];
}

function describeSignal(name: string, signal: ExplainedSignal): Finding[] {
  const { channels, bands, byChannel, byBand, bySecond, start } = signal;
  const seconds = bySecond.attribution.map((value) => value ?? 0);
  const lines = [
    ...(channels.length > 1 ? [`channels ${largest(byChannel.attribution, (i) => channels[i]!)}`] : []),
    `bands ${largest(byBand.attribution, (i) => bandLabel(bands[i]!))}`,
    `seconds ${largest(seconds, (i) => `${Number((start + i).toFixed(1))} to ${Number((start + i + 1).toFixed(1))}`)}`,
  ];
  return [{ text: `What moved it most in the ${name}: ${lines.join('; ')}.` }];
}

/** Whether the explanation can be trusted. */
export function checks(explanation: Explanation): Finding[] {
  return [checkCompleteness(explanation), ...checkAgreement(explanation), checkSanityWords(explanation)];
}

function checkCompleteness({ windows }: Explanation): Finding {
  const worst = windows.reduce((a, b) => (b.relativeGap > a.relativeGap ? b : a));
  const steps = windows.map((window) => window.steps);
  const [least, most] = [minOf(steps), maxOf(steps)];
  const open = windows.filter(({ converged }) => !converged).length;
  const count = least === most ? String(most) : `${least} to ${most}`;
  const text = `Completeness: the attributions miss the difference that they explain by at most ${Number(worst.gap.toPrecision(2))}, ${percent(worst.relativeGap)}, with ${count} gradients a window`;
  return open === 0
    ? { text: `${text}.` }
    : { text: `${text}; in ${countOf(open, 'window')} the path would need more of them.`, isWarning: true };
}

function checkAgreement({ signals, windows }: Explanation): Finding[] {
  return entries(signals).map(([modality, { agreement, channels }]) => {
    const parts = (
      [
        ['patches of one second', agreement.cells],
        ['channels', agreement.channels],
        ['seconds', agreement.seconds],
        ['bands', agreement.bands],
      ] as const
    ).filter(
      ([what, { rankCorrelation }]) =>
        rankCorrelation !== null && (what !== 'channels' || channels.length > 2),
    );
    const correlations = parts.map(
      ([what, { rankCorrelation, parts: count }]) => `${correlation(rankCorrelation)} over ${count} ${what}`,
    );
    const same = [
      ...(channels.length > 1 ? [`channel in ${agreement.channels.sameStrongest}`] : []),
      `second in ${agreement.seconds.sameStrongest}`,
      `band in ${agreement.bands.sameStrongest}`,
    ];
    const text = `Occlusion, ${modality.toUpperCase()}: the effects of hiding parts have a rank correlation with the attributions of ${correlations.join(', ') || 'no known value'} (means of the windows); both name the same strongest ${same.join(', ')} of ${countOf(windows.length, 'window')}.`;
    const best = maxOf(parts.map(([, { rankCorrelation }]) => rankCorrelation!));
    return best < agreementLimit
      ? { text: `${text} The two ways of asking do not agree: take neither at its word.`, isWarning: true }
      : { text };
  });
}

function checkSanityWords({ sanity }: Explanation): Finding {
  const last = sanity.levels.at(-1);
  if (!last) return { text: 'Sanity: not checked against random weights.', isWarning: true };
  const text = `Sanity: with every weight drawn anew the attributions of patches correlate with these by ${correlation(last.cells)}, their magnitudes by ${correlation(last.magnitudes)} (${countOf(sanity.draws, 'random model')}, ${countOf(sanity.windows, 'window')})`;
  const likeness = Math.max(last.cells ?? 0, last.magnitudes ?? 0);
  return likeness > sanityLimit
    ? {
        text: `${text}: much of this picture is the signal itself, not what the model has learned.`,
        isWarning: true,
      }
    : { text: `${text}: the picture depends on what the model has learned.` };
}

function largest(values: readonly number[], name: (index: number) => string): string {
  const order = values
    .map((value, i) => ({ value, i }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const top = Math.abs(order[0]!.value);
  return order
    .slice(0, mostNames)
    .filter(({ value }) => Math.abs(value) >= worthSaying * top)
    .map(({ value, i }) => `${name(i)} (${signed(value)})`)
    .join(', ');
}

/** `alpha 8–13 Hz`. */
export function bandLabel({ name, lowHz, highHz }: ExplainedSignal['bands'][number]): string {
  return `${name} ${lowHz}–${highHz} Hz`;
}

/** `+1.23`, `−0.4`: three digits, a true minus. */
export function signed(value: number): string {
  const text = String(Number(Math.abs(value).toPrecision(3)));
  if (Number(text) === 0) return '0';
  return `${value < 0 ? '−' : '+'}${text}`;
}

/** A correlation to two digits; a dash where there is none. */
export function correlation(value: number | null): string {
  if (value === null) return '–';
  const text = Math.abs(value).toFixed(2);
  return value < 0 && text !== '0.00' ? `−${text}` : text;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function entries(signals: Explanation['signals']): ['eeg' | 'ecg', ExplainedSignal][] {
  return Object.entries(signals) as ['eeg' | 'ecg', ExplainedSignal][];
}
