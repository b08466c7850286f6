/** A made-up PTB-XL: two leads, 4 s at 500 Hz, beats whose form tells the super-classes, official folds of equal size. */
import { Random } from '../../../src/core/random.ts';

const rateHz = 500;
const seconds = 4;
const bump = (t: number, at: number, width: number) => Math.exp(-(((t - at) / width) ** 2));

/** Person i has STTC, CD, HYP, MI by the bits of i, NORM where none is set; each recorded once. */
export function ptbxlFiles(people: number, { noise = 0.03 } = {}): Record<string, string | Uint8Array> {
  const random = Random.derive(4, 'ptbxl');
  const rows = ['ecg_id,patient_id,age,sex,scp_codes,strat_fold,filename_lr,filename_hr'];
  const files: Record<string, string | Uint8Array> = {};
  for (let i = 0; i < people; i++) {
    const [sttc, cd, hyp, mi] = [1, 2, 4, 8].map((bit) => (i & bit) !== 0) as [
      boolean,
      boolean,
      boolean,
      boolean,
    ];
    const codes = [
      ...(sttc ? ['NDT'] : []),
      ...(cd ? ['CRBBB'] : []),
      ...(hyp ? ['LVH'] : []),
      ...(mi ? ['IMI'] : []),
    ];
    const stated = (codes.length > 0 ? codes : ['NORM']).map((code) => `'${code}': 100.0`).join(', ');
    const fold = 1 + Math.floor((10 * i) / people);
    const name = `records500/00000/${String(i + 1).padStart(5, '0')}_hr`;
    rows.push(`${i + 1},${100 + i}.0,50.0,0,"{${stated}}",${fold},,${name}`);
    const width = cd ? 0.03 : 0.012;
    const beat = (t: number) =>
      (hyp ? 1.8 : 1) * bump(t, 0, width) +
      (sttc ? -0.25 : 0.25) * bump(t, 0.25, 0.04) +
      (mi ? 0.2 : 0) * bump(t, 0.1, 0.03);
    const first = 0.3 + 0.2 * random.uniform();
    const data = new Int16Array(seconds * rateHz * 2);
    for (let s = 0; s < seconds * rateHz; s++) {
      const t = s / rateHz - first;
      const value = beat(t - 0.8 * Math.round(t / 0.8)) + beat(t - 0.8 * (Math.round(t / 0.8) - 1));
      for (const lead of [0, 1])
        data[2 * s + lead] = Math.round(1000 * ((0.6 + 0.4 * lead) * value + noise * random.normal()));
    }
    const base = name.slice(name.lastIndexOf('/') + 1);
    files[`${name}.hea`] = [
      `${base} 2 ${rateHz} ${seconds * rateHz}`,
      ...['I', 'II'].map((lead) => `${base}.dat 16 1000.0(0)/mV 16 0 0 0 0 ${lead}`),
      '',
    ].join('\n');
    files[`${name}.dat`] = new Uint8Array(data.buffer);
  }
  return { 'ptbxl_database.csv': `${rows.join('\n')}\n`, ...files };
}
