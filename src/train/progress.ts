/** Live progress of long work: a line that is rewritten in a terminal, a line now and then elsewhere, or JSON lines. */
import { visibleLine, visibleText } from '../core/visible-text.ts';

export type ProgressMode = 'auto' | 'json' | 'none';

export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** One piece of work with a known size. */
export interface Stage {
  /** `done` of the total, and figures to show beside it. */
  update(done: number, values?: Readonly<Record<string, number>>): void;
  /** The stage is over. */
  end(): void;
}

export interface Progress {
  /** Begin a stage of `total` units, counted in `unit` (default: windows). */
  stage(name: string, total: number, unit?: string): Stage;
  /** A sentence that stays. */
  log(text: string): void;
}

/** Milliseconds between two lines: rewritten in place, appended to a log, or JSON. */
const intervals = { live: 100, log: 15_000, json: 1000 } as const;

/** Progress to a stream, usually stderr. `now` gives milliseconds. */
export function createProgress(
  mode: ProgressMode,
  stream: ProgressStream,
  now: () => number = () => performance.now(),
): Progress {
  if (mode === 'none') return { stage: () => ({ update() {}, end() {} }), log() {} };
  if (mode === 'json') return jsonProgress(stream, now);
  return stream.isTTY ? liveProgress(stream, now) : logProgress(stream, now);
}

interface State {
  readonly done: number;
  /** Units a second since the stage's first report; resumed work does not count as done now. */
  readonly rate: number | undefined;
  readonly secondsLeft: number | undefined;
  readonly values: Readonly<Record<string, number>>;
}

type Show = (name: string, total: number, unit: string, state: State, ended: boolean) => void;

function createStage(
  { name, total, unit, every }: { name: string; total: number; unit: string; every: number },
  now: () => number,
  show: Show,
): Stage {
  const begun = now();
  /** From where the rate is measured: the beginning, or where resumed work stood once it was loaded. */
  let origin: { readonly done: number; readonly at: number } | undefined;
  let shown = Number.NEGATIVE_INFINITY;
  let state: State = { done: 0, rate: undefined, secondsLeft: undefined, values: {} };
  let ended = false;
  return {
    update(done, values = state.values) {
      origin ??= done <= 1 ? { done: 0, at: begun } : { done, at: now() };
      const seconds = (now() - origin.at) / 1000;
      const rate = done > origin.done && seconds > 0 ? (done - origin.done) / seconds : undefined;
      const secondsLeft = rate === undefined ? undefined : Math.max(0, total - done) / rate;
      state = { done, rate, secondsLeft, values };
      if (now() - shown < every) return;
      shown = now();
      show(name, total, unit, state, false);
    },
    end() {
      if (ended) return;
      ended = true;
      show(name, total, unit, { ...state, secondsLeft: 0 }, true);
    },
  };
}

function jsonProgress(stream: ProgressStream, now: () => number): Progress {
  const line = (value: unknown) => stream.write(`${visibleText(JSON.stringify(value))}\n`);
  return {
    stage: (name, total, unit = 'windows') =>
      createStage(
        { name, total, unit, every: intervals.json },
        now,
        (stage, size, units, { done, rate, secondsLeft, values }, ended) =>
          line({
            stage,
            done,
            total: size,
            unit: units,
            ratePerSecond: rate ?? null,
            secondsLeft: secondsLeft ?? null,
            ...values,
            ended,
          }),
      ),
    log: (text) => line({ log: text }),
  };
}

function liveProgress(stream: ProgressStream, now: () => number): Progress {
  const clear = '\r\x1b[K';
  return {
    stage: (name, total, unit = 'windows') =>
      createStage({ name, total, unit, every: intervals.live }, now, (stage, size, units, state, ended) => {
        const width = (stream.columns || 80) - 1; // 0: a terminal that does not know
        const text = describe(stage, size, units, state, ended, bar(state.done / size));
        stream.write(`${clear}${text.slice(0, width)}${ended ? '\n' : ''}`);
      }),
    log: (text) => stream.write(`${clear}${visibleLine(text)}\n`),
  };
}

function logProgress(stream: ProgressStream, now: () => number): Progress {
  return {
    stage: (name, total, unit = 'windows') =>
      createStage({ name, total, unit, every: intervals.log }, now, (stage, size, units, state, ended) =>
        stream.write(`${describe(stage, size, units, state, ended, '')}\n`),
      ),
    log: (text) => stream.write(`${visibleLine(text)}\n`),
  };
}

function describe(
  name: string,
  total: number,
  unit: string,
  { done, rate, secondsLeft, values }: State,
  ended: boolean,
  drawn: string,
): string {
  const figures = Object.entries(values).map(([key, value]) => `${key} ${formatFigure(value)}`);
  const parts = [
    `${name}${drawn === '' ? ':' : ` ${drawn}`} ${done}/${total}`,
    ...figures,
    ...(rate === undefined ? [] : [`${formatFigure(rate)} ${unit}/s`]),
    ...(ended || secondsLeft === undefined ? [] : [`${formatDuration(secondsLeft)} left`]),
  ];
  return visibleLine(parts.join(' · '));
}

function bar(share: number): string {
  const filled = Math.round(20 * Math.min(1, Math.max(0, share)));
  return `${'█'.repeat(filled)}${'░'.repeat(20 - filled)}`;
}

function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

/** `45 s`, `3:05`, `2:03:05`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
