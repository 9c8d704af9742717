import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { Role } from '../model/run/completion.ts';
import { type RenderedVariant } from '../model/run/plan.ts';
import { type WrittenMessage } from '../model/suite/recorded-settings.ts';
import { type PromptVersion, renderMessages, type Vars, writeMessage } from '../model/suite/suite.ts';
import { compileWritten } from '../prompts/prompt-template.ts';

/** Messages, parameters and model of a variant: everything `bisect` can split into hunks. */
export interface AskedPrompt {
  readonly messages: readonly WrittenMessage[];
  /** Parameters of provider and prompt, merged. */
  readonly params: JsonObject;
  readonly model: string;
  /** True if the messages are rendered texts for one case, not templates. */
  readonly isLiteral?: true;
}

/** Returns the messages, parameters and model of a variant. A template that makes all messages is one text. */
export function askedBy({ prompt, provider, params }: RenderedVariant): AskedPrompt {
  const messages = prompt.messages.map(writeMessage);
  const [first] = messages;
  const { model } = provider;
  if (first === undefined || !isWhole(first)) return { messages, params, model };
  return { messages: [{ ...first, content: messages.map(({ content }) => content).join('') }], params, model };
}

/**
 * Renders a variant's messages for one case. Used for prompts in code, and if the two sides differ in template
 * language.
 */
export function askedLiterally({ prompt, provider, params }: RenderedVariant, vars: Vars): AskedPrompt {
  const messages = renderMessages(prompt, vars).map(({ role, content, attach }) => ({
    role,
    content,
    ...defined({ attach: attach.length === 0 ? undefined : attach }),
  }));
  return { messages, params, model: provider.model, isLiteral: true };
}

/** True if hunks of one template can be put into the other. */
export function haveOneLanguage(a: AskedPrompt, b: AskedPrompt): boolean {
  const languages = new Set([...a.messages, ...b.messages].map(({ language }) => language?.name));
  return languages.size <= 1 && !languages.has('code');
}

function isWhole({ language }: WrittenMessage): boolean {
  return language !== undefined && language.name !== 'braces' && language.name !== 'code';
}

/**
 * Replaces a variant's prompt by a made one and keeps its ids, so the cells count as cells of that variant. Throws a
 * `TemplateError` if a text is no valid template. Texts in Liquid need the engine to be loaded.
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
