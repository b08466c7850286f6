/** Element bombs in containers of values: MAT, NPZ, XDF, Parquet. Small files that claim millions of cells, texts, streams. */
import { gzipSync, zipSync } from 'fflate';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { tensor } from '../../src/core/tensor.ts';
import { encodeNpy } from '../../src/read/numpy/npz.ts';
import { ascii, concat, matrix } from '../read/build.ts';
import { mat5 } from '../read/build-mat.ts';
import { boundary, chunk, clockOffset, fileHeader, streamHeader, uint32 } from '../read/build-xdf.ts';
import { type Bomb, bomb, joinAll, repeat, utf8 } from './bomb.ts';

const little = mat5();
const emptyElement = little.uint32(14, 0);
const asMat = (...variables: Uint8Array[]) => ({ 'x.mat': little.file(...variables) });
const packed = (variable: Uint8Array) => asMat(little.compressed(variable));

/** A cell in a cell in a cell. */
function nestedCells(depth: number): Uint8Array {
  const layer = little.cell([1, 1], [new Uint8Array(0)]);
  const whole = new Uint8Array(depth * layer.length + 8);
  const view = new DataView(whole.buffer);
  for (let k = 0; k < depth; k++) {
    whole.set(layer, k * layer.length);
    view.setUint32(k * layer.length + 4, whole.length - (k + 1) * layer.length + layer.length - 8, true);
  }
  whole.set(emptyElement, depth * layer.length);
  return whole;
}

const mat: readonly Bomb[] = [
  bomb('mat cells', (n) => packed(little.cell([1, n(3e6)], [repeat(emptyElement, n(3e6))], 'c')), {
    as: 'values',
  }),
  bomb('mat cells as recording', (n) =>
    packed(little.cell([1, n(3e6)], [repeat(emptyElement, n(3e6))], 'c')),
  ),
  bomb(
    'mat cells in cells',
    (n) => {
      const inner = little.cell([1, 3000], [repeat(emptyElement, 3000)]);
      return packed(little.cell([1, n(1000)], [repeat(inner, n(1000))], 'c'));
    },
    { as: 'values' },
  ),
  bomb('mat cells one in another', (n) => packed(nestedCells(n(100_000))), { as: 'values', ends: 'either' }),
  bomb('mat structs', (n) => packed(little.struct([1, n(3e6)], ['a'], [repeat(emptyElement, n(3e6))], 's')), {
    as: 'values',
  }),
  bomb('mat structs as recording', (n) =>
    packed(little.struct([1, n(3e6)], ['a'], [repeat(emptyElement, n(3e6))], 's')),
  ),
  bomb(
    'mat fields',
    (n) => {
      const names = utf8(Array.from({ length: n(1_200_000) }, (_, i) => `f${i}`.padEnd(8, '\0')).join(''));
      const data = [
        little.small(5, little.uint32(8)),
        little.element(1, names),
        repeat(emptyElement, n(1_200_000)),
      ];
      return packed(little.matrix5({ mx: 2, dims: [1, 1], name: 's', data }));
    },
    { as: 'values', ends: 'either' },
  ),
  bomb(
    'mat rows of text',
    (n) =>
      packed(
        little.matrix5({
          mx: 4,
          dims: [n(3e6), 2],
          name: 't',
          data: [little.element(16, new Uint8Array(n(3e6) * 2).fill(65))],
        }),
      ),
    { as: 'values', ends: 'either' },
  ),
  bomb('mat variables', (n) => asMat(repeat(little.doubles([1, 1], [1], 'v'), n(80_000)))),
  bomb('mat compressed variables', (n) =>
    asMat(repeat(little.compressed(little.doubles([1, 1], [1], 'v')), n(80_000))),
  ),
  bomb('mat 4 variables', (n) => ({ 'x.mat': repeat(matrix('v', 20, 1, 1, new Uint8Array(4)), n(80_000)) }), {
    as: 'values',
  }),
  bomb(
    'mat 4 text rows',
    (n) => ({ 'x.mat': matrix('v', 51, n(3e6), 2, new Uint8Array(n(3e6) * 2).fill(65)) }),
    { as: 'values', ends: 'either' },
  ),
];

/** An .npy of `shape` and type, all bytes the same. */
function npyOf(description: string, shape: readonly number[], width: number, fill = 0): Uint8Array {
  const head = encodeNpy(tensor('uint8', [1], new Uint8Array(1)));
  const dictionary = `{'descr': '${description}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const bytes = new Uint8Array(128 + shape.reduce((a, b) => a * b, 1) * width);
  bytes.set(head.subarray(0, 8));
  bytes.set([118, 0], 8);
  bytes.set(ascii(`${dictionary.padEnd(117)}\n`), 10);
  if (fill !== 0) bytes.fill(fill, 128);
  return bytes;
}
const zipped = (files: Record<string, Uint8Array>) => ({
  'x.npz': zipSync(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${name}.npy`, bytes])), {
    mtime: '1980-01-01',
  }),
});
const written = (files: Record<string, Uint8Array>) =>
  zipped({
    heartmind: npyOf('|i1', [1], 1),
    names: npyOf('<U1', [1], 4, 0),
    samples: npyOf('|i1', [1, 100], 1),
    rate_hz: npyOf('<f8', [1], 8, 64),
    group: npyOf('|i1', [1], 1),
    spans: npyOf('<f8', [2], 8, 0),
    ...files,
  });

const numpy: readonly Bomb[] = [
  bomb(
    'npz names',
    (n) => zipped({ data: npyOf('<f4', [2, 100], 4), names: npyOf('|S1', [n(3e6)], 1, 65) }),
    { options: { rateHz: 100 } },
  ),
  bomb(
    'npz wide names',
    (n) => zipped({ data: npyOf('<f4', [2, 100], 4), names: npyOf('|S200', [n(30_000)], 200, 65) }),
    { options: { rateHz: 100 }, ends: 'either' },
  ),
  bomb('npz notes', (n) => written({ notes: npyOf('|S1', [n(3e6)], 1, 65) })),
  bomb('npz one long text', (n) => written({ notes: npyOf(`|S${n(3e7)}`, [1], n(3e7), 65) }), {
    ends: 'either',
  }),
  bomb('npz groups', (n) =>
    written({ group: npyOf('<i4', [n(100_000)], 4, 0), samples: npyOf('|i1', [n(100_000), 10], 1) }),
  ),
  bomb('npz rates', (n) => written({ rate_hz: npyOf('<f8', [n(2e7)], 8, 64) })),
  bomb('npz annotations', (n) =>
    written({ annotation_start: npyOf('<f8', [n(3e6)], 8), annotation_duration: npyOf('<f8', [n(3e6)], 8) }),
  ),
  bomb('npz spans', (n) => written({ spans: npyOf('<f8', [n(6e6)], 8) })),
  bomb('npz metadata', (n) =>
    written({ metadata_keys: npyOf('|S1', [n(2e6)], 1, 65), metadata_values: npyOf('|S1', [n(2e6)], 1, 65) }),
  ),
  bomb(
    'npz files',
    (n) =>
      zipped(
        Object.fromEntries(Array.from({ length: n(80_000) }, (_, i) => [`f${i}`, npyOf('|i1', [2], 1)])),
      ),
    { options: { rateHz: 100 } },
  ),
];

const xdf = (...parts: readonly Uint8Array[]) => ({ 'x.xdf': concat(fileHeader(), ...parts) });
const xdfChannels = (count: number) =>
  `<channels>${'<channel><label>A</label></channel>'.repeat(count)}</channels>`;
/** A header whose text is long: the builder's own goes byte by byte. */
const wideHeader = (id: number, count: number, desc: string) => {
  const text = utf8(
    `<?xml version="1.0"?><info><name>A</name><type>EEG</type><channel_count>${count}</channel_count><nominal_srate>100</nominal_srate><channel_format>int16</channel_format><desc>${desc}</desc></info>`,
  );
  return concat(Uint8Array.of(4), uint32(text.length + 6), Uint8Array.of(2, 0), uint32(id), text);
};
const samplesOf = (id: number, count: number, each: Uint8Array) => {
  const body = repeat(each, count);
  return concat(
    Uint8Array.of(4),
    uint32(body.length + 11),
    Uint8Array.of(3, 0),
    uint32(id),
    Uint8Array.of(4),
    uint32(count),
    body,
  );
};
const one = streamHeader(1, {});
const footer = (id: number, rest: string) => {
  const text = utf8(`<?xml version="1.0"?><info>${rest}</info>`);
  return concat(Uint8Array.of(4), uint32(text.length + 6), Uint8Array.of(6, 0), uint32(id), text);
};
const xdfs: readonly Bomb[] = [
  bomb(
    'xdf channel elements',
    (n) => xdf(wideHeader(1, 1, xdfChannels(n(300_000))), samplesOf(1, 10, Uint8Array.of(0, 1, 0))),
    { ends: 'either' },
  ),
  bomb('xdf channels', (n) => xdf(wideHeader(1, n(80_000), xdfChannels(n(80_000))))),
  bomb('xdf elements', (n) => xdf(wideHeader(1, 1, '<a/>'.repeat(n(3e6)))), { ends: 'either' }),
  bomb('xdf elements in elements', (n) => xdf(wideHeader(1, 1, '<a>'.repeat(n(1e6)))), { ends: 'either' }),
  bomb('xdf streams', (n) =>
    xdf(joinAll(Array.from({ length: n(80_000) }, (_, i) => streamHeader(i + 1, {})))),
  ),
  bomb(
    'xdf streams of samples',
    (n) =>
      xdf(
        joinAll(
          Array.from({ length: n(20_000) }, (_, i) =>
            concat(streamHeader(i + 1, {}), samplesOf(i + 1, 2, Uint8Array.of(0, 1, 0))),
          ),
        ),
      ),
    { ends: 'either' },
  ),
  bomb(
    'xdf clock offsets',
    (n) => xdf(one, samplesOf(1, 10, Uint8Array.of(0, 1, 0)), repeat(clockOffset(1, 1, 0), n(2e6))),
    { ends: 'either' },
  ),
  bomb(
    'xdf footers',
    (n) =>
      xdf(
        one,
        samplesOf(1, 10, Uint8Array.of(0, 1, 0)),
        repeat(footer(1, '<first_timestamp>1</first_timestamp>'), n(300_000)),
      ),
    { ends: 'either' },
  ),
  bomb(
    'xdf offsets in a footer',
    (n) =>
      xdf(
        one,
        samplesOf(1, 10, Uint8Array.of(0, 1, 0)),
        footer(
          1,
          `<clock_offsets>${'<offset><time>1</time><value>0</value></offset>'.repeat(n(500_000))}</clock_offsets>`,
        ),
      ),
    { ends: 'either' },
  ),
  bomb('xdf empty texts', (n) =>
    xdf(
      one,
      samplesOf(1, 10, Uint8Array.of(0, 1, 0)),
      streamHeader(2, { format: 'string', type: 'Markers', rate: 0 }),
      samplesOf(2, n(3e6), Uint8Array.of(0, 1, 0)),
    ),
  ),
  bomb(
    'xdf boundaries',
    (n) => xdf(one, samplesOf(1, 10, Uint8Array.of(0, 1, 0)), repeat(boundary(), n(500_000))),
    { ends: 'either' },
  ),
  bomb('xdf headers of one stream', (n) => xdf(repeat(one, n(50_000))), { ends: 'either' }),
  bomb(
    'xdf chunks of one sample',
    (n) => xdf(one, repeat(chunk(3, uint32(1), [1, 1], Uint8Array.of(0, 1, 0)), n(1e6))),
    { ends: 'either' },
  ),
];

function parquetOf(
  columns: number,
  rows: number,
  groups: number,
  value: (row: number) => number | string,
): Record<string, Uint8Array> {
  const writer = new ByteWriter();
  const isText = typeof value(0) === 'string';
  const names = Array.from({ length: columns }, (_, c) => `c${c}`);
  const parquet = new ParquetWriter({
    writer,
    schema: [
      { name: 'root', num_children: columns },
      ...names.map(
        (name) =>
          ({
            name,
            type: isText ? 'BYTE_ARRAY' : 'DOUBLE',
            repetition_type: 'REQUIRED',
            ...(isText && { converted_type: 'UTF8' as const }),
          }) as const,
      ),
    ],
  });
  const data = isText
    ? Array.from({ length: rows }, (_, i) => value(i))
    : Float64Array.from({ length: rows }, (_, i) => value(i) as number);
  for (let g = 0; g < groups; g++)
    parquet.write({
      columnData: names.map((name) => ({ name, data, type: isText ? 'STRING' : 'DOUBLE' }) as never),
      rowGroupSize: rows,
    });
  parquet.finish();
  return { 'x.parquet': new Uint8Array(writer.getBytes()) };
}
const parquets: readonly Bomb[] = [
  bomb('parquet constants', (n) => parquetOf(8, n(4e6), 1, () => 1), {
    options: { rateHz: 100 },
    ends: 'either',
  }),
  bomb('parquet many constants', (n) => parquetOf(40, n(2e6), 1, () => 1), {
    options: { rateHz: 100 },
    ends: 'either',
  }),
  bomb('parquet columns', (n) => parquetOf(n(40_000), 2, 1, (i) => i), {
    options: { rateHz: 100 },
    ends: 'either',
  }),
  bomb('parquet row groups', (n) => parquetOf(4, 2, n(20_000), (i) => i), {
    options: { rateHz: 100 },
    ends: 'either',
  }),
  bomb(
    'parquet texts',
    (n) => {
      return parquetOf(1, n(1.5e6), 1, (i) => `text ${i % 2}`);
    },
    { options: { rateHz: 100 }, ends: 'either' },
  ),
];

/** A table of texts that is inflated beside a recording. */
const gz: readonly Bomb[] = [
  bomb('gzip of zeros', (n) => ({ 'x.edf.gz': gzipSync(new Uint8Array(n(2e8))) }), { ends: 'either' }),
];

export const containerBombs: readonly Bomb[] = [...mat, ...numpy, ...xdfs, ...parquets, ...gz];
