import { strictAnthropic } from './anthropic.ts';
import { strictBedrock } from './bedrock.ts';
import { strictDeepseek, strictGeminiChat, strictOpenaiChat, strictOpenrouter } from './chat.ts';
import { strictCohere } from './cohere.ts';
import { strictGemini, strictVertex } from './gemini.ts';
import { strictResponses, strictStatelessResponses } from './responses.ts';
import type { StrictApi } from './script.ts';

/** Every API, by its rules on the order of messages, ids and signatures. */
export const strictApis: readonly StrictApi[] = [
  strictOpenaiChat,
  strictResponses,
  strictStatelessResponses,
  strictAnthropic,
  strictGemini,
  strictVertex,
  strictBedrock,
  strictCohere,
  strictDeepseek,
  strictOpenrouter,
  strictGeminiChat,
];

/** Chat completions keep their reasoning to themselves: nothing goes back. */
export const reasoningApis: readonly StrictApi[] = strictApis.filter((api) => api !== strictOpenaiChat);

export { type StrictApi, startStrictApi } from './script.ts';
