/** The examples in docs/plan-json.md and docs/ci.md, taken from the documents and run against a real cluster, jq included. */

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The fenced blocks of a document in one language. */
function blocks(document: string, language: string): readonly string[] {
  const text = readFileSync(path.join(ROOT, 'docs', document), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap((match) =>
    match[1] === language ? [match[2] ?? ''] : [],
  );
}

let cluster: Cluster;
let here: string;
let there: string;

beforeAll(async () => {
  cluster = await startCluster({ block: '127.36.8', peers: 1 });
  [here, there] = cluster.trees as [string, string];
  for (const name of ['a', 'b', 'c', 'd']) put(`${here}/${name}`, name);
  expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
});
afterAll(async () => {
  await cluster.stop();
});

/** Runs shell lines as a runner does; `csx` is this one, as the cluster's first host. */
function shell(
  script: string,
): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const csx = `csx() { '${ROOT}/bin/csx' "$@" -N ${cluster.hosts[0]!} -D '${cluster.databaseDirectory}'; }`;
  const env = { ...process.env, CSYNC2_SYSTEM_DIR: cluster.systemDirectory };
  const child = spawn('bash', ['-eo', 'pipefail', '-c', `${csx}\n${script}`], { cwd: cluster.root, env });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      resolve({ status, stdout: stdout.join(''), stderr: stderr.join('') });
    });
  });
}

describe('docs/plan-json.md', () => {
  it('has filters that say what they promise', async () => {
    put(`${here}/a`, 'a, changed');
    put(`${here}/b`, 'b, changed here');
    put(`${there}/b`, 'b, changed there too');
    unlinkSync(`${here}/c`);
    const peer = cluster.hosts[1]!;
    const [deleted, counted, conflicts, sent, ...more] = blocks('plan-json.md', 'sh');
    expect(more).toEqual([]);
    expect(await shell(deleted!)).toMatchObject({ status: 0, stdout: `${peer}:%t%/c\n` });
    expect(await shell(counted!)).toMatchObject({ status: 0, stdout: `${peer}: 2\n` });
    expect((await shell(conflicts!)).stdout).toMatch(new RegExp(`^${peer}:%t%/b: .*changed there`));
    const applied = await shell(sent!);
    expect(
      applied.stdout
        .split('\n')
        .filter((line) => /\/[ac]$/.test(line))
        .sort(),
    ).toEqual([`${peer}:%t%/a`, `${peer}:%t%/c`]);
    // jq is content; csx is not: a conflict is left.
    expect(applied.status).toBe(3);
    expect((await shell(`csx force ${here}/b && csx apply --auto-approve`)).status).toBe(0);
  });

  it('has a policy whose every member is one of the plan', () => {
    const [policy] = blocks('plan-json.md', 'rego');
    const schema = readFileSync(path.join(ROOT, 'schemas/plan.schema.json'), 'utf8');
    const members = [...policy!.matchAll(/\b(?:input|counts|change)\.([a-z_]+)/g)].map((match) => match[1]!);
    expect(members.length).toBeGreaterThan(5);
    for (const member of members) expect([member, schema.includes(`"${member}"`)]).toEqual([member, true]);
  });
});

interface Job {
  readonly steps?: readonly { readonly run?: string }[];
  readonly script?: readonly string[];
}

describe('docs/ci.md', () => {
  const [github, gitlab] = blocks('ci.md', 'yaml').map((text) => load(text) as Record<string, unknown>);
  const hub = github?.['jobs'] as Readonly<Record<'plan' | 'apply', Job>>;
  const lab = gitlab as unknown as Readonly<Record<'plan' | 'apply', Job>>;
  /** What of a job is csx's: the rest talks to the forge. */
  const script = (job: Job): string =>
    [...(job.steps ?? []).map((step) => step.run ?? ''), ...(job.script ?? [])]
      .flatMap((text) => text.split('\n'))
      .filter((line) => /^(?:mkdir|csx|exit) /.test(line))
      .join('\n');

  it.each([
    ['GitHub Actions', hub],
    ['GitLab CI', lab],
  ] as const)('plans on a pull request and applies on merge: %s', async (name, jobs) => {
    // A conflict fails the job, and is told all the same.
    put(`${here}/d`, `d here, for ${name}`);
    put(`${there}/d`, `d, made there for ${name}`);
    expect((await shell(script(jobs.plan))).status).toBe(3);
    expect(readFileSync(path.join(cluster.root, '.csx/plan.md'), 'utf8')).toContain('1 conflict');
    expect((await shell(`csx scan && csx force ${here}/d && csx apply --auto-approve`)).status).toBe(0);
    put(`${here}/a`, `a, for ${name}`);
    const planned = await shell(script(jobs.plan));
    expect(planned, planned.stderr).toMatchObject({ status: 0 });
    const comment = readFileSync(path.join(cluster.root, '.csx/plan.md'), 'utf8');
    expect(comment).toContain('1 to update');
    expect(comment.length).toBeLessThanOrEqual(65_536);
    expect(readTree(there)['a']).not.toEqual(readTree(here)['a']);
    const applied = await shell(script(jobs.apply));
    expect(applied, applied.stderr).toMatchObject({ status: 0 });
    expect(readTree(there)).toEqual(readTree(here));
    expect(readFileSync(path.join(cluster.root, '.csx/records.jsonl'), 'utf8').trimEnd().split('\n').at(-1)).toContain(
      '"type":"result"',
    );
  });

  it('has no line of csx that is not run here', () => {
    const texts = blocks('ci.md', 'yaml');
    expect([texts.length, blocks('ci.md', 'sh').length, blocks('ci.md', 'text').length]).toEqual([2, 1, 1]);
    for (const [index, jobs] of [hub, lab].entries()) {
      const run = `${script(jobs.plan)}\n${script(jobs.apply)}`.split('\n');
      const lines = texts[index]!.split('\n').map((line) => line.replace(/^\s*(?:- )?/, ''));
      const csx = lines.filter((line) => /\bcsx (?:plan|show|apply)\b/.test(line));
      expect(csx).toHaveLength(4);
      expect(run).toEqual(expect.arrayContaining(csx));
    }
  });

  it('has a configuration that csx takes', async () => {
    const [config] = blocks('ci.md', 'text');
    const file = path.join(cluster.root, 'site.cfg');
    const key = path.join(cluster.root, 'site.key');
    put(key, 'k'.repeat(64), 0o600);
    put(file, config!.replace('/etc/csync2.site.key', key).replaceAll(/\bweb1\b/g, cluster.hosts[0]!), 0o600);
    const checked = await shell(`csx config check --config ${file}`);
    expect(checked, checked.stdout + checked.stderr).toMatchObject({ status: 0 });
  });

  it('notices drift every night', async () => {
    const [nightly] = blocks('ci.md', 'sh');
    expect(await shell(nightly!)).toMatchObject({ status: 0 });
    put(`${there}/a`, 'drifted there');
    expect(await cluster.peers[0]!.run(['-cr', '/'])).toMatchObject({ status: 0 });
    expect(await shell(nightly!)).toMatchObject({ status: 2 });
    put(`${here}/a`, 'drifted');
    expect(await shell(nightly!)).toMatchObject({ status: 7 });
  });

  it('applies on the others while a peer is down, where that is asked for', async () => {
    put(`${here}/a`, 'while the peer is down');
    await cluster.peers[0]!.kill();
    const apply = script(hub.apply);
    const [, anyway] = /`csx plan \.\.\. (\|\| [^`]+)`/.exec(readFileSync(path.join(ROOT, 'docs/ci.md'), 'utf8')) ?? [];
    const records = path.join(cluster.root, '.csx/records.jsonl');
    unlinkSync(records);
    expect(await shell(apply)).toMatchObject({ status: 4 });
    expect(existsSync(records)).toBe(false);
    expect(await shell(apply.replace(/^csx plan .*$/m, `$& ${anyway!}`))).toMatchObject({ status: 4 });
    expect(readFileSync(records, 'utf8').trimEnd().split('\n').at(-1)).toContain('"type":"result"');
  });
});
