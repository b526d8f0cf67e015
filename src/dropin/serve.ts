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
import type { LogEntry } from '../engine/daemon/log.js';
import type { Opened } from '../engine/daemon/served.js';
import { CERTIFICATE_FILE, loadCertificatePair } from '../engine/net/certificate.js';
import { openStore } from '../engine/state/open.js';
import { fromText } from '../model/names.js';
import { isBeginning, sayEntry } from './daemon-words.js';
import { portOf, sayConfig, sayDatabase, systemDirectory } from './place.js';
import type { Job } from './place.js';

export async function serve(job: Job): Promise<number> {
  const { options, voice, around } = job;
  const directory = systemDirectory(around);
  const host = (options.hostname ?? around.hostname).toLowerCase();
  // csync2's daemon reads the configuration when the client has named it; what is wrong with it concerns that connection alone.
  // csync2 opens both for each connection, csx when they have changed: told of for each.
  let sayOpened: (() => void) | undefined;
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
    sayOpened = () => {
      sayConfig(config, voice);
      sayDatabase(store, voice);
    };
    sayOpened();
    return { config, selection: new Selection(config, { groups: options.groups ?? [] }), store };
  };
  const common = {
    open,
    certificate: existsSync(path.join(directory, CERTIFICATE_FILE)) ? await loadCertificatePair(directory) : undefined,
    log: (entry: LogEntry): void => {
      sayEntry(entry, voice, host);
      if (isBeginning(entry)) sayOpened?.();
    },
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
  voice.print('Csync2 daemon running. Waiting for connections.\n');
  job.stop.addEventListener('abort', () => void daemon.stop(), { once: true });
  if (job.stop.aborted) void daemon.stop();
  await daemon.finished;
  return 0;
}

/** inetd hands over a socket; what is none has no address, so that HELLO fails over it. */
function connectionOn(descriptor: number): Duplex {
  if (fstatSync(descriptor).isSocket()) return new Socket({ fd: descriptor, readable: true, writable: true });
  return Duplex.from({ readable: process.stdin, writable: process.stdout });
}
