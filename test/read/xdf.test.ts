import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { HeartmindError } from '../../src/core/errors.ts';
import { unitOf } from '../../src/core/units.ts';
import { openRecording } from '../../src/read/open.ts';
import { openXdfRecording } from '../../src/read/xdf/recording.ts';
import { openXdf } from '../../src/read/xdf/xdf.ts';
import { parseXml, textAt } from '../../src/read/xdf/xml.ts';
import golden from '../golden/read/xdf.json' with { type: 'json' };
import * as build from './build-xdf.ts';

interface Reference {
  id: number;
  name: string;
  format: string;
  length: number;
  effectiveRateHz: number;
  segments: number[][];
  clockSegments: number[][];
  picks: number[];
  stamps: number[];
  stampSum: number;
  values: (string | number)[][];
  sums?: number[];
}

async function compare(bytes: Uint8Array, references: Reference[]) {
  const file = await openXdf(bytesSource('a.xdf', bytes));
  expect(
    file.streams.map(({ id, name, format, lengthSamples }) => [id, name, format, lengthSamples]),
  ).toEqual(references.map(({ id, name, format, length }) => [id, name, format, length]));
  for (const [i, stream] of file.streams.entries()) {
    const reference = references[i]!;
    expect(stream.segments).toEqual(reference.segments);
    expect(stream.clockSegments).toEqual(reference.clockSegments);
    expect(stream.effectiveRateHz).toBeCloseTo(reference.effectiveRateHz, 6);
    for (const [k, pick] of reference.picks.entries()) {
      const [ours, theirs] = [stream.timestamps[pick]!, reference.stamps[k]!];
      expect(Math.abs(ours - theirs), `stream ${stream.id}, sample ${pick}: ${ours} ${theirs}`).toBeLessThan(
        1e-9,
      );
    }
    const sum = stream.timestamps.reduce((total, stamp) => total + (stamp - stream.timestamps[0]!), 0);
    expect(Math.abs(sum - reference.stampSum)).toBeLessThan(1e-9 * Math.max(1, reference.length));
    if (stream.format === 'string') {
      const { channelCount: count } = stream;
      expect(reference.picks.map((pick) => stream.texts.slice(pick * count, (pick + 1) * count))).toEqual(
        reference.values,
      );
      continue;
    }
    for (let c = 0; c < (reference.length ? stream.channelCount : 0); c++) {
      const values = await stream.read(c, 0, stream.lengthSamples);
      expect(reference.picks.map((pick) => values[pick])).toEqual(
        reference.values.map((row) => Number(row[c])),
      );
      const total = values.reduce((a, b) => a + b, 0);
      expect(Math.abs(total - reference.sums![c]!)).toBeLessThanOrEqual(1e-9 * Math.abs(total) + 1e-6);
    }
  }
}

describe('XDF against pyxdf', () => {
  for (const [name, references] of Object.entries(golden.fixtures)) {
    it(`reads ${name} as pyxdf does`, () =>
      compare(
        readFileSync(new URL(`../golden/read/xdf/${name}`, import.meta.url)),
        references as unknown as Reference[],
      ));
  }
  const shared = new URL('../../../shared/data/conformance/xdf/', import.meta.url);
  describe.skipIf(!existsSync(shared))('conformance files (with ../shared)', () => {
    for (const [name, references] of Object.entries(golden.conformance)) {
      it(`reads ${name} as pyxdf does`, async () => {
        expect(readdirSync(shared)).toContain(name);
        await compare(readFileSync(new URL(name, shared)), references as unknown as Reference[]);
      });
    }
  });
});

const open = (bytes: Uint8Array, options = {}) => openXdfRecording(bytesSource('a.xdf', bytes), options);

describe('XDF as a recording', () => {
  it('puts streams of their own rates on one timeline, texts become annotations', async () => {
    const recording = await open(build.smallXdf()['small.xdf']!);
    expect(
      recording.channels.map(({ name, rateHz, lengthSamples }) => [name, rateHz, lengthSamples]),
    ).toEqual([
      ['Cz', 100, 150],
      ['EEG cap 2', 100, 150],
      ['Belt', 48, 72],
    ]);
    // The cap's clock is half a second behind the belt's: its grid starts half a second later.
    expect(recording.annotations.map(({ label }) => label)).toEqual(['mark 0', 'mark 1', 'mark 2', 'mark 3']);
  });

  it('is NaN before, between and after the stretches of a stream, bounded by what is stored', async () => {
    const row = (n: number) => Array.from({ length: n }, (_, k) => [k + 1]);
    const at = (from: number, n: number) => Array.from({ length: n }, (_, k) => from + k / 10);
    const bytes = build.join(
      build.fileHeader(),
      build.streamHeader(1, { rate: 10 }),
      build.streamHeader(2, { name: 'Late', rate: 10 }),
      build.samples16(1, row(20), at(100, 20)),
      build.samples16(1, row(10), at(160, 10)),
      build.samples16(2, row(5), at(103.04, 5)),
      build.samples16(2, row(3), at(1e9, 3)),
    );
    const recording = await open(bytes);
    expect(recording.channels.map(({ lengthSamples }) => lengthSamples)).toEqual([610, 610]);
    const early = await recording.read(0, 15, 25);
    expect([...early]).toEqual([16, 17, 18, 19, 20, NaN, NaN, NaN, NaN, NaN]);
    expect([...(await recording.read(0, 598, 603))]).toEqual([NaN, NaN, 1, 2, 3]);
    expect([...(await recording.read(1, 28, 37))]).toEqual([NaN, NaN, 1, 2, 3, 4, 5, NaN, NaN]);
    expect(recording.log.join('\n')).toMatch(/3 samples in 1 stretches lie .* left out/);
    expect(recording.log.join('\n')).toMatch(/'Late' was moved by up to 40\.0 ms/);
    const part = await open(bytes, { part: 'Late' });
    expect(part.channels).toHaveLength(1);
    await expect(open(bytes, { part: 'None' })).rejects.toThrow(
      /no stream 'None'. Choose one of 1 'Amp', 2 'Late'/,
    );
  });

  it('keeps the time of a drifting clock: samples are repeated, not shifted', async () => {
    const n = 2000;
    const rows = Array.from({ length: n }, (_, k) => [k]);
    const stamps = rows.map((_, k) => 50 + k / 99.9);
    const recording = await open(
      build.join(build.fileHeader(), build.streamHeader(1), build.samples16(1, rows, stamps)),
    );
    expect(recording.channels[0]).toMatchObject({ rateHz: 100, lengthSamples: 2002 });
    const samples = await recording.read(0, 0, 2002);
    for (const k of [0, 500, 1000, 2001]) expect(Math.abs(samples[k]! / 99.9 - k / 100)).toBeLessThan(0.0051);
    expect(recording.log.join()).toMatch(/2 samples were repeated or passed over/);
    // Any part equals that part of the whole.
    expect(await recording.read(0, 777, 1555)).toEqual(samples.slice(777, 1555));
  });

  it('is refused where it is truncated, unless that is tolerated', async () => {
    const whole = build.smallXdf()['small.xdf']!;
    const cut = whole.subarray(0, whole.length - 30);
    await expect(open(cut)).rejects.toThrow(/chunk at byte \d+ .*--tolerant/);
    const recording = await open(cut, { tolerant: true });
    expect(recording.log.join('\n')).toMatch(/nothing after it was read/);
    expect(recording.channels[0]!.lengthSamples).toBe(150);
  });

  it('reads on after the next boundary of a damaged file', async () => {
    const bytes = build.smallXdf()['small.xdf']!.slice();
    const text = new TextDecoder('latin1').decode(bytes);
    const first = text.indexOf('Keys') + 200; // inside the first samples
    bytes.fill(255, first, first + 60);
    const recording = await open(bytes, { tolerant: true });
    expect(recording.log.join('\n')).toMatch(/read on after the next boundary/);
  });

  it('only throws its own errors on damaged bytes, quickly', async () => {
    const bytes = build.smallXdf()['small.xdf']!;
    for (let i = 0; i < 400; i++) {
      const broken = bytes.slice();
      broken[(i * 7919) % bytes.length]! ^= 1 << (i % 8);
      broken[(i * 104729 + 13) % bytes.length] = (i * 37) % 256;
      try {
        const recording = await open(broken, { tolerant: i % 2 === 0 });
        const total = recording.channels.reduce((sum, { lengthSamples }) => sum + lengthSamples, 0);
        expect(total).toBeLessThan(1e6);
        for (const [c, { lengthSamples }] of recording.channels.entries())
          await recording.read(c, 0, lengthSamples);
      } catch (error) {
        if (!(error instanceof HeartmindError)) throw error;
      }
    }
  });
});

describe('XML of headers', () => {
  it('has elements, text, the five entities, character references and CDATA; nothing expands', () => {
    const root = parseXml(
      '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bomb">]><a x="1"><n>&lt;&#181;V&#x3bc;&b;</n><c/><d><![CDATA[<&amp;>]]></d></a>',
    )!;
    expect(textAt(root, 'n')).toBe('<µVμ&b;');
    expect(textAt(root, 'd')).toBe('<&amp;>');
    expect(root.children.map(({ name }) => name)).toEqual(['n', 'c', 'd']);
  });

  it('takes unclosed, deep and empty text', () => {
    expect(parseXml('')).toBeUndefined();
    expect(textAt(parseXml('<a><b>x'), 'b')).toBe('x');
    expect(parseXml('<a>'.repeat(100_000))!.name).toBe('a');
  });
});

describe('the start of an XDF recording', () => {
  it.each([
    ['2024-05-01T10:00:00+0200', '2024-05-01T08:00:00.000Z'],
    ['2024-05-01T10:00:00Z', '2024-05-01T10:00:00.000Z'],
    // Where the file is read must not move it.
    ['2024-05-01T10:00:00', '2024-05-01T10:00:00.000Z'],
    ['tomorrow', undefined],
  ])('%s is %s, on a machine of any time zone', async (datetime, due) => {
    const bytes = build.join(
      build.fileHeader(`<version>1.0</version><datetime>${datetime}</datetime>`),
      build.streamHeader(1),
      build.samples16(1, [[1], [2]], [10, undefined]),
    );
    const zone = process.env.TZ;
    process.env.TZ = 'Asia/Kathmandu';
    try {
      expect((await open(bytes)).startTime?.toISOString()).toBe(due);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});

describe('an XDF stream without a unit', () => {
  const bytes = build.join(
    build.fileHeader(),
    build.streamHeader(1),
    build.samples16(1, [[1], [2]], [10, undefined]),
  );
  it('is microvolt by custom, as the live stream is, which a stated unit and a recipe go before', async () => {
    const { channels, log } = await open(bytes);
    expect(unitOf(channels[0]!, undefined)).toBe('uV');
    expect(unitOf(channels[0]!, 'mV')).toBe('mV');
    expect(log.join()).toContain('states no unit for some channels; they are taken as microvolt unless');
    const stated = await openRecording(bytesSource('a.xdf', bytes), { unit: 'mV' });
    expect(unitOf(stated.channels[0]!, undefined)).toBe('mV');
    expect(stated.log.join()).not.toContain('microvolt');
  });
});
