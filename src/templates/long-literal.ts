import { isKeptByDouble } from '../text/exact-numbers.ts';

const literal = /(?<![\p{L}\p{N}_.-])-?\d+(?:\.\d+)?(?![\p{L}\p{N}_-])/gu;

/** The first number in the code of a template that no double keeps. Quoted texts are passed over. */
export function findLongLiteral(code: string): { readonly text: string; readonly offset: number } | undefined {
  const unquoted = code.replaceAll(/"[^"]*"|'[^']*'/g, (quoted) => '"'.repeat(quoted.length));
  const found = [...unquoted.matchAll(literal)].find(([text]) => !isKeptByDouble(text));
  return found === undefined ? undefined : { text: found[0], offset: found.index };
}

export function describeLongLiteral(text: string): string {
  return `${text} has too many digits: a template would make it ${Number(text)}`;
}

export const longLiteralHint = 'pass it as a variable, or write it as a text, in quotes';
