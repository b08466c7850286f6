/** Element bombs in formats of signals: very many channels, segments, markers, annotations, columns in small files. */
import { gzipSync } from 'fflate';
import { ascii, concat, type EdfSignalParts, edfFile } from '../read/build.ts';
import { bdfFile } from '../read/build-bdf.ts';
import { visionFiles } from '../read/build-brainvision.ts';
import { cntFile } from '../read/build-cnt.ts';
import { eventTable, gdfFile } from '../read/build-gdf.ts';
import { mat5 } from '../read/build-mat.ts';
import { type Bomb, bomb, joinAll, repeat, utf8 } from './bomb.ts';

const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

const signal = (label: string): EdfSignalParts => ({ label, perRecord: 1, values: () => [1] });
/** Three records of so many signals. */
function wideEdf(count: number, label: (i: number) => string) {
  const field = (text: string, width: number) => text.padEnd(width);
  const columns = [80, 8, 8, 8, 8, 8, 80, 8].map((width, i) =>
    field(['', 'uV', '-100', '100', '-100', '100', '', '1'][i]!, width),
  );
  const head = [
    ...[field('0', 8), field('X X X X', 80), field('Startdate X X X X', 80), '03.02.2110.20.30'],
    ...[
      field(String(256 * (count + 1)), 8),
      field('', 44),
      field('3', 8),
      field('1', 8),
      field(String(count), 4),
    ],
  ];
  const labels = Array.from({ length: count }, (_, i) => field(label(i), 16)).join('');
  const rest = columns.map((text) => text.repeat(count)).join('');
  return joinAll([utf8(head.join('') + labels + rest + ' '.repeat(32 * count)), new Uint8Array(count * 6)]);
}
/** One record whose annotation signal is all onsets. */
function edfNotes(count: number, note: string) {
  const list = repeat(ascii(note), count);
  const perRecord = Math.ceil((list.length + 8) / 2);
  const head = edfFile({
    signals: [
      signal('Fp1'),
      { label: 'EDF Annotations', perRecord: perRecord, digital: ['-32768', '32767'], values: () => '' },
    ],
    records: 0,
    promised: '1',
  });
  const body = new Uint8Array(2 + perRecord * 2);
  body.set(ascii('+0\x14\x14\0'), 2);
  body.set(list, 7);
  return concat(head, body);
}
const edf: readonly Bomb[] = [
  bomb('edf signals', (n) => ({ 'x.edf': wideEdf(Math.min(9999, n(9999)), (i) => `S${i}`) }), {
    ends: 'either',
  }),
  bomb('edf signals of one name', (n) => ({ 'x.edf': wideEdf(Math.min(9999, n(9999)), () => 'Fp1') }), {
    ends: 'either',
  }),
  bomb('edf annotations', (n) => ({ 'x.edf': edfNotes(n(2e6), '+1\x14a\x14\0') })),
  bomb('edf texts of one annotation', (n) => ({ 'x.edf': edfNotes(1, `+1\x14${'a\x14'.repeat(n(2e6))}\0`) })),
  bomb('edf.gz annotations', (n) => ({ 'x.edf.gz': gzipSync(edfNotes(n(2e6), '+1\x14a\x14\0')) })),
  bomb('edf empty annotations', (n) => ({ 'x.edf': edfNotes(n(3e6), '+1\x14\x14\0') }), { ends: 'either' }),
  bomb(
    'edf records',
    (n) => ({
      'x.edf': concat(
        edfFile({
          signals: [
            signal('Fp1'),
            { label: 'EDF Annotations', perRecord: 5, digital: ['-32768', '32767'], values: () => '' },
          ],
          records: 0,
          promised: String(n(2e6)),
        }),
        repeat(concat(Uint8Array.of(1, 0), ascii('+0\x14\x14\0'.padEnd(10, '\0'))), n(2e6)),
      ),
    }),
    { ends: 'either' },
  ),
  bomb(
    'edf scattered records',
    (n) => {
      const count = n(500_000);
      const records = Array.from({ length: count }, (_, i) =>
        concat(Uint8Array.of(1, 0), ascii(`+${2 * i}\x14\x14`.padEnd(14, '\0'))),
      );
      return {
        'x.edf': concat(
          edfFile({
            reserved: 'EDF+D',
            signals: [
              signal('Fp1'),
              { label: 'EDF Annotations', perRecord: 7, digital: ['-32768', '32767'], values: () => '' },
            ],
            records: 0,
            promised: String(count),
          }),
          joinAll(records),
        ),
      };
    },
    { ends: 'either' },
  ),
  bomb(
    'bdf status',
    (n) => {
      const rate = 2000;
      const pair = Uint8Array.of(0, 0, 0, 1, 0, 0);
      const head = bdfFile({
        reserved: '24BIT',
        signals: [{ label: 'Status', perRecord: rate, values: () => [] }],
        records: 0,
        promised: String(n(1500)),
      });
      return { 'x.bdf': concat(head, repeat(pair, (n(1500) * rate) / 2)) };
    },
    { ends: 'either' },
  ),
];

const gdf: readonly Bomb[] = [
  bomb('gdf events', (n) => {
    const one = eventTable([[1, 768, 0, 0]]);
    const count = n(2e6);
    const table = concat(
      Uint8Array.of(1, count & 255, (count >> 8) & 255, count >> 16),
      one.subarray(4, 8),
      repeat(Uint8Array.of(1, 0, 0, 0), count),
      repeat(Uint8Array.of(1, 3), count),
    );
    return {
      'x.gdf': gdfFile({
        signals: [{ label: 'Fz', perRecord: 2, type: 3, bytes: () => new Uint8Array(4) }],
        records: 2,
        table,
      }),
    };
  }),
  bomb('gdf signals', (n) => ({
    'x.gdf': gdfFile({
      signals: Array.from({ length: Math.min(65_000, n(65_000)) }, () => ({
        label: 'Fz',
        perRecord: 1,
        type: 3,
        bytes: () => new Uint8Array(2),
      })),
      records: 1,
    }),
  })),
  bomb('cnt events', (n) => {
    const base = cntFile({ channels: 2, samples: 10, events: [] });
    const count = n(2e6);
    const head = base.subarray(0, base.length - 9).slice();
    const rows = new DataView(new ArrayBuffer(9));
    rows.setUint8(0, 1);
    rows.setUint32(1, 8 * count, true);
    return {
      'x.cnt': concat(
        head,
        new Uint8Array(rows.buffer),
        repeat(Uint8Array.of(1, 0, 0, 0, 0x52, 4, 0, 0), count),
      ),
    };
  }),
  bomb('cnt channels', (n) => ({ 'x.cnt': cntFile({ channels: Math.min(65_000, n(65_000)), samples: 2 }) }), {
    ends: 'either',
  }),
];

const wfdbSignal = 'x.dat 16 200/mV 16 0 0 0 0 ECG';
const wfdb: readonly Bomb[] = [
  bomb(
    'wfdb annotations',
    (n) => ({ 'x.atr': concat(repeat(Uint8Array.of(1, 4), n(3e6)), Uint8Array.of(0, 0)) }),
    { as: 'annotations' },
  ),
  bomb(
    'wfdb notes',
    (n) => ({ 'x.atr': concat(repeat(Uint8Array.of(1, 0x58, 1, 0xfc, 65, 0), n(2e6)), Uint8Array.of(0, 0)) }),
    { as: 'annotations' },
  ),
  bomb('wfdb record of annotations', (n) => ({
    'x.hea': utf8(`x 1 360 10\n${wfdbSignal}\n`),
    'x.dat': new Uint8Array(20),
    'x.atr': concat(repeat(Uint8Array.of(1, 4), n(3e6)), Uint8Array.of(0, 0)),
  })),
  bomb(
    'wfdb definitions',
    (n) => ({
      'x.atr': concat(repeat(Uint8Array.of(0, 0x58, 3, 0xfc, 35, 35, 32, 0), n(1.5e6)), Uint8Array.of(0, 0)),
    }),
    { as: 'annotations' },
  ),
  bomb('wfdb signals', (n) => ({
    'x.hea': utf8(`x ${n(80_000)} 360 2\n${`${wfdbSignal}\n`.repeat(n(80_000))}`),
    'x.dat': new Uint8Array(n(80_000) * 4),
  })),
  bomb(
    'wfdb signal files',
    (n) => ({
      'x.hea': utf8(
        `x ${n(20_000)} 360 2\n${lines(n(20_000), (i) => `y${i % 10}.dat 16 200/mV 16 0 0 0 0 ECG`)}\n`,
      ),
      ...Object.fromEntries(
        Array.from({ length: 10 }, (_, i) => [`y${i}.dat`, new Uint8Array(n(20_000) * 4)]),
      ),
    }),
    { ends: 'either' },
  ),
  bomb('wfdb segments', (n) => ({
    'x.hea': utf8(`x/${n(80_000)} 1 360 ${n(80_000) * 2}\n${lines(n(80_000), (i) => `s${i} 2`)}\n`),
    's.hea': ascii(`s 1 360 2\ns.dat 16 200/mV 16 0 0 0 0 ECG\n`),
    's.dat': new Uint8Array(4),
  })),
  bomb(
    'wfdb segments of many signals',
    (n) => ({
      'x.hea': utf8(`x/${n(2000)} 500 360 ${n(2000) * 2}\n${'s 2\n'.repeat(n(2000))}`),
      's.hea': ascii(`s 500 360 2\n${'s.dat 16 200/mV 16 0 0 0 0 ECG\n'.repeat(500)}`),
      's.dat': new Uint8Array(2000),
    }),
    { ends: 'either' },
  ),
  bomb(
    'wfdb comments',
    (n) => ({
      'x.hea': utf8(`x 1 360 10\n${wfdbSignal}\n${'# <a>: b\n'.repeat(n(1e6))}`),
      'x.dat': new Uint8Array(20),
    }),
    { ends: 'either' },
  ),
  bomb(
    'wfdb comment tags',
    (n) => ({
      'x.hea': utf8(`x 1 360 10\n${wfdbSignal}\n#${' <a>: b'.repeat(n(1e6))}\n`),
      'x.dat': new Uint8Array(20),
    }),
    { ends: 'either' },
  ),
  bomb(
    'wfdb skew',
    (n) => ({
      'x.hea': utf8(`x 2 360 10\n${wfdbSignal}\nx.dat 16:${n(9e8)} 200/mV 16 0 0 0 0 ECG\n`),
      'x.dat': new Uint8Array(40),
    }),
    { ends: 'either' },
  ),
];

const samples = new Uint8Array(40);
const vision: readonly Bomb[] = [
  bomb('brainvision markers', (n) =>
    visionFiles('x', { samples, markers: Array.from({ length: n(1_200_000) }, () => 'Stimulus,S1,1,1,0') }),
  ),
  bomb('brainvision segments', (n) =>
    visionFiles('x', {
      samples,
      markers: Array.from(
        { length: n(1_200_000) },
        (_, i) => `New Segment,,${i % 10},1,0,20240229235959123456`,
      ),
    }),
  ),
  bomb('brainvision channels', (n) =>
    visionFiles('x', {
      samples: new Uint8Array(n(80_000) * 4),
      channels: Array.from({ length: n(80_000) }, () => 'Fz,,0.5,µV'),
    }),
  ),
  bomb(
    'brainvision comment',
    (n) =>
      visionFiles('x', {
        samples,
        infos: `[Binary Infos]\nBinaryFormat=INT_16\n${lines(n(1e6), (i) => `k${i}=v`)}`,
      }),
    { ends: 'either' },
  ),
  bomb(
    'brainvision sections',
    (n) =>
      visionFiles('x', {
        samples,
        infos: `[Binary Infos]\nBinaryFormat=INT_16\n${lines(n(500_000), (i) => `[s${i}]`)}`,
      }),
    { ends: 'either' },
  ),
];

const { struct, text, doubles, file, compressed, numbers, matrix5 } = mat5();
const number = (value: number) => doubles([1, 1], [value]);
const empty = mat5().uint32(14, 0);
function eeglab(fields: Record<string, Uint8Array>) {
  const all = {
    srate: number(250),
    nbchan: number(2),
    pnts: number(10),
    trials: number(1),
    data: matrix5({ mx: 6, dims: [2, 10], data: [numbers(1, Array(20).fill(1))] }),
    ...fields,
  };
  return { 'x.set': file(compressed(struct([1, 1], Object.keys(all), Object.values(all), 'EEG'))) };
}
const eeglabs: readonly Bomb[] = [
  bomb('eeglab events', (n) =>
    eeglab({
      event: struct(
        [1, n(400_000)],
        ['type', 'latency'],
        [repeat(concat(text('go'), number(3)), n(400_000))],
      ),
    }),
  ),
  bomb('eeglab empty events', (n) =>
    eeglab({ event: struct([1, n(600_000)], ['type', 'latency'], [repeat(empty, 2 * n(600_000))]) }),
  ),
  bomb('eeglab chanlocs', (n) =>
    eeglab({ chanlocs: struct([1, n(600_000)], ['labels', 'type'], [repeat(empty, 2 * n(600_000))]) }),
  ),
  bomb('eeglab channels', (n) =>
    eeglab({
      nbchan: number(n(65_000)),
      pnts: number(10),
      data: matrix5({
        mx: 6,
        dims: [n(65_000), 10],
        data: [mat5().element(1, new Uint8Array(n(65_000) * 10))],
      }),
    }),
  ),
  bomb(
    'eeglab epochs',
    (n) =>
      eeglab({
        trials: number(n(900_000)),
        pnts: number(2),
        nbchan: number(1),
        data: matrix5({
          mx: 6,
          dims: [1, 2, n(900_000)],
          data: [mat5().element(1, new Uint8Array(2 * n(900_000)))],
        }),
      }),
    { ends: 'either' },
  ),
];

const csv = (name: string, content: string) => ({ [name]: utf8(content) });
const tables: readonly Bomb[] = [
  bomb('csv columns', (n) =>
    csv(
      'x.csv',
      `time,${lines(n(100_000), (i) => `c${i}`).replaceAll('\n', ',')}\n${lines(4, (r) => `${r / 100},${'1,'.repeat(n(100_000) - 1)}1`)}\n`,
    ),
  ),
  bomb('csv columns of one name', (n) =>
    csv(
      'x.csv',
      `time,${'a,'.repeat(n(100_000) - 1)}a\n${lines(4, (r) => `${r / 100},${'1,'.repeat(n(100_000) - 1)}1`)}\n`,
    ),
  ),
  bomb(
    'csv events',
    (n) => csv('x.csv', `time,a,marker\n${lines(n(1_500_000), (i) => `${i / 100},1,m${i % 2}`)}\n`),
    { ends: 'either' },
  ),
  bomb(
    'csv events of one name',
    (n) =>
      csv('x.csv', `timestamp,a,label\n${lines(n(1_500_000), (i) => `${i / 100},1,${i % 2 ? 'a' : ''}`)}\n`),
    { ends: 'either' },
  ),
  bomb('csv rows of text', (n) =>
    csv(
      'x.csv',
      `time,a,marker\n${lines(9, (i) => `${i / 100},1,x`)}\n${lines(n(1_500_000), () => ',,m')}\n`,
    ),
  ),
  bomb(
    'csv.gz',
    (n) => ({ 'x.csv.gz': gzipSync(concat(ascii('time,a\n'), repeat(ascii('1,1\n'), n(1e7)))) }),
    { ends: 'either' },
  ),
  bomb('csv comments', (n) => csv('x.csv', `${'# a\n'.repeat(n(1e6))}time,a\n0,1\n0.01,1\n0.02,1\n`), {
    ends: 'either',
  }),
  bomb(
    'csv short rows',
    (n) => csv('x.csv', `time,a,b,c\n${lines(n(1e6), (i) => (i % 2 ? `${i / 100}` : `${i / 100},1,2,3`))}\n`),
    { ends: 'either' },
  ),
  bomb('csv gaps', (n) => csv('x.csv', `time,a\n${lines(n(1e6), (i) => `${i * i},1`)}\n`), {
    ends: 'either',
  }),
  bomb('csv one long line', (n) => csv('x.csv', 'a'.repeat(n(5e7))), { ends: 'either' }),
  bomb('csv quotes', (n) => csv('x.csv', `time,a\n${lines(n(1e6), () => '"0","1"')}\n"`), { ends: 'either' }),
];

export const signalBombs: readonly Bomb[] = [...edf, ...gdf, ...wfdb, ...vision, ...eeglabs, ...tables];
