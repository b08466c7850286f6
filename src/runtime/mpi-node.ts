/**
 * OpenMPI called through koffi: koffi is imported only when a run is launched on several ranks.
 * Every call blocks until all ranks have made it. Source: MPI 3.1; OpenMPI's handles are the addresses of its symbols.
 */
import { maxOf } from '../core/arrays.ts';
import { BackendError } from '../core/errors.ts';
import { messageOf } from './ort-tensors.ts';

/** What a run needs of MPI, on its world of ranks. */
export interface Mpi {
  readonly rank: number;
  readonly size: number;
  /** Of the library: `Open MPI v4.1.4, …`. */
  readonly version: string;
  /** Replace values by their sum over all ranks, in place. */
  sum(values: Float32Array): void;
  /** Replace bytes by those of rank 0, in place; as many on every rank. */
  broadcast(bytes: Uint8Array): void;
  /** The bytes of every rank, by rank, on every rank. */
  gather(bytes: Uint8Array): Uint8Array[];
  /** Tell every other rank something without waiting for it: it shows in their `told`. */
  tell(): void;
  /** Whether another rank has called `tell` since the last question. */
  told(): boolean;
  /** Say that this rank has come to its end; the answer asks whether all others have too, without waiting. */
  arrive(): () => boolean;
  /** Leave; every rank must come here. */
  finalize(): void;
  /** End all ranks at once with this exit code. */
  abort(code: number): void;
}

type Call = (...values: unknown[]) => number;

/** How a library is found and its functions are called: what koffi gives. */
export interface ForeignLibrary {
  func(prototype: string): Call;
  symbol(name: string): unknown;
}

const installLines =
  'Install OpenMPI 4 or 5 (Debian: `apt install openmpi-bin libopenmpi-dev`; on a cluster: `module load openmpi`), or name its libmpi.so in HEARTMIND_MPI_LIBRARY.';

const libraryNames: Readonly<Record<string, readonly string[]>> = {
  linux: ['libmpi.so.40', 'libmpi.so'],
  darwin: ['libmpi.40.dylib', 'libmpi.dylib', '/opt/homebrew/lib/libmpi.dylib'],
};

/** Bytes that one call moves at most: counts are C's int. */
const callBytes = 1 << 30;
/** Of messages that only tell: unlike any other. */
const tellTag = 1729;
const anySource = -1; // MPI_ANY_SOURCE
const inPlace = 1n; // MPI_IN_PLACE, an address
const ignore = null; // MPI_STATUS_IGNORE
const threadFunneled = 1; // MPI_THREAD_FUNNELED: only the main thread calls
const versionBytes = 8192; // at least MPI_MAX_LIBRARY_VERSION_STRING

export interface OpenMpiOptions {
  /** A libmpi.so. Default: as the system finds it. */
  readonly library?: string | undefined;
  /** For tests: loads a library by name. Default: koffi. */
  readonly load?: (name: string) => ForeignLibrary;
}

/** Join the other ranks. BackendError where koffi, OpenMPI or the connection between the ranks is absent. */
export async function openMpi({ library, load }: OpenMpiOptions = {}): Promise<Mpi> {
  const lib = findLibrary(load ?? (await loadKoffi()), library);
  const version = readVersion(lib);
  assertOpenMpi(version);
  const check = (name: string, code: number) => {
    if (code !== 0) throw new BackendError(`mpi: ${name} failed with code ${code}. See mpirun's message.`);
  };
  /** A function of MPI that throws where C returns a code. */
  const bind = (prototype: string) => {
    const call = lib.func(`int ${prototype}`);
    const name = prototype.slice(0, prototype.indexOf('('));
    // biome-ignore lint/plugin: what the C function takes
    return (...values: unknown[]) => check(name, call(...values));
  };
  const world = lib.symbol('ompi_mpi_comm_world');
  const float = lib.symbol('ompi_mpi_float');
  const byte = lib.symbol('ompi_mpi_byte');
  const add = lib.symbol('ompi_mpi_op_sum');

  const allreduce = bind(
    'MPI_Allreduce(const void *from, void *to, int n, void *type, void *op, void *comm)',
  );
  const bcast = bind('MPI_Bcast(void *data, int n, void *type, int root, void *comm)');
  const allgather = bind(
    'MPI_Allgather(const void *from, int n, void *type, void *to, int each, void *typeTo, void *comm)',
  );
  const allgatherv = bind(
    'MPI_Allgatherv(const void *from, int n, void *type, void *to, const int *counts, const int *starts, void *typeTo, void *comm)',
  );
  const send = bind('MPI_Send(const void *data, int n, void *type, int to, int tag, void *comm)');
  const receive = bind(
    'MPI_Recv(void *data, int n, void *type, int from, int tag, void *comm, void *status)',
  );
  const probe = bind('MPI_Iprobe(int from, int tag, void *comm, _Out_ int *flag, void *status)');
  const barrier = bind('MPI_Ibarrier(void *comm, void *request)');
  const ask = bind('MPI_Test(void *request, _Out_ int *flag, void *status)');
  const finalize = bind('MPI_Finalize()');
  const abort = bind('MPI_Abort(void *comm, int code)');

  bind('MPI_Init_thread(void *count, void *texts, int required, _Out_ int *provided)')(
    null,
    null,
    threadFunneled,
    [0],
  );
  const numberOf = (name: string): number => {
    const out = [0];
    bind(`${name}(void *comm, _Out_ int *value)`)(world, out);
    return out[0]!;
  };
  const rank = numberOf('MPI_Comm_rank');
  const size = numberOf('MPI_Comm_size');
  return {
    rank,
    size,
    version,
    sum: (values) => {
      for (let at = 0; at < values.length; at += callBytes / 4) {
        const part = values.subarray(at, at + callBytes / 4);
        allreduce(inPlace, part, part.length, float, add, world);
      }
    },
    broadcast: (bytes) => {
      for (let at = 0; at < bytes.length; at += callBytes) {
        const part = bytes.subarray(at, at + callBytes);
        bcast(part, part.length, byte, 0, world);
      }
    },
    gather: (bytes) => {
      const lengths = new Float64Array(size);
      allgather(Float64Array.of(bytes.length), 8, byte, lengths, 8, byte, world);
      const all = Array.from(lengths, (length) => new Uint8Array(length));
      const most = Math.floor(callBytes / size);
      for (let at = 0; at < maxOf(lengths); at += most) {
        const counts = Int32Array.from(lengths, (length) => Math.min(most, Math.max(0, length - at)));
        const starts = counts.map((_, i) => counts.subarray(0, i).reduce((sum, count) => sum + count, 0));
        const parts = new Uint8Array(starts.at(-1)! + counts.at(-1)!);
        const own = counts[rank] === 0 ? new Uint8Array(1) : bytes.subarray(at, at + most); // empty: no address
        allgatherv(own, counts[rank], byte, parts, counts, starts, byte, world);
        for (const [i, start] of starts.entries()) all[i]!.set(parts.subarray(start, start + counts[i]!), at);
      }
      return all;
    },
    tell: () => {
      // One byte: MPI keeps it for a receiver who is busy, and the sender goes on.
      for (let to = 0; to < size; to++) if (to !== rank) send(Uint8Array.of(1), 1, byte, to, tellTag, world);
    },
    told: () => {
      let any = false;
      for (;;) {
        const flag = [0];
        probe(anySource, tellTag, world, flag, ignore);
        if (flag[0] === 0) return any;
        receive(new Uint8Array(1), 1, byte, anySource, tellTag, world, ignore);
        any = true;
      }
    },
    arrive: () => {
      const request = new BigUint64Array(1); // an MPI_Request: an address
      barrier(world, request);
      return () => {
        const flag = [0];
        ask(request, flag, ignore);
        return flag[0] !== 0;
      };
    },
    finalize: () => finalize(),
    abort: (code) => abort(world, code),
  };
}

/** BackendError where a library is of another MPI than OpenMPI: what it calls a communicator or a type differs. */
export function assertOpenMpi(version: string): void {
  if (/^Open MPI/.test(version)) return;
  const name = version.split('\n')[0]!.replaceAll(/\s+/g, ' ').trim().slice(0, 60);
  throw new BackendError(`mpi: the library is '${name}', not OpenMPI. ${installLines}`);
}

async function loadKoffi(): Promise<(name: string) => ForeignLibrary> {
  try {
    const { default: koffi } = await import('koffi');
    // Global: OpenMPI's own plugins look for its symbols.
    return (name) => koffi.load(name, { global: true });
  } catch (cause) {
    throw new BackendError(
      `mpi: koffi, which calls OpenMPI, is not installed (${messageOf(cause).split('\n')[0]}). Run \`npm install koffi@3.3.4\`.`,
      { cause },
    );
  }
}

function findLibrary(load: (name: string) => ForeignLibrary, library: string | undefined): ForeignLibrary {
  const names = library === undefined ? (libraryNames[process.platform] ?? ['libmpi.so']) : [library];
  const causes: unknown[] = [];
  for (const name of names) {
    try {
      return load(name);
    } catch (cause) {
      causes.push(cause);
    }
  }
  throw new BackendError(
    `mpi: ${names.join(' or ')} cannot be loaded (${messageOf(causes[0]).split('\n')[0]}). ${installLines}`,
    { cause: causes[0] },
  );
}

function readVersion(lib: ForeignLibrary): string {
  try {
    const text = new Uint8Array(versionBytes);
    const length = [0];
    lib.func('int MPI_Get_library_version(void *text, _Out_ int *length)')(text, length);
    return new TextDecoder().decode(text.subarray(0, length[0])).replaceAll('\0', '').trim();
  } catch (cause) {
    throw new BackendError(`mpi: the library is no MPI 3 (${messageOf(cause)}). ${installLines}`, { cause });
  }
}
