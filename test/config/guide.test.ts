/** The examples in docs/csx-yaml.md are configurations that csx takes as they stand. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/load.js';

const GUIDE = readFileSync(path.join(import.meta.dirname, '../../docs/csx-yaml.md'), 'utf8');
const EXAMPLES = [...GUIDE.matchAll(/^```yaml\n([^]*?)^```$/gm)].map((match) => match[1] ?? '');
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'csx-guide-'));
  writeFileSync(path.join(directory, 'csync2.key_web'), 'k'.repeat(64), { mode: 0o600 });
  writeFileSync(
    path.join(directory, 'csync2.cfg'),
    'group web { host web1 web2; key csync2.key_web; include /etc/apache2; }',
  );
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

it('has two', () => {
  expect(EXAMPLES).toHaveLength(2);
});

it.each(EXAMPLES)('takes %j', async (text) => {
  const file = path.join(directory, 'csx.yaml');
  writeFileSync(file, text);
  const { config, problems } = await checkConfig({ systemDirectory: directory, host: 'web1', file });
  expect(problems).toEqual([]);
  const [group] = config?.groups ?? [];
  expect(group?.name).toBe('web');
  expect(group?.maxDelete).toBeDefined();
  expect(group?.sensitive).toEqual(['/etc/apache2/ssl/**']);
});

it('shows every setting there is', () => {
  const schema = readFileSync(path.join(import.meta.dirname, '../../schemas/config.schema.json'), 'utf8');
  const known = new Set<string>();
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('properties' in node && typeof node.properties === 'object' && node.properties !== null) {
      for (const name of Object.keys(node.properties)) known.add(name);
    }
    Object.values(node).forEach(walk);
  };
  walk(JSON.parse(schema));
  // `via` is the object form of web2@web2-net, `compare` one of the kinds of patterns.
  const missing = [...known].filter((name) => !EXAMPLES.join('').includes(`${name}:`));
  expect(missing.sort()).toEqual(['compare', 'via']);
});
