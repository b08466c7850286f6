/**
 * Lab Streaming Layer → live pieces: liblsl called through koffi, both optional. Several streams (an EEG cap and a chest
 * strap) become one source: their first samples are aligned by LSL's synchronised clock, lost samples are NaN.
 * Source: liblsl's C interface 1.16 (lsl_c.h).
 */
import {
  ConfigError,
  FormatError,
  HeartmindError,
  InterruptedError,
  UnsupportedError,
} from '../../core/errors.ts';
import { customUnit, lslUnitNote } from '../../core/units.ts';
import { Patience } from './file-state-node.ts';
import { type LivePiece, type LiveSource, pause } from './live.ts';
import { Alignment, Inlet, nothing, type Pulled } from './lsl-align.ts';
import type { NoteListener } from './notes.ts';

export interface LslOptions {
  /** liblsl. Default: HEARTMIND_LSL_LIBRARY, else as the system finds it. */
  readonly library?: string;
  /** Seconds to look for the streams. Default 10. */
  readonly timeoutSeconds?: number;
  /** Seconds between two looks at the inlets. Default 0.02. */
  readonly pollSeconds?: number;
  /** End when no sample came for so many seconds; never by default. */
  readonly idleSeconds?: number;
  /** Seconds to wait for a stream that was lost. Default 60. */
  readonly reconnectSeconds?: number;
  /** Of channels that state none. */
  readonly unit?: string;
  /** Hears what was lost, waited for or assumed. */
  readonly onNote?: NoteListener;
  /** Ends the search for streams. */
  readonly signal?: AbortSignal;
  /** A clock, in seconds. */
  readonly now?: () => number;
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
const stringFormat = 3; // cft_string
const clockSync = 1; // proc_clocksync: timestamps on this machine's clock
/** One search for a stream: Ctrl-C is heard between two of them. Seconds. */
const searchSeconds = 0.5;

/**
 * Open streams by their LSL names (or `type=EEG`, `source_id=…`). ConfigError where koffi or liblsl
 * is absent or no such stream is found in time, UnsupportedError for streams of text or without a rate.
 */
export async function lslSource(names: readonly string[], options: LslOptions = {}): Promise<LiveSource> {
  const { timeoutSeconds = 10, pollSeconds = 0.02, idleSeconds = Number.POSITIVE_INFINITY } = options;
  const { reconnectSeconds = 60, onNote = () => undefined, signal: stopSignal, now = clock } = options;
  const { unit } = options;
  const lsl = bind(await loadLibrary(options));
  const inlets: Inlet[] = [];
  const close = async () => {
    for (const inlet of inlets.splice(0)) lsl.destroyInlet(inlet.handle);
  };
  try {
    for (const name of names) inlets.push(await openInlet(lsl, name, timeoutSeconds, stopSignal, unit));
  } catch (error) {
    await close();
    throw error;
  }
  for (const { name, units } of inlets)
    if (units.includes('')) onNote(`lsl: stream '${name}' ${lslUnitNote}`);
  const offsets = inlets.map((_, i) =>
    inlets.slice(0, i).reduce((sum, inlet) => sum + inlet.labels.length, 0),
  );
  const count = inlets.reduce((sum, inlet) => sum + inlet.labels.length, 0);
  return {
    name: `lsl:${names.join(',')}`,
    channels: inlets.flatMap(({ labels, units, rateHz }) =>
      labels.map((name, i) => ({
        ...{ name, unit: units[i]!, rateHz },
        ...(units[i] === '' && { assumedUnit: customUnit }),
      })),
    ),
    async *pieces(signal) {
      const alignment = new Alignment(inlets);
      const patience = names.map((name) => new Patience(`lsl:${name}`, reconnectSeconds, now, onNote));
      const lost = new Set<number>();
      let heard = now();
      try {
        while (!signal.aborted) {
          for (const i of lost) {
            patience[i]!.wait('the stream was lost');
            const again = await openAgain(lsl, inlets[i]!, signal, unit);
            if (!again) continue;
            inlets[i] = again;
            lost.delete(i);
            patience[i]!.rest();
          }
          const pulled = inlets.map((inlet, i): Pulled => {
            const part = lost.has(i) ? nothing : inlet.pull();
            if (part) return part;
            lsl.destroyInlet(inlet.handle);
            lost.add(i);
            alignment.restart();
            return nothing;
          });
          if (pulled.every(({ stamps }) => stamps.length === 0)) {
            if (now() - heard > idleSeconds) break;
            await pause(pollSeconds, signal);
            continue;
          }
          heard = now();
          for (const { parts, gapTo, jump } of alignment.push(pulled)) {
            if (jump) onNote(`lsl: ${jump}; the streams are aligned anew.`);
            if (!parts) continue;
            const samples: Float64Array[] = Array.from({ length: count }, () => new Float64Array(0));
            for (const [i, inlet] of inlets.entries())
              for (const [c, x] of inlet.place(parts[i]!).entries()) samples[offsets[i]! + c] = x;
            yield (gapTo === undefined ? { samples } : { samples, gapTo }) satisfies LivePiece;
          }
        }
      } finally {
        // Lost inlets are closed already.
        for (const i of [...lost].sort((a, b) => b - a)) inlets.splice(i, 1);
      }
    },
    close,
  };
}

const clock = () => performance.now() / 1000;

/** The same stream, if it is there again: searched for once. */
async function openAgain(
  lsl: Lsl,
  lost: Inlet,
  signal: AbortSignal,
  statedUnit: string | undefined,
): Promise<Inlet | undefined> {
  let found: Inlet;
  try {
    found = await openInlet(lsl, lost.name, searchSeconds, signal, statedUnit);
  } catch (error) {
    if (!(error instanceof HeartmindError)) throw error;
    await pause(searchSeconds, signal);
    return undefined;
  }
  const list = ({ labels, units, rateHz }: Inlet) => `${labels.join(' ')} ${units.join(' ')} ${rateHz} Hz`;
  if (list(found) === list(lost)) return found;
  lsl.destroyInlet(found.handle);
  throw new FormatError(
    `lsl: stream '${lost.name}' came back with other channels (${list(found).slice(0, 200)}). Begin again.`,
    lost.name,
  );
}

async function openInlet(
  lsl: Lsl,
  name: string,
  timeoutSeconds: number,
  signal: AbortSignal | undefined,
  statedUnit = '',
): Promise<Inlet> {
  const [property, value] = /^(name|type|source_id|hostname)=(.+)$/.exec(name)?.slice(1) ?? ['name', name];
  const found: Pointer[] = [null];
  let count = 0;
  for (let waited = 0; waited < timeoutSeconds && count < 1; waited += searchSeconds) {
    if (signal?.aborted)
      throw new InterruptedError(`lsl: stopped while stream '${name}' was searched for. Nothing was read.`);
    count = await lsl.resolve(found, 1, property!, value!, 1, Math.min(searchSeconds, timeoutSeconds));
  }
  if (count < 1 || !found[0])
    throw new ConfigError(
      `lsl: no stream with ${property} '${value}' was found in ${timeoutSeconds} s. Is it running, and on this network?`,
      'lsl',
    );
  const handle = lsl.createInlet(found[0], 360, 0, 1);
  lsl.destroyInfo(found[0]);
  const error = [0];
  const info = await lsl.fullInfo(handle, timeoutSeconds, error);
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
    units.push(unit.trim() || statedUnit);
    if (isThere) node = lsl.sibling(node, 'channel');
  }
  lsl.destroyInfo(info);
  if (isText) fail('holds text');
  if (!(rateHz > 0)) fail('has no regular rate');
  lsl.postprocess(handle, clockSync);
  await lsl.open(handle, timeoutSeconds, error);
  if (error[0] !== 0) fail('cannot be opened');
  return new Inlet(lsl.pull, handle, name, labels, units, rateHz);
}

type Lsl = ReturnType<typeof bind>;

function bind(library: LslLibrary) {
  /** Calls that wait do so in another thread. */
  const inThread = <Result>(prototype: string) => {
    const call = library.func(prototype);
    return (...values: unknown[]) =>
      new Promise<Result>((done, fail) => {
        // biome-ignore lint/plugin: a C function's arguments, seven at most.
        call.async(...values, (error: unknown, result: Result) => (error ? fail(error) : done(result)));
      });
  };
  return {
    resolve: inThread<number>(
      'int lsl_resolve_byprop(_Out_ void **buffer, uint32_t elements, const char *prop, const char *value, int minimum, double timeout)',
    ),
    createInlet: library.func('void *lsl_create_inlet(void *info, int buflen, int chunklen, int recover)'),
    destroyInlet: library.func('void lsl_destroy_inlet(void *inlet)'),
    destroyInfo: library.func('void lsl_destroy_streaminfo(void *info)'),
    fullInfo: inThread<Pointer>('void *lsl_get_fullinfo(void *inlet, double timeout, _Out_ int *ec)'),
    open: inThread<void>('void lsl_open_stream(void *inlet, double timeout, _Out_ int *ec)'),
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
