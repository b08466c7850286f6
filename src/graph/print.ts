/** A graph as text, a node a line, for people and snapshot tests. */
import type { Attributes, Graph, Value } from './ir.ts';
import { reachableNodes } from './rewrite.ts';

/** `v3: float32[B,19,4,200] = MatMul(v1, w)`; inputs first, outputs last, what no output needs left out. */
export function printGraph(graph: Graph): string {
  const nodes = reachableNodes(graph);
  return [
    `graph ${graph.name}`,
    ...graph.inputs.map((value) => `  input ${value.name}: ${typeOf(value)}`),
    ...nodes.map(
      ({ operator, inputs, outputs, attributes }) =>
        `  ${outputs.map((output) => `${output.name}: ${typeOf(output)}`).join(', ')} = ${operator}(${inputs
          .map((input) => (input ? nameOf(input) : '–'))
          .join(', ')})${printAttributes(attributes)}`,
    ),
    ...[...graph.outputs].map(([name, value]) => `  output ${name} = ${nameOf(value)}`),
    '',
  ].join('\n');
}

function typeOf({ dtype, shape }: Value): string {
  return `${dtype}[${shape.join(',')}]`;
}

/** Small constants by their values, the others by their type. */
function nameOf(value: Value): string {
  if (!value.constant) return value.name;
  const { data, shape } = value.constant;
  if (data.length > 8) return `const ${typeOf(value)}`;
  const numbers = Array.from(data as ArrayLike<number | bigint>, (x) =>
    String(typeof x === 'bigint' ? x : Number(x.toPrecision(6))),
  );
  return shape.length === 0 ? numbers[0]! : `[${numbers.join(',')}]`;
}

function printAttributes(attributes: Attributes): string {
  const shown = Object.entries(attributes).filter(([, value]) => value !== undefined);
  if (shown.length === 0) return '';
  return ` {${shown.map(([key, value]) => `${key}: ${typeof value === 'object' && 'dtype' in value ? value.dtype : JSON.stringify(value)}`).join(', ')}}`;
}
