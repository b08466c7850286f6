/** Small tables as devices and programs export them: file name → text. */
const rows = (count: number, row: (k: number) => string) =>
  Array.from({ length: count }, (_, k) => row(k)).join('\n');
const iso = (seconds: number) => new Date(Date.UTC(2026, 2, 1, 10, 20, 30) + seconds * 1000).toISOString();

export const wave = (k: number, scale = 100) => Number((scale * Math.sin(k / 7)).toFixed(3));

export const tables = {
  'plain.csv': `time (s),ECG (mV),Fp1 [uV]\n${rows(50, (k) => `${(k * 0.004).toFixed(3)},${wave(k, 1)},${wave(k)}`)}\n`,
  'decimal.csv': `\ufeffZeit;EKG (mV)\r\n${rows(40, (k) => `${String(k / 100).replace('.', ',')};${String(wave(k, 1)).replace('.', ',')}\r`)}`,
  'bare.txt': rows(30, (k) => `${wave(k)}   ${wave(k + 3)}`),
  'savetxt.txt': `# fs = 500 Hz\n# ECG EMG\n${rows(30, (k) => `${wave(k).toExponential(18)} ${wave(k + 1).toExponential(18)}`)}\n`,
  'rdsamp.csv':
    `'Elapsed time','MLII','V5'\n'hh:mm:ss.mmm','mV','mV'\n${rows(40, (k) => `'0:00.${String(Math.round(k * 2.7777)).padStart(3, '0')}',${wave(k, 1)},${wave(k + 1, 1)}`)}\n`.replaceAll(
      /'(0:00\.\d+)'/g,
      '$1',
    ),
  'museMonitor.csv': `TimeStamp,Delta_TP9,RAW_TP9,RAW_AF7,RAW_AF8,RAW_TP10,AUX_RIGHT,HeadBandOn,Battery,Elements\n${rows(
    64,
    (k) => {
      const time = iso(Math.floor(k / 12) * (12 / 256))
        .replace('T', ' ')
        .replace('Z', '');
      return k === 20
        ? `${time},,,,,,,,,/muse/elements/blink`
        : `${time},0.5,${800 + wave(k)},${801 + wave(k)},${802 + wave(k)},${803 + wave(k)},,1,85,`;
    },
  )}\n`,
  'muselsl.csv': `timestamps,TP9,AF7,AF8,TP10,Right AUX\n${rows(64, (k) => `${(1700000000 + k / 256).toFixed(6)},${wave(k)},${wave(k + 1)},${wave(k + 2)},${wave(k + 3)},nan`)}\n`,
  'OpenBCI-RAW.txt': `%OpenBCI Raw EXG Data\n%Number of channels = 2\n%Sample Rate = 250 Hz\n%Board = OpenBCI_GUI$BoardCytonSerial\nSample Index, EXG Channel 0, EXG Channel 1, Accel Channel 0, Other, Timestamp, Timestamp (Formatted)\n${rows(
    60,
    (k) =>
      `${k % 256}, ${wave(k, 5000)}, ${wave(k + 1, 5000)}, 0.5, 0.0, ${(1700000000 + Math.floor(k / 10) / 25).toFixed(4)}, ${iso(
        Math.floor(k / 10) / 25,
      )
        .replace('T', ' ')
        .replace('Z', '')}`,
  )}\n`,
  'polar.txt': `Phone timestamp;sensor timestamp [ns];timestamp [ms];ecg [uV]\n${rows(80, (k) => {
    const seconds = k / 130 + (k >= 40 ? 5 : 0);
    return `${iso(seconds).replace('Z', '')};${599616000000000000n + BigInt(Math.round(seconds * 1e9))};${(seconds * 1000).toFixed(6)};${k - 40}`;
  })}\n`,
  'BVP.csv': `1600000000.000000\n64.000000\n${rows(40, (k) => wave(k).toFixed(2))}\n`,
  'labels.csv': `t,ECG,label,phase\n${rows(40, (k) => `${k / 10},${k},${k === 5 ? 3 : 0},${k < 20 ? 'rest' : 'task'}`)}\n`,
  'gap.csv': `t,x\n${rows(40, (k) => `${((k + (k >= 10 ? 2 : 0) + (k >= 30 ? 500 : 0)) / 100).toFixed(2)},${k}`)}\n`,
} as const;

/** One table of each kind, for damage: main file first. */
export function smallCsv(name: keyof typeof tables = 'polar.txt'): Record<string, Uint8Array> {
  return { [name]: new TextEncoder().encode(tables[name]) };
}
