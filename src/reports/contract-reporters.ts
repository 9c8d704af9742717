import { canonicalJson } from '../json/canonical-json.ts';
import type { ContractReport } from '../model/finding.ts';
import { escapeJsonText } from '../text/sanitize.ts';
import { renderContractGithub } from './ci/annotations.ts';
import { renderContractJunit } from './ci/junit.ts';
import { locateContracts } from './locate-report.ts';
import { renderContractMarkdown } from './markdown/contracts.ts';
import type { Reporter } from './reporter.ts';
import { renderContractTerminal, sortFindings } from './terminal/contracts.ts';

/** The formats of `contract check` and `contract diff`, by the name that their `--reporter` takes. */
export const contractReporters: Readonly<Record<string, Reporter<ContractReport>>> = {
  terminal: { summary: 'findings in words, the worst first', extension: 'txt', render: renderContractTerminal },
  json: { summary: 'findings as one JSON document', extension: 'json', render: renderJson },
  markdown: { summary: 'findings as tables', extension: 'md', locate: locateContracts, render: renderContractMarkdown },
  github: {
    summary: 'annotations at the lines of the schemas',
    extension: 'txt',
    locate: locateContracts,
    render: renderContractGithub,
  },
  junit: { summary: 'a test case each prompt', extension: 'xml', locate: locateContracts, render: renderContractJunit },
};

/** One finding a line, so that two documents can be compared by lines. */
function* renderJson({ entries, notes }: ContractReport): Iterable<string> {
  const findings = entries.flatMap(({ suite, prompt, findings: own }) =>
    sortFindings(own).map((finding) => ({ suite, prompt, ...finding })),
  );
  const observed = entries.flatMap(({ suite, prompt, observed: own = [] }) =>
    own.map((answers) => ({ suite, prompt, ...answers })),
  );
  yield `{\n"findings":${renderList(findings)},\n"format":1,\n`;
  yield `"notes":${renderList(notes)},\n"observed":${renderList(observed)}\n}\n`;
}

function renderList(items: readonly unknown[]): string {
  return items.length === 0 ? '[]' : `[\n${items.map((item) => escapeJsonText(canonicalJson(item))).join(',\n')}]`;
}
