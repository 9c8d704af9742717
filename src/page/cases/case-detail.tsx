import { useState } from 'preact/hooks';
import type { PageAnswer, PageCase, PageToolCall, PageTrial } from '../../model/report/page.ts';
import { formatDuration, formatUsd } from '../../text/format-amount.ts';
import { formatJson } from '../diff/diff.ts';
import { AnswerPair, MemberDiff, TextDiff } from '../diff/diff-view.tsx';
import { Code, CutNote, plainText, SafeLine, SafeText, StatusMark, TextBlock } from '../elements.tsx';
import { AgentSteps, CheckList, Conversation } from './trial-details.tsx';

/** A case on a variant: the reason of its status, the answer, and the prompt. */
export function CaseDetail({ detail }: { readonly detail: PageCase }) {
  const { trials, baseline, tags = [], description, at, tolerated } = detail;
  const [chosen, setChosen] = useState(() =>
    Math.max(
      0,
      trials.findIndex(({ status }) => status === detail.status),
    ),
  );
  const trial = trials[chosen] ?? trials[0];
  return (
    <>
      {description === undefined ? null : (
        <p class="lead">
          <SafeText text={description} />
        </p>
      )}
      <p class="tags">
        <Code text={`${at.file}:${at.line}`} />
        {tags.map((tag) => (
          <span key={tag} class="chip">
            <SafeLine text={tag} />
          </span>
        ))}
        {detail.mustPass === true ? <strong class="chip bad must">must-pass</strong> : null}
        {detail.observe === true ? <span class="chip">observed only</span> : null}
        {tolerated === undefined ? null : (
          <span class="chip">
            <SafeLine text={tolerated} />
          </span>
        )}
      </p>
      {trials.length < 2 ? null : <TrialTabs trials={trials} chosen={chosen} onChoose={setChosen} />}
      {trial === undefined ? (
        <p class="empty">No trial was made.</p>
      ) : (
        <Trial trial={trial} baseline={baseline} detail={detail} />
      )}
    </>
  );
}

interface TrialTabsProps {
  readonly trials: readonly PageTrial[];
  readonly chosen: number;
  readonly onChoose: (place: number) => void;
}

function TrialTabs({ trials, chosen, onChoose }: TrialTabsProps) {
  return (
    <fieldset class="trials">
      <legend>Trials</legend>
      {trials.map(({ index, status, confirmation }, place) => (
        <button key={index} type="button" aria-pressed={place === chosen} onClick={() => onChoose(place)}>
          {index + 1}
          {confirmation === true ? ' (confirmation)' : ''} <StatusMark status={status} />
        </button>
      ))}
    </fieldset>
  );
}

interface TrialProps {
  readonly trial: PageTrial;
  readonly baseline: PageAnswer | undefined;
  readonly detail: PageCase;
}

function Trial({ trial, baseline, detail }: TrialProps) {
  const { checks, error, skip } = trial;
  return (
    <>
      <div class="column">
        {error === undefined ? null : (
          <section class="failure">
            <h2>What happened</h2>
            <p>
              <code>{error.kind}</code>
              {error.status === undefined ? null : ` ${error.status}`}, {error.attempts}{' '}
              {error.attempts === 1 ? 'attempt' : 'attempts'}: <SafeText text={plainText(error.message)} />
            </p>
            <CutNote value={error.message} />
          </section>
        )}
        {skip === undefined ? null : (
          <p class="empty">
            Skipped: <SafeLine text={skip} />
          </p>
        )}
        <Answers trial={trial} baseline={baseline} />
        <AgentSteps trial={trial} baseline={baseline} />
        {checks.length === 0 ? null : <CheckList checks={checks} />}
      </div>
      <div class="columns">
        <div class="column">
          <Conversation detail={detail} trial={trial} />
        </div>
        <div class="column">
          <Facts trial={trial} />
        </div>
      </div>
    </>
  );
}

/** The answer beside the baseline's. Only the answer if the two can't be compared or are equal. */
function Answers({ trial, baseline }: Omit<TrialProps, 'detail'>) {
  const { reasoning, refusal } = trial;
  const now = answerText(trial);
  const before = baseline === undefined ? undefined : answerText(baseline);
  const isCompared = now !== undefined && before !== undefined && now !== before;
  return (
    <section>
      <h2>{isCompared ? 'Before and now' : 'Answer'}</h2>
      {baseline === undefined || before === undefined ? null : (
        <p class="before-line">
          On the baseline it <StatusMark status={baseline.status} />
          {baseline.reason === undefined ? null : (
            <>
              : <SafeLine text={plainText(baseline.reason)} />
            </>
          )}
        </p>
      )}
      {now === undefined ? <p class="empty">There is no answer.</p> : null}
      {isCompared ? (
        <>
          <AnswerPair before={before} after={now} maxRows={1000} />
          <MemberDiff before={before} after={now} />
          <details>
            <summary>As one text</summary>
            <TextDiff before={before} after={now} label="answer against the baseline's" />
          </details>
          <details>
            <summary>The whole answer</summary>
            <WholeAnswer trial={trial} />
          </details>
        </>
      ) : (
        <WholeAnswer trial={trial} />
      )}
      {now !== undefined && now === before ? <p class="note">The same answer as on the baseline.</p> : null}
      {now === undefined && before !== undefined ? <TextBlock value={before} label="The baseline's answer" /> : null}
      {refusal === undefined ? null : <Folded title="Refusal" value={refusal} isOpen />}
      {reasoning === undefined ? null : <Folded title="Reasoning" value={reasoning} />}
    </section>
  );
}

function WholeAnswer({ trial: { output, toolCalls } }: Pick<TrialProps, 'trial'>) {
  const isShown = output !== undefined && (plainText(output) !== '' || toolCalls === undefined);
  return (
    <>
      {isShown ? <TextBlock value={output} label="Answer" /> : null}
      <ToolCalls calls={toolCalls} />
    </>
  );
}

function Folded({
  title,
  value,
  isOpen = false,
}: {
  readonly title: string;
  readonly value: PageTrial['output'] & {};
  readonly isOpen?: boolean;
}) {
  return (
    <details open={isOpen}>
      <summary>{title}</summary>
      <TextBlock value={value} label={title} />
    </details>
  );
}

export function ToolCalls({ calls = [] }: { readonly calls: readonly PageToolCall[] | undefined }) {
  if (calls.length === 0) return null;
  return (
    <ul class="tool-calls">
      {calls.map((call, place) => (
        <li key={place}>
          <h3>
            Tool call{' '}
            <code>
              <SafeLine text={call.name} />
            </code>
          </h3>
          <TextBlock
            value={formatJson(plainText(call.arguments)) ?? call.arguments}
            label={`Arguments of tool call ${place + 1}`}
          />
        </li>
      ))}
    </ul>
  );
}

/** Text and tool calls as one text, so that both are compared. */
function answerText({ output, toolCalls = [] }: Pick<PageAnswer, 'output' | 'toolCalls'>): string | undefined {
  if (output === undefined && toolCalls.length === 0) return undefined;
  const text = output === undefined ? '' : plainText(output);
  const calls = toolCalls.map(({ name, arguments: given }) => `${name}(${plainText(given)})`);
  return [...(text === '' && calls.length > 0 ? [] : [text]), ...calls].join('\n');
}

function Facts({ trial }: { readonly trial: PageTrial }) {
  const { score, latencyMs, firstTokenMs, costUsd, usage, model, finishReason, cached, attempts } = trial;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['score', score?.toFixed(3)],
    ['latency', latencyMs === undefined ? undefined : formatDuration(latencyMs)],
    ['first token', firstTokenMs === undefined ? undefined : formatDuration(firstTokenMs)],
    ['cost', costUsd === undefined ? undefined : costUsd === null ? 'unknown' : formatUsd(costUsd)],
    ['input tokens', usage?.inputTokens.toLocaleString('en-US')],
    ['of them cached', usage?.cachedInputTokens?.toLocaleString('en-US')],
    ['output tokens', usage?.outputTokens.toLocaleString('en-US')],
    ['of them reasoning', usage?.reasoningTokens?.toLocaleString('en-US')],
    ['finished by', finishReason],
    ['model', model],
    [
      'from',
      cached
        ? 'the cache or a recording'
        : attempts === 0
          ? undefined
          : `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
    ],
  ];
  return (
    <section class="facts">
      <h2>Facts</h2>
      <dl>
        {facts.map(([label, value]) =>
          value === undefined ? null : (
            <div key={label}>
              <dt>{label}</dt>
              <dd>
                <SafeLine text={value} />
              </dd>
            </div>
          ),
        )}
      </dl>
    </section>
  );
}
