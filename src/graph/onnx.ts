/** Graph ↔ the bytes of an ONNX model (IR version 10, opset 20). Only what the outputs need is written. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FormatError, UnsupportedError } from '../core/errors.ts';
import { arrayTypes, type DType, sizeOf, type Tensor } from '../core/tensor.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb.ts';
import {
  type Attribute,
  type Attributes,
  type Dim,
  Graph,
  type Node,
  type Value,
  type ValueType,
} from './ir.ts';
import { contribOperators, type OperatorName, operatorNames } from './operators.ts';
import { reachableNodes } from './rewrite.ts';

/** ONNX's TensorProto.DataType of each dtype. */
const dataTypes: Readonly<Record<ValueType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
};
const irVersion = 10n;
/** The first opset with Gelu. */
const opset = 20n;

export interface EncodeOptions {
  /** Travels inside the file: recipe, classes, versions. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of an ONNX model with the graph's inputs, outputs and constants. */
export function encodeOnnx(graph: Graph, { metadata = {} }: EncodeOptions = {}): Uint8Array {
  const nodes = reachableNodes(graph);
  const used = new Set(nodes.flatMap((node) => node.inputs));
  // An output may be an input or a constant itself, and one value may bear two names: Identity gives each its own.
  const outputs = [...graph.outputs];
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName: 'heartmind',
    opsetImport: [
      { domain: '', version: opset },
      ...(nodes.some(isContrib) ? [{ domain: contribDomain, version: 1n }] : []),
    ],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: create(GraphProtoSchema, {
      name: graph.name,
      node: [
        ...nodes.map((node) =>
          create(NodeProtoSchema, {
            opType: node.operator,
            domain: isContrib(node) ? contribDomain : '',
            input: node.inputs.map((input) => input?.name ?? ''),
            output: node.outputs.map((output) => output.name),
            attribute: encodeAttributes(node.attributes),
          }),
        ),
        ...outputs.map(([name, value]) =>
          create(NodeProtoSchema, { opType: 'Identity', input: [value.name], output: [name] }),
        ),
      ],
      input: graph.inputs.map((value) => encodeValueInfo(value.name, value)),
      output: outputs.map(([name, value]) => encodeValueInfo(name, value)),
      initializer: graph.constants
        .filter((value) => used.has(value) || outputs.some(([, output]) => output === value))
        .map((value) => encodeTensor(value.constant!, value.name)),
    }),
  });
  return toBinary(ModelProtoSchema, model);
}

/** Parse an ONNX model into a Graph. FormatError for other bytes, UnsupportedError for operators outside our table. */
export function decodeOnnx(
  bytes: Uint8Array,
  name = 'onnx',
): { graph: Graph; metadata: Record<string, string> } {
  const model = parseModel(bytes, name);
  const proto = model.graph!;
  const graph = new Graph(proto.name);
  const values = new Map<string, Value>();
  for (const info of proto.input) {
    const [dtype, shape] = decodeValueInfo(info, name);
    values.set(info.name, graph.input(info.name, dtype, shape));
  }
  for (const initializer of proto.initializer) {
    values.set(initializer.name, graph.constant(decodeTensor(initializer, name), initializer.name));
  }
  const find = (key: string): Value => {
    const value = values.get(key);
    if (value) return value;
    throw new FormatError(
      `${name}: a node uses '${key}' before anything defines it. The model is damaged.`,
      name,
    );
  };
  for (const node of proto.node) {
    if (node.opType === 'Identity') {
      values.set(node.output[0]!, find(node.input[0]!));
      continue;
    }
    const operator = operatorNames.find((known) => known === node.opType);
    if (!operator || node.domain !== (contribOperators.has(operator) ? contribDomain : '')) {
      throw new UnsupportedError(
        `${name}: operator ${node.domain}${node.opType} is none that heartmind builds.`,
        node.opType,
      );
    }
    const inputs = node.input.map((key) => (key === '' ? undefined : find(key)));
    // Shapes of inner values are not stored in the file; they stay unknown to a decoded graph.
    const attributes = decodeAttributes(node.attribute, name);
    const outputs = node.output.map((key, i) => ({
      graph,
      name: key,
      dtype: outputType(operator, inputs, attributes, i),
      shape: [] as Dim[],
    }));
    const decoded = { operator, inputs, outputs, attributes };
    for (const output of outputs) Object.assign(output, { node: decoded });
    graph.nodes.push(decoded);
    for (const output of outputs) values.set(output.name, output);
  }
  for (const info of proto.output) {
    const [dtype, shape] = decodeValueInfo(info, name);
    const value = find(info.name);
    if (value.node) Object.assign(value, { dtype, shape });
    graph.output(info.name, value);
  }
  return { graph, metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])) };
}

function parseModel(bytes: Uint8Array, name: string): ModelProto {
  let model: ModelProto | undefined;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new FormatError(
      `${name}: not an ONNX model (${cause instanceof Error ? cause.message : cause}).`,
      name,
      0,
      { cause },
    );
  }
  if (!model.graph || model.irVersion === 0n)
    throw new FormatError(`${name}: ${bytes.length} bytes without an ONNX graph.`, name, 0);
  return model;
}

function outputType(
  operator: OperatorName,
  inputs: readonly (Value | undefined)[],
  { to }: Attributes,
  index: number,
): ValueType {
  if (['Equal', 'Greater', 'Less', 'And', 'Not'].includes(operator)) return 'bool';
  if (operator === 'Cast') return to as ValueType;
  if (operator === 'MatMulInteger') return 'int32';
  if (operator === 'DynamicQuantizeLinear') return index === 1 ? 'float32' : 'uint8';
  return (operator === 'Where' ? inputs[1] : inputs[0])?.dtype ?? 'float32';
}

const contribDomain = 'com.microsoft';

function isContrib({ operator }: Node): boolean {
  return contribOperators.has(operator);
}

function encodeAttributes(attributes: Attributes): AttributeProto[] {
  return Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [encodeAttribute(name, value)],
  );
}

/** Attributes that ONNX wants as floats even where they are whole numbers. */
const floatAttributes = new Set(['epsilon', 'alpha', 'beta']);

function encodeAttribute(name: string, value: Attribute): AttributeProto {
  if (name === 'to')
    return create(AttributeProtoSchema, {
      name,
      type: AttributeType.INT,
      i: BigInt(dataTypes[value as ValueType]),
    });
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, {
      name,
      type: AttributeType.STRING,
      s: new TextEncoder().encode(value),
    });
  }
  if (typeof value === 'number') {
    return floatAttributes.has(name)
      ? create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value })
      : create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if ('dtype' in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.TENSOR, t: encodeTensor(value, '') });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

function decodeAttributes(protos: readonly AttributeProto[], name: string): Attributes {
  return Object.fromEntries(
    protos.map((proto): [string, Attribute] => {
      if (proto.name === 'to') return ['to', dtypeOf(Number(proto.i), name)];
      switch (proto.type) {
        case AttributeType.FLOAT:
          return [proto.name, proto.f];
        case AttributeType.INT:
          return [proto.name, Number(proto.i)];
        case AttributeType.STRING:
          return [proto.name, new TextDecoder().decode(proto.s)];
        case AttributeType.INTS:
          return [proto.name, proto.ints.map(Number)];
        default:
          throw new UnsupportedError(
            `${name}: attribute '${proto.name}' of type ${proto.type}.`,
            `attribute ${proto.name}`,
          );
      }
    }),
  );
}

function encodeTensor({ dtype, shape, data }: Tensor, name: string): TensorProto {
  const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType: dataTypes[dtype], rawData });
}

function decodeTensor(proto: TensorProto, name: string): Tensor {
  const dtype = dtypeOf(proto.dataType, name);
  const shape = proto.dims.map(Number);
  const ArrayType = arrayTypes[dtype];
  if (proto.rawData.byteLength !== sizeOf(shape) * ArrayType.BYTES_PER_ELEMENT) {
    throw new FormatError(
      `${name}: tensor '${proto.name}' of shape [${shape}] has ${proto.rawData.byteLength} bytes of raw data.`,
      name,
    );
  }
  const aligned = proto.rawData.slice().buffer; // a copy: views into the message need not be aligned
  return { dtype, shape, data: new ArrayType(aligned) } as Tensor;
}

function encodeValueInfo(name: string, { dtype, shape }: Value): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: dataTypes[dtype],
          shape: {
            dim: shape.map((dim) => ({
              value:
                typeof dim === 'number'
                  ? { case: 'dimValue' as const, value: BigInt(dim) }
                  : { case: 'dimParam' as const, value: dim },
            })),
          },
        },
      },
    },
  });
}

function decodeValueInfo(info: ValueInfoProto, name: string): [DType, Dim[]] {
  if (info.type?.value.case !== 'tensorType') {
    throw new UnsupportedError(`${name}: '${info.name}' is not a tensor.`, 'values that are no tensors');
  }
  const { elemType, shape } = info.type.value.value;
  const dims = (shape?.dim ?? []).map(({ value }) =>
    value.case === 'dimValue' ? Number(value.value) : (value.value ?? 'B'),
  );
  return [dtypeOf(elemType, name), dims];
}

function dtypeOf(dataType: number, name: string): DType {
  const found = Object.entries(dataTypes).find(([, code]) => code === dataType);
  if (!found || found[0] === 'float16')
    throw new UnsupportedError(`${name}: ONNX data type ${dataType}.`, `ONNX data type ${dataType}`);
  return found[0] as DType;
}
