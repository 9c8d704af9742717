import type { FindingSeverity, LocatedFinding, ObservedAnswers } from '../model/finding.ts';
import type { Report, SuiteReport } from '../model/report.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { describeRejected } from './describe-rejected.ts';
import { indentText, type Paint } from './paint.ts';

/** Of each prompt in a run; `contract check` and --verbose show the rest. */
const maxFindings = 20;

/** What became of the contracts of a suite's prompts; what is only for information is counted. */
export function* renderContracts({ contracts = [] }: Report, { suite }: SuiteReport, paint: Paint): Iterable<string> {
  const { colors, verbose } = paint;
  for (const { prompt, against, findings, observed = [] } of contracts.filter((entry) => entry.suite === suite)) {
    if (findings.length === 0 && observed.length === 0) continue;
    const sorted = sortFindings(findings);
    const loud = sorted.filter(({ severity, approved }) => verbose || severity !== 'info' || approved === true);
    const shown = verbose ? loud : loud.slice(0, maxFindings);
    const hidden = findings.length - shown.length;
    const head = `contract of ${colors.bold(toSafeLine(prompt))}  ${colors.dim(`against ${toSafeLine(against)}`)}`;
    yield* indentText(head, paint, 0);
    yield* renderFindings(shown, paint);
    for (const seen of observed) yield* renderObserved(seen, paint);
    if (hidden > 0) {
      const more = shown.length === 0 ? `${hidden} for information` : `… and ${hidden} more`;
      yield* indentText(colors.dim(`${more}; --verbose or llmcheck contract check shows them`), paint, 2);
    }
    yield '';
  }
}

/** Findings in the order they are given. */
export function renderFindings(findings: readonly LocatedFinding[], paint: Paint): readonly string[] {
  const { colors } = paint;
  const words: Readonly<Record<FindingSeverity, string>> = {
    error: colors.red('error'),
    warn: colors.yellow('warn '),
    info: colors.dim('info '),
  };
  return findings.flatMap((finding) => {
    const { severity, ruleId, direction, path, message, fingerprint, approved, at } = finding;
    const place = at === undefined ? '' : ` ${at.file}:${at.line}:${at.column}`;
    const head = `${approved === true ? colors.green('ok   ') : words[severity]} ${colors.bold(toSafeLine(ruleId))} ${toSafeLine(`${direction} ${path || '(root)'}${place}`)} ${colors.dim(toSafeLine(fingerprint))}`;
    const tail = approved === true ? `approved: ${message}` : message;
    return [...indentText(head, paint, 2, 6), ...indentText(toSafeLine(tail), paint, 8)];
  });
}

/** What stored answers say, with the first that are refused. */
export function renderObserved(seen: ObservedAnswers, paint: Paint): readonly string[] {
  const { message, rejected, unjudged = 0 } = seen;
  const text = toSafeLine(message);
  const head = rejected === 0 && unjudged === 0 ? text : paint.colors.yellow(text);
  return [
    ...indentText(`seen  ${head}`, paint, 2, 6),
    ...describeRejected(seen).flatMap((line) => indentText(line, paint, 8)),
  ];
}

const ranks: Readonly<Record<FindingSeverity, number>> = { error: 0, warn: 1, info: 2 };

/** What breaks first; what was approved last. */
export function sortFindings(findings: readonly LocatedFinding[]): readonly LocatedFinding[] {
  const rank = ({ severity, approved }: LocatedFinding) => (approved === true ? 3 : ranks[severity]);
  return findings.toSorted((a, b) => rank(a) - rank(b));
}
