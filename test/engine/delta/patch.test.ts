import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaParser } from '../../../src/engine/delta/patch.js';
import type { DeltaCommand } from '../../../src/engine/delta/patch.js';
import { CsxError } from '../../../src/model/errors.js';
import { cut, noise } from './rdiff.js';

const OLD_SIZE = 1000;

/** Reads a delta; literals that were cut by chunks are put together again. */
function read(delta: Uint8Array, lengths: readonly number[] = [65536], maxOutput?: number): (DeltaCommand | string)[] {
  const parser = new DeltaParser({ oldSize: OLD_SIZE, ...(maxOutput === undefined ? {} : { maxOutput }) });
  const commands: (DeltaCommand | string)[] = [];
  for (const chunk of cut(delta, lengths)) {
    for (const command of parser.push(chunk)) {
      const last = commands.at(-1);
      if (command.kind === 'copy') commands.push(command);
      else if (typeof last === 'string') commands[commands.length - 1] = last + Buffer.from(command.bytes).toString();
      else commands.push(Buffer.from(command.bytes).toString());
    }
  }
  parser.end();
  return commands;
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

const invalid = expect.objectContaining({ code: 'DELTA_INVALID' });

describe('DeltaParser', () => {
  it.each([
    ['no commands', '72730236 00', []],
    ['a literal of one byte', '72730236 01 61 00', ['a']],
    ['a literal with a length of 1 byte', '72730236 41 02 6161 00', ['aa']],
    ['a literal with a length of 2 bytes', '72730236 42 0002 6161 00', ['aa']],
    ['a literal with a length of 4 bytes', '72730236 43 00000002 6161 00', ['aa']],
    ['a literal with a length of 8 bytes', '72730236 44 0000000000000002 6161 00', ['aa']],
    ['a copy, 1 and 1', '72730236 45 05 06 00', [{ kind: 'copy', start: 5, length: 6 }]],
    ['a copy, 1 and 2', '72730236 46 05 0006 00', [{ kind: 'copy', start: 5, length: 6 }]],
    ['a copy, 2 and 1', '72730236 49 0005 06 00', [{ kind: 'copy', start: 5, length: 6 }]],
    ['a copy, 4 and 8', '72730236 50 00000005 0000000000000006 00', [{ kind: 'copy', start: 5, length: 6 }]],
    ['a copy, 8 and 8', '72730236 54 0000000000000005 0000000000000006 00', [{ kind: 'copy', start: 5, length: 6 }]],
    ['a copy of everything', '72730236 46 00 03e8 00', [{ kind: 'copy', start: 0, length: 1000 }]],
    ['a copy of the last byte', '72730236 49 03e7 01 00', [{ kind: 'copy', start: 999, length: 1 }]],
  ])('reads %s, wherever it is cut', (_, text, commands) => {
    const delta = hex(text);
    expect(read(delta)).toEqual(commands);
    for (let place = 1; place < delta.length; place++) expect(read(delta, [place, delta.length])).toEqual(commands);
    expect(read(delta, [1])).toEqual(commands);
  });

  it('reads every pair of widths', () => {
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        const operand = (value: number, width: number): string => value.toString(16).padStart(2 * 2 ** width, '0');
        const opcode = (0x45 + 4 * i + j).toString(16);
        const delta = hex(`72730236 ${opcode} ${operand(7, i)} ${operand(9, j)} 00`);
        expect(read(delta, [3])).toEqual([{ kind: 'copy', start: 7, length: 9 }]);
      }
    }
  });

  it.each([
    ['nothing', ''],
    ['half a magic', '7273'],
    ['a signature', '72730136 00'],
    ['no end', '72730236'],
    ['no end after a literal', '72730236 01 61'],
    ['half a literal', '72730236 02 61'],
    ['half a copy', '72730236 46 00 03'],
    ['bytes after the end', '72730236 00 00'],
    ['the first reserved opcode', '72730236 55 00'],
    ['the last reserved opcode', '72730236 ff 00'],
    ['a literal without bytes', '72730236 41 00 00'],
    ['a copy without bytes', '72730236 45 05 00 00'],
    ['a copy one byte too long', '72730236 46 00 03e9 00'],
    ['a copy that starts at the end', '72730236 49 03e8 01 00'],
    ['a copy that starts far behind the end', '72730236 4d ffffffff 01 00'],
    ['a copy whose end overflows 32 bits', '72730236 4f 00000001 ffffffff 00'],
    ['a copy whose end overflows 64 bits', '72730236 54 0000000000000001 ffffffffffffffff 00'],
    ['a copy from no place a number can name', '72730236 54 0020000000000000 0000000000000001 00'],
    ['a literal of no length a number can name', '72730236 44 ffffffffffffffff 61'],
  ])('refuses %s, wherever it is cut', (_, text) => {
    const delta = hex(text);
    expect(() => read(delta)).toThrow(invalid);
    for (let place = 1; place < delta.length; place++)
      expect(() => read(delta, [place, delta.length])).toThrow(invalid);
  });

  it('copies nothing from a file that is not there', () => {
    const parser = new DeltaParser({ oldSize: 0 });
    expect(() => [...parser.push(hex('72730236 45 00 01 00'))]).toThrow(invalid);
  });

  it('bounds the new file, copies and literals together', () => {
    const delta = hex('72730236 46 00 03e8 02 6161 00');
    expect(read(delta, [65536], 1002)).toHaveLength(2);
    expect(() => read(delta, [65536], 1001)).toThrow(invalid);
    expect(() => read(hex('72730236 44 0000010000000000 61'), [65536], 1001)).toThrow(invalid);
    expect(() => read(Buffer.concat([hex('72730236'), Buffer.alloc(3000, '4500ff', 'hex')]), [65536], 1001)).toThrow(
      invalid,
    );
  });

  it('passes literals through without collecting them', () => {
    const parser = new DeltaParser({ oldSize: 0 });
    expect([...parser.push(hex('72730236 44 0000000100000000'))]).toEqual([]);
    const chunk = noise(65_536, 1);
    for (let round = 0; round < 65_536; round++) {
      const [literal, ...more] = parser.push(chunk);
      if (literal?.kind !== 'literal' || more.length > 0) throw new Error('Expected one literal.');
      // The very bytes of the chunk, not a copy.
      if (literal.bytes.buffer !== chunk.buffer || literal.bytes.length !== chunk.length)
        throw new Error('It was copied.');
    }
    expect(parser.ended).toBe(false);
    expect([...parser.push(hex('00'))]).toEqual([]);
    expect(parser.ended).toBe(true);
    expect(parser.outputLength).toBe(2 ** 32);
    parser.end();
  });

  it('stays failed', () => {
    const parser = new DeltaParser({ oldSize: OLD_SIZE });
    expect(() => [...parser.push(hex('72730236 ff'))]).toThrow(invalid);
    expect(() => [...parser.push(hex('01 61'))]).toThrow(invalid);
    expect(() => {
      parser.end();
    }).toThrow(invalid);
  });

  it('notices commands that nobody read', () => {
    const parser = new DeltaParser({ oldSize: OLD_SIZE });
    for (const command of parser.push(hex('72730236 01 61 01 62'))) if (command.kind === 'literal') break;
    expect(() => [...parser.push(hex('00'))]).toThrow(CsxError);
    expect(() => {
      parser.end();
    }).toThrow(CsxError);
  });

  it('either reads or refuses any bytes, and yields no range outside the old file', () => {
    const opcodes = fc.oneof(fc.integer({ min: 0x40, max: 0x56 }), fc.nat(255));
    const bytes = fc.array(fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: opcodes }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(bytes, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }), (rest, lengths) => {
        const delta = Buffer.concat([hex('72730236'), Buffer.from(rest)]);
        const outcome = (pieces: readonly number[]): string => {
          try {
            const commands = read(delta, pieces, 5000);
            for (const command of commands) {
              if (typeof command === 'string' || command.kind === 'literal') continue;
              expect(command.start + command.length).toBeLessThanOrEqual(OLD_SIZE);
              expect(command.length).toBeGreaterThan(0);
            }
            return JSON.stringify(commands);
          } catch (error) {
            if (!(error instanceof CsxError) || error.code !== 'DELTA_INVALID') throw error;
            return error.message;
          }
        };
        expect(outcome(lengths)).toBe(outcome([65536]));
      }),
      { numRuns: 3000 },
    );
  });
});
