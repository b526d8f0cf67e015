/**
 * Subjects of certificates. A csync2 daemon names its own certificate as the only acceptable issuer, and GnuTLS then keeps back
 * a csync2 client's certificate whose subject is not the same, byte for byte; the daemon refuses whoever shows none. csx is
 * not concerned, in neither role.
 */

import { wrong } from '../../model/finding.js';
import type { Finding } from '../../model/finding.js';
import { display } from '../../model/names.js';
import type { Listener } from './port.js';
import type { Probe } from './probe.js';

/** @param own DER of this host's certificate */
export async function judgeSubjects(
  own: Buffer | undefined,
  listeners: readonly Listener[],
  probes: readonly Probe[],
): Promise<readonly Finding[]> {
  if (own === undefined || !listeners.some(({ program }) => program === 'csync2')) return [];
  const mine = await subjectOf(own);
  const findings: Finding[] = [];
  for (const { peer, certificate } of probes) {
    if (certificate === undefined || mine.equals(await subjectOf(certificate))) continue;
    const there = display(peer);
    findings.push(
      wrong(
        'certificate',
        `csync2 listens here, and ${there}'s certificate has another subject than this host's: a csync2 there does not show it, and is refused.`,
        `Give both the same subject: a pair of csx cert --create on both, or run csx daemon here. Renew the pins then: csx trust remove.`,
      ),
    );
  }
  return findings;
}

/** The subject as it is encoded. TBSCertificate: [version], serial, algorithm, issuer, validity, subject. */
async function subjectOf(der: Buffer): Promise<Buffer> {
  const { asn1 } = (await import('node-forge')).default;
  const sequence = (node: ReturnType<typeof asn1.fromDer> | undefined): ReturnType<typeof asn1.fromDer>[] =>
    typeof node?.value === 'string' || node === undefined ? [] : node.value;
  const [body] = sequence(asn1.fromDer(der.toString('latin1')));
  const fields = sequence(body);
  const versioned = fields[0]?.type === asn1.Type.NONE;
  const subject = fields[versioned ? 5 : 4];
  return subject === undefined ? der : Buffer.from(asn1.toDer(subject).getBytes(), 'latin1');
}
