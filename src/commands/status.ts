import { existsSync } from 'node:fs';
import path from 'node:path';
import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import { choiceFlags } from '../cli/flags.js';
import { withWorkspace } from '../cli/workspace.js';
import { CERTIFICATE_FILE, certificateProblems, loadCertificatePair } from '../engine/net/certificate.js';
import { CsxError } from '../model/errors.js';
import type { Problem } from '../model/errors.js';
import { readStatus } from '../engine/update/status.js';
import { statusView } from '../views/human/status.js';
import { jsonDocument } from '../views/json/document.js';
import { statusJson } from '../views/json/status.js';
import { print } from '../views/terminal.js';

export default class Status extends CsxCommand {
  static override summary = 'Where this host stands: what waits for which peer, and what to do next.';
  static override description =
    'Reads the database only: neither the disk nor a peer is looked at (csx plan does); whether a peer is reachable is what csx apply last found. Exit status 0; with --detailed-exitcode 2 when something waits.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json'];
  static override flags = {
    ...choiceFlags,
    'detailed-exitcode': Flags.boolean<boolean>({ summary: 'Exit with 2 when something waits.' }),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(Status);
    return withWorkspace(flags, 'read', async (workspace) => {
      const known = await readStatus({ ...workspace, now: Date.now() });
      const status = {
        ...known,
        problems: [...known.problems, ...(await ownCertificateProblems(flags['system-dir']))],
      };
      const out = this.out(flags);
      await print(
        out,
        flags.json ? jsonDocument(statusJson(status)) : statusView(out, status, { verbose: flags.verbose }),
      );
      const waits = status.peers.some((peer) => peer.waiting > 0) || status.actions.length > 0;
      return waits && flags['detailed-exitcode'] ? EXIT.changes : EXIT.done;
    });
  }
}

/** Warnings about this host's certificate; a host that talks in plain text alone has none. */
async function ownCertificateProblems(directory: string): Promise<readonly Problem[]> {
  if (!existsSync(path.join(directory, CERTIFICATE_FILE))) return [];
  try {
    return certificateProblems(await loadCertificatePair(directory), Date.now());
  } catch (error) {
    if (error instanceof CsxError)
      return [{ severity: 'warning', code: error.code, summary: error.message, hint: error.hint }];
    throw error;
  }
}
