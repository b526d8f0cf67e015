/**
 * -i, -ii, -iii: the daemon behind csync2's options: one connection on stdin and stdout (inetd, xinetd, systemd with Accept=yes), a
 * listener, or a listener for one connection.
 */

import { existsSync, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { loadConfig } from '../config/load.js';
import { Selection } from '../config/selection.js';
import { activation } from '../engine/daemon/activation.js';
import { serveConnection, startDaemon } from '../engine/daemon/daemon.js';
import type { Daemon } from '../engine/daemon/daemon.js';
import type { Log } from '../engine/daemon/log.js';
import type { Opened } from '../engine/daemon/served.js';
import { CERTIFICATE_FILE, loadCertificatePair } from '../engine/net/certificate.js';
import { openStore } from '../engine/state/open.js';
import { fromText } from '../model/names.js';
import { portOf, systemDirectory } from './place.js';
import type { Job } from './place.js';

export async function serve(job: Job): Promise<number> {
  const { options, voice, around } = job;
  const directory = systemDirectory(around);
  const host = (options.hostname ?? around.hostname).toLowerCase();
  // csync2's daemon reads the configuration when the client has named it; what is wrong with it concerns that connection alone.
  const open = async (name: string): Promise<Opened> => {
    const configName = name === '' ? options.configName : name;
    const config = await loadConfig({ systemDirectory: directory, host, configName });
    const store = await openStore({
      host,
      access: 'write',
      lockTimeout: config.lockTimeout,
      database: options.database ?? config.database,
      configName,
      onProblem: (problem) => {
        voice.say(0, `WARNING: ${fromText(problem.summary)}`);
      },
    });
    return { config, selection: new Selection(config, { groups: options.groups ?? [] }), store };
  };
  const common = {
    open,
    certificate: existsSync(path.join(directory, CERTIFICATE_FILE)) ? await loadCertificatePair(directory) : undefined,
    log: logOf(job),
    environment: around.environment,
  };
  const handed = activation(around.environment, around.pid);
  if (options.mode === 'inetd' || handed?.kind === 'connection') {
    await serveConnection(connectionOn(handed?.kind === 'connection' ? handed.descriptor : 0), common);
    return 0;
  }
  const daemon = await startDaemon({
    ...common,
    port: portOf(options),
    bind: options.hostname,
    once: options.mode === 'listen-once',
    activation: handed,
  });
  voice.say(1, 'Csync2 daemon running. Waiting for connections.');
  obeySignals(daemon);
  await daemon.finished;
  return 0;
}

/** The daemon's log entries, at the levels at which csync2 says the like. */
function logOf({ voice }: Job): Log {
  const level = { error: 0, warning: 0, info: 1, debug: 3 } as const;
  return (entry) => {
    const about = [entry.peer ?? entry.address, entry.verb, entry.file].filter((part) => part !== undefined);
    const head = about.length === 0 ? '' : `${about.join(' ')}: `;
    // One line, whatever a peer sent.
    const text = `${head}${entry.message}`.replace(/\p{Cc}/gu, '?');
    voice.say(level[entry.level], fromText(text));
  };
}

/** inetd hands over a socket; what is none has no address, so that HELLO fails over it. */
function connectionOn(descriptor: number): Duplex {
  if (fstatSync(descriptor).isSocket()) return new Socket({ fd: descriptor, readable: true, writable: true });
  return Duplex.from({ readable: process.stdin, writable: process.stdout });
}

function obeySignals(daemon: Daemon): void {
  process.once('SIGTERM', () => void daemon.stop());
  process.once('SIGINT', () => void daemon.stop());
  process.on('SIGHUP', () => void daemon.reload());
}
