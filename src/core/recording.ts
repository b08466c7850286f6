/**
 * A recording: one continuous acquisition of one subject, read lazily. Channels may differ in rate.
 * Time is seconds from the recording's start; ranges are half-open.
 */

export interface Channel {
  /** As the file names it, trimmed: `EEG Fp1`, `V1`. Not unique in every file: address channels by index. */
  readonly name: string;
  /** As the file writes it: `uV`, `mV`, `%`. See units.ts for what heartmind does with it. */
  readonly unit: string;
  /** What a blank unit is by the custom of the format, where neither the user nor a recipe states one: `uV` of LSL, XDF and pipes. */
  readonly assumedUnit?: string;
  readonly rateHz: number;
  /** Stored samples, over all spans. */
  readonly lengthSamples: number;
  /** The physical values that the file can hold, where the format says so: a signal at its ends is clipped. */
  readonly range?: readonly [low: number, high: number];
  /** Size of one digital step in the channel's unit, where the format has one. */
  readonly resolution?: number;
  /**
   * With `resolution`: the physical value of the stored integer 0, so that round((x − offset) / resolution) is the stored
   * integer (negated where the file's scale is a falling one). Absent where samples are not stored as integers.
   */
  readonly offset?: number;
  /** Hardware filters and the like, as the file says. */
  readonly note?: string;
}

export interface Annotation {
  /** Seconds from the recording's start. */
  readonly start: number;
  /** Seconds; 0 for an instant. */
  readonly duration: number;
  readonly label: string;
  /** Channel index, where it concerns one. */
  readonly channel?: number;
}

/** A stretch without gaps. Stored samples of the spans follow one another. */
export interface Span {
  readonly start: number;
  readonly duration: number;
}

export interface Recording {
  /** Path or URL, for messages. */
  readonly source: string;
  /** `edf`, `wfdb`, … */
  readonly format: string;
  readonly channels: readonly Channel[];
  /** Seconds from the start of the first span to the end of the last. */
  readonly duration: number;
  readonly spans: readonly Span[];
  readonly annotations: readonly Annotation[];
  readonly startTime?: Date;
  /** Nanoseconds after `startTime`, below a millisecond, where the file is that exact. */
  readonly startNanoseconds?: number;
  /** What the file says of the subject and itself: patient, age, sex, comments. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What the reader had to repair or leave out, a sentence each; reports print it. */
  readonly log: readonly string[];
  /**
   * Stored samples [start, end) of one channel in its own unit. FormatError where the bytes are not there. `into`, of
   * that length, is memory that may be used for the result: fresh memory is what reading costs most.
   */
  read(channel: number, start: number, end: number, into?: Float64Array): Promise<Float64Array>;
  close(): Promise<void>;
}
