/**
 * SNOMED CT codes of the PhysioNet/CinC Challenges 2020 and 2021 → abbreviations, which of them are scored, and which are
 * scored as the same. Codes and abbreviations: dx_mapping_scored.csv and dx_mapping_unscored.csv of the challenge's
 * evaluation code. The groups are ours, for reports: the challenge has none.
 */

export type DiagnosisGroup =
  | 'rhythm'
  | 'ectopy'
  | 'conduction'
  | 'pacing'
  | 'ischaemia'
  | 'repolarisation'
  | 'hypertrophy'
  | 'axis'
  | 'other';

export interface Diagnosis {
  /** SNOMED CT concept identifier. */
  readonly code: string;
  readonly abbreviation: string;
  readonly name: string;
  readonly group: DiagnosisGroup;
  /** The name under which it is scored, where it is: equivalent diagnoses share one. */
  readonly scored?: string;
}

const table: Readonly<
  Record<DiagnosisGroup, readonly (readonly [code: string, abbreviation: string, name: string])[]>
> = {
  rhythm: [
    ['164889003', 'AF', 'atrial fibrillation'],
    ['164890007', 'AFL', 'atrial flutter'],
    ['426627000', 'Brady', 'bradycardia'],
    ['426783006', 'NSR', 'sinus rhythm'],
    ['427393009', 'SA', 'sinus arrhythmia'],
    ['426177001', 'SB', 'sinus bradycardia'],
    ['427084000', 'STach', 'sinus tachycardia'],
    ['233892002', 'AAR', 'accelerated atrial escape rhythm'],
    ['61277005', 'AIVR', 'accelerated idioventricular rhythm'],
    ['426664006', 'AJR', 'accelerated junctional rhythm'],
    ['195080001', 'AFAFL', 'atrial fibrillation and flutter'],
    ['106068003', 'ARH', 'atrial rhythm'],
    ['713422000', 'ATach', 'atrial tachycardia'],
    ['50799005', 'AVD', 'atrioventricular dissociation'],
    ['29320008', 'AVJR', 'atrioventricular junctional rhythm'],
    ['251166008', 'AVNRT', 'atrioventricular node reentrant tachycardia'],
    ['233897008', 'AVRT', 'atrioventricular reentrant tachycardia'],
    ['74615001', 'BTS', 'brady tachy syndrome'],
    ['426749004', 'CAF', 'chronic atrial fibrillation'],
    ['698247007', 'CD', 'cardiac dysrhythmia'],
    ['49260003', 'IR', 'idioventricular rhythm'],
    ['426648003', 'JTach', 'junctional tachycardia'],
    ['282825002', 'PAF', 'paroxysmal atrial fibrillation'],
    ['67198005', 'PSVT', 'paroxysmal supraventricular tachycardia'],
    ['425856008', 'PVT', 'paroxysmal ventricular tachycardia'],
    ['314208002', 'RAF', 'rapid atrial fibrillation'],
    ['17366009', 'SAAWR', 'sinus atrium to atrial wandering rhythm'],
    ['5609005', 'SARR', 'sinus arrest'],
    ['60423000', 'SND', 'sinus node dysfunction'],
    ['426761007', 'SVT', 'supraventricular tachycardia'],
    ['81898007', 'VEsR', 'ventricular escape rhythm'],
    ['164896001', 'VF', 'ventricular fibrillation'],
    ['111288001', 'VFL', 'ventricular flutter'],
    ['164895002', 'VTach', 'ventricular tachycardia'],
    ['195101003', 'WAP', 'wandering atrial pacemaker'],
  ],
  ectopy: [
    ['284470004', 'PAC', 'premature atrial contraction'],
    ['427172004', 'PVC', 'premature ventricular contractions'],
    ['63593006', 'SVPB', 'supraventricular premature beats'],
    ['17338001', 'VPB', 'ventricular premature beats'],
    ['251187003', 'AED', 'atrial escape beat'],
    ['251173003', 'AB', 'atrial bigeminy'],
    ['251170000', 'BPAC', 'blocked premature atrial contraction'],
    ['13640000', 'FB', 'fusion beats'],
    ['426995002', 'JE', 'junctional escape'],
    ['251164006', 'JPC', 'junctional premature complex'],
    ['251168009', 'SVB', 'supraventricular bigeminy'],
    ['11157007', 'VBig', 'ventricular bigeminy'],
    ['164884008', 'VEB', 'ventricular ectopics'],
    ['75532003', 'VEsB', 'ventricular escape beat'],
    ['251182009', 'VPVC', 'paired ventricular premature complexes'],
    ['251180001', 'VTrig', 'ventricular trigeminy'],
  ],
  conduction: [
    ['6374002', 'BBB', 'bundle branch block'],
    ['733534002', 'CLBBB', 'complete left bundle branch block'],
    ['713427006', 'CRBBB', 'complete right bundle branch block'],
    ['270492004', 'IAVB', '1st degree AV block'],
    ['713426002', 'IRBBB', 'incomplete right bundle branch block'],
    ['445118002', 'LAnFB', 'left anterior fascicular block'],
    ['164909002', 'LBBB', 'left bundle branch block'],
    ['698252002', 'NSIVCB', 'nonspecific intraventricular conduction disorder'],
    ['164947007', 'LPR', 'prolonged PR interval'],
    ['59118001', 'RBBB', 'right bundle branch block'],
    ['233917008', 'AVB', 'AV block'],
    ['27885002', 'CHB', 'complete heart block'],
    ['204384007', 'CIAHB', 'congenital incomplete atrioventricular heart block'],
    ['82226007', 'DIB', 'diffuse intraventricular block'],
    ['195042002', 'IIAVB', '2nd degree AV block'],
    ['426183003', 'IIAVBII', 'Mobitz type II AV block'],
    ['251120003', 'ILBBB', 'incomplete left bundle branch block'],
    ['445211001', 'LPFB', 'left posterior fascicular block'],
    ['54016002', 'MoI', 'Mobitz type I (Wenckebach) AV block'],
    ['65778007', 'SAB', 'sinoatrial block'],
    ['49578007', 'SPRI', 'shortened PR interval'],
    ['195060002', 'VPEx', 'ventricular pre excitation'],
    ['74390002', 'WPW', 'Wolff-Parkinson-White pattern'],
  ],
  pacing: [
    ['10370003', 'PR', 'pacing rhythm'],
    ['251268003', 'AP', 'atrial pacing pattern'],
    ['251266004', 'VPP', 'ventricular pacing pattern'],
  ],
  ischaemia: [
    ['365413008', 'PRWP', 'poor R wave progression'],
    ['164917005', 'QAb', 'Q wave abnormal'],
    ['57054005', 'AMI', 'acute myocardial infarction'],
    ['413444003', 'AMIs', 'acute myocardial ischemia'],
    ['426434006', 'AnMIs', 'anterior ischemia'],
    ['54329005', 'AnMI', 'anterior myocardial infarction'],
    ['53741008', 'CHD', 'coronary heart disease'],
    ['413844008', 'CMI', 'chronic myocardial ischemia'],
    ['425419005', 'IIs', 'inferior ischaemia'],
    ['425623009', 'LIs', 'lateral ischaemia'],
    ['164865005', 'MI', 'myocardial infarction'],
    ['164861001', 'MIs', 'myocardial ischemia'],
    ['164867002', 'OldMI', 'old myocardial infarction'],
  ],
  repolarisation: [
    ['111975006', 'LQT', 'prolonged QT interval'],
    ['164934002', 'TAb', 'T wave abnormal'],
    ['59931005', 'TInv', 'T wave inversion'],
    ['418818005', 'BRU', 'Brugada'],
    ['428417006', 'ERe', 'early repolarization'],
    ['251259000', 'HTV', 'high t-voltage'],
    ['704997005', 'ISTD', 'inferior ST segment depression'],
    ['428750005', 'NSSTTA', 'nonspecific ST-T abnormality'],
    ['77867006', 'SQT', 'decreased QT interval'],
    ['55930002', 'STC', 'ST changes'],
    ['429622005', 'STD', 'ST depression'],
    ['164931005', 'STE', 'ST elevation'],
    ['164930006', 'STIAb', 'ST interval abnormal'],
    ['164937009', 'UAb', 'U wave abnormal'],
  ],
  hypertrophy: [
    ['195126007', 'AH', 'atrial hypertrophy'],
    ['253352002', 'LAA', 'left atrial abnormality'],
    ['67741000119109', 'LAE', 'left atrial enlargement'],
    ['446813000', 'LAH', 'left atrial hypertrophy'],
    ['164873001', 'LVH', 'left ventricular hypertrophy'],
    ['55827005', 'LVHV', 'left ventricular high voltage'],
    ['370365005', 'LVS', 'left ventricular strain'],
    ['251205003', 'PPW', 'prolonged P wave'],
    ['164912004', 'PWC', 'P wave change'],
    ['253339007', 'RAAb', 'right atrial abnormality'],
    ['446358003', 'RAH', 'right atrial hypertrophy'],
    ['67751000119106', 'RAHV', 'right atrial high voltage'],
    ['89792004', 'RVH', 'right ventricular hypertrophy'],
    ['251223006', 'TPW', 'tall P wave'],
    ['266249003', 'VH', 'ventricular hypertrophy'],
  ],
  axis: [
    ['39732003', 'LAD', 'left axis deviation'],
    ['47665007', 'RAD', 'right axis deviation'],
    ['251199005', 'CCR', 'counterclockwise rotation'],
    ['61721007', 'CVCL/CCVCL', 'clockwise or counterclockwise vectorcardiographic loop'],
    ['251198002', 'CR', 'clockwise rotation'],
    ['251200008', 'ICA', 'indeterminate cardiac axis'],
  ],
  other: [
    ['251146004', 'LQRSV', 'low QRS voltages'],
    ['164951009', 'abQRS', 'abnormal QRS'],
    ['251139008', 'ALR', 'suspect arm ECG leads reversed'],
    ['164942001', 'FQRS', 'fragmented QRS'],
    ['84114007', 'HF', 'heart failure'],
    ['368009', 'HVD', 'heart valve disorder'],
    ['164921003', 'RAb', 'R wave abnormal'],
    ['266257000', 'TIA', 'transient ischemic attack'],
  ],
};

/** Scored in 2021, in the challenge's order. */
const scored2021 = [
  ...[
    'AF',
    'AFL',
    'BBB',
    'Brady',
    'CLBBB',
    'CRBBB',
    'IAVB',
    'IRBBB',
    'LAD',
    'LAnFB',
    'LBBB',
    'LQRSV',
    'NSIVCB',
    'NSR',
    'PAC',
    'PR',
    'PRWP',
    'PVC',
    'LPR',
    'LQT',
    'QAb',
    'RAD',
    'RBBB',
    'SA',
    'SB',
    'STach',
    'SVPB',
    'TAb',
    'TInv',
    'VPB',
  ],
] as const;

/** Three of them came with 2021. */
const new2021: readonly string[] = ['BBB', 'CLBBB', 'PRWP'];

/** "We score … as the same diagnosis." */
const equivalents: Readonly<Record<string, string>> = {
  CRBBB: 'RBBB',
  CLBBB: 'LBBB',
  SVPB: 'PAC',
  VPB: 'PVC',
};

/** The one under which it is scored: `CRBBB` → `RBBB`. */
function scoredName(abbreviation: string): string {
  return Object.hasOwn(equivalents, abbreviation) ? equivalents[abbreviation]! : abbreviation;
}

export const diagnosisGroups = Object.keys(table) as DiagnosisGroup[];

/** By SNOMED CT code. */
export const diagnoses: ReadonlyMap<string, Diagnosis> = new Map(
  diagnosisGroups.flatMap((group) =>
    table[group].map(([code, abbreviation, name]) => {
      const isScored = (scored2021 as readonly string[]).includes(abbreviation);
      const diagnosis: Diagnosis = {
        code,
        abbreviation,
        name,
        group,
        ...(isScored ? { scored: scoredName(abbreviation) } : {}),
      };
      return [code, diagnosis] as const;
    }),
  ),
);

const distinct = (abbreviations: readonly string[]) => [...new Set(abbreviations.map(scoredName))];

/** The 30 scored codes of 2021 as 26 labels. */
export const scoredDiagnoses2021: readonly string[] = distinct(scored2021);

/** The 27 scored codes of 2020 as 24 labels. */
export const scoredDiagnoses2020: readonly string[] = distinct(
  scored2021.filter((abbreviation) => !new2021.includes(abbreviation)),
);
