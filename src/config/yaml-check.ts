/** Holds csx.yaml against its schema (schemas/config.schema.json), and says in words and with the place what does not fit. */

import { Ajv } from 'ajv';
import type { ErrorObject, SchemaObject } from 'ajv';
import type { SourceRange } from '../model/errors.js';
import { nearest } from '../model/nearest.js';
import { readEditorSchema } from './editor-schema.js';
import type { Report } from './report.js';
import type { YamlNode } from './yaml-tree.js';

/** Checks a tree. Errors go to the report. */
export function checkYaml(root: YamlNode, report: Report): void {
  const schema = JSON.parse(readEditorSchema().toString()) as SchemaObject;
  const ajv = new Ajv({
    allErrors: true,
    allowUnionTypes: true,
    strictTypes: false,
    strictRequired: false,
    verbose: true,
  });
  const validate = ajv.compile(schema);
  if (validate(plain(root))) return;
  const seen = new Set<string>();
  for (const error of validate.errors ?? []) {
    const told = tell(error, root);
    if (told === undefined || seen.has(JSON.stringify(told))) continue;
    seen.add(JSON.stringify(told));
    report.error('CONFIG_INVALID', told.summary, told.range, told.hint);
  }
}

/** The tree as ajv reads it. */
function plain(node: YamlNode): unknown {
  switch (node.kind) {
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
    case 'list':
      return node.items.map(plain);
    case 'scalar':
      return node.value;
  }
}

interface Told {
  readonly summary: string;
  readonly range: SourceRange;
  readonly hint?: string | undefined;
}

function tell(error: ErrorObject, root: YamlNode): Told | undefined {
  const steps = error.instancePath.split('/').slice(1).map(unescapeStep);
  const { node, shown } = follow(root, steps);
  const { range } = node;
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
      const near = nearest(key, known);
      return {
        summary: `${shown} does not know ${JSON.stringify(key)}.`,
        range: keyRange(node, key),
        hint: `${near === undefined ? '' : `Did you mean ${near}? `}It knows ${known.join(', ')}.`,
      };
    }
    case 'required':
      return {
        summary: `${shown} has no ${String(params['missingProperty'])}.`,
        range,
        hint: `Add: ${String(params['missingProperty'])}: ...`,
      };
    case 'type':
      return wrongType(shown, node, params['type']);
    case 'enum':
    case 'const': {
      const allowed = (params['allowedValues'] ?? [params['allowedValue']]) as readonly unknown[];
      const near = node.kind === 'scalar' ? nearest(String(node.value), allowed.map(String)) : undefined;
      return {
        summary: `${shown} must be ${list(allowed.map(String))}${given(node)}.`,
        range,
        hint: near === undefined ? undefined : `Did you mean ${near}?`,
      };
    }
    case 'propertyNames': {
      const key = String(params['propertyName']);
      return { summary: `${JSON.stringify(key)} is no name that ${shown} can hold.`, range: keyRange(node, key) };
    }
    case 'minProperties':
    case 'maxProperties':
      return {
        summary: `${shown} must hold one of include, exclude and compare.`,
        range,
        hint: 'One - for each, in order.',
      };
    case 'pattern':
      // Errors about a key's own text are told by propertyNames.
      return error.propertyName === undefined ? unfit(shown, node, String(params['pattern'])) : undefined;
    default:
      return error.propertyName === undefined
        ? { summary: `${shown} ${error.message ?? 'is wrong'}.`, range }
        : undefined;
  }
}

function wrongType(shown: string, node: YamlNode, type: unknown): Told {
  const wanted = (Array.isArray(type) ? type : [type]).map((name) => TYPES[String(name)] ?? String(name));
  const quote = node.kind === 'scalar' && typeof node.value !== 'string' && wanted.includes('a text');
  const hint = quote ? `Quote it: ${JSON.stringify(String(node.value ?? ''))}.` : undefined;
  return { summary: `${shown} must be ${list(wanted)}${given(node)}.`, range: node.range, hint };
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
};

function unfit(shown: string, node: YamlNode, pattern: string): Told {
  const what = pattern.startsWith('^/')
    ? 'an absolute path'
    : pattern.includes('smh')
      ? 'a number of seconds, or a number with s, m or h'
      : pattern.includes('%')
        ? 'a number of files or a percentage up to 100%'
        : 'free of NUL';
  return { summary: `${shown} must be ${what}${given(node)}.`, range: node.range };
}

function given(node: YamlNode): string {
  if (node.kind === 'map') return ', not a map';
  if (node.kind === 'list') return ', not a list';
  return `, not ${node.value === null ? 'empty' : JSON.stringify(node.value)}`;
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

/** The node at a path, and how a person writes the path: `groups.web.hosts[1]`. */
function follow(root: YamlNode, steps: readonly string[]): { readonly node: YamlNode; readonly shown: string } {
  let node = root;
  let shown = '';
  for (const step of steps) {
    if (node.kind === 'map') {
      const entry = node.entries.find(({ key }) => key === step);
      if (entry === undefined) break;
      node = entry.value;
      shown += `${shown === '' ? '' : '.'}${step}`;
    } else if (node.kind === 'list') {
      const item = node.items[Number(step)];
      if (item === undefined) break;
      node = item;
      shown += `[${step}]`;
    }
  }
  return { node, shown: shown === '' ? 'The file' : shown };
}

function keyRange(node: YamlNode, key: string): SourceRange {
  const entry = node.kind === 'map' ? node.entries.find((one) => one.key === key) : undefined;
  return entry?.keyRange ?? node.range;
}

function unescapeStep(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}
