/** Holds what csx prints under --json against the schema that describes it, closed: nothing may be printed that the schema does not name. */

import { readFileSync, readdirSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { tighten } from '../model/schema.js';

const SCHEMAS = new URL('../../schemas/', import.meta.url);

/** @param name of the schema, without `.schema.json` */
export function expectDescribed(name: string, document: unknown): void {
  const ajv = new Ajv2020({ strictTypes: false, formats: { 'date-time': true } });
  for (const file of readdirSync(SCHEMAS).filter((each) => each.endsWith('.schema.json'))) {
    const schema = JSON.parse(readFileSync(new URL(file, SCHEMAS), 'utf8')) as { $schema?: string };
    if (schema.$schema?.includes('2020-12') === true) ajv.addSchema(tighten(schema, file) as object, file);
  }
  const validate = ajv.getSchema(`${name}.schema.json`);
  expect(validate?.(document), JSON.stringify(validate?.errors)).toBe(true);
}
