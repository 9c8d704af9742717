import type {
  PageAnswer,
  PageCallPlace,
  PageCase,
  PageCheck,
  PageStep,
  PageStepCall,
  PageText,
  PageTrial,
} from '../../model/report/page.ts';
import { formatDuration } from '../../text/format-amount.ts';
import { formatJson } from '../diff/diff.ts';
import { TextDiff } from '../diff/diff-view.tsx';
import {
  Code,
  CutNote,
  formatNumber,
  LineItems,
  plainName,
  plainText,
  SafeLine,
  SafeText,
  StatusMark,
  TextBlock,
  Where,
} from '../elements.tsx';

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

interface ConversationStep {
  readonly role: string;
  readonly content: PageText;
}

/** Puts an answer before each step of a user, and before the results of the tools that it called. */
function interleave(turns: NonNullable<PageCase['turns']>, { earlier = [] }: PageTrial): readonly ConversationStep[] {
  const steps: ConversationStep[] = [];
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

interface MessageProps extends ConversationStep {
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

interface AgentStepsProps {
  readonly trial: PageTrial;
  readonly baseline: PageAnswer | undefined;
}

/** The steps of an agent, beside the baseline's steps if the paths differ. */
export function AgentSteps({ trial: { steps, path, state }, baseline }: AgentStepsProps) {
  if (steps === undefined) return null;
  const before = baseline?.steps ?? [];
  const isCompared = path !== undefined && path.differences.length > 0;
  return (
    <section>
      <h2>{isCompared ? 'Steps before and now' : 'Steps'}</h2>
      {isCompared ? (
        <ul class="path">
          <LineItems texts={path.differences} />
        </ul>
      ) : null}
      {path !== undefined && !isCompared ? <p class="note">The same calls as on the baseline.</p> : null}
      {isCompared ? (
        <div class="step-pair">
          <Side name="Before" steps={before} changed={path.before} side="before" />
          <Side name="Now" steps={steps} changed={path.now} side="after" />
        </div>
      ) : (
        <StepList steps={steps} changed={[]} name="Now" />
      )}
      {state === undefined ? null : (
        <details>
          <summary>Final state of the tools</summary>
          <TextBlock value={state} label="Final state of the tools" />
          {baseline?.state === undefined || plainText(baseline.state) === plainText(state) ? null : (
            <>
              <h3>On the baseline</h3>
              <TextBlock value={baseline.state} label="Final state of the tools on the baseline" />
            </>
          )}
        </details>
      )}
    </section>
  );
}

interface StepListProps {
  readonly name: 'Before' | 'Now';
  readonly steps: readonly PageStep[];
  readonly changed: readonly PageCallPlace[];
}

function Side({ side, ...list }: StepListProps & { readonly side: 'before' | 'after' }) {
  return (
    <section class={`step-side ${side}`} aria-label={`${list.name}: steps`}>
      <span class="side-name" aria-hidden="true">
        {list.name}
      </span>
      <StepList {...list} />
    </section>
  );
}

function StepList({ name, steps, changed }: StepListProps) {
  return (
    <ol class="steps">
      {steps.map((step, at) => (
        <Step
          key={at}
          step={step}
          label={`${name}, step ${at + 1}`}
          number={at + 1}
          changed={new Set(changed.flatMap(([place, call]) => (place === at ? [call] : [])))}
        />
      ))}
    </ol>
  );
}

interface StepProps {
  readonly step: PageStep;
  readonly label: string;
  readonly number: number;
  /** Places of calls that the other side does not make in the same way. */
  readonly changed: ReadonlySet<number>;
}

function Step({ step: { text, calls, latencyMs, usage }, label, number, changed }: StepProps) {
  const facts = [
    ...(latencyMs === undefined ? [] : [formatDuration(latencyMs)]),
    ...(usage === undefined ? [] : [`${formatNumber(usage.inputTokens)} + ${formatNumber(usage.outputTokens)} tokens`]),
  ];
  return (
    <li>
      <h3>
        Step {number} <span class="muted">{facts.join(' · ')}</span>
      </h3>
      {text === undefined ? null : <TextBlock value={text} label={`Text: ${label}`} />}
      {text === undefined && calls.length === 0 ? <p class="muted">(empty)</p> : null}
      {calls.map((call, at) => (
        <Call key={at} call={call} label={`${label}, call ${at + 1}`} isChanged={changed.has(at)} />
      ))}
    </li>
  );
}

interface CallProps {
  readonly call: PageStepCall;
  readonly label: string;
  readonly isChanged: boolean;
}

function Call({ call: { name, arguments: given, result }, label, isChanged }: CallProps) {
  const text = plainText(given);
  return (
    <div class={isChanged ? 'step-call changed' : 'step-call'}>
      <h4>
        <Code text={name} />
        {isChanged ? <span class="chip bad">differs</span> : null}
      </h4>
      <TextBlock value={formatJson(text) ?? given} label={plainName(`Arguments of ${name}: ${label}`)} />
      {result === undefined ? (
        <p class="muted">No result.</p>
      ) : (
        <>
          <p class="muted">
            {result.isError === true ? 'Error' : 'Result'}
            {result.latencyMs === undefined ? '' : ` after ${formatDuration(result.latencyMs)}`}
          </p>
          <TextBlock
            value={formatJson(plainText(result.content)) ?? result.content}
            label={plainName(`Result of ${name}: ${label}`)}
          />
        </>
      )}
    </div>
  );
}
