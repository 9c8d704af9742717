import { useId } from 'preact/hooks';
import type { PageCaseGroup, PageFailure, PageFailures, PageOutcome } from '../../model/report/page.ts';
import type { CaseFilter } from '../cases/filter-rows.ts';
import { AnswerPair } from '../diff/diff-view.tsx';
import { CutNote, formatNumber, plainText, SafeLine, StatusMark, TextBlock, Where } from '../elements.tsx';
import { usePage } from '../page-source.ts';

/** What passes under edited checks alone, then everything that did not pass: the worst cases with both answers, cases without a verdict, then other limits. */
export function WhatBroke() {
  const { index } = usePage();
  const { loosened, entries, hidden, errored, tolerated, limits } = index.failures;
  const accepted = entries.filter(isAccepted);
  const broken = entries.filter((entry) => !isAccepted(entry));
  return (
    <>
      <Loosened loosened={loosened} />
      {isBroken(broken) ? null : <Limits limits={limits} />}
      <Section title={isBroken(broken) ? 'What broke' : 'What did not pass'} entries={broken} hidden={hidden} />
      <Section title="What this change accepts" entries={accepted} hidden={broken.length === 0 ? hidden : 0} />
      <Groups title="Could not be judged" groups={errored} filter={{ statuses: ['errored'] }} />
      {isBroken(broken) ? <Limits limits={limits} /> : null}
      <Groups title="Let through by the gate" groups={tolerated} filter={{ statuses: ['failed', 'flaky'] }} isFolded />
    </>
  );
}

function Loosened({ loosened: { entries, hidden } }: Pick<PageFailures, 'loosened'>) {
  if (entries.length === 0) return null;
  return (
    <section aria-labelledby="loosened">
      <h2 id="loosened">Loosened checks</h2>
      <ul class="limits">
        {entries.map(({ place, change, reason }, index) => (
          <li key={index}>
            <p>
              <strong>
                <SafeLine text={place} />
              </strong>
            </p>
            <p>
              <SafeLine text={change} />
            </p>
            {reason === undefined ? null : (
              <p class="muted">
                <SafeLine text={`under the accepted checks: ${reason}`} />
              </p>
            )}
          </li>
        ))}
      </ul>
      {hidden === 0 ? null : <p class="more">and {formatNumber(hidden)} more in the json report</p>}
    </section>
  );
}

function Limits({ limits }: Pick<PageFailures, 'limits'>) {
  if (limits.length === 0) return null;
  return (
    <section aria-labelledby="limits">
      <h2 id="limits">Broken limits</h2>
      <ul class="limits">
        {limits.map(({ text, suite, variants }, place) => (
          <li key={place}>
            <SafeLine text={text} />
            {suite === undefined ? null : (
              <Where text={[suite, ...(variants === undefined ? [] : [variants])].join(' · ')} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface SectionProps {
  readonly title: string;
  readonly entries: readonly PageFailure[];
  /** Cases that no entry names. */
  readonly hidden: number;
}

function Section({ title, entries, hidden }: SectionProps) {
  const { href } = usePage();
  const id = useId();
  if (entries.length === 0) return null;
  const filter = filterOf(entries, hidden);
  const total = entries.reduce((sum, { count }) => sum + count, hidden);
  const others = entries.slice(maxInFull);
  return (
    <section aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        <a href={href({ name: 'cases', filter })}>
          {total === 1 ? 'See it in the table' : `See all ${formatNumber(total)} in the table`}
        </a>
      </div>
      <Entries entries={entries.slice(0, maxInFull)} filter={filter} />
      {others.length === 0 ? null : (
        <details>
          <summary>{formatNumber(others.length)} more</summary>
          <Entries entries={others} filter={filter} />
        </details>
      )}
      {hidden === 0 ? null : (
        <p class="more">
          <a href={href({ name: 'cases', filter })}>and {formatNumber(hidden)} more cases in the table</a>
        </p>
      )}
    </section>
  );
}

/** Further entries are folded, because few people read a whole page of answers. */
const maxInFull = 10;
const maxRows = 40;

export function isAccepted({ outcomes }: PageFailure): boolean {
  return outcomes.every((outcome) => outcome.isAccepted === true);
}

/** False if the gate tolerates every entry. Then the verdict is about a limit. */
function isBroken(entries: readonly PageFailure[]): boolean {
  return entries.some(({ outcomes }) => outcomes.some(({ tolerated }) => tolerated === undefined));
}

/** The filter of the table with these cases, which also orders the previous and the next case. */
function filterOf(entries: readonly PageFailure[], hidden: number): CaseFilter {
  const outcomes = entries.flatMap((entry) => entry.outcomes);
  const areRegressions = hidden === 0 && outcomes.every(({ change }) => change === 'regressed');
  return areRegressions ? { change: 'regressed' } : { statuses: ['failed', 'flaky'] };
}

function Entries({ entries, filter }: { readonly entries: readonly PageFailure[]; readonly filter: CaseFilter }) {
  return (
    <ol class="entries">
      {entries.map((entry) => (
        <Entry key={`${entry.suite} ${entry.caseIds[0] ?? ''}`} entry={entry} filter={filter} />
      ))}
    </ol>
  );
}

function Entry({ entry, filter }: { readonly entry: PageFailure; readonly filter: CaseFilter }) {
  const { index, href } = usePage();
  const { suite, title, caseIds, count, at, mustPass, outcomes } = entry;
  const [first] = outcomes;
  if (first === undefined) return null;
  const hrefTo = (caseId: string) =>
    href({ name: 'case', suite, caseId, prompt: first.prompt, provider: first.provider, filter });
  const isTolerated = outcomes.every(({ tolerated }) => tolerated !== undefined);
  return (
    <li class={`entry ${isTolerated || first.status === 'flaky' ? 'warn' : 'bad'}`}>
      <div class="entry-head">
        <h3>
          <a href={hrefTo(caseIds[0] ?? '')} data-step="">
            <SafeLine text={title} />
          </a>
        </h3>
        {mustPass === true ? <strong class="chip bad must">must-pass</strong> : null}
        <code class="place">
          <SafeLine text={`${index.suites.length > 1 ? `${suite} · ` : ''}${at.file}:${at.line}`} />
        </code>
      </div>
      {first.input === undefined ? null : (
        <p class="input">
          <SafeLine text={plainText(first.input)} />
          <CutNote value={first.input} />
        </p>
      )}
      {outcomes.map((outcome, place) => (
        <Outcome key={place} outcome={outcome} />
      ))}
      {count === 1 ? null : (
        <details class="ids">
          <summary>The {formatNumber(count)} cases</summary>
          <p>
            {caseIds.map((id) => (
              <a key={id} class="chip link" href={hrefTo(id)}>
                <SafeLine text={id} />
              </a>
            ))}
            {count > caseIds.length ? ` and ${formatNumber(count - caseIds.length)} more` : ''}
          </p>
        </details>
      )}
    </li>
  );
}

/** The failure of a case on one or more variants that failed alike. */
function Outcome({ outcome }: { readonly outcome: PageOutcome }) {
  const { variants, word, trials, tolerated, before, now, reasons, status } = outcome;
  const facts = [variants, word === 'regressed' && tolerated === undefined ? undefined : word, trials, tolerated];
  const known = facts.filter((fact) => fact !== undefined);
  return (
    <div class="outcome-of">
      {known.length === 0 ? null : (
        <p class="facts-line">
          {status === 'flaky' ? <StatusMark status={status} /> : null} <SafeLine text={known.join(' · ')} />
        </p>
      )}
      {now === undefined ? (
        <p class="empty">There is no answer.</p>
      ) : before === undefined ? (
        <TextBlock value={now} label="Answer" />
      ) : plainText(before) === plainText(now) ? (
        <>
          <TextBlock value={now} label="Answer" />
          <p class="note">The same answer as on the baseline.</p>
        </>
      ) : (
        <AnswerPair before={before} after={now} maxRows={maxRows} />
      )}
      <ul class="reasons">
        {reasons.map((reason, place) => (
          <li key={place}>
            <span class={tolerated === undefined ? 'bad' : 'warn'} aria-hidden="true">
              ✕
            </span>{' '}
            <SafeLine text={reason} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface GroupsProps {
  readonly title: string;
  readonly groups: readonly PageCaseGroup[];
  readonly filter: CaseFilter;
  readonly isFolded?: boolean;
}

/** Cases with a common reason. */
function Groups({ title, groups, filter, isFolded = false }: GroupsProps) {
  if (groups.length === 0) return null;
  const list = (
    <ul class="groups">
      {groups.map((group, place) => (
        <Group key={place} group={group} filter={filter} />
      ))}
    </ul>
  );
  if (!isFolded) {
    return (
      <section aria-label={title}>
        <h2>{title}</h2>
        {list}
      </section>
    );
  }
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  return (
    <details class="section">
      <summary>
        {title}: {formatNumber(count)} {count === 1 ? 'case' : 'cases'}
      </summary>
      {list}
    </details>
  );
}

function Group({ group, filter }: { readonly group: PageCaseGroup; readonly filter: CaseFilter }) {
  const { href } = usePage();
  const { suite, reason, count, caseIds, variants, prompt, provider } = group;
  return (
    <li>
      <p>
        <strong>
          {formatNumber(count)} {count === 1 ? 'case' : 'cases'}
        </strong>{' '}
        <span class="muted">
          <SafeLine text={[suite, ...(variants === undefined ? [] : [variants])].join(' · ')} />
        </span>
      </p>
      <p class="reason">
        <SafeLine text={reason} />
      </p>
      <p class="ids">
        {caseIds.map((caseId) =>
          prompt === undefined || provider === undefined ? null : (
            <a key={caseId} class="chip link" href={href({ name: 'case', suite, caseId, prompt, provider, filter })}>
              <SafeLine text={caseId} />
            </a>
          ),
        )}
        {count > caseIds.length ? (
          <a class="chip" href={href({ name: 'cases', filter: { ...filter, suite } })}>
            and {formatNumber(count - caseIds.length)} more
          </a>
        ) : null}
      </p>
    </li>
  );
}
