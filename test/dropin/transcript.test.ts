/** The words of an update come in order, whatever order the work was done in. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChangeLines, Transcript } from '../../src/dropin/transcript.js';
import { Voice } from '../../src/dropin/voice.js';
import type { Change } from '../../src/model/plan.js';
import type { PeerName } from '../../src/model/names.js';

function listen(): { voice: Voice; lines: () => readonly string[] } {
  const said: string[] = [];
  const voice = new Voice({
    streams: { out: () => undefined, err: (bytes) => said.push(bytes.toString('latin1').trimEnd()), syslog: undefined },
    verbose: 1,
    timestamps: false,
    timestampFile: undefined,
    prefix: '',
    pid: 1,
    now: () => 0,
  });
  return { voice, lines: () => said };
}

const change = (path: string): Change => ({ path, peer: 'peer', after: {} }) as unknown as Change;

describe('Transcript', () => {
  it('tells of one peer after the other, each in its own order', () => {
    const peers = ['c', 'b', 'a'] as PeerName[];
    const events = fc.shuffledSubarray(
      peers.flatMap((peer) => [0, 1, 2].map(() => peer)),
      { minLength: 9 },
    );
    fc.assert(
      fc.property(events, (turns) => {
        const { voice, lines } = listen();
        const transcript = new Transcript(voice, peers);
        const count = new Map<PeerName, number>();
        for (const peer of turns) {
          const turn = (count.get(peer) ?? 0) + 1;
          count.set(peer, turn);
          transcript.say(peer, 1, `${peer}${turn}`);
          if (turn === 3) transcript.done(peer);
        }
        expect(lines()).toEqual(peers.flatMap((peer) => [1, 2, 3].map((turn) => `${peer}${turn}`)));
      }),
    );
  });
});

describe('ChangeLines', () => {
  it('keeps the order of the plan, and announces a change as soon as all before it are told', () => {
    const said: string[] = [];
    const lines = new ChangeLines([change('one'), change('two'), change('three')], (_, text) => said.push(text));
    lines.start('one');
    expect(said).toEqual(['Updating one on peer ...']);
    lines.start('two');
    lines.end('two', [[1, 'refused']]);
    expect(said).toHaveLength(1);
    lines.end('one', []);
    expect(said.slice(1)).toEqual(['Updating two on peer ...', 'refused']);
    lines.end('three', []);
    expect(said.at(-1)).toBe('Updating three on peer ...');
  });
});
