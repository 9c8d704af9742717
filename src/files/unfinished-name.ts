import { randomBytes } from 'node:crypto';

/** The end of the name of a file that is not finished. */
export const unfinishedEnding = '.tmp';

/** An end for the name of a file that is not finished, which no other process uses. */
export function drawUnfinishedEnding(): string {
  return `.${drawNamePart()}${unfinishedEnding}`;
}

/** A part of a file's name that no other process draws: 12 hexadecimal digits. */
export function drawNamePart(): string {
  return randomBytes(6).toString('hex');
}
