import type { Question } from '../src/evaluate/question-families.ts';

export function questionOfArm(name: string): Question;
