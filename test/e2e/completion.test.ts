/** The scripts in the shells they are for: what is offered, and what becomes of a line somebody types in a terminal. */

import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHELLS } from '../../src/setup/completion/scripts.js';
import { runCsx } from '../support/csx.js';
import { startTerminal } from '../support/terminal.js';
import type { Terminal } from '../support/terminal.js';

const BIN = fileURLToPath(new URL('../../bin', import.meta.url));
let root: string;
let script: string;

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'csx-completion-'));
  for (const name of ['etc', 'tree/my site', 'other']) mkdirSync(path.join(root, name), { recursive: true });
  writeFileSync(path.join(root, 'tree/my site/a'), '');
  writeFileSync(path.join(root, 'etc/k'), 'k'.repeat(64), { mode: 0o600 });
  writeFileSync(
    path.join(root, 'etc/csync2.cfg'),
    `group web { host me web1 web2; key k; include ${root}/tree; } group mail { host me mx fe80::21; key k; include /m; }`,
  );
  script = path.join(root, 'csx.bash');
  writeFileSync(script, (await runCsx(['completion', 'bash'])).stdout);
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

/** What bash offers for a line, as it splits it: `=` stands alone. The last word is the one being typed. */
function bash(...words: string[]): Promise<readonly string[]> {
  const run =
    'source "$1"; COMP_LINE=$2; shift 2; COMP_POINT=${#COMP_LINE}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _csx "$1"; printf "%s\\n" "${COMPREPLY[@]}"';
  const env = { PATH: `${BIN}:${process.env['PATH'] ?? ''}`, CSYNC2_SYSTEM_DIR: `${root}/etc`, CSX_HOSTNAME: 'me' };
  const line = ['csx', ...words].join(' ').replaceAll(/ = ?/g, '=');
  return new Promise((resolve, reject) => {
    execFile(
      'bash',
      ['--norc', '-c', run, 'bash', script, line, 'csx', ...words],
      { env, cwd: root },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(stderr, { cause: error }));
        else {
          expect(stderr).toBe('');
          resolve(stdout.split('\n').filter((line) => line !== ''));
        }
      },
    );
  });
}

describe('bash', () => {
  it('has registered the function', () => {
    const told = execFileSync('bash', ['--norc', '-c', `source '${script}'; complete -p csx`], { encoding: 'utf8' });
    expect(told).toBe('complete -F _csx csx\n');
  });

  it('completes verbs of one and two words', async () => {
    expect(await bash('pla')).toEqual(['plan']);
    expect(await bash('trust', '')).toEqual(['add', 'list', 'remove', 'verify']);
    expect(await bash('')).toContain('doctor');
    expect(await bash('compl')).toEqual(['completion']);
  });

  it('completes flags', async () => {
    expect(await bash('doctor', '--off')).toEqual(['--offline']);
    expect(await bash('init', '--fr')).toEqual(['--from']);
    expect(await bash('init', '--from', '')).toEqual(['csync2']);
    expect(await bash('completion', '')).toEqual([...SHELLS]);
  });

  it('completes peers and groups', async () => {
    expect(await bash('plan', '--peer', '')).toEqual(['web1', 'web2', 'mx', 'fe80::21']);
    expect(await bash('plan', '-P', 'we')).toEqual(['web1', 'web2']);
    expect(await bash('plan', '--peer', '=', 'we')).toEqual(['web1', 'web2']);
    expect(await bash('plan', '--peer', '=')).toEqual(['web1', 'web2', 'mx', 'fe80::21']);
    expect(await bash('plan', '--peer', '=', 'web1,m')).toEqual(['web1,mx']);
    expect(await bash('plan', '--group', 'm')).toEqual(['mail']);
    expect(await bash('trust', 'verify', 'm')).toEqual(['mx']);
    expect(await bash('-N', 'web1', 'plan', '-P', '')).toEqual(['me', 'web2']);
  });

  it('completes files of the configuration, quoted', async () => {
    expect(await bash('plan', `${root}/`)).toEqual([`${root}/tree/`]);
    expect(await bash('plan', `${root}/tree/my`)).toEqual([`${root}/tree/my\\ site/`]);
    expect(await bash('plan', `${root}/tree/my\\ site/`)).toEqual([`${root}/tree/my\\ site/a`]);
    expect(await bash('plan', 'tr')).toEqual(['tree/']);
  });

  it('leaves files of the disk to bash', async () => {
    expect((await bash('plan', '--config', `${root}/e`)).map((file) => path.basename(file))).toEqual(['etc']);
    expect(await bash('plan', '--system-dir', '=', `${root}/o`)).toEqual([`${root}/other`]);
  });

  it('is silent where there is no configuration', async () => {
    expect(await bash('plan', '--system-dir', '/nonexistent', '--peer', '')).toEqual([]);
  });

  it('runs nothing of what is typed', async () => {
    const trap = path.join(root, 'trap');
    writeFileSync(trap, `#!/bin/sh\ntouch ${root}/sprung\n`);
    chmodSync(trap, 0o755);
    await bash('plan', `$(${trap})`);
    await bash('plan', '--peer', `\`${trap}\``);
    expect(spawnSync('test', ['-e', `${root}/sprung`]).status).toBe(1);
  });
});

/** Types into a shell as a person would; a key of its own prints the line as it then stands. */
class Typist {
  readonly #terminal: Terminal;

  private constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  static async start(shell: 'bash' | 'zsh'): Promise<Typist> {
    const home = path.join(root, shell);
    mkdirSync(home);
    writeFileSync(path.join(home, 'csx'), (await runCsx(['completion', shell])).stdout);
    writeFileSync(path.join(home, shell === 'bash' ? 'rc' : '.zshrc'), RC[shell]);
    const terminal = startTerminal(
      shell === 'bash' ? ['bash', '--noprofile', '--rcfile', `${home}/rc`, '-i'] : ['zsh', '-i'],
      {
        columns: 200,
        rows: 24,
        env: {
          PATH: `${BIN}:${process.env['PATH'] ?? ''}`,
          HOME: home,
          ZDOTDIR: home,
          CSYNC2_SYSTEM_DIR: `${root}/etc`,
          CSX_HOSTNAME: 'me',
          HISTFILE: '',
        },
      },
    );
    await terminal.until(/READY/);
    return new Typist(terminal);
  }

  /** The line after Tab. */
  async tab(line: string): Promise<string> {
    this.#terminal.type(`${line}\t\x0f`);
    const shown = await this.#terminal.until(/<<[^>]*>>/);
    this.#terminal.type('\x15');
    return /<<([^>]*)>>/.exec(shown)?.[1] ?? '';
  }

  stop(): void {
    this.#terminal.kill();
  }
}

/** \x0f is Ctrl-O, \x15 Ctrl-U. */
const RC = {
  bash: `. "$HOME/csx"; bind 'set bell-style none'; show() { printf '<<%s>>\\n' "$READLINE_LINE"; }; bind -x '"\\C-o": show'; PS1='READY '\n`,
  zsh: `autoload -U compinit; compinit -u -D; source "$HOME/csx"; unsetopt beep
show() { print -r -- "<<$BUFFER>>"; zle reset-prompt }; zle -N show; bindkey -e; bindkey '^O' show; PS1='READY '\n`,
};

/** Bash breaks words at colons. */
const COLONS = [
  ['csx plan --peer fe', 'csx plan --peer fe80::21 '],
  ['csx plan --peer fe80:', 'csx plan --peer fe80::21 '],
  ['csx plan --peer=web1,fe80::', 'csx plan --peer=web1,fe80::21 '],
];

describe.each(['bash', 'zsh'] as const)('a line typed in %s', (shell) => {
  // Each line starts csx: on a busy machine they take their time.
  it('is completed: verbs, flags, peers, groups, files', { timeout: 120_000 }, async () => {
    const typist = await Typist.start(shell);
    try {
      const lines = [
        ['csx pla', 'csx plan '],
        ['csx trust ver', 'csx trust verify '],
        ['csx doctor --off', 'csx doctor --offline '],
        ['csx plan --peer m', 'csx plan --peer mx '],
        ['csx plan -P we', 'csx plan -P web'],
        ['csx plan --peer=m', 'csx plan --peer=mx '],
        ['csx plan --peer=web1,m', 'csx plan --peer=web1,mx '],
        ['csx plan --group ma', 'csx plan --group mail '],
        [`csx plan ${root}/tr`, `csx plan ${root}/tree/`],
        [`csx plan ${root}/tree/my`, `csx plan ${root}/tree/my\\ site/`],
        [`csx plan ${root}/tree/my\\ site/`, `csx plan ${root}/tree/my\\ site/a `],
        [`csx plan --config ${root}/etc/csy`, `csx plan --config ${root}/etc/csync2.cfg `],
        [`csx plan --config=${root}/etc/csy`, `csx plan --config=${root}/etc/csync2.cfg `],
        [`csx plan --system-dir ${root}/oth`, `csx plan --system-dir ${root}/other/`],
      ];
      if (shell === 'bash') lines.push(...COLONS);
      const typed: (readonly string[])[] = [];
      for (const [line = ''] of lines) typed.push([line, await typist.tab(line)]);
      expect(typed).toEqual(lines);
    } finally {
      typist.stop();
    }
  });
});

describe('fish', () => {
  it('offers verbs, flags, peers, groups, files', { timeout: 120_000 }, async () => {
    writeFileSync(path.join(root, 'csx.fish'), (await runCsx(['completion', 'fish'])).stdout);
    const offered = (line: string): readonly string[] => {
      const env = {
        PATH: `${BIN}:${process.env['PATH'] ?? ''}`,
        HOME: root,
        CSYNC2_SYSTEM_DIR: `${root}/etc`,
        CSX_HOSTNAME: 'me',
      };
      const told = execFileSync(
        'fish',
        ['--no-config', '-c', `source ${root}/csx.fish; complete -C "$argv[1]"`, line],
        {
          env,
          encoding: 'utf8',
        },
      );
      return told.split('\n').flatMap((each) => (each === '' ? [] : [each.split('\t')[0] ?? '']));
    };
    const lines = [
      ['csx pla', 'plan'],
      ['csx trust ', 'add', 'list', 'remove', 'verify'],
      ['csx doctor --off', '--offline'],
      ['csx plan --peer ', 'fe80::21', 'mx', 'web1', 'web2'],
      ['csx plan --peer=w', '--peer=web1', '--peer=web2'],
      ['csx plan --peer=web1,m', '--peer=web1,mx'],
      ['csx plan --peer fe80::', 'fe80::21'],
      ['csx plan --group m', 'mail'],
      [`csx plan ${root}/tr`, `${root}/tree/`],
      [`csx plan ${root}/tree/my\\ site/`, `${root}/tree/my site/a`],
      [`csx plan --config ${root}/etc/csy`, `${root}/etc/csync2.cfg`],
      [`csx plan --config=${root}/etc/csy`, `--config=${root}/etc/csync2.cfg`],
      [`csx plan --system-dir ${root}/oth`, `${root}/other/`],
    ];
    expect(lines.map(([line = '']) => [line, ...offered(line)])).toEqual(lines);
  });
});

describe('a script', () => {
  it.each(SHELLS)('is taken by %s', async (shell) => {
    const file = path.join(root, `script.${shell}`);
    const printed = await runCsx(['completion', shell]);
    expect(printed.status).toBe(0);
    expect(printed.stdout).toMatch(/complete -- .*2>\/dev\/null/);
    writeFileSync(file, printed.stdout);
    const checked = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    expect([checked.error, checked.status, checked.stderr]).toEqual([undefined, 0, '']);
  });

  it('is there for no other shell', async () => {
    const result = await runCsx(['completion', 'tcsh']);
    expect(result.status).toBe(64);
  });
});
