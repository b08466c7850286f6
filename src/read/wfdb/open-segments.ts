/** Segments of a WFDB record: measured when it is opened, their files opened when they are read, a few kept open. */
import { appendAll } from '../../core/arrays.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import type { WfdbHeader } from './header.ts';
import { fileNameOf, readWfdbHeader } from './read-header.ts';
import { openSegment, type Segment } from './segment.ts';

/** What is known of a segment while it is closed. */
export interface SegmentFacts {
  readonly header: WfdbHeader;
  readonly frameCount: number;
  readonly ranges: readonly (readonly [number, number] | undefined)[];
  /** Does it store anything? One of null signals only is a gap. */
  readonly isStored: boolean;
}

/** Files are held open for so many segments; so many are measured at once. */
const openSegments = 16;
const measuredAtOnce = 8;
/** The header of a segment; undefined where it is not beside the record's. FormatError where it does not fit the record. */
export async function headerBeside(
  source: ByteSource,
  name: string,
  record: WfdbHeader,
  log: string[],
): Promise<WfdbHeader | undefined> {
  const found = await source.sibling?.(`${fileNameOf(name)}.hea`);
  if (!found) return undefined;
  try {
    const notes: string[] = [];
    const header = await readWfdbHeader(found, notes, 1);
    // A segment's time of day and the like are the record's matter.
    appendAll(
      log,
      notes.filter((note) => !note.includes('without a date')),
    );
    const fail = (fact: string): never => {
      throw new FormatError(`wfdb: ${found.name} ${fact}`, found.name);
    };
    if (header.segments) fail('is a segment and has segments itself. Only one level is allowed.');
    if (Math.abs(header.frameRateHz / record.frameRateHz - 1) > 1e-9)
      fail(
        `has ${header.frameRateHz} frames a second, its record ${record.frameRateHz}. Correct the header.`,
      );
    return header;
  } finally {
    await found.close?.();
  }
}

/** Segments opened when they are read, the last few kept open. */
export class OpenSegments {
  readonly #open = new Map<string, { readonly segment: Promise<Segment>; users: number }>();
  readonly #headers = new Map<string, WfdbHeader>();
  #isClosed = false;

  constructor(
    readonly source: ByteSource,
    readonly record: WfdbHeader,
    readonly tolerant: boolean,
  ) {}

  async header(name: string, log: string[]): Promise<WfdbHeader | undefined> {
    const found = this.#headers.get(name) ?? (await headerBeside(this.source, name, this.record, log));
    if (found) this.#headers.set(name, found);
    return found;
  }

  async use<T>(name: string, what: (segment: Segment) => Promise<T>, log: string[] = []): Promise<T> {
    if (this.#isClosed) {
      const { name: where } = this.source;
      throw new FormatError(`wfdb: ${where} was closed. Open it again to read more.`, where);
    }
    let entry = this.#open.get(name);
    if (entry) this.#open.delete(name);
    entry ??= { segment: this.#openOne(name, log), users: 0 };
    this.#open.set(name, entry);
    entry.users++;
    try {
      return await what(await entry.segment);
    } catch (error) {
      await entry.segment.catch(() => this.#open.delete(name));
      throw error;
    } finally {
      entry.users--;
      await this.#closeIdle(this.#isClosed ? 0 : openSegments);
    }
  }

  async #openOne(name: string, log: string[]): Promise<Segment> {
    const header = (await this.header(name, log))!;
    const beside = this.source.sibling?.bind(this.source);
    const at: ByteSource = { ...this.source, name: `${name}.hea`, ...(beside && { sibling: beside }) };
    return openSegment(at, header, this.tolerant, log);
  }

  async #closeIdle(keep: number): Promise<void> {
    for (const [name, { segment, users }] of this.#open) {
      if (this.#open.size <= keep) return;
      if (users > 0) continue;
      this.#open.delete(name);
      await segment.then((one) => one.close()).catch(() => undefined);
    }
  }

  /** What is being read is closed when that is done. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#closeIdle(0);
  }
}

/** Open every segment once: what each stores. `tolerant`: those that cannot be read are left out, the log says which. */
export async function measure(
  names: readonly string[],
  open: OpenSegments,
  { name: where }: ByteSource,
  record: WfdbHeader,
  tolerant: boolean,
  log: string[],
): Promise<Map<string, SegmentFacts>> {
  const facts = new Map<string, SegmentFacts>();
  const missing: string[] = [];
  const one = async (name: string): Promise<[string, SegmentFacts | undefined, string[]]> => {
    const notes: string[] = [];
    try {
      const header = await open.header(name, notes);
      if (!header)
        throw new FormatError(
          `wfdb: ${where} names the segment ${quoted(name)}, whose .hea is not beside it. Fetch it too, or open the record with --tolerant: it is a gap then.`,
          where,
        );
      const measured = await open.use(
        name,
        async ({ signals, frameCount }) => ({
          header,
          frameCount,
          ranges: signals.map(({ file }) => file?.range),
          isStored: signals.some(({ file }) => file),
        }),
        notes,
      );
      return [name, measured, notes];
    } catch (error) {
      if (!tolerant || !(error instanceof FormatError)) throw error;
      missing.push(name);
      return [name, undefined, missing.length > 3 ? [] : [`${error.message} It is a gap.`]];
    }
  };
  for (let i = 0; i < names.length; i += measuredAtOnce) {
    // All of them are waited for: one that fails leaves no other opening its files.
    for (const result of await Promise.allSettled(names.slice(i, i + measuredAtOnce).map(one))) {
      if (result.status === 'rejected') throw result.reason;
      const [name, found, notes] = result.value;
      if (found) facts.set(name, found);
      appendAll(log, notes);
    }
  }
  if (missing.length > 0)
    log.push(
      `wfdb: ${missing.length} of ${names.length} segments of ${record.record} cannot be read and are gaps.`,
    );
  return facts;
}
