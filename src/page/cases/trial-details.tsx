import type { PageCase, PageCheck, PageText, PageTrial } from '../../model/page.ts';
import { TextDiff } from '../diff/diff-view.tsx';
import { CutNote, plainName, plainText, SafeLine, SafeText, StatusMark, TextBlock, Where } from '../elements.tsx';

/** The prompt as it was sent, and the conversation up to the last answer. */
export function Conversation({ detail, trial }: { readonly detail: PageCase; readonly trial: PageTrial }) {
  const { messages, turns = [] } = detail;
  if (messages === undefined) {
    return (
      <section>
        <h2>Prompt as sent</h2>
        <p class="empty">This record does not hold it.</p>
      </section>
    );
  }
  const steps = turns.length === 0 ? [] : interleave(turns, trial);
  return (
    <>
      <section>
        <h2>Prompt as sent</h2>
        <ol class="messages">
          {messages.map(({ role, content, attach = [] }, place) => (
            <Message key={place} role={role} content={content} place={place} attach={attach} />
          ))}
        </ol>
      </section>
      {steps.length === 0 ? null : (
        <section>
          <h2>Conversation</h2>
          <ol class="messages">
            {steps.map(({ role, content }, place) => (
              <Message key={place} role={role} content={content} place={messages.length + place} />
            ))}
          </ol>
        </section>
      )}
    </>
  );
}

interface Step {
  readonly role: string;
  readonly content: PageText;
}

/** Puts an answer before each step of a user, and before the results of the tools that it called. */
function interleave(turns: NonNullable<PageCase['turns']>, { earlier = [] }: PageTrial): readonly Step[] {
  const steps: Step[] = [];
  let answers = 0;
  for (const [index, { role, name, content }] of turns.entries()) {
    const isFurtherResult = role === 'tool' && turns[index - 1]?.role === 'tool';
    if (!isFurtherResult) {
      const answer = earlier[answers];
      answers += 1;
      if (answer === undefined) break;
      steps.push({ role: 'assistant', content: answer === '' ? '(a tool call)' : answer });
    }
    steps.push({ role: name === undefined ? role : `${role} ${name}`, content });
  }
  return steps;
}

interface MessageProps extends Step {
  readonly place: number;
  readonly attach?: readonly string[];
}

function Message({ role, content, place, attach = [] }: MessageProps) {
  return (
    <li>
      <h3>
        <SafeLine text={role} />
      </h3>
      <TextBlock value={content} label={plainName(`Message ${place + 1}, ${role}`)} />
      {attach.map((path) => (
        <p key={path} class="note">
          with the file <SafeLine text={path} />
        </p>
      ))}
    </li>
  );
}

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
          {remarks.length === 0 ? null : <Where text={remarks.join(', ')} />}
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
