/**
 * A pickle machine that only builds data: bytes of one pickle → numbers, strings, tuples, lists, maps, and whatever the
 * caller's allow-list of globals makes. It never imports, never calls anything else, and refuses every opcode that a
 * state dict does not need. Its memory is bounded: each opcode adds at most one value, and none copies another.
 *
 * Format: Python's Lib/pickletools.py (opcodes of protocols 0–5; here the binary ones).
 */
import { FormatError } from '../../core/errors.ts';

export type PickleValue = null | boolean | number | bigint | string | Uint8Array | PickleObject;
export type PickleObject = PickleTuple | PickleList | PickleMap | PickleGlobal | PickleOpaque;

export class PickleTuple {
  readonly kind = 'tuple';
  constructor(readonly items: readonly PickleValue[]) {}
}
export class PickleList {
  readonly kind = 'list';
  readonly items: PickleValue[] = [];
}
export class PickleMap {
  readonly kind = 'map';
  readonly entries = new Map<PickleValue, PickleValue>();
}
/** A name that the allow-list knows: `call` is what REDUCE does with it, if it may be called at all. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
  readonly call?: (args: readonly PickleValue[]) => PickleValue;
}
/** Something that the caller's functions made: a storage, a tensor. */
export interface PickleOpaque {
  readonly kind: 'opaque';
}

export interface PickleRules {
  /** For messages. */
  readonly name: string;
  /** Everything that a pickle may name, as `module name`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** What a persistent id stands for. */
  persistentLoad(id: PickleValue): PickleValue;
  /** What BUILD makes of a value that is no dict and of its state; not allowed where absent. */
  build?(target: PickleValue, state: PickleValue): PickleValue;
  /** Python 2's strings hold text or anything: as bytes where this is set. */
  readonly stringsAsBytes?: boolean;
  /** What is rebuilt here, for messages: `tensors`. */
  readonly rebuilds?: string;
}

/** Marks a position on the stack. */
const mark = Symbol('mark');
type StackItem = PickleValue | typeof mark;

/**
 * Build the value of the pickle that starts at `start`; `end` is where it ended, exclusive.
 * FormatError for a broken pickle, an opcode outside the list and a global outside `rules.globals`, by name.
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  rules: PickleRules,
): { value: PickleValue; end: number } {
  const machine = new PickleMachine(bytes, start, rules);
  return { value: machine.run(), end: machine.position };
}

class PickleMachine {
  position: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #rules: PickleRules;
  readonly #stack: StackItem[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, start: number, rules: PickleRules) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#rules = rules;
    this.position = start;
  }

  run(): PickleValue {
    for (;;) {
      const opcode = String.fromCharCode(this.#byte());
      if (opcode === '.') return this.#pop();
      const step = opcodes[opcode];
      if (step === undefined) {
        const code = opcode.charCodeAt(0).toString(16).padStart(2, '0');
        this.fail(`opcode 0x${code} is not one that plain data need`, this.position - 1);
      }
      step(this);
    }
  }

  fail(fact: string, offset = this.position): never {
    const { name, rebuilds = 'tensors' } = this.#rules;
    throw new FormatError(
      `${name}: pickle, byte ${offset}: ${fact}. heartmind rebuilds ${rebuilds} only and runs no code; save plain ${rebuilds}.`,
      this.#rules.name,
      offset,
    );
  }

  /** Move past `count` bytes; where they begin. */
  skip(count: number): number {
    const start = this.position;
    if (count > this.#bytes.length - start) {
      this.fail(`${count} bytes are due, ${this.#bytes.length - start} are left`);
    }
    this.position += count;
    return start;
  }

  #byte(): number {
    return this.#view.getUint8(this.skip(1));
  }
  uint8 = (): number => this.#byte();
  uint16 = (): number => this.#view.getUint16(this.skip(2), true);
  int32 = (): number => this.#view.getInt32(this.skip(4), true);
  uint32 = (): number => this.#view.getUint32(this.skip(4), true);
  float64 = (): number => this.#view.getFloat64(this.skip(8), false);
  /** A length of 8 bytes; lengths beyond the pickle fail where the bytes are taken. */
  uint64 = (): number => Number(this.#view.getBigUint64(this.skip(8), true));

  bytes(count: number): Uint8Array {
    const start = this.skip(count);
    return this.#bytes.subarray(start, start + count);
  }

  text(count: number): string {
    return new TextDecoder().decode(this.bytes(count));
  }

  line(): string {
    const end = this.#bytes.indexOf(10, this.position);
    if (end < 0) this.fail('a line does not end');
    const text = this.text(end - this.position);
    this.skip(1);
    return text;
  }

  push(value: StackItem): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) this.fail('the stack is empty');
    return value;
  }
  pop = (): PickleValue => this.#pop();

  /** Take `count` values. */
  take(count: number): PickleValue[] {
    const values = Array.from({ length: count }, () => this.#pop());
    return values.reverse();
  }

  /** Take everything above the last mark, and the mark. */
  takeToMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) this.fail('no mark on the stack');
    const values = this.#stack.splice(at + 1) as PickleValue[];
    this.#stack.pop();
    return values;
  }

  remember(index: number): void {
    const value = this.#pop();
    this.#stack.push(value);
    this.#memo.set(index, value);
  }
  memoize = (): void => this.remember(this.#memo.size);

  duplicate(): void {
    const value = this.#pop();
    this.#stack.push(value, value);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) this.fail(`memo ${index} is empty`);
    this.#stack.push(value);
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string') this.fail('a global whose name is no string');
    const found = this.#rules.globals.get(`${module} ${name}`);
    if (found === undefined) this.fail(`it asks for the global '${module}.${name}', which is not allowed`);
    this.#stack.push(found);
  }

  reduce(): void {
    const args = this.#pop();
    const callee = this.#pop();
    if (!isKind(callee, 'global') || callee.call === undefined)
      this.fail('it calls something that is no function');
    if (!isKind(args, 'tuple')) this.fail(`'${callee.name}' is called without a tuple of arguments`);
    this.#stack.push(callee.call(args.items));
  }

  persistent(): void {
    this.#stack.push(this.#rules.persistentLoad(this.#pop()));
  }

  /** BUILD sets attributes: an ordered dict has `_metadata`, which is not needed; the caller may build others. */
  build(): void {
    const state = this.#pop();
    const target = this.#pop();
    if (isKind(target, 'map')) this.#stack.push(target);
    else if (this.#rules.build) this.#stack.push(this.#rules.build(target, state));
    else this.fail('it sets attributes of something that is no dict');
  }

  /** A string of Python 2. */
  oldString(count: number): PickleValue {
    return this.#rules.stringsAsBytes ? this.bytes(count) : this.text(count);
  }

  /** The items above the last mark as a new list or dict: protocol 0. */
  gather(kind: 'list' | 'map'): void {
    const items = this.takeToMark();
    if (kind === 'list') {
      this.push(new PickleList());
      this.append(items);
    } else {
      this.push(new PickleMap());
      this.setItems(items);
    }
  }

  /** A string of protocol 0: quoted, with Python's escapes. */
  quotedString(): PickleValue {
    const text = this.line();
    const quote = text[0];
    if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote)
      this.fail('a string without quotes');
    const latin1 = text
      .slice(1, -1)
      .replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (_, code: string) =>
        code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (escapes[code] ?? code),
      );
    if (!this.#rules.stringsAsBytes) return latin1;
    return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
  }

  /** Text of protocol 0: Latin-1, other characters as `\\uXXXX`. */
  rawUnicode(): string {
    const end = this.#bytes.indexOf(10, this.position);
    if (end < 0) this.fail('a line does not end');
    let text = '';
    for (const byte of this.bytes(end - this.position)) text += String.fromCharCode(byte);
    this.skip(1);
    return text.replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
  }

  number(isWhole: boolean): PickleValue {
    const text = this.line().replace(/L$/, '');
    if (isWhole && /^0[01]$/.test(text)) return text === '01';
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isNaN(value) && text !== 'nan') this.fail(`'${text.slice(0, 20)}' is no number`);
    if (isWhole && !Number.isSafeInteger(value) && /^-?\d{1,40}$/.test(text)) return BigInt(text);
    return value;
  }

  append(values: readonly PickleValue[]): void {
    const list = this.#pop();
    if (!isKind(list, 'list')) this.fail('it appends to something that is no list');
    for (const value of values) list.items.push(value);
    this.#stack.push(list);
  }

  setItems(pairs: readonly PickleValue[]): void {
    const map = this.#pop();
    if (!isKind(map, 'map')) this.fail('it sets items of something that is no dict');
    if (pairs.length % 2 !== 0) this.fail('a key without a value');
    for (let i = 0; i < pairs.length; i += 2) map.entries.set(pairs[i]!, pairs[i + 1]!);
    this.#stack.push(map);
  }
}

/** Is it the object of that kind? */
export function isKind<K extends PickleObject['kind']>(
  value: PickleValue,
  kind: K,
): value is Extract<PickleObject, { readonly kind: K }> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && value.kind === kind;
}

/** Little-endian two's complement of any width; short ones become numbers. */
function readLong(bytes: Uint8Array): number | bigint {
  // The longest integer in any torch file is its 10-byte magic number.
  if (bytes.length > 16) return Number.POSITIVE_INFINITY;
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  if (bytes.length > 0 && bytes[bytes.length - 1]! & 0x80) value -= 1n << BigInt(8 * bytes.length);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const tupleOf = (machine: PickleMachine, count: number) => machine.push(new PickleTuple(machine.take(count)));

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** What each opcode does; those that are not here are refused. */
const opcodes: Readonly<Record<string, (machine: PickleMachine) => void>> = {
  '\x80': (m) => m.skip(1), // PROTO
  '\x95': (m) => m.skip(8), // FRAME
  '(': (m) => m.push(mark),
  '0': (m) => m.pop(), // POP
  N: (m) => m.push(null),
  '\x88': (m) => m.push(true),
  '\x89': (m) => m.push(false),
  J: (m) => m.push(m.int32()),
  K: (m) => m.push(m.uint8()),
  M: (m) => m.push(m.uint16()),
  '\x8a': (m) => m.push(readLong(m.bytes(m.uint8()))), // LONG1
  '\x8b': (m) => m.push(readLong(m.bytes(m.uint32()))), // LONG4
  G: (m) => m.push(m.float64()),
  X: (m) => m.push(m.text(m.uint32())), // BINUNICODE
  '\x8c': (m) => m.push(m.text(m.uint8())), // SHORT_BINUNICODE
  '\x8d': (m) => m.push(m.text(m.uint64())), // BINUNICODE8
  U: (m) => m.push(m.oldString(m.uint8())), // SHORT_BINSTRING, of Python 2
  T: (m) => m.push(m.oldString(m.uint32())), // BINSTRING, of Python 2
  C: (m) => m.push(m.bytes(m.uint8())), // SHORT_BINBYTES
  B: (m) => m.push(m.bytes(m.uint32())), // BINBYTES
  '\x8e': (m) => m.push(m.bytes(m.uint64())), // BINBYTES8
  '\x96': (m) => m.push(m.bytes(m.uint64())), // BYTEARRAY8
  S: (m) => m.push(m.quotedString()),
  V: (m) => m.push(m.rawUnicode()), // UNICODE
  I: (m) => m.push(m.number(true)),
  L: (m) => m.push(m.number(true)),
  F: (m) => m.push(m.number(false)),
  l: (m) => m.gather('list'),
  d: (m) => m.gather('map'),
  p: (m) => m.remember(Number(m.line())), // PUT
  g: (m) => m.recall(Number(m.line())), // GET
  '2': (m) => m.duplicate(), // DUP
  '1': (m) => void m.takeToMark(), // POP_MARK
  ')': (m) => tupleOf(m, 0),
  '\x85': (m) => tupleOf(m, 1),
  '\x86': (m) => tupleOf(m, 2),
  '\x87': (m) => tupleOf(m, 3),
  t: (m) => m.push(new PickleTuple(m.takeToMark())),
  ']': (m) => m.push(new PickleList()),
  a: (m) => m.append(m.take(1)),
  e: (m) => m.append(m.takeToMark()),
  '}': (m) => m.push(new PickleMap()),
  s: (m) => m.setItems(m.take(2)),
  u: (m) => m.setItems(m.takeToMark()),
  q: (m) => m.remember(m.uint8()), // BINPUT
  r: (m) => m.remember(m.uint32()), // LONG_BINPUT
  '\x94': (m) => m.memoize(),
  h: (m) => m.recall(m.uint8()), // BINGET
  j: (m) => m.recall(m.uint32()), // LONG_BINGET
  c: (m) => m.global(m.line(), m.line()), // GLOBAL
  // STACK_GLOBAL
  '\x93': (m) => {
    const [module, name] = m.take(2);
    m.global(module!, name!);
  },
  R: (m) => m.reduce(),
  b: (m) => m.build(),
  Q: (m) => m.persistent(), // BINPERSID
};
