/** The three ways of `csx init`, each from its wish to its report: a new installation, a further host, one that is there. */

import path from 'node:path';
import { EDITOR_SCHEMA, readEditorSchema } from '../../config/editor-schema.js';
import { databasePath } from '../../engine/state/location.js';
import type { Finding } from '../../model/finding.js';
import { toBuffer } from '../../model/names.js';
import type { InitReport } from '../../views/human/init.js';
import { judgeAddresses, ownAddresses, resolveNames } from '../doctor/addresses.js';
import { examine } from '../doctor/examine.js';
import { compose, keyFileOf } from './compose.js';
import type { Form } from './compose.js';
import { csx, instructions } from './instructions.js';
import type { InstructionPlace } from './instructions.js';
import { join } from './join.js';
import { layDown, refuseExisting } from './lay-down.js';
import type { CommonFile } from './lay-down.js';
import { addressOf, nameOf } from './wish.js';
import type { InitWish } from './wish.js';

export interface Place extends Omit<InstructionPlace, 'hosts' | 'files'> {
  /** --config: for what is there already. */
  readonly file: string | undefined;
}

const DEFAULT_PORT = 30865;

/** Writes a new installation. Fails with WRITE_FAILED, FILE_UNSAFE or CERTIFICATE_UNREADABLE; then nothing is left behind. */
export async function setUp(wish: InitWish, form: Form, place: Place, now: number): Promise<InitReport> {
  const suffix = place.configName === undefined ? '' : `_${place.configName}`;
  const { systemDirectory } = place;
  const cfg = path.join(systemDirectory, `csync2${suffix}.cfg`);
  const yaml = path.join(systemDirectory, `csx${suffix}.yaml`);
  refuseExisting([cfg, yaml]);
  const databaseDirectory = path.dirname(databasePath({ ...place, host: wish.host }));
  const { text, spared } = await compose(wish, form, systemDirectory, [databaseDirectory]);
  const configFile = form === 'yaml' ? yaml : cfg;
  const keyFile = path.join(systemDirectory, keyFileOf(wish));
  const config = { path: configFile, what: 'configuration, the same on all hosts', bytes: toBuffer(text) };
  const beside = form === 'yaml' ? [editorSchemaIn(systemDirectory)] : [];
  const files = await layDown({ systemDirectory, config, beside, keyFile, databaseDirectory, now });
  const common = [configFile, ...beside.map((file) => file.path), keyFile];
  const told = instructions({ ...place, hosts: wish.hosts, files: common });
  return {
    title: `Group ${wish.group} of ${wish.hosts.map(nameOf).join(', ')} is set up on ${wish.host}.`,
    files,
    spared,
    findings: await namesOf(wish),
    others: told.others,
    here: told.here,
  };
}

function editorSchemaIn(systemDirectory: string): CommonFile {
  const what = 'by which editors complete and check csx.yaml';
  return { path: path.join(systemDirectory, EDITOR_SCHEMA), what, bytes: readEditorSchema() };
}

/** Names that do not resolve (yet) are worth a warning: nothing that was written is wrong for it. */
async function namesOf(wish: InitWish): Promise<readonly Finding[]> {
  const me = wish.hosts.filter((each) => nameOf(each) === wish.host).map(addressOf);
  const others = wish.hosts.filter((each) => nameOf(each) !== wish.host).map(addressOf);
  const findings = judgeAddresses(await resolveNames(me), await resolveNames(others), ownAddresses());
  return findings.filter((each) => each.status !== 'ok').map((each) => ({ ...each, status: 'warning' }));
}

/** Makes what is a further host's own. Fails as loading the configuration does. */
export async function setUpFurther(place: Place, now: number): Promise<InitReport> {
  const { host, database } = place;
  const { files } = await join(place, database, now);
  const here = ['daemon', 'doctor'].map((verb) => csx(verb, host, place));
  return { title: `${host} is ready.`, files, spared: [], findings: [], others: [], here };
}

/** Looks at what csync2 has here, as csx would find it. Changes nothing and contacts nobody. */
export async function takeOver(place: Place, bind: string | undefined, csxVersion: string): Promise<InitReport> {
  const findings = await examine({
    place,
    database: place.database,
    port: DEFAULT_PORT,
    bind,
    groups: [],
    peers: [],
    offline: true,
    timeout: 1_000,
    signal: undefined,
    csxVersion,
    now: Date.now,
  });
  const missing = findings.some((each) => each.status === 'error');
  return {
    title: missing
      ? 'Something is missing before csx can take over. Nothing was changed.'
      : 'csx can work with what is here. Nothing was changed.',
    files: [],
    spared: [],
    findings: findings.filter((each) => each.status !== 'ok'),
    others: [],
    here: (missing ? ['doctor'] : ['status', 'plan', 'doctor']).map((verb) => csx(verb, place.host, place)),
  };
}
