/** Names and sentences as GitHub's Markdown shows them unchanged, also inside tables. */

import { safe } from '../human/problem.js';

/** Text that has been through `display`, as a code span: nothing in it is markup. */
export function code(shown: string): string {
  if (shown === '') return '';
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  // A space next to the fence is dropped again, and is needed next to a backtick of the text or around outer spaces.
  const pad = /^[` ]|[` ]$/.test(shown) ? ' ' : '';
  return fence + pad + shown + pad + fence;
}

/** A sentence: what would be markup in it is escaped. */
export function prose(text: string): string {
  return safe(text)
    .replace(/[\\`*_{}[\]#~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** A row of a table: GitHub splits cells at every bar that no backslash escapes, even inside a code span. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}
