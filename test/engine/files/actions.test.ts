import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { groupActions, runAction } from '../../../src/engine/files/actions.js';
import type { ActionJob } from '../../../src/engine/files/actions.js';
import type { Bytes, FileName } from '../../../src/model/names.js';
import { fromText } from '../../../src/model/names.js';
import { at, temporaryDirectory } from './temporary-directory.js';

const environment = { PATH: process.env['PATH'], NODE_OPTIONS: '--x', LISTEN_FDS: '1', GREETING: 'hello' };

function job(command: string, logfile = '/dev/null', files: readonly string[] = ['/a']): ActionJob {
  const rows = files.map((file) => ({
    file: file as FileName,
    command: command as Bytes,
    logfile: logfile as Bytes,
  }));
  const [only] = groupActions(rows);
  if (only === undefined) throw new Error('No job.');
  return only;
}

describe('groupActions', () => {
  it('makes one job of the rows with the same command and logfile', () => {
    const row = (file: string, command: string, logfile: string) => ({
      file: file as FileName,
      command: fromText(command),
      logfile: logfile as Bytes,
    });
    const rows = [row('/b', 'x %%', '/l'), row('/a', 'y', '/l'), row('/a', 'x %%', '/l'), row('/a', 'x %%', '/m')];
    expect(groupActions(rows).map((one) => [one.command, one.logfile, one.rows.length])).toEqual([
      ['x /a /b', '/l', 2],
      ['y', '/l', 1],
      ['x /a', '/m', 1],
    ]);
  });
});

describe('runAction', () => {
  it('reports status, output and duration, with stdin empty and an environment without csx in it', async () => {
    const result = await runAction(
      job('cat; echo out; echo err >&2; echo "$GREETING$NODE_OPTIONS$LISTEN_FDS"; pwd; exit 7'),
      {
        environment,
      },
    );
    expect(result).toMatchObject({ status: 7, signal: undefined, timedOut: false, problem: undefined });
    expect(result.output).toBe('out\nerr\nhello\n/\n');
    expect(result.milliseconds).toBeGreaterThan(0);
  });

  it('appends the output to the logfile and keeps its tail', async () => {
    const log = at(temporaryDirectory(), 'log');
    fs.writeFileSync(log, 'before\n');
    const result = await runAction(job('echo one; echo two >&2', log), { environment });
    expect(fs.readFileSync(log, 'utf8')).toBe('before\none\ntwo\n');
    expect(result.output).toBe('one\ntwo\n');
    const many = await runAction(job('yes | head -c 100000; echo end', log), { environment });
    expect(many.output).toHaveLength(4096);
    expect(many.output.endsWith('end\n')).toBe(true);
    expect((await runAction(job('yes | head -c 100000; echo end'), { environment })).output).toHaveLength(4096);
  });

  it('passes thousands of names, and names of any bytes', async () => {
    const files = Array.from({ length: 20_000 }, (_, index) => `/directory/file ${String(index)}`);
    const many = await runAction(job('for f in %%; do :; done; set -- %%; echo $#', '/dev/null', files), {
      environment,
    });
    expect(many.output).toBe('20000\n');
    const strange = await runAction(job("printf '%s|' %%; echo", '/dev/null', ['/\xff\xfe', '/$(id)\n', "/'"]), {
      environment,
    });
    expect(strange.output).toBe("/$(id)\n|/'|/\xff\xfe|\n");
  });

  it.each([
    [
      'a file with a second name',
      (path: string) => {
        fs.writeFileSync(`${path}.other`, '');
        fs.linkSync(`${path}.other`, path);
      },
    ],
    [
      'a file of another user',
      (path: string) => {
        fs.writeFileSync(path, '');
        fs.chownSync(path, 65534, 65534);
        fs.chmodSync(path.slice(0, path.lastIndexOf('/')), 0o777);
      },
    ],
    [
      'a directory',
      (path: string) => {
        fs.mkdirSync(path);
      },
    ],
  ])('runs without the log when that is %s, and says so', async (_, make) => {
    const directory = temporaryDirectory();
    const log = at(directory, 'log');
    make(log);
    const before = fs.readdirSync(directory).length;
    const result = await runAction(job('echo hello', log), { environment });
    expect(result).toMatchObject({ status: 0, output: 'hello\n', problem: { severity: 'warning' } });
    expect(fs.readdirSync(directory)).toHaveLength(before);
  });

  it('follows a link to the log that only root can have made', async () => {
    const directory = temporaryDirectory();
    fs.symlinkSync('target', at(directory, 'log'));
    expect((await runAction(job('echo hello', at(directory, 'log')), { environment })).problem).toBeUndefined();
    expect(fs.readFileSync(at(directory, 'target'), 'utf8')).toBe('hello\n');
  });

  it('ends a command and its children when its time is over', async () => {
    const directory = temporaryDirectory();
    const result = await runAction(
      job(`(sleep 60; touch ${at(directory, 'late')}) & echo $! > ${at(directory, 'pid')}; wait`),
      {
        environment,
        timeout: 0.3,
      },
    );
    expect(result).toMatchObject({ status: undefined, signal: 'SIGTERM', timedOut: true });
    const pid = Number(fs.readFileSync(at(directory, 'pid'), 'utf8'));
    while (fs.existsSync(`/proc/${String(pid)}`) && !/ Z /.test(fs.readFileSync(`/proc/${String(pid)}/stat`, 'utf8')))
      await sleep(10);
  });

  it('ends a command early on request', async () => {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 50);
    const result = await runAction(job('sleep 60'), { environment, signal: controller.signal });
    expect(result).toMatchObject({ signal: 'SIGTERM', timedOut: false });
  });

  it('does not wait for what the command leaves running', async () => {
    const pidFile = at(temporaryDirectory(), 'pid');
    const result = await runAction(job(`sleep 30 & echo $! > ${pidFile}; echo started`), { environment });
    try {
      expect(result).toMatchObject({ status: 0, output: 'started\n' });
      expect(fs.existsSync(`/proc/${fs.readFileSync(pidFile, 'utf8').trim()}`)).toBe(true);
    } finally {
      process.kill(Number(fs.readFileSync(pidFile, 'utf8')));
    }
  });
});
