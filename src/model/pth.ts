/**
 * PyTorch's weights files: bytes of a `.pth` → named tensors. Both layouts of `torch.save`: the zip archive (since
 * 1.6) and the legacy sequence of pickles. Pickles are read by an allow-list machine that only rebuilds tensors.
 *
 * Format: pytorch torch/serialization.py (`_save`, `_legacy_save`), torch/_utils.py (`_rebuild_tensor_v2`).
 */
import { FormatError, UnsupportedError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { isKind, type PickleGlobal, PickleMap, type PickleValue, readPickle } from '../read/numpy/pickle.ts';
import { type StoredType, storedTypes } from './stored-values.ts';
import { StorageReference, stridedTensor, TensorReference } from './torch-storage.ts';
import { isZip, ZipArchive } from './zip.ts';

/** The first pickle of a legacy file is this integer: 0x1950a86a20f9469cfc6c. */
const legacyMagic = 119547037146038801333356n;
/** Where the legacy magic's pickle ends, and how it begins: PROTO, version, LONG1, 10 bytes. */
const legacyStart = [0x80, undefined, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46] as const;

const storageClasses: Readonly<Record<string, StoredType>> = {
  DoubleStorage: storedTypes.F64,
  FloatStorage: storedTypes.F32,
  HalfStorage: storedTypes.F16,
  BFloat16Storage: storedTypes.BF16,
  LongStorage: storedTypes.I64,
  IntStorage: storedTypes.I32,
  ByteStorage: storedTypes.U8,
  BoolStorage: storedTypes.BOOL,
};

/** Names under which training scripts keep the state dict inside a larger dict. */
const containers = ['state_dict', 'model_state_dict', 'model'] as const;

/** Dimensions that a PyTorch tensor can have. */
const maxRank = 64;

/** Looks like a file of `torch.save`? */
export function isPth(bytes: Uint8Array): boolean {
  return isZip(bytes) || legacyStart.every((byte, i) => byte === undefined || bytes[i] === byte);
}

/**
 * Decode a state dict from a `.pth` file; `name` is for messages. FormatError for damage, and for anything that is not
 * a tensor, a number or a dict of them: a global outside the allow-list is named and never run.
 */
export function decodePth(bytes: Uint8Array, name: string): Map<string, Tensor> {
  const root = isZip(bytes) ? readZip(bytes, name) : readLegacy(bytes, name);
  return collectTensors(root.value, name, root.storage, bytes.byteLength);
}

/** A storage's bytes and their order. */
interface StorageBytes {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
}
interface Root {
  readonly value: PickleValue;
  storage(reference: StorageReference): StorageBytes;
}

function readZip(bytes: Uint8Array, name: string): Root {
  const archive = new ZipArchive(bytes, name);
  const pickleName = [...archive.entries.keys()].find((key) => key.endsWith('/data.pkl'));
  if (pickleName === undefined) {
    throw new FormatError(
      `${name}: a zip archive without data.pkl is no PyTorch file. Choose another.`,
      name,
    );
  }
  const folder = pickleName.slice(0, -'data.pkl'.length);
  const read = (key: string) => {
    const entry = archive.entries.get(folder + key);
    return entry && archive.read(entry);
  };
  const order = read('byteorder');
  const littleEndian = order === undefined || new TextDecoder().decode(order).trim() !== 'big';
  const storages = new Map<string, Uint8Array>();
  const { value } = readPickle(read('data.pkl')!, 0, pickleRules(`${name} (data.pkl)`));
  return {
    value,
    storage({ key }) {
      const found = storages.get(key) ?? read(`data/${key}`);
      if (found === undefined) {
        throw new FormatError(`${name}: storage data/${key} is not in the archive. Fetch it again.`, name);
      }
      storages.set(key, found);
      return { bytes: found, littleEndian };
    },
  };
}

/**
 * Magic, protocol, system info, the state dict, the list of storage keys: five pickles. Then each storage: its number of
 * values (int64) and the values, always little-endian (torch swaps them when it writes on another machine).
 */
function readLegacy(bytes: Uint8Array, name: string): Root {
  const references = new Map<string, StorageReference>();
  const rules = pickleRules(name, (reference) => references.set(reference.key, reference));
  let end = 0;
  const next = (): PickleValue => {
    const result = readPickle(bytes, end, rules);
    end = result.end;
    return result.value;
  };
  if (next() !== legacyMagic) {
    throw new FormatError(
      `${name}: neither a zip archive nor a legacy PyTorch file. Choose another.`,
      name,
      0,
    );
  }
  next();
  next();
  const value = next();
  const keys = next();
  if (!isKind(keys, 'list')) {
    throw new FormatError(
      `${name}: a list of storage keys is due at byte ${end}. Fetch it again.`,
      name,
      end,
    );
  }
  const storages = new Map<string, Uint8Array>();
  for (const key of keys.items) {
    const reference = references.get(String(key));
    const count = end + 8 <= bytes.length ? readInt64(bytes, end) : Number.NaN;
    const stop = end + 8 + count * (reference?.type.bytes ?? Number.NaN);
    if (!(count >= 0 && stop <= bytes.length)) {
      throw new FormatError(
        `${name}: storage '${String(key)}' of ${count} values at byte ${end} does not fit into ${bytes.length} bytes. The copy is truncated; fetch it again.`,
        name,
        end,
      );
    }
    storages.set(String(key), bytes.subarray(end + 8, stop));
    end = stop;
  }
  return {
    value,
    storage({ key }) {
      const found = storages.get(key);
      if (found === undefined) {
        throw new FormatError(`${name}: storage '${key}' is not in the file. Fetch it again.`, name, end);
      }
      return { bytes: found, littleEndian: true };
    },
  };
}

function readInt64(bytes: Uint8Array, offset: number): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset + offset, 8).getBigInt64(0, true));
}

/** The allow-list: tensors, parameters, ordered dicts and storages; persistent ids stand for storages. */
function pickleRules(name: string, onStorage: (reference: StorageReference) => void = () => {}) {
  const fail = (fact: string): never => {
    throw new FormatError(`${name}: ${fact}. Save a plain state dict.`, name);
  };
  const globals = new Map<string, PickleGlobal>();
  const allow = (key: string, call?: PickleGlobal['call']) =>
    globals.set(key, { kind: 'global', name: key.replace(' ', '.'), ...(call && { call }) });
  for (const storage of Object.keys(storageClasses)) allow(`torch ${storage}`);
  allow('collections OrderedDict', (args) =>
    args.length === 0 ? new PickleMap() : fail('an OrderedDict with arguments'),
  );
  allow('torch._utils _rebuild_tensor_v2', ([storage, offset, shape, strides]) =>
    storage instanceof StorageReference
      ? new TensorReference(storage, sizes([offset ?? null])[0]!, sizes(items(shape)), sizes(items(strides)))
      : fail('a tensor without a storage'),
  );
  allow('torch._utils _rebuild_parameter', ([data]) =>
    data instanceof TensorReference ? data : fail('a parameter without a tensor'),
  );
  const items = (value: PickleValue | undefined): readonly PickleValue[] =>
    value !== undefined && isKind(value, 'tuple') && value.items.length <= maxRank
      ? value.items
      : fail('a shape or strides that are no tuple of at most 64');
  const sizes = (values: readonly PickleValue[]): number[] =>
    values.map((size) =>
      typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
        ? size
        : fail('an offset, size or stride that is no natural number'),
    );
  const persistentLoad = (id: PickleValue): PickleValue => {
    const [tag, type, key, , count, view] = items(id);
    if (
      tag !== 'storage' ||
      typeof key !== 'string' ||
      type === undefined ||
      !isKind(type ?? null, 'global')
    ) {
      return fail('a persistent id that is no storage');
    }
    const stored = storageClasses[(type as PickleGlobal).name.slice('torch.'.length)];
    if (stored === undefined) return fail(`a storage of class '${(type as PickleGlobal).name}'`);
    if (view !== undefined && view !== null) {
      throw new UnsupportedError(
        `${name}: a storage that is a view of another (PyTorch before 0.4). Save it again.`,
        'pth storage view',
      );
    }
    const reference = new StorageReference(key, stored, sizes([count ?? null])[0]!);
    onStorage(reference);
    return reference;
  };
  return { name, globals, persistentLoad };
}

/** The dict of tensors at the root, or one level below under a usual name. */
function collectTensors(
  root: PickleValue,
  name: string,
  storage: Root['storage'],
  fileBytes: number,
): Map<string, Tensor> {
  const inner = containers.map((key) => (isKind(root, 'map') ? root.entries.get(key) : undefined));
  const dict = inner.find((value) => value !== undefined && isKind(value, 'map')) ?? root;
  if (!isKind(dict, 'map')) {
    throw new FormatError(`${name}: the file holds no dict of tensors. Save model.state_dict().`, name);
  }
  const other = [...dict.entries].filter(
    ([key, value]) => typeof key !== 'string' || !(value instanceof TensorReference),
  );
  if (other.length > 0) {
    const keys = other.slice(0, 5).map(([key]) => String(typeof key === 'object' ? '(object)' : key));
    throw new FormatError(
      `${name}: ${other.length} entries of the dict are no tensors (${keys.join(', ')}). Save model.state_dict().`,
      name,
    );
  }
  // Storages may be shared, and halves grow to float32: 4 times the file is more than an honest one needs.
  let allowance = 4 * fileBytes + 2 ** 16;
  const tensors = new Map<string, Tensor>();
  for (const [key, value] of dict.entries as Map<string, TensorReference>) {
    const { bytes, littleEndian } = storage(value.storage);
    allowance -= value.byteLength;
    if (allowance < 0) {
      throw new FormatError(
        `${name}: its tensors need more than 4 times the file's ${fileBytes} bytes (at '${key}'). Save them without sharing.`,
        name,
      );
    }
    tensors.set(key, stridedTensor(value, bytes, littleEndian, `${name}: tensor '${key}'`, name));
  }
  return tensors;
}
