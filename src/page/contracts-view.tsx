import { isBreak } from '../model/comparison/finding.ts';
import type { PageContract, PageFinding } from '../model/report/page.ts';
import { Code, LineItems, SafeLine, Table, toneOf, Where } from './elements.tsx';
import { usePage } from './page-source.ts';

/** Each contract compared with the baseline, breaking changes first. */
export function ContractsView() {
  const { index } = usePage();
  return (
    <>
      <h1>Contracts</h1>
      <p class="lead">
        What callers of a prompt send, and what consumers of its answers get, compared with the baseline.
      </p>
      {index.contracts.map((entry) => (
        <Entry key={`${entry.suite} ${entry.prompt}`} entry={entry} />
      ))}
    </>
  );
}

function Entry({ entry }: { readonly entry: PageContract }) {
  const { suite, prompt, against, findings, observed } = entry;
  const breaks = findings.filter(isBreak).length;
  const rank = (finding: PageFinding) => (isBreak(finding) ? 0 : finding.severity === 'info' ? 2 : 1);
  const sorted = findings.toSorted((a, b) => rank(a) - rank(b));
  return (
    <section class="suite">
      <h2>
        <SafeLine text={`${suite} · ${prompt}`} />
        <span class="where">
          against <SafeLine text={against} />
        </span>
      </h2>
      <p class={breaks > 0 ? 'bad' : 'good'}>
        {breaks > 0
          ? `The contract breaks: ${breaks} unapproved.`
          : findings.length === 0
            ? 'Unchanged.'
            : 'The contract holds.'}
      </p>
      {sorted.length === 0 ? null : (
        <Table label={`Findings of ${suite} ${prompt}`} headings={['Severity', 'Rule', 'Where', 'What', 'Fingerprint']}>
          {sorted.slice(0, maxFindings).map((finding, place) => (
            <Finding key={place} finding={finding} />
          ))}
        </Table>
      )}
      {sorted.length > maxFindings ? (
        <p class="note">and {sorted.length - maxFindings} more: see the json report</p>
      ) : null}
      {observed.map((seen, place) => (
        <div key={place} class="list">
          <h4>
            Stored answers: <SafeLine text={seen.message} />
          </h4>
          <ul>
            <LineItems texts={seen.offenders.map(({ caseId, reason }) => `${caseId}: ${reason}`)} />
          </ul>
        </div>
      ))}
    </section>
  );
}

const maxFindings = 200;

function Finding({ finding }: { readonly finding: PageFinding }) {
  const { severity, approved, ruleId, direction, path, message, fingerprint, at } = finding;
  const word = approved === true ? 'approved' : severity;
  return (
    <tr>
      <td>
        <span class={`status ${toneOf(word)}`}>{word}</span>
      </td>
      <td>
        <Code text={ruleId} />
      </td>
      <td>
        {direction} <Code text={path === '' ? '(root)' : path} />
        {at === undefined ? null : <Where text={`${at.file}:${at.line}`} />}
      </td>
      <td>
        <SafeLine text={message} />
      </td>
      <td>
        <Code text={fingerprint} />
      </td>
    </tr>
  );
}
