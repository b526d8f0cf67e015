/** docs/migrating.md, tried as written: its blocks run as root on a host of its own (namespaces), with a csync2 peer. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const [ME, PEER] = ['alpha', 'beta'] as const;
let root = '';
let scripts = 0;

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** In a shell: whether something has csync2's port. */
const listening = "grep -q ':7891 0\\{8,32\\}:0000 0A' /proc/net/tcp /proc/net/tcp6";
/** What `ip link set lo up` does, where there is no ip(8): SIOCSIFFLAGS. */
const LOOPBACK_UP = `perl -e 'socket(S, 2, 2, 0); $up = pack("a16 s x14", "lo", 0x49); ioctl(S, 0x8914, $up) or die "lo: $!"'`;
/** inetd, or where none is installed what it does with a line of its configuration, which it reads for each connection. */
const inetdServes = `if command -v inetd; then exec inetd -i; fi; exec perl -MSocket -e '${[
  '$SIG{HUP} = "IGNORE"; $SIG{CHLD} = sub { 1 while waitpid(-1, 1) > 0 }; socket(S, 2, 1, 0); setsockopt(S, 1, 2, 1);',
  'bind(S, pack_sockaddr_in(30865, INADDR_ANY)) or die; listen(S, 9); for (;;) { accept(C, S) or next; open(F, "/etc/inetd.conf");',
  '@w = split(" ", <F>); if (!fork) { open(STDIN, "<&C"); open(STDOUT, ">&C"); exec { $w[5] } @w[6 .. $#w]; exit 1 } close(C) }',
].join(' ')}'`;

function until(condition: string): string {
  return `until ${condition}; do sleep 0.05; done`;
}

/** The `sh` blocks of the guide, in order. */
function blocks(): readonly string[] {
  const text = readFileSync(path.join(PROJECT, 'docs/migrating.md'), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
}

it('moves a host to csx and back', () => {
  root = mkdtempSync(path.join(realpathSync(tmpdir()), 'csx-migrating-'));
  const config = `nossl * *;
    prefix t { on ${ME}: ${root}/${ME}/tree; on ${PEER}: ${root}/${PEER}/tree; }
    group g { host ${ME} ${PEER}; key csync2.key; include %t%; }`;
  for (const host of [ME, PEER]) {
    const directory = path.join(root, host);
    for (const part of ['tree', 'etc', 'db', 'sbin', 'opt', 'system'])
      mkdirSync(path.join(directory, part), { recursive: true });
    writeFileSync(path.join(directory, 'etc/csync2.cfg'), config);
    writeFileSync(path.join(directory, 'etc/csync2.key'), `${'m'.repeat(64)}\n`, { mode: 0o600 });
    symlinkSync(PROJECT, path.join(directory, 'opt/csx'));
  }
  const [variables, look, send, plan, systemd, inetd, daemon, compare, backFromSystemd, backFromInetd, back, tidy] =
    blocks();
  // The first host changes something before each step, so that each has something to do.
  const change = (name: string): string => `echo ${name} >${root}/${ME}/tree/${name}`;
  const arrived = (name: string): string => `grep -qx ${name} ${root}/${PEER}/tree/${name}`;
  const peerSends = (name: string): string =>
    `${onPeer(`echo ${name} >${root}/${PEER}/tree/${name}; csync2 -x`)}; grep -qx ${name} ${root}/${ME}/tree/${name}`;
  const serviceStops = `kill $service; wait $service || true; ${until(`! ${listening}`)}`;
  const peerServes = `${onPeer('exec /usr/sbin/csync2 -ii')} & peer=$!; ${until(listening)}`;
  // Both hosts share one loopback interface, on which only one of them can have the port.
  const peerStops = `kill $peer; wait $peer || true; ${until(`! ${listening}`)}`;
  const onFirst = `set -e; export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
    ${peerServes}
    ${variables ?? ''}
    ${change('one')}; csync2 -cr /
    ${look ?? ''}
    ${send ?? ''}
    ${arrived('one')}; test "$(command -v csync2)" = $SBIN/csync2
    ${change('two')}
    ${plan ?? ''}
    csync2 -x; ${arrived('two')}
    ${peerStops}
    ${systemd ?? ''}
    command=$(sed -n 's/^ExecStart=\\(.\\)/\\1/p' /etc/systemd/system/csync2@.service.d/csx.conf)
    if command -v systemd-socket-activate; then
      test -z "$(systemd-analyze verify csync2@peer.service csync2.socket 2>&1 | grep csync2)"
      systemd-socket-activate --accept --inetd -E CSYNC2_SYSTEM_DIR -l 30865 $command & service=$!
    else
      echo "csync2 stream tcp nowait root \${command%% *} $command" >/etc/inetd.conf; (${inetdServes}) & service=$!
    fi
    ${until(listening)}
    ${peerSends('by-systemd')}
    ${serviceStops}
    ${backFromSystemd ?? ''}
    echo 'csync2 stream tcp nowait root /usr/sbin/csync2 csync2 -i -l' >/etc/inetd.conf
    (${inetdServes}) & service=$!; ${until(listening)}
    ${peerSends('before-inetd')}
    ${inetd ?? ''}
    grep -q ' /usr/local/sbin/csync2 csync2 -i -l' /etc/inetd.conf; kill -HUP $service; sleep 0.2
    mv /usr/local/sbin/csync2 /usr/local/sbin/away; ${onPeer(`echo refused >${root}/${PEER}/tree/refused; if csync2 -x; then exit 1; fi`)}; mv /usr/local/sbin/away /usr/local/sbin/csync2
    ${peerSends('by-inetd')}
    ${backFromInetd ?? ''}
    kill -HUP $service; sleep 0.2
    grep -q ' /usr/sbin/csync2 csync2 -i -l' /etc/inetd.conf
    ${serviceStops}
    ${(daemon ?? '').trim()} & own=$!; ${until(listening)}
    ${onPeer((compare ?? '').trim())} && status=0 || status=$?
    test $status = 2
    kill $own; wait $own || true; ${until(`! ${listening}`)}
    ${peerServes}
    ${change('three')}
    ${back ?? ''}
    ${arrived('three')}; test "$(command -v csync2)" = /usr/sbin/csync2
    ${tidy ?? ''}
    test "$(sqlite3 $DB 'PRAGMA journal_mode')" = delete
    ${change('four')}; csync2 -x; ${arrived('four')}
    ${peerStops}
    echo EVERYTHING DONE`;
  writeFileSync(path.join(root, 'hosts'), `127.0.0.1 localhost ${ME} ${PEER}\n`);
  const script = `${LOOPBACK_UP}\n${on(ME, onFirst)}`;
  const ran = spawnSync('unshare', ['-n', '-p', '--fork', '--kill-child', 'sh', '-c', script], {
    encoding: 'utf8',
    timeout: 60_000,
    // unshare lets SIGTERM pass it by.
    killSignal: 'SIGKILL',
  });
  expect(ran.stdout, `${ran.stdout}\n${ran.stderr}`).toContain('EVERYTHING DONE');
  expect(ran.status).toBe(0);
});

function onPeer(command: string): string {
  return on(PEER, command);
}

/** Runs a command as a host: with its name, its system directory, its database and its programs. */
function on(host: string, command: string): string {
  const directory = path.join(root, host);
  const mounts = [
    `echo ${host} >/proc/sys/kernel/hostname`,
    // A copy of /etc to edit, which goes with the namespace.
    ...(host === ME
      ? [
          `mount -t tmpfs tmpfs ${directory}/system; cp -a /etc/. ${directory}/system; mount --bind ${directory}/system /etc`,
        ]
      : []),
    `mount --bind ${root}/hosts /etc/hosts`,
    `export CSYNC2_SYSTEM_DIR=${directory}/etc`,
    `mount --bind ${directory}/db /var/lib/csync2`,
    `mount --bind ${directory}/sbin /usr/local/sbin`,
    `mount --bind ${directory}/opt /opt`,
  ];
  const file = path.join(root, `${host}-${String(++scripts)}.sh`);
  writeFileSync(file, `${mounts.join('\n')}\n${command}\n`);
  return `unshare -m -u --propagation private bash ${file}`;
}
