/** Samples of several LSL streams → one timeline: aligned by their stamps, lost samples as NaN, begun anew after jumps. */
import { joinArrays } from '../../core/arrays.ts';

/** Samples of a stream that are taken in one call. */
const pullSamples = 4096;
/** Samples of a regular stream further apart than this were lost between; stamps of arrival jitter by less. Ours. */
const lostSeconds = 0.5;
/** A stream that was silent for longer, or whose clock was set back by more than a second, begins anew. */
const longestHoleSeconds = 10;
const setBackSeconds = 1;
/** Kept of a stream while others have not begun. */
const waitingSeconds = 60;

/** As `lsl_pull_chunk_d`: values, stamps, their lengths, seconds to wait, an error code → values taken. */
type PullInto = (...values: unknown[]) => unknown;

/** Interleaved samples and their times on this machine's clock. */
export interface Pulled {
  readonly values: Float64Array;
  readonly stamps: Float64Array;
}

export class Inlet {
  readonly #data: Float64Array;
  readonly #stamps = new Float64Array(pullSamples);
  /** Time of the last sample. */
  #last: number | undefined;

  constructor(
    /** liblsl's pull into these arrays, of an inlet. */
    readonly pullInto: PullInto,
    readonly handle: unknown,
    readonly name: string,
    readonly labels: readonly string[],
    readonly units: readonly string[],
    readonly rateHz: number,
  ) {
    this.#data = new Float64Array(pullSamples * labels.length);
  }

  /** What came; undefined where the stream was lost. */
  pull(): Pulled | undefined {
    const error = [0];
    const taken = Number(
      this.pullInto(this.handle, this.#data, this.#stamps, this.#data.length, pullSamples, 0, error),
    );
    if (error[0] !== 0) return undefined;
    const channels = this.labels.length;
    return {
      values: this.#data.slice(0, taken),
      stamps: this.#stamps.slice(0, Math.floor(taken / channels)),
    };
  }

  /** What comes next follows nothing. */
  forget(): void {
    this.#last = undefined;
  }

  /** The first sample that lies too far from the one before it. */
  jumpIn(part: Pulled): number | undefined {
    for (let i = 0; i < part.stamps.length; i++) {
      const step = this.stepAt(part, i);
      if (step > longestHoleSeconds || step < -setBackSeconds) return i;
    }
    return undefined;
  }

  /** Seconds from the sample before. */
  stepAt({ stamps }: Pulled, i: number): number {
    return stamps[i]! - (stamps[i - 1] ?? this.#last ?? stamps[i]!);
  }

  cut({ values, stamps }: Pulled, from: number, to = stamps.length): Pulled {
    const channels = this.labels.length;
    return { values: values.subarray(from * channels, to * channels), stamps: stamps.subarray(from, to) };
  }

  /** Parts that came before, from the sample nearest to `start` on. */
  from(parts: readonly Pulled[], start: number): Pulled {
    const stamps = joinArrays(
      Float64Array,
      parts.map((part) => part.stamps),
    );
    const values = joinArrays(
      Float64Array,
      parts.map((part) => part.values),
    );
    const first = stamps.findIndex((stamp) => stamp >= start - 0.5 / this.rateHz);
    const at = first < 0 ? stamps.length : first;
    return { values: values.slice(at * this.labels.length), stamps: stamps.slice(at) };
  }

  /** One array a channel, with NaN where samples were lost. */
  place({ values, stamps }: Pulled): Float64Array[] {
    const channels = this.labels.length;
    const lost: number[] = [];
    let total = stamps.length;
    for (const [i, stamp] of stamps.entries()) {
      const elapsed = stamp - (this.#last ?? stamp);
      this.#last = stamp;
      const missing = elapsed > lostSeconds ? Math.round(elapsed * this.rateHz) - 1 : 0;
      lost[i] = missing;
      total += missing;
    }
    const rows = Array.from({ length: channels }, () => new Float64Array(total).fill(Number.NaN));
    let at = 0;
    for (let i = 0; i < stamps.length; i++) {
      at += lost[i]!;
      for (let c = 0; c < channels; c++) rows[c]![at] = values[i * channels + c]!;
      at++;
    }
    return rows;
  }
}

export const nothing: Pulled = { values: new Float64Array(0), stamps: new Float64Array(0) };

/** Streams from the first moment that all have; anew where one of them was lost, silent for long, or set back. */
export class Alignment {
  #waiting: Pulled[][];
  #hasBegun = false;
  /** The stamp at which the source's second 0 lies. */
  #origin: number | undefined;
  /** Seconds of the source that were given. */
  #end = 0;

  constructor(readonly inlets: readonly Inlet[]) {
    this.#waiting = inlets.map(() => []);
  }

  restart(): void {
    this.#hasBegun = false;
    this.#waiting = this.inlets.map(() => []);
    for (const inlet of this.inlets) inlet.forget();
  }

  /** What can be given of new samples, by stream. */
  *push(pulled: readonly Pulled[]): Generator<Aligned> {
    if (!this.#hasBegun) return yield* this.#begin(pulled);
    const jumps = pulled.map((part, i) => this.inlets[i]!.jumpIn(part));
    const before = pulled.map((part, i) => this.inlets[i]!.cut(part, 0, jumps[i] ?? part.stamps.length));
    yield this.#given({ parts: before });
    const at = jumps.findIndex((jump) => jump !== undefined);
    if (at < 0) return;
    const seconds = Math.round(this.inlets[at]!.stepAt(pulled[at]!, jumps[at]!));
    yield { jump: `the times of stream '${this.inlets[at]!.name}' jump by ${seconds} s` };
    this.restart();
    yield* this.push(pulled.map((part, i) => this.inlets[i]!.cut(part, jumps[i] ?? part.stamps.length)));
  }

  *#begin(pulled: readonly Pulled[]): Generator<Aligned> {
    for (const [i, part] of pulled.entries()) {
      const parts = this.#waiting[i]!;
      if (part.stamps.length > 0) parts.push(part);
      const newest = parts.at(-1)?.stamps.at(-1) ?? 0;
      while (parts.length > 1 && newest - parts[0]!.stamps.at(-1)! > waitingSeconds) parts.shift();
    }
    if (this.#waiting.some((parts) => parts.length === 0)) return;
    const start = this.#waiting.reduce(
      (latest, parts) => Math.max(latest, parts[0]!.stamps[0]!),
      Number.NEGATIVE_INFINITY,
    );
    const parts = this.inlets.map((inlet, i) => inlet.from(this.#waiting[i]!, start));
    this.#hasBegun = true;
    this.#waiting = this.inlets.map(() => []);
    const isFirst = this.#origin === undefined;
    // A clock that was set back: it follows on.
    this.#origin = Math.min(this.#origin ?? start, start - this.#end);
    yield this.#given(isFirst ? { parts } : { parts, gapTo: start - this.#origin });
  }

  #given(aligned: Aligned & { readonly parts: readonly Pulled[] }): Aligned {
    for (const [i, { stamps }] of aligned.parts.entries()) {
      if (stamps.length === 0) continue;
      const end = stamps.at(-1)! - this.#origin! + 1 / this.inlets[i]!.rateHz;
      this.#end = Math.max(this.#end, end);
    }
    return aligned;
  }
}

interface Aligned {
  readonly parts?: readonly Pulled[];
  /** As in LivePiece. */
  readonly gapTo?: number;
  /** Why the streams begin anew. */
  readonly jump?: string;
}
