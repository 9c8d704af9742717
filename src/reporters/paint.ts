import picocolors from 'picocolors';
import { wrapToWidth } from '../lib/display-width.ts';
import type { ReportStyle } from '../model/report.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** How a part of the terminal report writes its lines. */
export interface Paint {
  readonly colors: Colors;
  readonly width: number;
  readonly verbose: boolean;
}

export function createPaint(style: ReportStyle): Paint {
  return {
    colors: picocolors.createColors(style.color),
    width: Math.max(minWidth, style.width),
    verbose: style.verbose,
  };
}

/** Wraps under a first line's indent: `hanging` more columns for the lines that follow. */
export function indentText(text: string, paint: Paint, indent: number, hanging = 2): string[] {
  const first = ' '.repeat(indent);
  const [head = '', ...rest] = wrapToWidth(text, paint.width - indent - hanging);
  return [first + head, ...rest.map((line) => first + ' '.repeat(hanging) + line)];
}

/** Narrower than this, lines are left to the terminal to break. */
const minWidth = 40;
