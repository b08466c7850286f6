/**
 * Lab Streaming Layer → live pieces: liblsl called through koffi, both optional. Several streams (an EEG cap and a chest
 * strap) become one source: their first samples are aligned by LSL's synchronised clock, lost samples are NaN.
 * Source: liblsl's C interface 1.16 (lsl_c.h).
 */
import { maxOf } from '../../core/arrays.ts';
import { ConfigError, FormatError, UnsupportedError } from '../../core/errors.ts';
import { type LivePiece, type LiveSource, pause } from './live.ts';

export interface LslOptions {
  /** liblsl. Default: HEARTMIND_LSL_LIBRARY, else as the system finds it. */
  readonly library?: string;
  /** Seconds to look for the streams. Default 10. */
  readonly timeoutSeconds?: number;
  /** Seconds between two looks at the inlets. Default 0.02. */
  readonly pollSeconds?: number;
  /** End when no sample came for so many seconds; never by default. */
  readonly idleSeconds?: number;
  /** For tests: loads a library by name. Default: koffi. */
  readonly load?: (name: string) => LslLibrary;
}

type Pointer = unknown;
type Call = (...values: unknown[]) => unknown;
/** How the library's functions are called: what koffi gives. */
export interface LslLibrary {
  func(prototype: string): Call & { async: (...values: unknown[]) => void };
}

const libraryNames: Readonly<Record<string, readonly string[]>> = {
  linux: ['liblsl.so.2', 'liblsl.so', 'liblsl64.so'],
  darwin: ['liblsl.dylib', '/opt/homebrew/lib/liblsl.dylib'],
  win32: ['lsl.dll', 'liblsl64.dll'],
};
/** Samples of a stream that are taken in one call. */
const pullSamples = 4096;
const stringFormat = 3; // cft_string
const clockSync = 1; // proc_clocksync: timestamps on this machine's clock
/** Samples of a regular stream further apart than this were lost between; stamps of arrival jitter by less. Ours. */
const lostSeconds = 0.5;
/** A clock that jumps further than this is broken. */
const maxLostSeconds = 3600;

/**
 * Open streams by their LSL names (or `type=EEG`, `source_id=…`). ConfigError where koffi or liblsl
 * is absent or no such stream is found in time, UnsupportedError for streams of text or without a rate.
 */
export async function lslSource(names: readonly string[], options: LslOptions = {}): Promise<LiveSource> {
  const { timeoutSeconds = 10, pollSeconds = 0.02, idleSeconds = Number.POSITIVE_INFINITY } = options;
  const lsl = bind(await loadLibrary(options));
  const inlets: Inlet[] = [];
  const close = async () => {
    for (const inlet of inlets.splice(0)) lsl.destroyInlet(inlet.handle);
  };
  try {
    for (const name of names) inlets.push(await openInlet(lsl, name, timeoutSeconds));
  } catch (error) {
    await close();
    throw error;
  }
  const offsets = inlets.map((_, i) =>
    inlets.slice(0, i).reduce((sum, inlet) => sum + inlet.labels.length, 0),
  );
  const count = inlets.reduce((sum, inlet) => sum + inlet.labels.length, 0);
  return {
    name: `lsl:${names.join(',')}`,
    channels: inlets.flatMap(({ labels, units, rateHz }) =>
      labels.map((name, i) => ({ name, unit: units[i]!, rateHz })),
    ),
    async *pieces(signal) {
      // What came before every stream had begun, by stream.
      const waiting = inlets.map((): Pulled[] => []);
      let [begun, heard] = [false, performance.now()];
      while (!signal.aborted) {
        const pulled = inlets.map((inlet) => inlet.pull());
        if (pulled.some(({ stamps }) => stamps.length > 0)) heard = performance.now();
        else {
          if (performance.now() - heard > idleSeconds * 1000) return;
          await pause(pollSeconds, signal);
          continue;
        }
        if (!begun) {
          for (const [i, part] of pulled.entries()) if (part.stamps.length > 0) waiting[i]!.push(part);
          if (waiting.some((parts) => parts.length === 0)) continue;
          begun = true;
          const start = maxOf(waiting.map((parts) => parts[0]!.stamps[0]!));
          for (const [i, inlet] of inlets.entries()) pulled[i] = inlet.from(waiting[i]!, start);
        }
        const samples: Float64Array[] = Array.from({ length: count }, () => new Float64Array(0));
        for (const [i, inlet] of inlets.entries())
          for (const [c, x] of inlet.place(pulled[i]!).entries()) samples[offsets[i]! + c] = x;
        yield { samples } satisfies LivePiece;
      }
    },
    close,
  };
}

/** Interleaved samples and their times on this machine's clock. */
interface Pulled {
  readonly values: Float64Array;
  readonly stamps: Float64Array;
}

class Inlet {
  readonly #data: Float64Array;
  readonly #stamps = new Float64Array(pullSamples);
  /** Time of the last sample. */
  #last: number | undefined;

  constructor(
    readonly lsl: Lsl,
    readonly handle: Pointer,
    readonly name: string,
    readonly labels: readonly string[],
    readonly units: readonly string[],
    readonly rateHz: number,
  ) {
    this.#data = new Float64Array(pullSamples * labels.length);
  }

  pull(): Pulled {
    const error = [0];
    const taken = Number(
      this.lsl.pull(this.handle, this.#data, this.#stamps, this.#data.length, pullSamples, 0, error),
    );
    if (error[0] !== 0)
      throw new FormatError(
        `lsl: stream '${this.name}' was lost (code ${error[0]}). Start it again.`,
        this.name,
      );
    const channels = this.labels.length;
    return {
      values: this.#data.slice(0, taken),
      stamps: this.#stamps.slice(0, Math.floor(taken / channels)),
    };
  }

  /** Parts that came before, from the sample nearest to `start` on. */
  from(parts: readonly Pulled[], start: number): Pulled {
    const stamps = join(parts.map((part) => part.stamps));
    const values = join(parts.map((part) => part.values));
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
      if (elapsed > maxLostSeconds)
        throw new FormatError(
          `lsl: the clock of '${this.name}' jumped by ${Math.round(elapsed)} s. Begin again.`,
          this.name,
        );
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

async function openInlet(lsl: Lsl, name: string, timeoutSeconds: number): Promise<Inlet> {
  const [property, value] = /^(name|type|source_id|hostname)=(.+)$/.exec(name)?.slice(1) ?? ['name', name];
  const found: Pointer[] = [null];
  const count = await lsl.resolve(found, 1, property!, value!, 1, timeoutSeconds);
  if (count < 1 || !found[0])
    throw new ConfigError(
      `lsl: no stream with ${property} '${value}' was found in ${timeoutSeconds} s. Is it running, and on this network?`,
      'lsl',
    );
  const handle = lsl.createInlet(found[0], 360, 0, 1);
  lsl.destroyInfo(found[0]);
  const error = [0];
  const info = lsl.fullInfo(handle, timeoutSeconds, error);
  const fail = (fact: string): never => {
    lsl.destroyInlet(handle);
    throw new UnsupportedError(`lsl: stream '${name}' ${fact}. Choose another stream.`, 'lsl stream');
  };
  if (!info || error[0] !== 0) return fail('does not answer');
  const channels = Number(lsl.channelCount(info));
  const rateHz = Number(lsl.rate(info));
  const isText = Number(lsl.format(info)) === stringFormat;
  const labels: string[] = [];
  const units: string[] = [];
  let node = lsl.child(lsl.child(lsl.desc(info), 'channels'), 'channel');
  for (let i = 0; i < channels; i++) {
    const isThere = Number(lsl.isEmpty(node)) === 0;
    labels.push((isThere && String(lsl.childValue(node, 'label') ?? '')) || `${value} ${i + 1}`);
    const unit = isThere ? String(lsl.childValue(node, 'unit') ?? '') : '';
    units.push(/^micro ?volts?$/i.test(unit) || unit === '' ? 'uV' : unit);
    if (isThere) node = lsl.sibling(node, 'channel');
  }
  lsl.destroyInfo(info);
  if (isText) fail('holds text');
  if (!(rateHz > 0)) fail('has no regular rate');
  lsl.postprocess(handle, clockSync);
  lsl.open(handle, timeoutSeconds, error);
  if (error[0] !== 0) fail('cannot be opened');
  return new Inlet(lsl, handle, name, labels, units, rateHz);
}

type Lsl = ReturnType<typeof bind>;

function bind(library: LslLibrary) {
  const resolve = library.func(
    'int lsl_resolve_byprop(_Out_ void **buffer, uint32_t elements, const char *prop, const char *value, int minimum, double timeout)',
  );
  return {
    /** Waits in another thread. */
    resolve: (...values: unknown[]) =>
      new Promise<number>((done, fail) => {
        // biome-ignore lint/plugin: what the C function takes
        resolve.async(...values, (error: unknown, count: number) => (error ? fail(error) : done(count)));
      }),
    createInlet: library.func('void *lsl_create_inlet(void *info, int buflen, int chunklen, int recover)'),
    destroyInlet: library.func('void lsl_destroy_inlet(void *inlet)'),
    destroyInfo: library.func('void lsl_destroy_streaminfo(void *info)'),
    fullInfo: library.func('void *lsl_get_fullinfo(void *inlet, double timeout, _Out_ int *ec)'),
    open: library.func('void lsl_open_stream(void *inlet, double timeout, _Out_ int *ec)'),
    postprocess: library.func('int lsl_set_postprocessing(void *inlet, uint32_t flags)'),
    pull: library.func(
      'unsigned long lsl_pull_chunk_d(void *inlet, _Out_ double *data, _Out_ double *stamps, unsigned long elements, unsigned long stampElements, double timeout, _Out_ int *ec)',
    ),
    channelCount: library.func('int lsl_get_channel_count(void *info)'),
    rate: library.func('double lsl_get_nominal_srate(void *info)'),
    format: library.func('int lsl_get_channel_format(void *info)'),
    desc: library.func('void *lsl_get_desc(void *info)'),
    child: library.func('void *lsl_child(void *node, const char *name)'),
    sibling: library.func('void *lsl_next_sibling_n(void *node, const char *name)'),
    childValue: library.func('const char *lsl_child_value_n(void *node, const char *name)'),
    isEmpty: library.func('int lsl_empty(void *node)'),
  };
}

async function loadLibrary({ library: given, load }: LslOptions): Promise<LslLibrary> {
  const asked = given ?? process.env.HEARTMIND_LSL_LIBRARY;
  const names = asked === undefined ? (libraryNames[process.platform] ?? []) : [asked];
  const loadByName = load ?? (await loadKoffi());
  const tried: string[] = [];
  for (const name of names) {
    try {
      return loadByName(name);
    } catch (error) {
      tried.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new ConfigError(
    `lsl: liblsl cannot be loaded (${tried.join('; ')}). Install it (github.com/sccn/liblsl; Python's pylsl brings one), or name it in HEARTMIND_LSL_LIBRARY.`,
    'HEARTMIND_LSL_LIBRARY',
  );
}

async function loadKoffi(): Promise<(name: string) => LslLibrary> {
  try {
    const { default: koffi } = await import('koffi');
    return (name) => koffi.load(name) as unknown as LslLibrary;
  } catch (cause) {
    throw new ConfigError(
      'lsl: the package koffi is not installed. Run npm install koffi@3.3.4.',
      'lsl',
      undefined,
      { cause },
    );
  }
}

function join(parts: readonly Float64Array[]): Float64Array {
  const result = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
