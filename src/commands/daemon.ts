import os from 'node:os';
import { existsSync, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { Flags } from '@oclif/core';
import { CsxCommand } from '../cli/command.js';
import { EXIT } from '../cli/exit-status.js';
import { networkFlags } from '../cli/flags.js';
import { Selection } from '../config/selection.js';
import { loadConfig } from '../config/load.js';
import { activation } from '../engine/daemon/activation.js';
import { serveConnection, startDaemon } from '../engine/daemon/daemon.js';
import type { Daemon as RunningDaemon } from '../engine/daemon/daemon.js';
import { createLog } from '../engine/daemon/log.js';
import type { Opened } from '../engine/daemon/served.js';
import { CERTIFICATE_FILE, loadCertificatePair } from '../engine/net/certificate.js';
import type { CertificatePair } from '../engine/net/certificate.js';
import { HEAP_GROWTH } from '../engine/update/heap.js';
import { openStore } from '../engine/state/open.js';

export default class Daemon extends CsxCommand {
  static override summary = 'Serve peers: receive what they send.';
  static override description = `Answers csync2's protocol, for csync2 and csx, on TCP port 30865 or what --port says. Every change is checked against keys, groups and local edits, staged beside its target and put in place in one step.

Without flags it listens until SIGTERM or Ctrl-C, and ends after what is in flight; SIGHUP reads the configuration anew (a changed file is noticed at the next connection anyway). Started by systemd it takes the sockets it is handed. The log goes to stderr: lines for people, or JSON with --json.`;
  static override examples = [
    '<%= config.bin %> daemon',
    { description: 'From inetd or a systemd socket with Accept=yes', command: '<%= config.bin %> daemon --inetd' },
  ];
  static override flags = {
    port: networkFlags.port,
    inetd: Flags.boolean<boolean>({ summary: 'Serve one connection on stdin and stdout.', exclusive: ['once'] }),
    once: Flags.boolean<boolean>({ summary: 'Listen, serve one connection, and end.' }),
  };

  protected override readonly heapGrowth = HEAP_GROWTH.daemon;

  async run(): Promise<number> {
    const { flags } = await this.parse(Daemon);
    const host = (flags.hostname ?? os.hostname()).toLowerCase();
    const log = createLog({
      format: flags.json ? 'json' : 'human',
      level: flags.quiet ? 'warning' : flags.verbose ? 'debug' : 'info',
      write: (line) => process.stderr.write(line),
      now: Date.now,
    });
    const open = async (name: string): Promise<Opened> => {
      const configName = name === '' ? flags['config-name'] : name;
      const config = await loadConfig({
        systemDirectory: flags['system-dir'],
        host,
        configName,
        file: name === '' ? flags.config : undefined,
      });
      const store = await openStore({
        host,
        access: 'write',
        lockTimeout: config.lockTimeout,
        database: flags.database ?? config.database,
        configName,
        onProblem: (problem) => {
          log({ level: 'warning', event: 'database', message: problem.summary });
        },
      });
      return { config, selection: new Selection(config), store };
    };
    // A configuration that does not load is told now, not at the first connection.
    const first = await open('');
    await first.store.close();
    const common = {
      open,
      certificate: await certificateOf(flags['system-dir']),
      log,
      environment: process.env,
    };
    const handed = activation(process.env, process.pid);
    if (flags.inetd || handed?.kind === 'connection') {
      await serveConnection(connectionOn(handed?.kind === 'connection' ? handed.descriptor : 0), common);
      return EXIT.done;
    }
    const daemon = await startDaemon({
      ...common,
      port: flags.port,
      bind: flags.hostname,
      once: flags.once,
      activation: handed,
    });
    obeySignals(daemon);
    await daemon.finished;
    return EXIT.done;
  }
}

/** The connection that inetd or systemd hands over. What is no socket has no address, so that HELLO fails over it. */
function connectionOn(descriptor: number): Duplex {
  if (fstatSync(descriptor).isSocket()) {
    // A client that has said all it wants still gets its answers.
    return new Socket({ fd: descriptor, readable: true, writable: true, allowHalfOpen: true });
  }
  return Duplex.from({ readable: process.stdin, writable: process.stdout });
}

/** A host without a certificate serves peers that `nossl` lets talk in plain text. */
async function certificateOf(directory: string): Promise<CertificatePair | undefined> {
  return existsSync(path.join(directory, CERTIFICATE_FILE)) ? loadCertificatePair(directory) : undefined;
}

function obeySignals(daemon: RunningDaemon): void {
  process.once('SIGTERM', () => void daemon.stop());
  process.once('SIGINT', () => void daemon.stop());
  process.on('SIGHUP', () => void daemon.reload());
}
