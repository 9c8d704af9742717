import type { PageComparison, PageSuite, PageVariant } from '../../model/page.ts';
import { TextDiff } from '../diff/text-diff.tsx';
import { usePage } from '../page-context.ts';
import { SafeLine } from '../safe-text.tsx';
import { changeWords, StatusMark } from '../status-mark.tsx';

interface ComparisonDetailProps {
  readonly suite: PageSuite;
  readonly variant: PageVariant;
  readonly comparison: PageComparison;
}

/** A comparison in words and numbers, and what else differs. */
export function ComparisonDetail({ suite, variant, comparison }: ComparisonDetailProps) {
  const { href } = usePage();
  const { prompt, provider } = variant;
  const { against, metrics, counts, removed, residue, advice, notes, accepted, prompts } = comparison;
  const isOther = against.prompt !== prompt;
  return (
    <article class="comparison">
      <h3>
        <SafeLine text={`${prompt} × ${provider}`} />
        <span class="where">
          against <SafeLine text={isOther ? `${against.source} (${against.prompt})` : against.source} />
        </span>
      </h3>
      <p class="outcome">
        <StatusMark status={comparison.outcome} /> <SafeLine text={comparison.text} />
      </p>
      <dl class="metrics">
        {metrics.map(({ key, label, text }) => (
          <div key={key}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <p class="counts">
        {countedChanges.map((change) =>
          counts[change] === 0 ? null : (
            <a
              key={change}
              class="chip link"
              href={href({ name: 'cases', filter: { suite: suite.suite, prompt, provider, change } })}
            >
              {counts[change]} {changeWords[change]}
            </a>
          ),
        )}
        {removed.length === 0 ? null : (
          <span class="chip">
            {removed.length} removed: <SafeLine text={removed.slice(0, 5).join(', ')} />
            {removed.length > 5 ? ' …' : ''}
          </span>
        )}
      </p>
      <List title="What would settle it" texts={advice} />
      <List title="Accepted in this change" texts={accepted} />
      <List title="What else differs" texts={residue} />
      <List title="Notes" texts={notes} />
      {prompts === undefined ? null : (
        <details>
          <summary>How the prompt changed</summary>
          <TextDiff before={prompts.baseline} after={prompts.candidate} label="prompt" />
        </details>
      )}
    </article>
  );
}

const countedChanges = ['regressed', 'drifted', 'fixed', 'stillFailing', 'flaky', 'added', 'redefined'] as const;

function List({ title, texts }: { readonly title: string; readonly texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <div class="list">
      <h4>{title}</h4>
      <ul>
        {texts.slice(0, maxTexts).map((text, place) => (
          <li key={place}>
            <SafeLine text={text} />
          </li>
        ))}
      </ul>
      {texts.length > maxTexts ? <p class="note">and {texts.length - maxTexts} more</p> : null}
    </div>
  );
}

const maxTexts = 20;
