/**
 * MAT-files of version 7.3: HDF5 with MATLAB's attributes → the same values as level 5. Dimensions are stored in the
 * reverse order, so that bytes lie column by column; cells are references into the group `#refs#`; structs are groups,
 * arrays of structs groups of references. Source: attributes MATLAB_class, MATLAB_empty, MATLAB_fields, MATLAB_sparse,
 * MATLAB_int_decode, H5PATH as MATLAB writes them (h5disp of its files).
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';

import { openHdf5 } from '../hdf5/hdf5.ts';

import { type MatFile, type MatVariable, matFile, type WalkVariable } from './file.ts';
import { cycleGuard, describe73, readMat73, type Walker } from './mat73-values.ts';

/** Open the file and describe its variables. FormatError where it is damaged. */
export async function openMat73(source: ByteSource): Promise<MatFile> {
  const hdf = await openHdf5(source, 'mat');
  try {
    const variables: MatVariable[] = [];
    for (const name of await hdf.list('/')) {
      if (name.startsWith('#')) continue;
      budgetOf(source).spend(`mat: ${source.name}`, 'variables', heavyElement);
      await budgetOf(source).breathe();
      const object = await describe73(hdf, `/${name}`);
      if (object)
        variables.push({ name, class: object.class, shape: object.shape, isComplex: object.isComplex });
    }
    const walk: WalkVariable = async function* (i, choose, keep) {
      const { name } = variables[i]!;
      const walker: Walker = {
        hdf,
        choose,
        keep,
        budget: cycleGuard(source.byteLength),
        elements: budgetOf(source).fresh(),
      };
      return yield* readMat73(walker, `/${name}`, name);
    };
    return matFile(source, '7.3', variables, [], walk, () => hdf.close());
  } catch (error) {
    await hdf.close();
    throw error;
  }
}
