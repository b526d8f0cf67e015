// The house rules that a machine can keep: strict types, and who may import whom (ARCHITECTURE.md, "Who may import whom").
import path from 'node:path';
import tseslint from 'typescript-eslint';

/** A room and what it may import of the project. `model` is open to all. */
const rooms = {
  model: [],
  operator: ['model'],
  config: ['model', 'operator'],
  planner: ['model', 'config'],
  views: ['model'],
  'engine/wire': ['model'],
  'engine/delta': ['model'],
  'engine/state': ['model', 'operator', 'engine/wire', 'engine/delta'],
  'engine/files': ['model', 'operator', 'engine/wire', 'engine/delta'],
  'engine/net': ['model', 'operator', 'engine/wire', 'engine/delta'],
  'engine/scan': ['model', 'config'],
  'engine/update': [
    'model',
    'config',
    'planner',
    'engine/scan',
    'engine/state',
    'engine/files',
    'engine/net',
    'engine/wire',
    'engine/delta',
  ],
  'engine/compare': [
    'model',
    'config',
    'planner',
    'engine/scan',
    'engine/state',
    'engine/files',
    'engine/net',
    'engine/wire',
    'engine/delta',
  ],
  'engine/daemon': [
    'model',
    'config',
    'planner',
    'engine/scan',
    'engine/state',
    'engine/files',
    'engine/net',
    'engine/wire',
    'engine/delta',
  ],
  setup: ['model', 'operator', 'config', 'planner', 'views', 'engine'],
  cli: ['model', 'config', 'planner', 'views', 'engine', 'setup'],
  commands: ['model', 'config', 'planner', 'views', 'engine', 'cli', 'setup'],
  dropin: ['model', 'config', 'planner', 'engine'],
};

const SRC = path.join(import.meta.dirname, 'src');

/** The room a file lies in: the longest name in `rooms` that its path starts with. */
function roomOf(file) {
  const inside = path.relative(SRC, file);
  return Object.keys(rooms)
    .filter((room) => inside.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Reports imports from rooms that `rooms` does not open to the importing file. */
const keepRooms = {
  create(context) {
    const room = roomOf(context.filename);
    if (room === undefined) return {};
    const check = (node) => {
      const specifier = node.source?.value;
      if (typeof specifier !== 'string' || !specifier.startsWith('.')) return;
      const target = path.resolve(path.dirname(context.filename), specifier);
      const to = roomOf(target);
      const open = ['model', room, ...rooms[room]];
      if (to === undefined || open.some((name) => to === name || to.startsWith(`${name}/`))) return;
      context.report({ node, message: `${room} may import only ${open.join(', ')}; this is ${to}.` });
    };
    return {
      ImportDeclaration: check,
      ExportAllDeclaration: check,
      ExportNamedDeclaration: check,
      ImportExpression: check,
    };
  },
};

const OUTSIDE = [
  'node:fs',
  'node:fs/promises',
  'node:net',
  'node:tls',
  'node:dns',
  'node:child_process',
  'node:os',
  'node:http',
];
const VIEW_ONLY = ['chalk', 'diff', 'listr2'];

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/', 'src/**/assembly/**', 'fixtures/**'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', '*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    plugins: { csx: { rules: { 'keep-rooms': keepRooms } } },
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json', './test/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'csx/keep-rooms': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: false }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/views/**', 'src/cli/**', 'src/commands/**', 'src/dropin/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: VIEW_ONLY.map((name) => ({ name, message: 'Only views import it.' })) },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only cli, commands and dropin read the environment.' },
        { object: 'process', property: 'exit', message: 'Only bin ends the process.' },
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['src/model/**/*.ts', 'src/planner/**/*.ts', 'src/engine/wire/**/*.ts', 'src/engine/delta/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...OUTSIDE.map((name) => ({ name, message: 'This room is pure.' })),
            ...VIEW_ONLY.map((name) => ({ name, message: 'Only views import it.' })),
          ],
        },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'process', message: 'This room is pure.' },
        { name: 'setTimeout', message: 'This room is pure.' },
      ],
    },
  },
  {
    files: ['src/cli/**/*.ts', 'src/commands/**/*.ts'],
    // oclif's Flags.boolean() infers any where its type argument is left out.
    rules: { '@typescript-eslint/no-unnecessary-type-arguments': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
);
