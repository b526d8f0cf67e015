/** Links between the documents lead somewhere: files that are there, headings that are in them. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const documents = ['.', 'docs', 'packaging', 'bench', 'schemas'].flatMap((directory) =>
  readdirSync(path.join(ROOT, directory))
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join(directory, name)),
);

/** Targets of links, without code in which brackets mean something else. */
function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
}

/** A heading as GitHub names it. */
function anchors(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

it.each(documents)('%s', (document) => {
  const broken = linksOf(readFileSync(path.join(ROOT, document), 'utf8')).filter((link) => {
    if (/^[a-z]+:/.test(link)) return !URL.canParse(link);
    const [file = '', anchor] = link.split('#');
    const target = path.join(ROOT, file === '' ? document : path.join(path.dirname(document), file));
    if (!existsSync(target)) return true;
    return anchor !== undefined && !anchors(readFileSync(target, 'utf8')).includes(anchor);
  });
  expect(broken).toEqual([]);
});
