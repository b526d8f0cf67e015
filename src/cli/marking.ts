/** What mark, force and hint have in common: PATH arguments to files the configuration holds. */

import { Args } from '@oclif/core';
import { CsxError } from '../model/errors.js';
import { fileName } from '../model/encoding.js';
import { display, fromText, isWithin } from '../model/names.js';
import type { FileName } from '../model/names.js';
import type { Scope } from '../model/store.js';
import { scopesOf } from './planning.js';
import type { Workspace } from './workspace.js';

export const pathsArgument = {
  paths: Args.string({
    name: 'PATH',
    description: 'Files, as on disk or as configured (%prefix%/x); globs in quotes.',
    required: true,
    multiple: true,
  }),
};

/** The scopes of the arguments. With `recursive` false each stands for itself alone. */
export async function namedScopes(
  paths: readonly string[],
  recursive: boolean,
  workspace: Workspace,
): Promise<readonly Scope[]> {
  const scopes = (await scopesOf(paths.map(fromText), workspace)) ?? [];
  return scopes.map((scope) => ({ ...scope, recursive }));
}

/** The known files of the scopes, each with its peers. */
export async function knownFiles(scopes: readonly Scope[], workspace: Workspace): Promise<readonly FileName[]> {
  const files = new Set<FileName>();
  for await (const rows of workspace.store.files(scopes)) {
    for (const row of rows) {
      const file = fileName(row.stored);
      if (workspace.chosen.includes(file)) files.add(file);
    }
  }
  // A file that is dirty as removed has no row.
  for (const row of await workspace.store.dirty()) {
    if (scopes.some((scope) => (scope.recursive ? isWithin(row.file, scope.file) : row.file === scope.file)))
      files.add(row.file);
  }
  if (files.size === 0) {
    throw new CsxError(
      'UNKNOWN_TARGET',
      `The database knows no file of that name: ${scopes.map((scope) => display(scope.file)).join(', ')}.`,
      {
        hint: 'csx scan records new files; with -r everything below a directory is meant.',
      },
    );
  }
  return [...files].sort();
}
