import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const UNITS = fileURLToPath(new URL('../../packaging/systemd', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../bin/csx', import.meta.url));
const KEYS = /^(?:#.*|\[\w+\]|[A-Z]\w+=.*|)$/;

it.each(['csx.service', 'csx.socket', 'csx-inetd@.service', 'csx-inetd.socket'])(
  '%s is a unit that systemd takes',
  (name) => {
    const text = fs.readFileSync(path.join(UNITS, name), 'utf8');
    expect(text.split('\n').filter((line) => !KEYS.test(line))).toEqual([]);
    if (name.endsWith('.service')) expect(text).toMatch(/^ExecStart=-?csx daemon/m);
    else expect(text).toMatch(/^ListenStream=30865$/m);

    const directory = fs.mkdtempSync(path.join(tmpdir(), 'csx-units-'));
    try {
      for (const unit of fs.readdirSync(UNITS)) {
        const content = fs.readFileSync(path.join(UNITS, unit), 'utf8').replace(/^(ExecStart=-?)csx/m, `$1${PROGRAM}`);
        fs.writeFileSync(path.join(directory, unit), content);
      }
      const unit = path.join(directory, name.replace('@.', '@peer.'));
      if (unit !== path.join(directory, name)) fs.copyFileSync(path.join(directory, name), unit);
      const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
      // A machine without systemd has nothing to say; one with it says nothing when all is well.
      const complaints = verified.stderr.split('\n').filter((line) => line.includes(directory) || line.includes('csx'));
      expect(complaints).toEqual([]);
    } finally {
      fs.rmSync(directory, { recursive: true, force: true });
    }
  },
);

it('the inetd launcher keeps the log from the client', () => {
  const launcher = fileURLToPath(new URL('../../packaging/inetd/csx-inetd', import.meta.url));
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'csx-inetd-'));
  try {
    const script = path.join(directory, 'launcher');
    fs.writeFileSync(
      script,
      fs
        .readFileSync(launcher, 'utf8')
        .replace(/^PATH=/m, `PATH=${directory}:`)
        .replace('logger -t csx', `cat > ${directory}/log`),
      { mode: 0o755 },
    );
    fs.writeFileSync(path.join(directory, 'csx'), '#!/bin/sh\necho "to the client: $*"; cat; echo logged >&2\n', {
      mode: 0o755,
    });
    const run = spawnSync(script, ['-N', 'me'], { input: 'request', encoding: 'utf8' });
    expect(run.stdout).toBe('to the client: daemon --inetd -N me\nrequest');
    expect(run.stderr).toBe('');
    expect(fs.readFileSync(path.join(directory, 'log'), 'utf8')).toBe('logged\n');
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
});
