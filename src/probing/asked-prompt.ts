import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { Role } from '../model/completion.ts';
import { type RenderedVariant } from '../model/plan.ts';
import { type PromptVersion, renderMessages, type Vars, type WrittenMessage, writeMessage } from '../model/suite.ts';
import { compileWritten } from '../prompts/prompt-template.ts';

/** All that a variant sends of its own: what a change between two variants can be in. */
export interface AskedPrompt {
  readonly messages: readonly WrittenMessage[];
  /** The parameters of provider and prompt together. */
  readonly params: JsonObject;
  readonly model: string;
  /** Set where the messages are no templates, but texts for one case. */
  readonly isLiteral?: true;
}

/** What a variant asks. A template that makes all messages is one text. */
export function askedBy({ prompt, provider, params }: RenderedVariant): AskedPrompt {
  const messages = prompt.messages.map(writeMessage);
  const [first] = messages;
  const { model } = provider;
  if (first === undefined || !isWhole(first)) return { messages, params, model };
  return { messages: [{ ...first, content: messages.map(({ content }) => content).join('') }], params, model };
}

/** What a variant asks of one case, as texts: for prompts in code, and where two sides have templates of two languages. */
export function askedLiterally({ prompt, provider, params }: RenderedVariant, vars: Vars): AskedPrompt {
  const messages = renderMessages(prompt, vars).map(({ role, content, attach }) => ({
    role,
    content,
    ...(attach.length === 0 ? {} : { attach }),
  }));
  return { messages, params, model: provider.model, isLiteral: true };
}

/** True where the hunks of one template can stand in the other. */
export function haveOneLanguage(a: AskedPrompt, b: AskedPrompt): boolean {
  const languages = new Set([...a.messages, ...b.messages].map(({ language }) => language?.name));
  return languages.size <= 1 && !languages.has('code');
}

function isWhole({ language }: WrittenMessage): boolean {
  return language !== undefined && language.name !== 'braces' && language.name !== 'code';
}

/**
 * A made prompt in the place of a variant's own, so that its cells are cells of that variant. Throws a `TemplateError` where
 * its texts are no template. Texts in Liquid need the engine to be loaded.
 */
export function variantOf({ prompt, provider }: RenderedVariant, asked: AskedPrompt): RenderedVariant {
  const { price: _price, ...unpriced } = provider;
  const { id, contract, workspace } = prompt;
  return {
    prompt: { id, ...compileAsked(asked), params: {}, ...defined({ contract, workspace }) },
    provider: asked.model === provider.model ? provider : { ...unpriced, model: asked.model },
    params: asked.params,
  };
}

function compileAsked({ messages, isLiteral }: AskedPrompt): Pick<PromptVersion, 'messages' | 'expand'> {
  if (isLiteral !== true) return compileWritten(messages);
  const verbatim = (text: string) => ({ source: text, variables: [], render: () => text });
  return {
    messages: messages.map(({ role, content, attach }) => ({
      role: role as Role,
      template: verbatim(content),
      ...defined({ attach: attach?.map(verbatim) }),
    })),
  };
}
