import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import picocolors from 'picocolors';
import { defined } from '../json/defined.ts';
import type { ReportStyle } from '../model/report/report.ts';
import { wrapToWidth } from '../terminal/display-width.ts';
import { formatCount } from '../text/format-amount.ts';
import { breakWorkflowCommands } from '../text/sanitize.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** How a part of the terminal report writes its lines. */
export interface Paint {
  readonly colors: Colors;
  readonly width: number;
  readonly verbose: boolean;
  /** The folder that paths are relative to; undefined if the terminal can follow no links. */
  readonly linksFrom?: string;
}

export function createPaint(style: ReportStyle): Paint {
  return {
    colors: picocolors.createColors(style.color),
    width: Math.max(minWidth, style.width),
    verbose: style.verbose,
    ...defined({ linksFrom: style.linksFrom }),
  };
}

/** Wraps under a first line's indent: `hanging` more columns for the lines that follow. */
export function indentText(text: string, paint: Paint, indent: number, hanging = 2): string[] {
  const first = ' '.repeat(indent);
  const [head = '', ...rest] = wrapToWidth(text, paint.width - indent - hanging);
  return [first + head, ...rest.map((line) => first + ' '.repeat(hanging) + line)];
}

/** Lines of the first items, or of all of them under --verbose, and a line that counts the others. */
export function listFirstItems<T>(
  items: readonly T[],
  { most, noun, paint, indent = '' }: { most: number; noun: string; paint: Paint; indent?: string },
  render: (item: T) => readonly string[],
): readonly string[] {
  const shown = paint.verbose ? items : items.slice(0, most);
  const hidden = items.length - shown.length;
  const rest = hidden > 0 ? [`${indent}… and ${formatCount(hidden, `more ${noun}`)} (--verbose)`] : [];
  return [...shown.flatMap(render), ...rest];
}

/** Makes a line safe for CI logs. Its parts are safe, but wrapping may put a workflow command at its start. */
export function printLine(line: string): string {
  return `${breakWorkflowCommands(line).trimEnd()}\n`;
}

/** A line that names a place in a file, as a link if the terminal supports links (OSC 8). */
export function linkPlace(line: string, file: string, { linksFrom }: Paint): string {
  if (linksFrom === undefined) return line;
  // The address is percent-encoded, so that no name can end the sequence.
  const { href } = pathToFileURL(resolve(linksFrom, file));
  return line.replace(/\S.*/, (place) => `${linkStart}${href}${linkEnd}${place}${linkStart}${linkEnd}`);
}

const linkStart = '\u001b]8;;';
const linkEnd = '\u001b\\';

/** The least width for wrapping. On a narrower terminal, the terminal breaks lines itself. */
const minWidth = 40;
