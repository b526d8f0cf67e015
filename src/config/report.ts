/** What is wrong with a configuration, gathered while it is read: the first error is thrown, `config check` shows all. */

import { CsxError } from '../model/errors.js';
import type { ErrorCode, Problem, SourceRange } from '../model/errors.js';

export class Report {
  readonly problems: Problem[] = [];

  error(code: ErrorCode, summary: string, range: SourceRange | undefined, hint?: string): void {
    this.problems.push({ severity: 'error', code, summary, range, hint });
  }

  warn(summary: string, range: SourceRange | undefined, hint?: string): void {
    this.problems.push({ severity: 'warning', code: 'CONFIG_INVALID', summary, range, hint });
  }

  /** Takes over an error that was thrown. Anything but a CsxError goes on. */
  caught(error: unknown): void {
    if (!(error instanceof CsxError)) throw error;
    this.problems.push({
      severity: 'error',
      code: error.code,
      summary: error.message,
      range: error.range,
      hint: error.hint,
    });
  }

  errors(): readonly Problem[] {
    return this.problems.filter(({ severity }) => severity === 'error');
  }

  /** Throws the first error, if there is one. */
  throwFirst(): void {
    const [first, ...more] = this.errors();
    if (first === undefined) return;
    const others = more.length === 0 ? undefined : `${more.length} more ${more.length === 1 ? 'error' : 'errors'}`;
    const hint = [first.hint, others && `\`csx config check\` shows ${others}.`].filter(Boolean).join(' ');
    throw new CsxError(first.code, first.summary, { hint: hint === '' ? undefined : hint, range: first.range });
  }
}
