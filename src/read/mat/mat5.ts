/**
 * MAT-files of level 5 (MATLAB 5 to 7.2, and `save -v7`): bytes → variables by name, their values read when asked for.
 * A compressed variable is inflated as a stream. Source: "MAT-File Format", The MathWorks, chapter on level 5.
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { latin1 } from '../header-text.ts';
import { type ForwardBytes, InflatedBytes, StoredBytes } from './bytes.ts';
import type { MatVariable, TakeNumbers } from './file.ts';
import { compressedType, type ElementReader, failureOf, matrixType } from './mat5-elements.ts';
import { type Matrix5, readMatrixHead, type Walk, walkMatrix } from './mat5-matrix.ts';
import type { MatChooser } from './select.ts';

interface Stored5 extends MatVariable {
  /** Of the element's data, after the outer tag. */
  readonly start: number;
  readonly end: number;
  readonly isCompressed: boolean;
}

export interface Mat5 {
  readonly variables: readonly MatVariable[];
  readonly log: readonly string[];
  /** Go through variable number `i`: parts as they come, then its whole value as far as it was kept. */
  walk(i: number, choose: MatChooser, keep: boolean, take?: TakeNumbers): Walk;
}

/** Read the list of variables: of each, the first bytes. FormatError where it is damaged. */
export async function openMat5(source: ByteSource, tolerant: boolean): Promise<Mat5> {
  const mark = latin1(await source.read(126, 128));
  if (mark !== 'IM' && mark !== 'MI')
    throw new FormatError(
      `mat: ${source.name} has no mark of byte order at byte 126. It is no MAT-file of level 5, or damaged.`,
      source.name,
      126,
    );
  const isLittle = mark === 'IM';
  const variables: Stored5[] = [];
  const log: string[] = [];
  const budget = budgetOf(source);
  let at = 128;
  while (at < source.byteLength) {
    // Some programs leave a few bytes behind.
    if (source.byteLength - at < 8) {
      log.push(`mat: ${source.byteLength - at} bytes after the last variable were left out.`);
      break;
    }
    await budget.breathe();
    const head = await source.read(at, at + 8);
    const tag = new DataView(head.buffer, head.byteOffset, 8);
    const [type, byteCount] = [tag.getUint32(0, isLittle), tag.getUint32(4, isLittle)];
    if (type !== matrixType && type !== compressedType)
      throw new FormatError(
        `mat: ${source.name} has an element of type ${type} where a variable begins, at byte ${at}. The file is damaged; fetch it again.`,
        source.name,
        at,
      );
    // A compressed one is inflated to its name: a quarter of a millisecond.
    const weight = type === compressedType ? 4 * heavyElement : heavyElement;
    budget.spend(`mat: ${source.name}`, 'variables', weight);
    const place = { start: at + 8, end: at + 8 + byteCount, isCompressed: type === compressedType };
    if (place.end > source.byteLength) {
      const fact = `ends at byte ${source.byteLength}, the variable at byte ${at} ends at ${place.end}`;
      if (!tolerant)
        throw new FormatError(
          `mat: ${source.name} ${fact}. The copy is truncated; fetch it again, or open what is there with --tolerant.`,
          source.name,
          source.byteLength,
        );
      log.push(`mat: truncated: ${fact}; ${variables.length} whole variables are read.`);
      break;
    }
    const variable = await describe(source, place, isLittle);
    // The unnamed one holds what objects and function handles share.
    if (variable.name !== '') variables.push({ ...variable, ...place });
    at = place.end;
  }
  return {
    variables,
    log,
    async *walk(i, choose, keep, take) {
      const variable = variables[i]!;
      const reader = readerOf(source, variable, isLittle);
      try {
        const matrix = await openMatrix(reader);
        const value = yield* walkMatrix(reader, matrix, variable.name, { choose, keep, take });
        if (reader.bytes instanceof InflatedBytes) await reader.bytes.finish();
        return value;
      } finally {
        await reader.bytes.close();
      }
    },
  };
}

type Place = Pick<Stored5, 'start' | 'end' | 'isCompressed'>;

function readerOf(source: ByteSource, { start, end, isCompressed }: Place, isLittle: boolean): ElementReader {
  const bytes: ForwardBytes = isCompressed
    ? new InflatedBytes(source, start, end)
    : new StoredBytes(source, start - 8, end);
  return { bytes, isLittle, budget: budgetOf(source).fresh(), fail: failureOf(bytes) };
}

/** From the tag of the matrix on: what it is. */
async function openMatrix(reader: ElementReader): Promise<Matrix5> {
  const { bytes, isLittle, fail } = reader;
  await bytes.ensure(8);
  const [type, byteCount] = bytes.takePair(isLittle);
  if (type === compressedType) fail('holds compressed data within compressed data');
  if (type !== matrixType) fail(`has an element of type ${type} where a matrix is expected`);
  const end = bytes.position + byteCount;
  if (end > bytes.end)
    fail(`has a matrix of ${byteCount} bytes where there are at most ${bytes.end - bytes.position}`);
  bytes.end = end;
  return readMatrixHead(reader, end, true);
}

async function describe(source: ByteSource, place: Place, isLittle: boolean): Promise<MatVariable> {
  const reader = readerOf(source, place, isLittle);
  try {
    const matrix = await openMatrix(reader);
    return {
      name: matrix.name,
      class: matrix.isLogical && matrix.class !== 'sparse' ? 'logical' : matrix.class,
      shape: matrix.shape,
      isComplex: matrix.isComplex,
    };
  } finally {
    await reader.bytes.close();
  }
}
