import type { ContractReport } from '../model/comparison/finding.ts';
import { gitlab } from './ci/code-quality.ts';
import { ctrf } from './ci/ctrf.ts';
import { github, renderContractGithub } from './ci/github.ts';
import { junit, renderContractJunit } from './ci/junit.ts';
import { tap } from './ci/tap.ts';
import { html } from './html/html.ts';
import { json, jsonl, renderContractJson } from './json/json.ts';
import { renderContractMarkdown } from './markdown/contracts.ts';
import { markdown } from './markdown/markdown.ts';
import { locateContracts, type Reporter } from './reporter.ts';
import { renderContractTerminal } from './terminal/contracts.ts';
import { swapTable, terminal } from './terminal/terminal.ts';

/** Every reporter by the name that `--reporter` takes. */
export const reporters: Readonly<Record<string, Reporter>> = {
  ctrf,
  github,
  gitlab,
  html,
  json,
  jsonl,
  junit,
  markdown,
  swap: swapTable,
  tap,
  terminal,
};

/** The formats of `contract check` and `contract diff`, by the name that their `--reporter` takes. */
export const contractReporters: Readonly<Record<string, Reporter<ContractReport>>> = {
  terminal: { summary: 'findings in words, the worst first', extension: 'txt', render: renderContractTerminal },
  json: { summary: 'findings as one JSON document', extension: 'json', render: renderContractJson },
  markdown: { summary: 'findings as tables', extension: 'md', locate: locateContracts, render: renderContractMarkdown },
  github: {
    summary: 'annotations at the lines of the schemas',
    extension: 'txt',
    locate: locateContracts,
    render: renderContractGithub,
  },
  junit: { summary: 'a test case each prompt', extension: 'xml', locate: locateContracts, render: renderContractJunit },
};
