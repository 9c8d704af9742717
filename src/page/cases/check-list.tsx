import type { PageCheck } from '../../model/page.ts';
import { TextDiff } from '../diff/text-diff.tsx';
import { CutNote, plainText, SafeLine, SafeText } from '../safe-text.tsx';
import { StatusMark } from '../status-mark.tsx';

/** Every check with its reason, failed ones first. */
export function CheckList({ checks }: { readonly checks: readonly PageCheck[] }) {
  const sorted = checks.toSorted((a, b) => rank(a) - rank(b));
  return (
    <section>
      <h2>Checks</h2>
      <ul class="checks">
        {sorted.map((check, place) => (
          <Check key={place} check={check} />
        ))}
      </ul>
    </section>
  );
}

function rank({ error, pass }: PageCheck): number {
  return error !== undefined ? 1 : pass ? 2 : 0;
}

function Check({ check }: { readonly check: PageCheck }) {
  const { assertion, name, pass, score, reason, weight, required, turn, error, diff, judge } = check;
  const shown = error ?? reason;
  const remarks = [
    ...(turn === undefined ? [] : [`turn ${turn + 1}`]),
    ...(score > 0 && score < 1 ? [`score ${score.toFixed(3)}`] : []),
    ...(weight === undefined
      ? []
      : [weight === 0 && required !== true ? 'reports only (weight 0)' : `weight ${weight}`]),
    ...(required === true ? ['required'] : []),
    ...(judge === undefined
      ? []
      : [
          `judge ${judge.id}${judge.model === undefined ? '' : ` (${judge.model})`}, ${Math.round(judge.agreement * 100)} % of ${judge.votes} ${judge.votes === 1 ? 'vote' : 'votes'}`,
        ]),
  ];
  return (
    <li>
      <StatusMark status={error !== undefined ? 'errored' : pass ? 'passed' : 'failed'} />
      <div class="what">
        <h3>
          <SafeLine text={name ?? assertion} />
          {name === undefined ? null : (
            <code class="code">
              <SafeLine text={assertion} />
            </code>
          )}
          {remarks.length === 0 ? null : (
            <span class="where">
              <SafeLine text={remarks.join(', ')} />
            </span>
          )}
        </h3>
        <p class="reason">
          <SafeText text={plainText(shown)} />
        </p>
        <CutNote value={shown} />
        {diff === undefined || pass ? null : (
          <TextDiff before={plainText(diff.expected)} after={plainText(diff.found)} label="expected against found" />
        )}
      </div>
    </li>
  );
}
