import { ctrf } from './ctrf.ts';
import type { Reporter } from './define.ts';
import { github } from './github.ts';
import { html } from './html.ts';
import { json } from './json.ts';
import { jsonl } from './jsonl.ts';
import { junit } from './junit.ts';
import { markdown } from './markdown.ts';
import { tap } from './tap.ts';
import { terminal } from './terminal.ts';

export type { Reporter } from './define.ts';
export { describeDecision, shoutDecision } from './describe-decision.ts';
export { describeSkip, explainCase } from './explain-case.ts';
export { createFindStanding } from './find-standing.ts';
export { codeBlock } from './markdown-text.ts';
export { buildPageData } from './page-data.ts';
export { contentPolicy, renderPageFoot, renderPageHead } from './page-document.ts';
export { contractReporters } from './render-contract.ts';

/** Every reporter by the name that `--reporter` takes. */
export const reporters: Readonly<Record<string, Reporter>> = {
  ctrf,
  github,
  html,
  json,
  jsonl,
  junit,
  markdown,
  tap,
  terminal,
};
