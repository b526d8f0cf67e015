// Makes dist/ of build/ (what tsc wrote): the same code in few files, since a start spends most of its time on finding and reading
// them. Part of `npm run build`.
//
//   dist/cli, dist/commands, dist/chunks   csx: ES modules, one for each verb, as oclif looks for them
//   dist/engine                            what runs in threads of its own
//   dist/csync2                            the drop-in csync2: CommonJS, which Node starts faster
//
// Packages stay outside, under their own names, but for those that every csx starts with: these come along, with what they need and
// their licences. Names and lines are kept, so that a stack trace can be read.

import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { rolldown } from 'rolldown';

process.chdir(path.join(import.meta.dirname, '..'));
const FRESH = 'build/dist';
/** better-sqlite3 as the drop-in has it: finding its fifteen files took a tenth of a short run. */
const SQLITE = '\0sqlite';
const ENTRIES = ['cli/main', 'engine/update/scan-thread', 'engine/daemon/maker-thread', ...verbs()];

/** Packages whose files are many: finding and reading them was a quarter of a start. */
const INSIDE = ['@oclif/core', 'chalk'];
/** What these look for in development alone. */
const NEVER = ['semver', 'ts-node', 'typescript'];
/** What stands for modules that cost more than they are good for. */
const INSTEAD = {
  // Node.js makes stdin, stdout and stderr for whoever imports it, used or not.
  'node:process': 'export default globalThis.process;',
  // oclif asks at each start whether this is Windows' Linux, and names the platform by it: to csx it is Linux.
  'wsl-utils': 'export const isWsl = false;',
};

rmSync(FRESH, { recursive: true, force: true });
const packages = new Set();
await bundle(Object.fromEntries(ENTRIES.map((name) => [name, `build/${name}.js`])), {
  dir: FRESH,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
});
await bundle(
  { main: 'build/dropin/main.js' },
  {
    dir: `${FRESH}/csync2`,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    codeSplitting: {
      groups: [
        // What every mode needs comes in one file, and nothing else: what it loads in turn (node:crypto above all) costs every run.
        { name: (id, graph) => (alwaysNeeded(graph).has(id) ? 'core' : null), debugName: 'core', priority: 2 },
        { name: 'work', priority: 1, minShareCount: 4 },
      ],
    },
  },
  SQLITE,
);
writeFileSync(`${FRESH}/LICENSES.txt`, [...packages].sort().map(licenceOf).join('\n'));
// All at once: who starts csx meanwhile gets the one or the other.
rmSync('dist', { recursive: true, force: true });
renameSync(FRESH, 'dist');

/** The verbs that the sources have; build/ may hold some that are gone. */
function verbs() {
  return readdirSync('src/commands', { recursive: true })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `commands/${file.slice(0, -'.ts'.length)}`);
}

/** The drop-in's entry and all that it imports, directly or not, before it knows what it is asked for. */
function alwaysNeeded(graph) {
  const found = new Set();
  const waiting = [path.resolve('build/dropin/main.js')];
  for (const id of waiting) {
    if (found.has(id)) continue;
    found.add(id);
    waiting.push(...(graph.getModuleInfo(id)?.importedIds ?? []));
  }
  return found;
}

/**
 * Its JavaScript comes along, what is compiled to machine code is where npm put it. Both must be of one version: when npm has put
 * another one there, that one's JavaScript is taken.
 */
function loadSqlite(id) {
  if (id !== SQLITE) return undefined;
  const home = path.resolve('node_modules/better-sqlite3');
  const { version } = JSON.parse(readFileSync(`${home}/package.json`, 'utf8'));
  return `
    import { readFileSync } from 'node:fs';
    import createDatabase from '${home}/lib/database.js';
    import SqliteError from '${home}/lib/sqlite-error.js';
    const home = ['../../node_modules', '../../..'].map((up) => __dirname + '/' + up + '/better-sqlite3').find(isSame);
    function isSame(place) {
      try {
        return JSON.parse(readFileSync(place + '/package.json', 'utf8')).version === '${version}';
      } catch {
        return false;
      }
    }
    const bundled = () =>
      Object.assign(createDatabase((binding) => require(home + '/lib/binding.js').getBinding(binding), true), { SqliteError });
    export default home === undefined ? require('better-sqlite3') : bundled();
  `;
}

async function bundle(input, output, sqlite) {
  const build = await rolldown({
    input,
    platform: 'node',
    external: (id, importer) =>
      isOutside(id, importer) && (id !== 'better-sqlite3' || importer === sqlite || sqlite === undefined),
    plugins: [
      { name: 'instead', resolveId: instead, load: (id) => INSTEAD[id.slice(1)] },
      { name: 'sqlite', resolveId: (id) => (id === 'better-sqlite3' ? sqlite : undefined), load: loadSqlite },
      { name: 'place', transform },
    ],
  });
  const { output: files } = await build.write({ ...output, comments: false });
  for (const { fileName, code = '', moduleIds = [] } of files) {
    const from = path.join(output.dir, fileName);
    const depth = path.relative(FRESH, from).split(path.sep).length;
    if (/import\.meta\.url|__filename/.test(code) && depth !== 2)
      throw new Error(`${from} finds files by its place, which is not two levels below the root any more.`);
    for (const id of moduleIds) {
      const found = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id);
      if (found !== null) packages.add(found[0]);
    }
  }
}

function instead(id, importer) {
  return Object.hasOwn(INSTEAD, id) && isInside(importer) ? `\0${id}` : undefined;
}

function licenceOf(directory) {
  const { name, version } = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8'));
  const file = readdirSync(directory).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no licence to be passed on with dist/.`);
  return `${name} ${version}\n\n${readFileSync(path.join(directory, file), 'utf8').trim()}\n`;
}

/** A module finds by its place what it would find if it still lay in build/. What it names in dist/ (a thread's code) has to be there. */
function transform(code, id) {
  if (!code.includes('import.meta.url')) return undefined;
  for (const [, name = ''] of code.matchAll(/'(?:\.\.\/)+dist\/([^']+)\.js'/g)) {
    if (!ENTRIES.includes(name)) throw new Error(`${id} starts dist/${name}.js, which is no entry of the bundle.`);
  }
  const place = path.relative('dist/chunks', id);
  return code.replaceAll('import.meta.url', `new URL('${place}', import.meta.url).href`);
}

function isOutside(id, importer) {
  if (Object.hasOwn(INSTEAD, id) && isInside(importer)) return false;
  if (isInside(importer)) return isBuiltin(id) || NEVER.includes(id);
  return !/^[./]/.test(id) && !id.startsWith('build/') && !INSIDE.includes(id);
}

function isInside(importer = '') {
  return importer.includes('/node_modules/');
}
