/** What people mistype: one line that says what is wrong, and the next what was probably meant. Status 64. */

import { expect, it } from 'vitest';
import { runCsx } from '../support/csx.js';

it.each([
  ['plna', "There is no command 'plna'.", "Did you mean 'csx plan'?"],
  ['trust lst', "There is no command 'trust lst'.", "Did you mean 'csx trust list'?"],
  ['frobnicate', "There is no command 'frobnicate'.", "Run 'csx --help' for the list of commands."],
  ['plan --pear web1', 'There is no flag --pear of csx plan.', 'Did you mean --peer?'],
  ['apply --auto-aprove', 'There is no flag --auto-aprove of csx apply.', 'Did you mean --auto-approve?'],
  ['trust list --jsno=x', 'There is no flag --jsno=x of csx trust list.', 'Did you mean --json?'],
  ['status --frobnicate', 'There is no flag --frobnicate of csx status.', "Run 'csx status --help' for what it takes."],
])('csx %s', async (line, said, meant) => {
  const result = await runCsx(line.split(' '));
  expect(result).toMatchObject({ status: 64, stdout: '' });
  const told = result.stderr.replaceAll(/\s+/g, ' ');
  expect(told).toContain(said);
  expect(told).toContain(meant);
});
