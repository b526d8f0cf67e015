/**
 * What a csx daemon says about itself to `CSX about`: `OK (csx VERSION MILLISECONDS).`, its version and what its clock says, as
 * Unix milliseconds. csync2, which knows no such command, tells neither anywhere in its protocol. Specified in docs/extensions.md.
 */

export interface About {
  /** Of csx there: no spaces, at most 64 characters. */
  readonly version: string;
  /** Its clock when it answered, Unix milliseconds. */
  readonly at: number;
}

export function writeAbout({ version, at }: About): string {
  return `OK (csx ${version} ${at}).`;
}

/** Undefined for anything else; whoever sent it may be hostile. */
export function parseAbout(text: string): About | undefined {
  const [, version, at] = /^OK \(csx ([!-~]{1,64}) (\d{1,15})\)\.$/.exec(text) ?? [];
  return version === undefined ? undefined : { version, at: Number(at) };
}
