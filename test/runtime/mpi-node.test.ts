import { expect, test } from 'vitest';
import { BackendError } from '../../src/core/errors.ts';
import { assertOpenMpi, type ForeignLibrary, openMpi } from '../../src/runtime/mpi-node.ts';

/** A library of this version that nobody can call further. */
const libraryOf =
  (version: string) =>
  (_name: string): ForeignLibrary => ({
    func: (prototype) => {
      if (!prototype.includes('MPI_Get_library_version')) throw new Error(`${prototype} is not to be called`);
      return (text, length) => {
        (length as number[])[0] = new TextEncoder().encodeInto(version, text as Uint8Array).written;
        return 0;
      };
    },
    symbol: () => {
      throw new Error('no symbols');
    },
  });

test('OpenMPI is told from other MPIs, whose handles differ', () => {
  assertOpenMpi('Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4');
  assertOpenMpi('Open MPI v5.0.3');
  expect(() => assertOpenMpi('MPICH Version:      4.0.2\nMPICH Release date: …')).toThrow(
    "mpi: the library is 'MPICH Version: 4.0.2', not OpenMPI. Install OpenMPI 4 or 5",
  );
});

test.each(['MPICH Version:\t4.0.2', 'Intel(R) MPI Library 2021.9 for Linux* OS'])(
  'a library of %s is refused before it is called further',
  async (version) => {
    const opened = openMpi({ load: libraryOf(version) });
    await expect(opened).rejects.toBeInstanceOf(BackendError);
    await expect(opened).rejects.toThrow('not OpenMPI');
  },
);

test('an absent library: where it was looked for, and what to do', async () => {
  const load = (name: string): ForeignLibrary => {
    throw new Error(`${name}: cannot open shared object file`);
  };
  await expect(openMpi({ load, library: '/nowhere/libmpi.so' })).rejects.toThrow(
    'mpi: /nowhere/libmpi.so cannot be loaded (/nowhere/libmpi.so: cannot open shared object file). Install OpenMPI 4 or 5 (Debian: `apt install openmpi-bin libopenmpi-dev`; on a cluster: `module load openmpi`), or name its libmpi.so in HEARTMIND_MPI_LIBRARY.',
  );
  await expect(openMpi({ load })).rejects.toThrow(BackendError);
});

test('a library that is no MPI', async () => {
  const load = (): ForeignLibrary => ({
    func: () => {
      throw new Error('cannot find MPI_Get_library_version');
    },
    symbol: () => 0,
  });
  await expect(openMpi({ load })).rejects.toThrow('mpi: the library is no MPI 3');
});
