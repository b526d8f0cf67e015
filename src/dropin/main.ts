/**
 * Runs one command line of csync2 and returns its exit status. Every mode is loaded when it is asked for: `csync2 -M` must not wait
 * for what only an update needs.
 */

import { existsSync, readFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { boundHeap, HEAP_GROWTH } from '../engine/update/heap.js';
import { CsxError, errnoOf } from '../model/errors.js';
import { fromBuffer, fromText, toBuffer } from '../model/names.js';
import { helpText } from './help.js';
import { parseOptions } from './options.js';
import type { Mode, Options } from './options.js';
import { systemDirectory } from './place.js';
import type { Job, Surroundings } from './place.js';
import { Voice } from './voice.js';

/**
 * Runs `csync2 ARGV...`.
 * @param argv the arguments after the program's name, as Node decoded them
 */
export async function main(argv: readonly string[]): Promise<number> {
  const around: Surroundings = {
    environment: process.env,
    hostname: os.hostname(),
    cwd: process.cwd(),
    pid: process.pid,
    now: Date.now,
  };
  const parsed = parseOptions(bytesOf(argv));
  if (parsed.kind === 'key') return makeKey(parsed.file);
  const lock = path.join(systemDirectory(around), 'csync2.lock');
  if (existsSync(lock)) {
    write(1, toBuffer(`Found ${fromText(lock)}\n`));
    return 1;
  }
  if (parsed.kind === 'usage') {
    if (parsed.message !== undefined) write(2, toBuffer(`csync2: ${parsed.message}\n`));
    write(1, toBuffer(helpText()));
    return 1;
  }
  return run(parsed.options, around);
}

async function run(options: Options, around: Surroundings): Promise<number> {
  const served = options.mode === 'inetd' || options.mode === 'listen' || options.mode === 'listen-once';
  const syslog = options.syslog || options.mode === 'inetd' ? (await import('./syslog.js')).openSyslog() : undefined;
  const voice = new Voice({
    streams: {
      out: (bytes) => {
        write(1, bytes);
      },
      err: (bytes) => {
        write(2, bytes);
      },
      syslog: syslog?.write,
    },
    verbose: options.verbose,
    timestamps: options.timestamps,
    timestampFile: options.timestampFile,
    prefix: served ? `<${around.pid}> ` : '',
    pid: around.pid,
    now: around.now,
  });
  if (!options.mode.startsWith('list-')) boundHeap(served ? HEAP_GROWTH.daemon : HEAP_GROWTH.scan);
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    stop.abort(signal);
  };
  // The first signal ends the run after what is in flight; the second finds no listener and ends it at once.
  for (const signal of ENDING) process.once(signal, onSignal);
  try {
    if (served) {
      const { serve } = await import('./serve.js');
      return await serve({ options, voice, around, stop: stop.signal });
    }
    const mode = await load(options.mode);
    const status = await mode({ options, voice, around, stop: stop.signal });
    if (stop.signal.aborted) return interrupted(stop.signal, voice);
    voice.end();
    return voice.errors > 0 ? 1 : status;
  } catch (error) {
    if (stop.signal.aborted) return interrupted(stop.signal, voice);
    if (!(error instanceof CsxError)) throw error;
    tell(error, voice);
    return 1;
  } finally {
    for (const signal of ENDING) process.removeListener(signal, onSignal);
    await syslog?.end();
    // As csync2, which obeys no signal: who waits for it sees what ended it.
    if (stop.signal.aborted) process.kill(process.pid, String(stop.signal.reason));
  }
}

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What was begun is finished. */
function interrupted(signal: AbortSignal, voice: Voice): number {
  voice.error(`Interrupted by ${String(signal.reason)}; run it again to go on.`);
  voice.end();
  return 1;
}

async function load(mode: Mode): Promise<(job: Job) => Promise<number>> {
  switch (mode) {
    case 'list-hints':
    case 'list-known':
    case 'list-dirty':
    case 'list-sync':
      return (await import('./lists.js')).list;
    case 'hint':
    case 'mark':
    case 'force':
      return (await import('./marks.js')).mark;
    case 'check':
      return (await import('./check.js')).check;
    case 'update':
    case 'check-update':
    case 'check-and-update':
      return (await import('./update.js')).update;
    case 'remove-old':
      return (await import('./remove-old.js')).removeOld;
    case 'list-files':
      return (await import('./list-files.js')).listFiles;
    case 'test-sync':
      return (await import('./test-sync.js')).testSync;
    case 'inetd':
    case 'listen':
    case 'listen-once':
      throw new CsxError('INTERNAL', `The mode ${mode} is no run that ends.`);
  }
}

/** -k: csync2 makes the file or says why not, and nothing else. */
async function makeKey(file: string): Promise<number> {
  const { writeKeyFile } = await import('../config/keygen.js');
  try {
    writeKeyFile(Buffer.from(file, 'latin1').toString());
    return 0;
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    const reason = errnoOf(error.cause) === 'EEXIST' ? 'File exists' : error.message;
    write(2, toBuffer(`Can't create key file: ${fromText(reason)}\n`));
    return 1;
  }
}

/** An error that ended the run: where, what, and what to do. */
function tell(error: CsxError, voice: Voice): void {
  const { range, code, data } = error;
  if (code === 'CONFIG_NOT_FOUND') {
    voice.say(2, fromText(`Config-File:   ${String(data['path'])}`));
    voice.say(0, fromText(`Can not open config file \`${String(data['path'])}': No such file or directory`));
    return;
  }
  if (range !== undefined) voice.say(0, fromText(`${range.file}:${range.line}:${range.column}:`));
  voice.say(0, fromText(error.message));
  if (error.hint !== undefined) voice.say(0, fromText(error.hint));
}

/**
 * The arguments as byte strings. Node decodes them as UTF-8, with loss, so what is not ASCII is read from the kernel:
 * file names are bytes.
 */
function bytesOf(argv: readonly string[]): readonly string[] {
  if (argv.every((word) => /^[\x00-\x7f]*$/.test(word))) return argv;
  const words = fromBuffer(readFileSync('/proc/self/cmdline')).split('\0').slice(0, -1);
  return words.slice(words.length - argv.length);
}

/** The whole of it, at once: no stream is made for stdout, which would cost more than the list. */
function write(descriptor: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      // A pipe that somebody made non-blocking is full: wait a moment.
      if (errnoOf(error) === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      // A reader that went away (`csync2 -L | head`) ends the program, as the signal would.
      else if (errnoOf(error) === 'EPIPE') process.exit(141);
      else if (descriptor === 2) return;
      else throw error;
    }
  }
}
