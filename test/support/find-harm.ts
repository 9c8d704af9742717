import { ctrfSchema } from './ctrf-schema.ts';
import { findJunitFault } from './find-junit-fault.ts';
import { findMarkdownFault } from './find-markdown-fault.ts';
import { parseTap } from './parse-tap.ts';

/** What of a report would act on a reader's terminal, CI log or parser; `points` is how many tests a TAP report has. */
export function findHarm(name: string, text: string, points = 6): unknown[] {
  const patterns = [
    // oxlint-disable-next-line no-control-regex -- Control characters are what must not be there.
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b\p{Surrogate}]/u,
    // Commands are what the github report is made of; its own grammar is looked at below.
    ...(name === 'github' ? [] : [/^[^\S\r\n]*::/m]),
    /##(?:\[|vso\[|teamcity\[)/i,
  ];
  // As JSON, since a control character alone shows nothing in the message of a test.
  const found: unknown[] = patterns.map((pattern) => JSON.stringify(pattern.exec(text)?.[0]));
  return [...found, findFault(name, text, points)].filter((harm) => harm !== undefined);
}

function findFault(name: string, text: string, points: number): unknown {
  try {
    const find = finders[name];
    return find === undefined ? `no reader of the format ${name}` : find(text, points);
  } catch (error) {
    return error;
  }
}

/** Reads each format as its readers do: throws or returns what is wrong. */
const finders: Readonly<Record<string, (text: string, points: number) => unknown>> = {
  ctrf: (text) => void ctrfSchema.parse(JSON.parse(text)),
  github: (text) =>
    text
      .trimEnd()
      .split('\n')
      .find((line) => !command.test(line)),
  gitlab: (text) => (Array.isArray(JSON.parse(text)) ? undefined : 'no list of problems'),
  html: (text) => (text.startsWith('<!doctype html>') ? undefined : 'no page'),
  json: (text) => void JSON.parse(text),
  jsonl: (text) => {
    for (const line of text.trimEnd().split('\n')) JSON.parse(line);
  },
  junit: findJunitFault,
  markdown: findMarkdownFault,
  // Text for people, of any form, as `swap` and `terminal`.
  progress: () => undefined,
  swap: () => undefined,
  tap: (text, points) => (parseTap(text).points.length === points ? undefined : 'a test point more or less'),
  terminal: () => undefined,
};

/** One whole command a line, with no percent sign, colon or comma in it that is not escaped. */
const command =
  /^::(?:error|warning|notice) (?:file=(?:[^%:,]|%25|%3A|%2C)+,line=\d+,(?:col=\d+,)?)?title=(?:[^%:,]|%25|%3A|%2C)*::(?:[^%]|%25|%0A)*$/;
