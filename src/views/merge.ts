/**
 * Two versions of a text in one, with conflict markers where they differ, as git writes them:
 *
 *   <<<<<<< here
 *   10.0.0.2 web2
 *   =======
 *   10.0.0.2 web2 www
 *   >>>>>>> web2
 *
 * A merge of two, not of three: nobody keeps the version both came from, so every difference is a question.
 */

import { diffArrays } from 'diff';

const [BEGIN, MIDDLE, END] = ['<<<<<<<', '=======', '>>>>>>>'];

/** The merge, as bytes. Lines that are the same stand once. */
export function mergeText(
  here: string,
  there: string,
  labels: { readonly here: string; readonly there: string },
): string {
  let text = '';
  let mine: string[] = [];
  let theirs: string[] = [];
  const close = (): void => {
    if (mine.length + theirs.length === 0) return;
    text += `${BEGIN} ${labels.here}\n${block(mine)}${MIDDLE}\n${block(theirs)}${END} ${labels.there}\n`;
    mine = [];
    theirs = [];
  };
  for (const part of diffArrays(linesOf(here), linesOf(there))) {
    if (part.removed) mine.push(...part.value);
    else if (part.added) theirs.push(...part.value);
    else {
      close();
      text += part.value.join('');
    }
  }
  close();
  return text;
}

/** Whether markers are left: lines that begin as a marker does. */
export function hasMarkers(text: string): boolean {
  return /^(?:<{7}|>{7}) /m.test(text);
}

/** Each with its line end; the last one perhaps without. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** A marker must begin a line of its own. */
function block(lines: readonly string[]): string {
  const text = lines.join('');
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
