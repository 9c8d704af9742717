import type { PageComparison, PageSuite, PageVariant } from '../../model/report/page.ts';
import { TextDiff } from '../diff/diff-view.tsx';
import { changeWords, nameOf, SafeLine, StatusMark, Table, Where } from '../elements.tsx';
import { usePage } from '../page-source.ts';

/** Changes since the baseline: a row for each variant, then remarks and each changed prompt once. */
export function Comparisons({ suite }: { readonly suite: PageSuite }) {
  const compared = suite.variants.filter(({ comparison }) => comparison !== undefined);
  // Most suites have no agents.
  const hasSteps = compared.some(({ comparison }) => comparison?.metrics.some(({ key }) => key === 'steps'));
  return (
    <>
      {compared.length === 0 ? null : (
        <Table
          label={`Against the baseline: ${suite.suite}`}
          kind="comparisons"
          headings={['Variant', 'Against', 'Pass rate', 'Cost', ...(hasSteps ? ['Steps'] : []), 'Latency', 'Cases']}
        >
          {compared.map((variant) => (
            <ComparisonRow key={nameOf(variant)} suite={suite} variant={variant} hasSteps={hasSteps} />
          ))}
        </Table>
      )}
      <Remarks suite={suite} />
      {suite.prompts.map(({ name, baseline, candidate }) => (
        <section key={name} class="prompt-change">
          <h3>
            How the prompt changed: <SafeLine text={name} />
          </h3>
          <TextDiff before={baseline} after={candidate} label={`prompt ${name}`} />
        </section>
      ))}
    </>
  );
}

interface RowProps {
  readonly suite: PageSuite;
  readonly variant: PageVariant;
  readonly hasSteps: boolean;
}

function ComparisonRow({ suite, variant, hasSteps }: RowProps) {
  const { href } = usePage();
  const { prompt, provider, comparison } = variant;
  if (comparison === undefined) return null;
  const { against, metrics, counts, text } = comparison;
  const textOf = (key: string) => metrics.find((metric) => metric.key === key)?.text ?? '–';
  return (
    <tr>
      <th scope="row">
        <StatusMark status={comparison.outcome} />
        <Where text={nameOf({ prompt, provider })} />
      </th>
      <td>
        <SafeLine text={against.prompt === prompt ? against.source : `${against.source} (${against.prompt})`} />
        <Where text={text} />
      </td>
      <td>{textOf('passRate')}</td>
      <td>{textOf('costUsd')}</td>
      {hasSteps ? <td>{textOf('steps')}</td> : null}
      <td>{textOf('latencyMs')}</td>
      <td>
        <span class="counts">
          {changesOf(counts).map((change) =>
            counts[change] === 0 ? null : change === 'removed' ? (
              <span key={change} class="chip">
                {counts[change]} removed
              </span>
            ) : (
              <a
                key={change}
                class="chip link"
                href={href({ name: 'cases', filter: { suite: suite.suite, prompt, provider, change } })}
              >
                {counts[change]} {changeWords[change]}
              </a>
            ),
          )}
        </span>
      </td>
    </tr>
  );
}

function changesOf(counts: PageComparison['counts']) {
  return Object.keys(counts) as (keyof typeof counts)[];
}

function Remarks({ suite: { remarks } }: { readonly suite: PageSuite }) {
  if (remarks.length === 0) return null;
  const [shown, others] = [remarks.slice(0, maxRemarks), remarks.slice(maxRemarks)];
  return (
    <>
      <RemarkList remarks={shown} />
      {others.length === 0 ? null : (
        <details>
          <summary>{others.length} more remarks</summary>
          <RemarkList remarks={others} />
        </details>
      )}
    </>
  );
}

const maxRemarks = 4;

function RemarkList({ remarks }: { readonly remarks: PageSuite['remarks'] }) {
  return (
    <ul class="list">
      {remarks.map(({ label, text, variants }, place) => (
        <li key={place}>
          <strong class={label === 'warning' ? 'warn' : ''}>{label}</strong>
          {variants === undefined ? null : (
            <span class="muted">
              {' '}
              <SafeLine text={variants} />
            </span>
          )}
          : <SafeLine text={text} />
        </li>
      ))}
    </ul>
  );
}
