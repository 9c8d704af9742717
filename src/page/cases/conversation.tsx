import type { PageCase, PageText, PageTrial } from '../../model/page.ts';
import { plainName, SafeLine, TextBlock } from '../safe-text.tsx';

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
