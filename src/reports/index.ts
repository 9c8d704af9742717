import { ctrf } from './ci/ctrf.ts';
import { github } from './ci/github.ts';
import { junit } from './ci/junit.ts';
import { tap } from './ci/tap.ts';
import { html } from './html/html.ts';
import { json, jsonl } from './json/json.ts';
import { markdown } from './markdown/markdown.ts';
import type { Reporter } from './reporter.ts';
import { terminal } from './terminal/terminal.ts';

export { describeSkip, explainCase } from './cases/explain-case.ts';
export { createFindGateEffect } from './cases/gate-effect.ts';
export { maxAnnotations, renderCommand } from './ci/annotations.ts';
export { contractReporters } from './contract-reporters.ts';
export { describeDecision, shoutDecision } from './headline.ts';
export { contentPolicy, renderPageFoot, renderPageHead } from './html/html.ts';
export { buildPageData } from './html/page-data.ts';
export { countAccepted } from './list-accepted.ts';
export { locateReport, type RepositoryPaths } from './locate-report.ts';
export { codeBlock, codeSpan } from './markdown/text.ts';
export type { Reporter } from './reporter.ts';
export { renderBrief } from './terminal/terminal.ts';

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
