/**
 * The 71 SCP-ECG statements of PTB-XL: what kind each is, and the classes of the diagnostic ones. The table is that of
 * scp_statements.csv of the published set (Wagner et al. 2020), so that labels need no second file.
 */

export const scpSuperclasses = ['NORM', 'MI', 'STTC', 'CD', 'HYP'] as const;
export type ScpSuperclass = (typeof scpSuperclasses)[number];
type Kind = 'diagnostic' | 'form' | 'rhythm';

export interface ScpStatement {
  readonly code: string;
  /** A few are of form and diagnostic at once. */
  readonly kinds: readonly Kind[];
  readonly superclass?: ScpSuperclass;
  readonly subclass?: string;
}

const kindOf = { d: 'diagnostic', f: 'form', r: 'rhythm' } as const;

/** `kinds`: first letters. */
function statement(code: string, kinds: string, superclass?: ScpSuperclass, subclass?: string): ScpStatement {
  return {
    code,
    kinds: kinds.split(' ').map((letter) => kindOf[letter as keyof typeof kindOf]),
    ...(superclass ? { superclass } : {}),
    ...(subclass ? { subclass } : {}),
  };
}

export const scpStatements: readonly ScpStatement[] = [
  statement('NDT', 'd f', 'STTC', 'STTC'),
  statement('NST_', 'd f', 'STTC', 'NST_'),
  statement('DIG', 'd f', 'STTC', 'STTC'),
  statement('LNGQT', 'd f', 'STTC', 'STTC'),
  statement('NORM', 'd', 'NORM', 'NORM'),
  statement('IMI', 'd', 'MI', 'IMI'),
  statement('ASMI', 'd', 'MI', 'AMI'),
  statement('LVH', 'd', 'HYP', 'LVH'),
  statement('LAFB', 'd', 'CD', 'LAFB/LPFB'),
  statement('ISC_', 'd', 'STTC', 'ISC_'),
  statement('IRBBB', 'd', 'CD', 'IRBBB'),
  statement('1AVB', 'd', 'CD', '_AVB'),
  statement('IVCD', 'd', 'CD', 'IVCD'),
  statement('ISCAL', 'd', 'STTC', 'ISCA'),
  statement('CRBBB', 'd', 'CD', 'CRBBB'),
  statement('CLBBB', 'd', 'CD', 'CLBBB'),
  statement('ILMI', 'd', 'MI', 'IMI'),
  statement('LAO/LAE', 'd', 'HYP', 'LAO/LAE'),
  statement('AMI', 'd', 'MI', 'AMI'),
  statement('ALMI', 'd', 'MI', 'AMI'),
  statement('ISCIN', 'd', 'STTC', 'ISCI'),
  statement('INJAS', 'd', 'MI', 'AMI'),
  statement('LMI', 'd', 'MI', 'LMI'),
  statement('ISCIL', 'd', 'STTC', 'ISCI'),
  statement('LPFB', 'd', 'CD', 'LAFB/LPFB'),
  statement('ISCAS', 'd', 'STTC', 'ISCA'),
  statement('INJAL', 'd', 'MI', 'AMI'),
  statement('ISCLA', 'd', 'STTC', 'ISCA'),
  statement('RVH', 'd', 'HYP', 'RVH'),
  statement('ANEUR', 'd', 'STTC', 'STTC'),
  statement('RAO/RAE', 'd', 'HYP', 'RAO/RAE'),
  statement('EL', 'd', 'STTC', 'STTC'),
  statement('WPW', 'd', 'CD', 'WPW'),
  statement('ILBBB', 'd', 'CD', 'ILBBB'),
  statement('IPLMI', 'd', 'MI', 'IMI'),
  statement('ISCAN', 'd', 'STTC', 'ISCA'),
  statement('IPMI', 'd', 'MI', 'IMI'),
  statement('SEHYP', 'd', 'HYP', 'SEHYP'),
  statement('INJIN', 'd', 'MI', 'IMI'),
  statement('INJLA', 'd', 'MI', 'AMI'),
  statement('PMI', 'd', 'MI', 'PMI'),
  statement('3AVB', 'd', 'CD', '_AVB'),
  statement('INJIL', 'd', 'MI', 'IMI'),
  statement('2AVB', 'd', 'CD', '_AVB'),
  statement('ABQRS', 'f'),
  statement('PVC', 'f'),
  statement('STD_', 'f'),
  statement('VCLVH', 'f'),
  statement('QWAVE', 'f'),
  statement('LOWT', 'f'),
  statement('NT_', 'f'),
  statement('PAC', 'f'),
  statement('LPR', 'f'),
  statement('INVT', 'f'),
  statement('LVOLT', 'f'),
  statement('HVOLT', 'f'),
  statement('TAB_', 'f'),
  statement('STE_', 'f'),
  statement('PRC(S)', 'f'),
  statement('SR', 'r'),
  statement('AFIB', 'r'),
  statement('STACH', 'r'),
  statement('SARRH', 'r'),
  statement('SBRAD', 'r'),
  statement('PACE', 'r'),
  statement('SVARR', 'r'),
  statement('BIGU', 'r'),
  statement('AFLT', 'r'),
  statement('SVTAC', 'r'),
  statement('PSVT', 'r'),
  statement('TRIGU', 'r'),
];

/** Of the diagnostic statements, in the table's order. */
export const scpSubclasses: readonly string[] = [
  ...new Set(scpStatements.flatMap(({ subclass }) => subclass ?? [])),
];
