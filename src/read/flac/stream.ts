/**
 * A FLAC file, lazily: samples [start, end) of its channels as exact integers. Frames have no table of contents: one is
 * searched for between those that are known, by the number in its header, and the known ones grow with every read.
 * Source: RFC 9639.
 */

import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { characters } from '../header-text.ts';
import { type FlacBytes, type FlacFailure, type FlacSamples, flacBytes } from './bits.ts';
import { decodeFlacFrame, flacRoom } from './flac.ts';
import { type FlacInfo, maxFrameHeaderBytes, parseFrameHeader, parseStreamInfo } from './header.ts';

interface Frame {
  readonly at: number;
  readonly firstSample: number;
  /** Known once it was decoded; before, it may be an accident of the bits. */
  end?: number;
  lastSample?: number;
}

interface Block {
  readonly frame: Frame;
  readonly channels: readonly FlacSamples[];
}

/** Bytes fetched in a go: where a frame is searched for, and for long reads. */
const searchBytes = 32 * 1024;
const readBytes = 1024 * 1024;
/** Decoded samples that are kept: channels are asked for one after the other. 16 MiB. */
const keptSamples = 4 * 2 ** 20;
/** Frame headers tried from the end of a file on: the last frame may be cut, and bits may look like a header. */
const maxTrials = 16;

export class FlacStream {
  /** Sorted by place; the first frame is always there. */
  readonly #frames: Frame[] = [];
  readonly #blocks = new Map<number, Block>();
  #kept = 0;
  #chunk: (FlacBytes & { readonly start: number }) | undefined;

  private constructor(
    readonly source: ByteSource,
    readonly info: FlacInfo,
    firstFrame: number,
  ) {
    this.#frames.push({ at: firstFrame, firstSample: 0 });
  }

  /** Read the stream's description. FormatError where the file is no FLAC file. */
  static async open(source: ByteSource): Promise<FlacStream> {
    const fail = (fact: string, at: number): never => {
      throw new FormatError(`flac: ${source.name} ${fact}. It is damaged; fetch it again.`, source.name, at);
    };
    const head = await source.read(0, Math.min(8192, source.byteLength));
    if (characters(head.subarray(0, 4)) !== 'fLaC') fail("does not start with 'fLaC'", 0);
    let info: FlacInfo | undefined;
    let at = 4;
    for (let isLast = false; !isLast; ) {
      if (at + 4 > source.byteLength) fail(`ends at byte ${source.byteLength}, within its metadata`, at);
      const block = at + 4 <= head.length ? head.subarray(at, at + 4) : await source.read(at, at + 4);
      isLast = block[0]! >= 128;
      const type = block[0]! & 127;
      const length = (block[1]! << 16) | (block[2]! << 8) | block[3]!;
      if (at === 4) {
        info = type === 0 ? parseStreamInfo(head.subarray(8, 42)) : undefined;
        if (!info) fail('has no valid STREAMINFO', 4);
      }
      if (type === 127 || at + 4 + length > source.byteLength)
        fail(`has ${length} bytes of metadata at byte ${at}, it ends at ${source.byteLength}`, at);
      at += 4 + length;
      // Blocks of no bytes would make a long walk of short reads.
      if (at > head.length && length < 64) fail(`has metadata in ever more blocks`, at);
    }
    return new FlacStream(source, info!, at);
  }

  /** Samples a channel up to the end of the last whole frame; no more than the bytes could hold. */
  async lastSample(): Promise<number> {
    const { byteLength } = this.source;
    const first = this.#frames[0]!.at;
    let trials = 0;
    for (let reach = searchBytes; ; reach *= 8) {
      const start = Math.max(first, byteLength - reach);
      const bytes = await this.source.read(start, byteLength);
      const chunk = flacBytes(bytes);
      for (let at = bytes.length - 1; at >= 0 && trials < maxTrials; at--) {
        const header = parseFrameHeader(bytes, at, this.info);
        if (!header) continue;
        trials++;
        if (typeof decodeFlacFrame(chunk, at, header) === 'string') continue;
        const most = Math.floor((byteLength - first) / (8 + this.info.channels)) * this.info.maxBlockSamples;
        return Math.min(header.firstSample + header.blockSamples, most);
      }
      if (start === first || trials >= maxTrials || reach > this.#longestFrame()) return 0;
    }
  }

  /**
   * Hand samples [start, end) of a channel to `take`, block by block: samples[from … to) belong at `offset` from start.
   * FormatError with the byte where a frame is damaged.
   */
  async read(
    channel: number,
    start: number,
    end: number,
    take: (samples: FlacSamples, from: number, to: number, offset: number) => void,
  ): Promise<void> {
    let block: Block | undefined;
    for (let sample = start; sample < end; ) {
      block = await this.#blockOf(sample, end, block);
      const { firstSample, lastSample } = block.frame;
      const to = Math.min(end, lastSample!);
      take(block.channels[channel]!, sample - firstSample, to - firstSample, sample - start);
      sample = to;
    }
  }

  /**
   * Hand samples [start, end) of all channels to `take`, block by block, as `read` does for one; they are only valid within
   * the call.
   */
  async readAll(
    start: number,
    end: number,
    take: (channels: readonly FlacSamples[], from: number, to: number, offset: number) => void,
  ): Promise<void> {
    const { channels, bits, maxBlockSamples } = this.info;
    const rooms = Array.from({ length: channels }, () => flacRoom(bits, maxBlockSamples));
    let block: Block | undefined;
    for (let sample = start; sample < end; ) {
      block = await this.#blockOf(sample, end, block, rooms);
      const { firstSample, lastSample } = block.frame;
      const to = Math.min(end, lastSample!);
      take(block.channels, sample - firstSample, to - firstSample, sample - start);
      sample = to;
    }
  }

  async #blockOf(
    sample: number,
    end: number,
    before: Block | undefined,
    rooms?: readonly FlacSamples[],
  ): Promise<Block> {
    if (before && before.frame.lastSample === sample) {
      const next = this.#after(before.frame);
      // The frame behind a decoded one stands at its end: no search.
      const frame =
        next?.at === before.frame.end ? next! : this.#note({ at: before.frame.end!, firstSample: sample });
      const block = await this.#decode(frame, end, rooms);
      if (typeof block !== 'string') return block;
      this.#fail(frame, block);
    }
    let frame = await this.#search(sample);
    for (;;) {
      const block = await this.#decode(frame, end, rooms);
      if (typeof block === 'string') {
        // An accident of the bits that looked like a header: go on from a frame that was decoded.
        const index = this.#frames.indexOf(frame);
        if (index === 0 || frame.end !== undefined || this.#frames[index - 1]?.end === frame.at)
          this.#fail(frame, block);
        this.#frames.splice(index, 1);
        frame = this.#frames[index - 1]!;
        continue;
      }
      if (sample < block.frame.lastSample!) return block;
      const next = this.#after(frame);
      frame = next?.at === frame.end ? next! : this.#note({ at: frame.end!, firstSample: frame.lastSample! });
    }
  }

  /** The last known frame that begins at or before a sample, after a search that makes it near. */
  async #search(sample: number): Promise<Frame> {
    let limit = this.source.byteLength;
    for (let step = 0; ; step++) {
      const index = this.#indexOf(sample);
      const low = this.#frames[index]!;
      const high = this.#frames[index + 1];
      const from = low.end ?? low.at + 1;
      const to = Math.min(limit, high?.at ?? limit);
      const isIn = low.lastSample !== undefined && sample < low.lastSample;
      if (isIn || to - from <= searchBytes || step === 64) return low;
      const below = high?.firstSample ?? Number.POSITIVE_INFINITY;
      const known = high?.firstSample ?? Math.max(this.info.totalSamples, sample + this.info.maxBlockSamples);
      const share = Math.min(1, (sample - low.firstSample) / (known - low.firstSample));
      // Where it should be if all frames were alike, and every other time in the middle: they are not.
      const guess = step % 2 === 0 ? from + (to - from) * share - searchBytes / 2 : (from + to) / 2;
      const at = Math.max(from, Math.min(to - 1, Math.floor(guess)));
      const found = await this.#scan(at, to, low.firstSample, below);
      // No frame begins there: what is wanted begins before.
      if (!found) limit = at;
    }
  }

  /** Note the first header from byte `at` on, before `to`, whose frame begins between two samples. */
  async #scan(at: number, to: number, above: number, below: number): Promise<Frame | undefined> {
    for (let start = at; start < to; start += searchBytes) {
      const end = Math.min(this.source.byteLength, start + searchBytes + maxFrameHeaderBytes);
      const bytes = await this.#fetch(start, end);
      for (let i = 0; i < Math.min(searchBytes, to - start); i++) {
        const header = parseFrameHeader(bytes, i, this.info);
        if (header && header.firstSample > above && header.firstSample < below)
          return this.#note({ at: start + i, firstSample: header.firstSample });
      }
    }
    return undefined;
  }

  /**
   * Decode a frame, or take it from those that are kept. `end`: the sample up to which more will be asked for. In `rooms`
   * it is not kept.
   */
  async #decode(frame: Frame, end: number, rooms?: readonly FlacSamples[]): Promise<Block | FlacFailure> {
    const kept = this.#blocks.get(frame.at);
    if (kept) {
      // Those that were not asked for for longest are dropped first.
      this.#blocks.delete(frame.at);
      this.#blocks.set(frame.at, kept);
      return kept;
    }
    const { channels, bits, maxBlockSamples } = this.info;
    const wanted = ((end - frame.firstSample + maxBlockSamples) * channels * bits) / 8;
    let reach = Math.max(4096, Math.min(readBytes, Math.ceil(wanted)));
    let stretch = this.#chunk;
    if (stretch && !(stretch.start <= frame.at && frame.at < stretch.start + stretch.bytes.length))
      stretch = undefined;
    for (let isFresh = false; ; ) {
      if (!stretch) {
        const bytes = await this.source.read(frame.at, Math.min(this.source.byteLength, frame.at + reach));
        stretch = { start: frame.at, ...flacBytes(bytes) };
        this.#chunk = stretch;
        isFresh = true;
      }
      const { start, bytes } = stretch;
      const at = frame.at - start;
      const header = parseFrameHeader(bytes, at, this.info);
      const absent = bytes.length - at < maxFrameHeaderBytes ? 'short' : 'damaged';
      if (header && header.firstSample !== frame.firstSample) return 'damaged';
      const block = header ? decodeFlacFrame(stretch, at, header, rooms) : absent;
      if (typeof block !== 'string') {
        frame.end = start + block.end;
        frame.lastSample = frame.firstSample + header!.blockSamples;
        this.#dropAccidents(frame);
        const { channels } = block;
        return rooms ? { frame, channels } : this.#keep({ frame, channels });
      }
      const isLast = start + bytes.length === this.source.byteLength;
      if (block === 'damaged' || isLast || (isFresh && reach > this.#longestFrame())) return block;
      if (isFresh) reach *= 4;
      stretch = undefined;
    }
  }

  /** What looked like frames within one that was decoded, or does not follow it, was none. */
  #dropAccidents(frame: Frame): void {
    const index = this.#frames.indexOf(frame);
    let count = 0;
    for (let next = this.#frames[index + 1]; next; next = this.#frames[index + 1 + count]) {
      if (next.at >= frame.end! && next.firstSample >= frame.lastSample!) break;
      count++;
    }
    if (count > 0) this.#frames.splice(index + 1, count);
  }

  async #fetch(start: number, end: number): Promise<Uint8Array> {
    const chunk = this.#chunk;
    if (chunk && chunk.start <= start && end <= chunk.start + chunk.bytes.length)
      return chunk.bytes.subarray(start - chunk.start, end - chunk.start);
    const bytes = await this.source.read(start, end);
    this.#chunk = { start, ...flacBytes(bytes) };
    return bytes;
  }

  #keep(block: Block): Block {
    const samples = block.channels.length * block.channels[0]!.length;
    this.#blocks.set(block.frame.at, block);
    this.#kept += samples;
    for (const [at, old] of this.#blocks) {
      if (this.#kept <= keptSamples || old === block) break;
      this.#blocks.delete(at);
      this.#kept -= old.channels.length * old.channels[0]!.length;
    }
    return block;
  }

  #note(frame: Frame): Frame {
    const index = this.#frames.findLastIndex(({ at }) => at <= frame.at);
    const found = this.#frames[index];
    if (found?.at === frame.at) return found;
    this.#frames.splice(index + 1, 0, frame);
    return frame;
  }

  #after(frame: Frame): Frame | undefined {
    const index = this.#indexOf(frame.firstSample);
    return this.#frames[index + 1];
  }

  /** Of the last known frame that begins at or before a sample. */
  #indexOf(sample: number): number {
    let [low, high] = [0, this.#frames.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#frames[middle]!.firstSample <= sample) low = middle;
      else high = middle;
    }
    return low;
  }

  /** No frame takes more: every sample stored as it is, and a little. */
  #longestFrame(): number {
    const { channels, bits, maxBlockSamples } = this.info;
    return Math.ceil((maxBlockSamples * channels * (bits + 1)) / 8) + 1024;
  }

  #fail({ at, firstSample }: Frame, why: FlacFailure): never {
    const fact =
      why === 'short'
        ? `ends at byte ${this.source.byteLength}, within the frame of sample ${firstSample}`
        : `has a damaged frame of sample ${firstSample} at byte ${at}`;
    throw new FormatError(`flac: ${this.source.name} ${fact}. Fetch it again.`, this.source.name, at);
  }
}
