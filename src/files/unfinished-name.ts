import { randomBytes } from 'node:crypto';

/** The end of the name of a file that is not finished. */
export const unfinishedEnding = '.tmp';

/** An end for the name of a file that is not finished, which no other process uses. */
export function drawUnfinishedEnding(): string {
  return `.${randomBytes(6).toString('hex')}${unfinishedEnding}`;
}
