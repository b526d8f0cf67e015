/**
 * The command line of csync2 2.0, read as getopt(3) reads it: one letter an option, letters joined (`-crvv`), values joined or
 * apart (`-p 1`, `-p1`), options before and after file arguments, `--` ends them. Pure.
 */

/** The one thing a run does; `check-update` is `-cu`, `check-and-update` is `-x`. */
export type Mode =
  | 'hint'
  | 'check'
  | 'update'
  | 'check-update'
  | 'check-and-update'
  | 'list-files'
  | 'force'
  | 'mark'
  | 'list-hints'
  | 'list-known'
  | 'list-dirty'
  | 'list-sync'
  | 'test-sync'
  | 'remove-old'
  | 'inetd'
  | 'listen'
  | 'listen-once';

export interface Options {
  readonly mode: Mode;
  /** File arguments, or host names for -S and -T, as typed. */
  readonly arguments: readonly string[];
  /** -v, counted. */
  readonly verbose: number;
  /** -r */
  readonly recursive: boolean;
  /** -d */
  readonly dryRun: boolean;
  /** -I */
  readonly initRun: boolean;
  /** -X: removals too, with -TI. */
  readonly removals: boolean;
  /** -U: only for the peer compared with, with -TI. */
  readonly onlyPeer: boolean;
  /** -F: mark as forced. */
  readonly forceNew: boolean;
  /** -TT */
  readonly diffs: boolean;
  /** -l */
  readonly syslog: boolean;
  /** -t */
  readonly timestamps: boolean;
  /** -s */
  readonly timestampFile: string | undefined;
  /** -W, as typed. */
  readonly dumpDirectories: string | undefined;
  /** -G; undefined: all. */
  readonly groups: readonly string[] | undefined;
  /** -P; undefined: all. */
  readonly peers: readonly string[] | undefined;
  /** -C */
  readonly configName: string | undefined;
  /** -D */
  readonly database: string | undefined;
  /** -N */
  readonly hostname: string | undefined;
  /** -p, as typed. */
  readonly port: string;
}

export type Parsed =
  | { readonly kind: 'run'; readonly options: Options }
  /** `-k FILE`, which stands alone. */
  | { readonly kind: 'key'; readonly file: string }
  /** The help text is due; `message` is what getopt says before it. */
  | { readonly kind: 'usage'; readonly message: string | undefined };

const WITH_VALUE = 'WspGPCDN';
const FLAGS = 'FtHBAIXULlSTMRvhcuoimfxrd';
const MODE_OF: Readonly<Record<string, Mode>> = {
  h: 'hint',
  x: 'check-and-update',
  o: 'list-files',
  f: 'force',
  m: 'mark',
  H: 'list-hints',
  L: 'list-known',
  M: 'list-dirty',
  S: 'list-sync',
  R: 'remove-old',
};
/** csync2's own port. */
const PORT = '30865';

/** @param argv the arguments after the program's name */
export function parseOptions(argv: readonly string[]): Parsed {
  const [first, second] = argv;
  if (first === '-k' && second !== undefined && argv.length === 2) return { kind: 'key', file: second };
  const read = getopt(argv);
  if (read.message !== undefined) return { kind: 'usage', message: read.message };
  const count = (letter: string): number => read.letters.get(letter) ?? 0;
  const mode = modeOf(count);
  if (mode === undefined || !takes(mode, read.operands.length)) return { kind: 'usage', message: undefined };
  const last = (letter: string): string | undefined => read.values.get(letter);
  return {
    kind: 'run',
    options: {
      mode,
      arguments: read.operands,
      verbose: count('v'),
      recursive: count('r') > 0,
      dryRun: count('d') > 0,
      initRun: count('I') > 0,
      removals: count('X') > 0,
      onlyPeer: count('U') > 0,
      forceNew: count('F') > 0,
      diffs: count('T') > 1,
      syslog: count('l') > 0,
      timestamps: count('t') > 0,
      timestampFile: last('s'),
      dumpDirectories: last('W'),
      groups: listOf(last('G')),
      peers: listOf(last('P')),
      configName: last('C'),
      database: last('D'),
      hostname: last('N'),
      port: last('p') ?? PORT,
    },
  };
}

interface Read {
  /** How often each letter came. */
  readonly letters: ReadonlyMap<string, number>;
  readonly values: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
  readonly message: string | undefined;
}

function getopt(argv: readonly string[]): Read {
  const letters = new Map<string, number>();
  const values = new Map<string, string>();
  const operands: string[] = [];
  const wrong = (message: string): Read => ({ letters, values, operands, message });
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') {
      operands.push(...argv.slice(index + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word.charAt(at);
      if (WITH_VALUE.includes(letter)) {
        const joined = word.slice(at + 1);
        const value = joined === '' ? argv[++index] : joined;
        if (value === undefined) return wrong(`option requires an argument -- '${letter}'`);
        letters.set(letter, (letters.get(letter) ?? 0) + 1);
        values.set(letter, value);
        break;
      }
      if (!FLAGS.includes(letter)) return wrong(`invalid option -- '${letter}'`);
      letters.set(letter, (letters.get(letter) ?? 0) + 1);
    }
  }
  return { letters, values, operands, message: undefined };
}

/** Exactly one mode; only -c and -u go together, and only -T and -i may be repeated. */
function modeOf(count: (letter: string) => number): Mode | undefined {
  const modes: Mode[] = [];
  for (const [letter, mode] of Object.entries(MODE_OF)) {
    for (let times = count(letter); times > 0; times--) modes.push(mode);
  }
  const served = (['inetd', 'listen', 'listen-once'] as const)[count('i') - 1];
  if (count('i') > 0) {
    if (served === undefined) return undefined;
    modes.push(served);
  }
  if (count('T') > 0) modes.push('test-sync');
  if (count('c') > 1 || count('u') > 1) return undefined;
  if (count('c') + count('u') === 2) modes.push('check-update');
  else if (count('c') > 0) modes.push('check');
  else if (count('u') > 0) modes.push('update');
  return modes.length === 1 ? modes[0] : undefined;
}

/** Whether the mode takes so many arguments. */
function takes(mode: Mode, operands: number): boolean {
  switch (mode) {
    case 'list-hints':
    case 'list-known':
    case 'list-dirty':
    case 'remove-old':
    case 'inetd':
    case 'listen':
    case 'listen-once':
      return operands === 0;
    case 'list-sync':
      return operands === 2;
    case 'test-sync':
      return operands <= 3;
    case 'hint':
    case 'check':
    case 'update':
    case 'check-update':
    case 'check-and-update':
    case 'list-files':
    case 'force':
    case 'mark':
      return true;
  }
}

function listOf(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : value.split(',').filter((name) => name !== '');
}
