import type { PageAnswer, PageCallPlace, PageStep, PageStepCall, PageTrial } from '../../model/page.ts';
import { formatDuration } from '../../text/format-amount.ts';
import { formatJson } from '../diff/diff.ts';
import { Code, formatNumber, LineItems, plainName, plainText, TextBlock } from '../elements.tsx';

interface AgentStepsProps {
  readonly trial: PageTrial;
  readonly baseline: PageAnswer | undefined;
}

/** The steps of an agent; beside those of the baseline where it took another path. */
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
