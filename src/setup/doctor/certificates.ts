/** Certificates: this host's pair, and what peers present. Nobody checks dates or sizes, so most of it is a warning. */

import { describeCertificate, isWeak, loadCertificatePair } from '../../engine/net/certificate.js';
import type { CertificatePair } from '../../engine/net/certificate.js';
import { CsxError } from '../../model/errors.js';
import { caution, fromError, good, wrong } from '../../model/finding.js';
import type { Finding } from '../../model/finding.js';

const DAY = 86_400_000;
const SOON = 30 * DAY;

export interface OwnCertificate {
  readonly pair: CertificatePair | undefined;
  readonly findings: readonly Finding[];
}

/** @param needed whether some peer is talked to over TLS */
export async function examineOwnCertificate(
  systemDirectory: string,
  needed: boolean,
  now: number,
): Promise<OwnCertificate> {
  try {
    const pair = await loadCertificatePair(systemDirectory);
    return { pair, findings: judgeCertificate("This host's certificate", pair.der, now) };
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    if (needed) return { pair: undefined, findings: [fromError('certificate', error)] };
    return { pair: undefined, findings: [good('certificate', 'None is needed: nossl covers every peer.')] };
  }
}

/** @param whose begins the sentence: `web2's certificate` */
export function judgeCertificate(whose: string, der: Buffer, now: number): readonly Finding[] {
  const renew = 'Make a new pair there (csx cert --help), then csx trust remove for that host on every peer.';
  let facts;
  try {
    facts = describeCertificate(der);
  } catch {
    return [wrong('certificate', `${whose} cannot be read.`, renew)];
  }
  const findings: Finding[] = [];
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
  if (isWeak(facts)) {
    findings.push(
      caution(
        'certificate',
        `${whose} has a key of only ${String(facts.keyBits)} bits, which OpenSSL 3 refuses by default.`,
        renew,
      ),
    );
  }
  if (facts.notAfter < now) findings.push(caution('certificate', `${whose} ended on ${day(facts.notAfter)}.`, renew));
  else if (facts.notAfter - now < SOON) {
    findings.push(caution('certificate', `${whose} ends on ${day(facts.notAfter)}.`, renew));
  }
  if (facts.notBefore > now + DAY) {
    findings.push(
      caution(
        'clock',
        `${whose} begins on ${day(facts.notBefore)}, in the future.`,
        'Set the clocks of both hosts: use NTP.',
      ),
    );
  }
  if (findings.length > 0) return findings;
  const bits = facts.keyBits === undefined ? facts.keyType : `${facts.keyBits} bits`;
  return [good('certificate', `${whose} is valid until ${day(facts.notAfter)} (${bits}).`)];
}
