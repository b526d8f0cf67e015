/** What a look at a peer means: pure judgement of a Probe. */

import type { CheckName, Finding } from '../../model/finding.js';
import { caution, fromError, good, wrong } from '../../model/finding.js';
import type { CsxError } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { Told } from './about.js';
import { judgeCertificate } from './certificates.js';
import type { PeerClock, Sighting } from './clock.js';
import type { GroupProbe, Probe } from './probe.js';

/** @param own the addresses that this host's name toward the peer resolves to here */
export function judgePeer(probe: Probe, own: readonly string[], now: number): readonly Finding[] {
  if (probe.failure !== undefined) return judgeFailure(probe, probe.failure, own);
  if (probe.knocked) {
    return [good('port', `${nameOf(probe)} takes connections; without a certificate no more could be asked.`)];
  }
  const findings = [...judgeEncryption(probe), ...probe.groups.flatMap((each) => judgeGroup(probe, each))];
  if (probe.certificate !== undefined) {
    const about = judgeCertificate(`The certificate of ${display(probe.peer)}`, probe.certificate, now);
    findings.push(...about.filter((each) => each.status !== 'ok'));
  }
  const program = probe.told === undefined ? '' : `, ${programOf(probe.told)},`;
  return [good('peer', `${nameOf(probe)}${program} answers ${described(probe)}.`), ...findings];
}

/** The clock that the peer told. */
export function clockOf({ peer, told, groups }: Probe): readonly PeerClock[] {
  if (told?.program !== 'csx') return [];
  const decided = groups.find(({ group }) => group.auto === 'younger' || group.auto === 'older')?.group;
  return [{ peer: display(peer), reading: told.clock, decides: decided && display(decided.name) }];
}

/** The times of files that a peer told which tells nothing else of its clock. */
export function sightingsOf(probe: Probe): readonly Sighting[] {
  if (probe.told?.program !== 'csync2') return [];
  return probe.groups.flatMap(({ file, mtime }) =>
    file === undefined || mtime === undefined
      ? []
      : [{ peer: display(probe.peer), file: display(file), at: mtime * 1000 }],
  );
}

const CHECKS: Partial<Record<CsxError['code'], CheckName>> = {
  PEER_UNREACHABLE: 'port',
  PEER_TIMEOUT: 'port',
  PEER_CLOSED: 'port',
  PEER_PROTOCOL: 'port',
  PLAINTEXT_REFUSED: 'encryption',
  TLS_FAILED: 'encryption',
  CERTIFICATE_CHANGED: 'pins',
  PEER_REFUSED: 'configuration',
};

function judgeFailure(probe: Probe, failure: CsxError, own: readonly string[]): readonly Finding[] {
  const { peer, me, from = 'an unknown address' } = probe;
  const [there, here] = [display(peer), display(me)];
  if (failure.code === 'IDENTIFICATION_FAILED' && probe.inPlain === 'ssl-expected') {
    return [
      wrong(
        'pins',
        `${nameOf(probe)} has another certificate pinned for ${here} than this host's.`,
        `If this host's certificate was replaced on purpose, run on ${there}: csx trust remove ${here}.`,
      ),
    ];
  }
  if (failure.code === 'IDENTIFICATION_FAILED') {
    const elsewhere =
      own.length > 0 && !own.includes(from)
        ? ` (here ${here} resolves to ${own.join(', ')}; -N ${here} connects from there)`
        : '';
    return [
      wrong(
        'addresses',
        `${nameOf(probe)} does not believe that ${from} is ${here}${elsewhere}.`,
        `On ${there}, ${here} has to resolve to ${from}: correct /etc/hosts or DNS there.`,
      ),
    ];
  }
  if (failure.code === 'PLAINTEXT_REFUSED') {
    return [
      wrong(
        'encryption',
        `${nameOf(probe)} expects encryption, and a nossl statement here says plain text.`,
        `Have the same nossl statements on both hosts: add "nossl ${there} ${here};" there, or take it away here.`,
      ),
    ];
  }
  if (failure.code === 'TLS_FAILED' && probe.inPlain === 'accepted') {
    return [
      wrong(
        'encryption',
        `${nameOf(probe)} talks in plain text, and no nossl statement here allows it.`,
        `Have the same nossl statements on both hosts, and a certificate on ${there} (csx cert --create) where they encrypt.`,
      ),
    ];
  }
  if (failure.code === 'TLS_FAILED' && probe.inPlain === 'stranger') {
    return [
      wrong(
        'port',
        `${nameOf(probe)} answers, but not as csync2 or csx do: ${failure.message}`,
        `On ${there}, run csx doctor --offline to see what listens; name another port with -p if theirs is another.`,
      ),
    ];
  }
  return [fromError(CHECKS[failure.code] ?? 'peer', failure)];
}

function judgeEncryption({ peer, me, plain, inPlain }: Probe): readonly Finding[] {
  if (plain || inPlain !== 'accepted') return [];
  const [there, here] = [display(peer), display(me)];
  return [
    wrong(
      'encryption',
      `A nossl statement on ${there} says plain text toward this host, and none here does: what ${there} sends is refused.`,
      `Have the same nossl statements on both hosts: take it away on ${there}, or add "nossl ${here} ${there};" here.`,
    ),
  ];
}

function judgeGroup({ peer }: Probe, { group, answer, file, why }: GroupProbe): readonly Finding[] {
  const [name, there] = [display(group.name), display(peer)];
  if (why === 'no-file') {
    return [
      caution(
        'configuration',
        `Group ${name} holds no file that ${there} could be asked for, so its key was not tried.`,
        'Add an include statement whose path is not excluded again.',
      ),
    ];
  }
  if (answer !== 'denied' || file === undefined) return [];
  return [
    wrong(
      'keys',
      `${there} refuses group ${name}: asked for ${display(file)} with the key ${display(group.key.file)}, it says Permission denied.`,
      `Copy ${display(group.key.file)} and the configuration from one host to the other: key, hosts and patterns have to agree.`,
    ),
  ];
}

function described({ plain, certificate, pinned, groups, me }: Probe): string {
  const link = plain ? 'in plain text' : 'over TLS';
  const first = certificate !== undefined && !pinned ? '; its certificate is not pinned yet, csx apply pins it' : '';
  const agreed = groups.filter((each) => each.answer === 'agreed').map((each) => display(each.group.name));
  const keys = agreed.length === 0 ? '' : ` and takes the key of ${agreed.join(', ')}`;
  const slave = groups.some((each) => each.why === 'slave') ? `; ${display(me)} only receives there` : '';
  return `${link}${keys}${slave}${first}`;
}

/** `csx 1.2.3` */
function programOf(told: Told): string {
  return told.program === 'csx' ? `csx ${display(told.version)}` : 'csync2';
}

function nameOf({ peer, address }: Probe): string {
  return address === undefined ? display(peer) : `${display(peer)} (${display(address)})`;
}
