import { describe, expect, it } from 'vitest';
import { BackendError, ShapeError } from '../../src/core/errors.ts';
import { float32, zeros } from '../../src/core/tensor.ts';
import { Graph } from '../../src/graph/ir.ts';
import { add, matmul, mul } from '../../src/graph/operators.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

describe('createNodeBackend', () => {
  it('runs a graph with a free batch size, and one with a fixed one', async () => {
    const backend = await createNodeBackend({ device: 'cpu', threads: 1 });
    expect(backend.description).toMatch(/^onnxruntime-node \d+\.\d+\.\d+, cpu, 1 threads$/);
    const graph = new Graph('g');
    graph.output(
      'y',
      matmul(graph.input('x', 'float32', ['B', 2]), graph.constant(float32([2, 1], [10, 1]))),
    );
    const free = await backend.compile(graph);
    expect((await free.run({ x: float32([1, 2], [1, 2]) })).y).toEqual(float32([1, 1], [12]));
    expect((await free.run({ x: float32([2, 2], [1, 2, 3, 4]) })).y).toEqual(float32([2, 1], [12, 34]));
    const fixed = await backend.compile(graph, { batch: 2 });
    expect((await fixed.run({ x: float32([2, 2], [1, 2, 3, 4]) })).y).toEqual(float32([2, 1], [12, 34]));
    await free.dispose();
    await fixed.dispose();
  });

  it('computes only the outputs asked for, and writes in place', async () => {
    const backend = await createNodeBackend({ device: 'cpu', threads: 1 });
    const graph = new Graph('g');
    const x = graph.input('x', 'float32', [3]);
    graph.output('plus', add(x, 1));
    graph.output('twice', mul(x, 2));
    const program = await backend.compile(graph);
    const target = zeros('float32', [3]);
    const result = await program.run({ x: float32([3], [1, 2, 3]) }, ['twice'], { twice: target });
    expect(Object.keys(result)).toEqual(['twice']);
    expect(result.twice).toBe(target);
    expect([...target.data]).toEqual([2, 4, 6]);
  });

  it('names inputs that are missing or unknown', async () => {
    const backend = await createNodeBackend({ device: 'cpu', threads: 1 });
    const graph = new Graph('g');
    graph.output('y', add(graph.input('x', 'float32', [1]), 1));
    const program = await backend.compile(graph);
    await expect(program.run({ z: float32([1], [1]) })).rejects.toThrow(
      'run: the feed lacks the inputs x and has unknown inputs z.',
    );
    await expect(program.run({})).rejects.toThrow(ShapeError);
  });

  it('refuses what is no model with a BackendError', async () => {
    const backend = await createNodeBackend({ device: 'cpu', threads: 1 });
    await expect(backend.compile(Uint8Array.of(1, 2, 3))).rejects.toThrow(BackendError);
  });

  it('auto finds a device', async () => {
    expect(['cpu', 'cuda']).toContain((await createNodeBackend()).device);
  });

  it.each(['webgpu', 'cuda'] as const)('%s: works, or says what to do', async (device) => {
    try {
      expect((await createNodeBackend({ device })).device).toBe(device);
    } catch (error) {
      expect(error).toBeInstanceOf(BackendError);
      expect((error as Error).message).toMatch(
        new RegExp(`^device ${device}: not usable here .*Use --device cpu\\.$`),
      );
    }
  });
});
