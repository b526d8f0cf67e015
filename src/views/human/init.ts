/** `csx init`: what was made, what to copy, what to type. The commands stand alone on their lines, unbroken, to be pasted. */

import type { Finding } from '../../model/finding.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { padEnd, textWidth } from '../width.js';
import { paragraph } from './paragraph.js';
import { safe } from './problem.js';

export interface InitReport {
  /** The first line. */
  readonly title: string;
  readonly files: readonly { readonly path: string; readonly what: string; readonly made: boolean }[];
  /** Patterns that were excluded without having been asked for. */
  readonly spared: readonly string[];
  /** What is not well yet. */
  readonly findings: readonly Finding[];
  readonly others: readonly {
    readonly host: string;
    readonly copy: readonly string[];
    readonly commands: readonly string[];
  }[];
  readonly here: readonly string[];
}

export function* initView(output: Output, report: InitReport): Generator<string> {
  const screen = screenOf(output);
  const { paint } = screen;
  yield `${paint.bold(safe(report.title))}\n`;
  const width = Math.max(0, ...report.files.map((file) => textWidth(safe(file.path))));
  for (const { path, what, made } of report.files) {
    yield `  ${padEnd(made ? 'made' : 'kept', 4)}  ${padEnd(safe(path), width)}  ${what}\n`;
  }
  if (report.spared.length > 0) {
    yield '\n';
    const names = report.spared.map(safe).join(', ');
    yield* paragraph(`Left out, because every host has its own: ${names}.`, screen);
  }
  for (const { status, message, cure } of report.findings) {
    yield '\n';
    const label = status === 'error' ? paint.red.bold('Error:') : paint.yellow.bold('Warning:');
    yield* paragraph(safe(`${message}${cure === undefined ? '' : ` ${cure}`}`), screen, {
      hanging: 2,
      paint: first(label),
    });
  }
  for (const { host, copy, commands } of report.others) {
    yield `\n${paint.bold(`Copy to ${safe(host)}`)}\n${block(copy)}`;
    yield `${paint.bold(`Then on ${safe(host)}`)}\n${block(commands)}`;
  }
  if (report.here.length > 0) yield `\n${paint.bold('Here')}\n${block(report.here)}`;
}

/** The same for programs. */
export function initJson(report: InitReport): object {
  return {
    format_version: '1.0',
    files: report.files,
    excluded: report.spared,
    findings: report.findings.map(({ check, status, message, cure }) => ({
      check,
      status,
      message,
      cure: cure ?? null,
    })),
    other_hosts: report.others,
    here: report.here,
  };
}

function block(commands: readonly string[]): string {
  return commands.map((command) => `  ${safe(command)}\n`).join('');
}

/** Puts a label before the first line only. */
function first(label: string): (line: string) => string {
  let done = false;
  return (line) => {
    if (done) return line;
    done = true;
    return `${label} ${line}`;
  };
}
