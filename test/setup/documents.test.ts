/** What the verbs of setup print under --json, from the program as built, against schemas/, closed: nothing more, nothing less. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tighten } from '../model/schema.js';
import { runCsx } from '../support/csx.js';

const NAMES = ['init', 'doctor', 'config-show', 'config-convert'];
const HOST = '127.33.10.1';
let root: string;
let ajv: Ajv2020;

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'csx-documents-'));
  mkdirSync(path.join(root, 'old'));
  writeFileSync(path.join(root, 'old/k'), 'k'.repeat(64), { mode: 0o600 });
  writeFileSync(
    path.join(root, 'old/csync2.cfg'),
    `nossl a b; prefix p { on x: /y; } ignore uid; database /var/lib/csync2; tempdir /tmp; group other { host a b; key none; }
     group g { host ${HOST} nobody.invalid@127.33.10.3 (127.33.10.2); key k; include /x; auto first; backup-directory /b;
     action { pattern /x; exec "true"; } }`,
  );
  ajv = new Ajv2020({ strict: true, strictTypes: false });
  for (const name of NAMES) {
    const text = readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8');
    ajv.addSchema(tighten(JSON.parse(text), `${name}.schema.json`) as object, name);
  }
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

it.each([
  ['init', 0, ['init', '--host', HOST, '--host', 'nobody.invalid', '--include', '/**', '--system-dir', 'new']],
  ['init', 0, ['init', '--join', '--system-dir', 'new']],
  ['init', 1, ['init', '--from', 'csync2', '--system-dir', 'old']],
  ['doctor', 1, ['doctor', '--offline', '--system-dir', 'old']],
  ['config-show', 0, ['config', 'show', '--system-dir', 'old']],
  ['config-convert', 0, ['config', 'convert', '--system-dir', 'old']],
] as const)('%s (status %i): %j', async (name, status, args) => {
  const result = await runCsx([...args, '--json', '-N', HOST, '-D', `${root}/db/`], { cwd: root });
  expect([result.status, result.stderr]).toEqual([status, '']);
  const validate = ajv.getSchema(name);
  expect(validate?.(JSON.parse(result.stdout)), JSON.stringify(validate?.errors)).toBe(true);
});
