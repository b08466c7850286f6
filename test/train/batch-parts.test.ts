import { describe, expect, it } from 'vitest';
import { cutBatch } from '../../src/train/batch-parts.ts';

describe('a batch is cut', () => {
  it('as the recipe says: equal parts, as large as on one rank where there are enough', () => {
    const of = (batch: number, accumulate: number, ranks: number) =>
      cutBatch({ batch, accumulate }, { tokens: 120, ranks });
    expect(of(64, 4, 1)).toEqual({ parts: 4, windows: 16 });
    expect(of(64, 4, 2)).toEqual({ parts: 2, windows: 16 });
    expect(of(64, 4, 4)).toEqual({ parts: 1, windows: 16 });
    expect(of(64, 4, 8)).toEqual({ parts: 1, windows: 8 });
    expect(of(12, 1, 3)).toEqual({ parts: 1, windows: 4 });
    expect(() => of(64, 4, 3)).toThrow(
      'optimization.batch: 64 windows cannot be cut into 2 equal parts on each of 3 ranks. Choose a multiple of 6.',
    );
  });

  it('else by what a processor computes at once: at most 3,200 tokens', () => {
    const of = (batch: number, tokens: number, ranks = 1) =>
      cutBatch({ batch, accumulate: 'auto' }, { tokens, ranks });
    expect(of(64, 120)).toEqual({ parts: 4, windows: 16 });
    expect(of(64, 190)).toEqual({ parts: 4, windows: 16 });
    expect(of(64, 120, 4)).toEqual({ parts: 1, windows: 16 });
    expect(of(512, 1)).toEqual({ parts: 1, windows: 512 });
    expect(of(7, 1000)).toEqual({ parts: 7, windows: 1 });
    expect(of(2, 9000)).toEqual({ parts: 2, windows: 1 });
    expect(() => of(64, 120, 3)).toThrow('on each of 3 ranks. Choose a multiple of 3.');
  });

  it('not on a device with memory of its own', () => {
    expect(cutBatch({ batch: 64, accumulate: 'auto' }, { tokens: 190, device: 'webgpu' })).toEqual({
      parts: 1,
      windows: 64,
    });
  });
});
