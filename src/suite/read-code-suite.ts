import { dirname } from 'node:path';
import { parseJsonText } from '../json/json-text.ts';
import type { CodeOutcome } from '../model/own-code.ts';
import { codeSource } from './code-source.ts';
import type { ProjectFiles } from './files.ts';
import { fixedSource, type Located, textSource } from './locate.ts';
import type { Problems } from './problems.ts';
import { hashClosure } from './read-code.ts';
import { reportFault } from './read-document.ts';

/** Evaluates a suite that is code, in a child, which the pipeline starts. */
export type EvaluateSuite = (path: string) => Promise<CodeOutcome>;

const codePattern = /\.[cm]?[jt]s$/i;

export function isCodeSuite(path: string): boolean {
  return codePattern.test(path);
}

/** Reads a suite that a module exports by default; it is data from then on, like one in YAML. */
export async function readCodeSuite(
  path: string,
  {
    files,
    problems,
    evaluate,
  }: { readonly files: ProjectFiles; readonly problems: Problems; readonly evaluate: EvaluateSuite | undefined },
): Promise<Located | undefined> {
  const found = await files.read(path);
  const names = { file: files.display(path), folder: dirname(path) };
  if ('fault' in found) {
    reportFault(found.fault, problems, {
      value: undefined,
      path: [],
      source: fixedSource(names, { file: names.file, line: 1, column: 1 }),
    });
    return undefined;
  }
  const report = (message: string, hint: string) =>
    problems.report({ code: 'invalid-value', message, hint, at: textSource(names, found.text).at([]) });
  if (evaluate === undefined) {
    report(
      'a suite that is code can be evaluated in the working tree alone',
      'write it in YAML to read it at a git ref',
    );
    return undefined;
  }
  // What it imports belongs to it, and is noted as it is read.
  hashClosure(path, files);
  const outcome = await evaluate(path);
  if ('fault' in outcome) {
    report(`the suite ${outcome.fault}`, 'export default defineSuite({ … })');
    return undefined;
  }
  const parsed = parseJsonText(JSON.stringify(outcome.returned));
  if ('error' in parsed) {
    report(`the suite can't be read: ${parsed.error.message}`, 'export default defineSuite({ … })');
    return undefined;
  }
  return { value: parsed.value, path: [], source: codeSource(names, found.text, parsed.value) };
}
