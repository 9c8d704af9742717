/* Made by the build from the schema of a suite. */

/** Assertions of your own plug-ins, by name: add to it with `declare module`. */
// oxlint-disable-next-line typescript/no-empty-object-type -- there to be added to
export interface CustomAssertions {}

/**
 * "adapter:model", the id of a provider of the config, or a map.
 */
export type Provider =
  | string
  | {
      /**
       * Of the adapter openai.
       */
      api?: 'chat' | 'responses' | 'embeddings';
      /**
       * Of the adapter azure.
       */
      apiVersion?: string;
      /**
       * Of the adapter vertex.
       */
      project?: string;
      /**
       * Of the adapter vertex.
       */
      location?: string;
      /**
       * Of the adapter bedrock.
       */
      region?: string;
      /**
       * The body, JSON whose strings are templates over model, prompt, system, messages, params and trial.
       */
      request?: unknown;
      /**
       * Of the adapter http.
       */
      response?: {
        /**
         * The answer's text.
         */
        text?: string;
        /**
         * Its reasoning.
         */
        reasoning?: string;
        /**
         * A refusal.
         */
        refusal?: string;
        /**
         * A list of tool calls; name, arguments and id are looked up in each.
         */
        toolCalls?: string;
        /**
         * The name within a tool call.
         */
        toolName?: string;
        /**
         * The arguments within a tool call.
         */
        toolArguments?: string;
        /**
         * The id within a tool call.
         */
        toolId?: string;
        /**
         * Why the model stopped.
         */
        finishReason?: string;
        /**
         * All input tokens.
         */
        inputTokens?: string;
        /**
         * All output tokens.
         */
        outputTokens?: string;
        /**
         * Input tokens read from the provider's cache.
         */
        cachedInputTokens?: string;
        /**
         * Input tokens written to the provider's cache.
         */
        cacheWriteTokens?: string;
        /**
         * Output tokens that are reasoning.
         */
        reasoningTokens?: string;
        /**
         * The model that answered.
         */
        model?: string;
        /**
         * The answer's id.
         */
        responseId?: string;
        /**
         * Where something stands here, the answer is an error.
         */
        error?: string;
      };
      /**
       * Of the adapter exec.
       */
      output?: 'auto' | 'text' | 'json';
      /**
       * Of the adapter exec.
       */
      env?: string[];
      /**
       * Of the adapter exec.
       */
      files?: string[];
      /**
       * Of the adapter module.
       */
      export?: string;
      /**
       * Of the adapter module.
       */
      memoryMb?: number;
      /**
       * Names the provider in results, filters and baselines.
       */
      id: string;
      /**
       * adapter:model, split at the first colon.
       */
      use: string;
      /**
       * Where the API is; then only the key that apiKeyEnv names is sent.
       */
      baseURL?: string;
      /**
       * The NAME of the environment variable that holds the key.
       */
      apiKeyEnv?: string;
      /**
       * Passed to the API as they stand, such as temperature and max_tokens.
       */
      params?: Readonly<Record<string, unknown>>;
      /**
       * Sends contract.output, where there is one, as the API's own schema mode.
       */
      structured?: boolean;
      /**
       * Further headers; a value may be {env: NAME}.
       */
      headers?: Readonly<Record<string, unknown>>;
      /**
       * Wins over the built-in table.
       */
      price?: {
        /**
         * USD per million input tokens.
         */
        input: number;
        /**
         * USD per million output tokens.
         */
        output: number;
        /**
         * USD per million input tokens read from the provider's cache.
         */
        cachedInput?: number;
        /**
         * USD per million input tokens written to the provider's cache.
         */
        cacheWrite?: number;
      };
      /**
       * What the endpoint allows.
       */
      limits?: {
        /**
         * Calls in flight.
         */
        concurrency?: number;
        /**
         * Requests a minute.
         */
        rpm?: number;
        /**
         * Tokens a minute.
         */
        tpm?: number;
        /**
         * Time for a call, all attempts together, such as "60s".
         */
        timeout?: string;
        /**
         * Attempts after the first.
         */
        retries?: number;
      };
    };
/**
 * "adapter:model", the id of a judge of the config, or a map.
 */
export type Judge =
  | string
  | {
      /**
       * Of the adapter openai.
       */
      api?: 'chat' | 'responses' | 'embeddings';
      /**
       * Of the adapter azure.
       */
      apiVersion?: string;
      /**
       * Of the adapter vertex.
       */
      project?: string;
      /**
       * Of the adapter vertex.
       */
      location?: string;
      /**
       * Of the adapter bedrock.
       */
      region?: string;
      /**
       * The body, JSON whose strings are templates over model, prompt, system, messages, params and trial.
       */
      request?: unknown;
      /**
       * Of the adapter http.
       */
      response?: {
        /**
         * The answer's text.
         */
        text?: string;
        /**
         * Its reasoning.
         */
        reasoning?: string;
        /**
         * A refusal.
         */
        refusal?: string;
        /**
         * A list of tool calls; name, arguments and id are looked up in each.
         */
        toolCalls?: string;
        /**
         * The name within a tool call.
         */
        toolName?: string;
        /**
         * The arguments within a tool call.
         */
        toolArguments?: string;
        /**
         * The id within a tool call.
         */
        toolId?: string;
        /**
         * Why the model stopped.
         */
        finishReason?: string;
        /**
         * All input tokens.
         */
        inputTokens?: string;
        /**
         * All output tokens.
         */
        outputTokens?: string;
        /**
         * Input tokens read from the provider's cache.
         */
        cachedInputTokens?: string;
        /**
         * Input tokens written to the provider's cache.
         */
        cacheWriteTokens?: string;
        /**
         * Output tokens that are reasoning.
         */
        reasoningTokens?: string;
        /**
         * The model that answered.
         */
        model?: string;
        /**
         * The answer's id.
         */
        responseId?: string;
        /**
         * Where something stands here, the answer is an error.
         */
        error?: string;
      };
      /**
       * Of the adapter exec.
       */
      output?: 'auto' | 'text' | 'json';
      /**
       * Of the adapter exec.
       */
      env?: string[];
      /**
       * Of the adapter exec.
       */
      files?: string[];
      /**
       * Of the adapter module.
       */
      export?: string;
      /**
       * Of the adapter module.
       */
      memoryMb?: number;
      /**
       * Names the provider in results, filters and baselines.
       */
      id: string;
      /**
       * adapter:model, split at the first colon.
       */
      use: string;
      /**
       * Where the API is; then only the key that apiKeyEnv names is sent.
       */
      baseURL?: string;
      /**
       * The NAME of the environment variable that holds the key.
       */
      apiKeyEnv?: string;
      /**
       * Passed to the API as they stand, such as temperature and max_tokens.
       */
      params?: Readonly<Record<string, unknown>>;
      /**
       * Sends contract.output, where there is one, as the API's own schema mode.
       */
      structured?: boolean;
      /**
       * Further headers; a value may be {env: NAME}.
       */
      headers?: Readonly<Record<string, unknown>>;
      /**
       * Wins over the built-in table.
       */
      price?: {
        /**
         * USD per million input tokens.
         */
        input: number;
        /**
         * USD per million output tokens.
         */
        output: number;
        /**
         * USD per million input tokens read from the provider's cache.
         */
        cachedInput?: number;
        /**
         * USD per million input tokens written to the provider's cache.
         */
        cacheWrite?: number;
      };
      /**
       * What the endpoint allows.
       */
      limits?: {
        /**
         * Calls in flight.
         */
        concurrency?: number;
        /**
         * Requests a minute.
         */
        rpm?: number;
        /**
         * Tokens a minute.
         */
        tpm?: number;
        /**
         * Time for a call, all attempts together, such as "60s".
         */
        timeout?: string;
        /**
         * Attempts after the first.
         */
        retries?: number;
      };
      /**
       * Cohen's kappa that `llmcheck judge check` must have found before the judge may decide.
       */
      minKappa?: number;
      /**
       * A file of labelled answers for `llmcheck judge check`: .jsonl, .json, .yaml.
       */
      labels?: string;
      /**
       * True lets a model under test be the judge.
       */
      sameModel?: boolean;
    };
/**
 * A case, or the file that holds cases.
 */
export type Case =
  | {
      /**
       * Stable name; default: a hash of vars and turns.
       */
      id?: string | number;
      /**
       * What must hold of the answer.
       */
      assert?: Assertion[];
      /**
       * For --tag.
       */
      tags?: string[];
      /**
       * Repetitions.
       */
      trials?: number;
      /**
       * Weighted mean score to reach; without it every check must pass.
       */
      threshold?: number | string;
      /**
       * A contract, judged alone: a confirmed failure fails the gate.
       */
      mustPass?: boolean;
      /**
       * Run and shown, never judged.
       */
      observe?: boolean;
      /**
       * Not run, for this reason.
       */
      skip?: string;
      /**
       * The variables of the prompt: data, never rendered.
       */
      vars?: Readonly<Record<string, unknown>>;
      /**
       * Only on these prompt versions.
       */
      prompts?: string[];
      /**
       * Only on these providers.
       */
      providers?: string[];
      /**
       * The golden answer, {{expected}} in assertions.
       */
      expected?: unknown;
      /**
       * A conversation after the prompt's messages.
       */
      turns?: (
        | {
            /**
             * What the user says next, a template.
             */
            user: string;
            /**
             * Checks on the answer to it.
             */
            assert?: Assertion[];
          }
        | {
            /**
             * The result of a tool call of the model.
             */
            toolResult: {
              /**
               * The tool whose call this answers.
               */
              name: string;
              /**
               * What the tool returns: a template, or a value that is sent as JSON.
               */
              content: unknown;
            };
          }
      )[];
      /**
       * What the case is about.
       */
      description?: string;
    }
  | {
      /**
       * A file or glob of cases: .jsonl, .json, .yaml, .csv, or a prompt file with test data.
       */
      file: string;
      /**
       * What must hold of the answer.
       */
      assert?: Assertion[];
      /**
       * For --tag.
       */
      tags?: string[];
      /**
       * Repetitions.
       */
      trials?: number;
      /**
       * Weighted mean score to reach; without it every check must pass.
       */
      threshold?: number | string;
      /**
       * A contract, judged alone: a confirmed failure fails the gate.
       */
      mustPass?: boolean;
      /**
       * Run and shown, never judged.
       */
      observe?: boolean;
      /**
       * Not run, for this reason.
       */
      skip?: string;
      /**
       * The variables of the prompt: data, never rendered.
       */
      vars?: Readonly<Record<string, unknown>>;
      /**
       * Only on these prompt versions.
       */
      prompts?: string[];
      /**
       * Only on these providers.
       */
      providers?: string[];
    };

export interface SuiteDefinition {
  /**
   * The suite's id; default: the file's name without .eval.yaml.
   */
  suite?: string;
  /**
   * What the suite is about.
   */
  description?: string;
  /**
   * Prompt versions.
   */
  prompts: {
    /**
     * Names the version; results and baselines refer to it.
     */
    id: string;
    /**
     * A prompt file: .md and .txt are one user message, .yaml and .json a list of messages; .prompt.yml, .prompt and .prompty bring parameters, schemas and test data.
     */
    file?: string;
    /**
     * One user message, a template over the variables of the case.
     */
    text?: string;
    /**
     * Chat messages.
     */
    messages?: {
      /**
       * Who speaks. Roles are split before rendering, so that a variable can't forge one.
       */
      role: 'system' | 'developer' | 'user' | 'assistant';
      /**
       * The message, a template over the variables of the case.
       */
      content?: string;
      /**
       * A file that holds the content.
       */
      file?: string;
      /**
       * Images, PDFs and sounds that go along: paths from the suite's folder, templates over the variables.
       */
      attach?: string[];
    }[];
    /**
     * The version that this one is compared with, which is then report-only.
     */
    replaces?: string;
    /**
     * Wins over the provider's params.
     */
    params?: Readonly<Record<string, unknown>>;
    /**
     * Sends contract.output as the API's own schema mode; wins over the provider's structured.
     */
    structured?: boolean;
    /**
     * This version's contract, where it differs from the suite's.
     */
    contract?: {
      /**
       * JSON Schema 2020-12 that every case's vars must satisfy, or its file.
       */
      input?: Readonly<Record<string, unknown>> | boolean | string;
      /**
       * JSON Schema 2020-12 that every answer must satisfy, or its file.
       */
      output?: Readonly<Record<string, unknown>> | boolean | string;
      /**
       * Fingerprints of contract findings that are let through.
       */
      approved?: string[];
      /**
       * How changes are judged; default practical.
       */
      policy?: 'practical' | 'formal' | 'lenient';
      /**
       * Severities by rule, such as enum-value-added: warn.
       */
      overrides?: Readonly<Record<string, unknown>>;
      /**
       * JSON Pointers whose findings are left out, such as /outputSchema/properties/debug; * is one step.
       */
      ignore?: string[];
      /**
       * Consumers refuse properties that they do not know.
       */
      strictConsumers?: boolean;
      /**
       * What was removed on purpose: properties of the root, or JSON Pointers. Its removal is no error.
       */
      removed?: string[];
    };
  }[];
  /**
   * Endpoints; default: all of the config's.
   */
  providers?: Provider[];
  /**
   * Providers that judge; never a variant.
   */
  judges?: Judge[];
  /**
   * What may go in and what must come out.
   */
  contract?: {
    /**
     * JSON Schema 2020-12 that every case's vars must satisfy, or its file.
     */
    input?: Readonly<Record<string, unknown>> | boolean | string;
    /**
     * JSON Schema 2020-12 that every answer must satisfy, or its file.
     */
    output?: Readonly<Record<string, unknown>> | boolean | string;
    /**
     * Fingerprints of contract findings that are let through.
     */
    approved?: string[];
    /**
     * How changes are judged; default practical.
     */
    policy?: 'practical' | 'formal' | 'lenient';
    /**
     * Severities by rule, such as enum-value-added: warn.
     */
    overrides?: Readonly<Record<string, unknown>>;
    /**
     * JSON Pointers whose findings are left out, such as /outputSchema/properties/debug; * is one step.
     */
    ignore?: string[];
    /**
     * Consumers refuse properties that they do not know.
     */
    strictConsumers?: boolean;
    /**
     * What was removed on purpose: properties of the root, or JSON Pointers. Its removal is no error.
     */
    removed?: string[];
  };
  /**
   * What holds for every case.
   */
  defaults?: {
    /**
     * Repetitions of every case.
     */
    trials?: number;
    /**
     * Added before each case's own.
     */
    assert?: Assertion[];
    /**
     * Variables of every case; a case's own win.
     */
    vars?: Readonly<Record<string, unknown>>;
  };
  /**
   * Golden cases.
   */
  cases: Case[];
  /**
   * JSON lines of recorded answers; makes the run hermetic.
   */
  recordings?: string;
  /**
   * What the baseline keeps.
   */
  baseline?: {
    /**
     * Keep answers, or their hashes only.
     */
    outputs?: 'full' | 'hash';
  };
  /**
   * Thresholds: what is written here fails.
   */
  gate?: {
    /**
     * Two-sided significance level, default 0.05.
     */
    alpha?: number;
    /**
     * Inputs like these cases, or these cases only.
     */
    scope?: 'population' | 'suite';
    /**
     * What single cases do to the gate.
     */
    cases?: {
      /**
       * A case that passed and is now confirmed broken.
       */
      broken?: 'fail' | 'warn';
      /**
       * An added or redefined case that fails.
       */
      added?: 'fail' | 'warn';
    };
    /**
     * Share of cases that pass.
     */
    passRate?: {
      /**
       * Least pass rate of a variant.
       */
      min?: number | string;
      /**
       * Largest drop against the baseline.
       */
      maxDrop?: number | string;
    };
    /**
     * Mean score.
     */
    score?: {
      /**
       * Least mean score of a variant.
       */
      min?: number | string;
      /**
       * Largest drop against the baseline.
       */
      maxDrop?: number | string;
    };
    /**
     * What the calls cost.
     */
    cost?: {
      /**
       * Largest increase against the baseline.
       */
      maxIncrease?: number | string;
      /**
       * A variant's total in USD.
       */
      max?: number;
    };
    /**
     * How long answers take.
     */
    latency?: {
      /**
       * Largest increase, where both sides ran in this invocation.
       */
      maxIncrease?: number | string;
      /**
       * Largest 95th percentile, such as "4s".
       */
      p95Max?: string;
    };
  };
}
/**
 * One assertion: a map with one assertion name.
 */
export interface Assertion extends CustomAssertions {
  /**
   * the text or value is exactly the expected one
   */
  equals?:
    | unknown
    | {
        /**
         * The expected text or value; "{{expected}}" keeps its type.
         */
        value: unknown;
        /**
         * Upper and lower case are the same.
         */
        ignoreCase?: boolean | string;
        /**
         * White space around texts does not count.
         */
        trim?: boolean | string;
      };
  /**
   * the text contains another
   */
  contains?:
    | (string | number | boolean)
    | {
        /**
         * The text to look for.
         */
        value: string | number | boolean;
        /**
         * Upper and lower case are the same.
         */
        ignoreCase?: boolean | string;
      };
  /**
   * the text contains every one of several texts; the score is the share found
   */
  containsAll?:
    | ((string | number | boolean)[] | string)
    | {
        /**
         * The texts to look for.
         */
        value: (string | number | boolean)[] | string;
        /**
         * Upper and lower case are the same.
         */
        ignoreCase?: boolean | string;
      };
  /**
   * the text contains at least one of several texts
   */
  containsAny?:
    | ((string | number | boolean)[] | string)
    | {
        /**
         * The texts to look for.
         */
        value: (string | number | boolean)[] | string;
        /**
         * Upper and lower case are the same.
         */
        ignoreCase?: boolean | string;
      };
  /**
   * the text starts with another
   */
  startsWith?:
    | (string | number | boolean)
    | {
        /**
         * The text it starts with.
         */
        value: string | number | boolean;
        /**
         * Upper and lower case are the same.
         */
        ignoreCase?: boolean | string;
        /**
         * White space around the answer does not count.
         */
        trim?: boolean | string;
      };
  /**
   * the text ends with another
   */
  endsWith?:
    | (string | number | boolean)
    | {
        /**
         * The text it ends with.
         */
        value: string | number | boolean;
        /**
         * Upper and lower case are the same.
         */
        ignoreCase?: boolean | string;
        /**
         * White space around the answer does not count.
         */
        trim?: boolean | string;
      };
  /**
   * a regular expression matches somewhere in the text; stopped after half a second
   */
  regex?:
    | string
    | {
        /**
         * The pattern, in JavaScript syntax.
         */
        value: string;
        /**
         * Such as "i" for upper and lower case alike.
         */
        flags?: string;
      };
  /**
   * the text has a number of characters, words, sentences, lines or (estimated) tokens
   */
  length?: {
    /**
     * The least that passes.
     */
    min?: number | string;
    /**
     * The most that passes.
     */
    max?: number | string;
    /**
     * What is counted; tokens are an estimate.
     */
    unit?: ('chars' | 'words' | 'sentences' | 'lines' | 'tokens') | string;
  };
  /**
   * the text or value is one of several
   */
  oneOf?:
    | (unknown[] | string)
    | {
        /**
         * The values that pass.
         */
        value: unknown[] | string;
        /**
         * Upper and lower case are the same.
         */
        ignoreCase?: boolean | string;
        /**
         * White space around texts does not count.
         */
        trim?: boolean | string;
      };
  /**
   * the text is in a language, as its script, common words and letters tell; short texts tell little
   */
  language?:
    | (
        | (
            | (
                | 'ar'
                | 'bg'
                | 'bn'
                | 'cs'
                | 'da'
                | 'de'
                | 'el'
                | 'en'
                | 'es'
                | 'fa'
                | 'fi'
                | 'fr'
                | 'he'
                | 'hi'
                | 'hu'
                | 'id'
                | 'it'
                | 'ja'
                | 'ko'
                | 'nl'
                | 'no'
                | 'pl'
                | 'pt'
                | 'ro'
                | 'ru'
                | 'sv'
                | 'ta'
                | 'th'
                | 'tr'
                | 'uk'
                | 'vi'
                | 'zh'
              )
            | (
                | 'ar'
                | 'bg'
                | 'bn'
                | 'cs'
                | 'da'
                | 'de'
                | 'el'
                | 'en'
                | 'es'
                | 'fa'
                | 'fi'
                | 'fr'
                | 'he'
                | 'hi'
                | 'hu'
                | 'id'
                | 'it'
                | 'ja'
                | 'ko'
                | 'nl'
                | 'no'
                | 'pl'
                | 'pt'
                | 'ro'
                | 'ru'
                | 'sv'
                | 'ta'
                | 'th'
                | 'tr'
                | 'uk'
                | 'vi'
                | 'zh'
              )[]
          )
        | string
      )
    | {
        /**
         * The ISO 639-1 code, or several that pass.
         */
        value:
          | (
              | (
                  | 'ar'
                  | 'bg'
                  | 'bn'
                  | 'cs'
                  | 'da'
                  | 'de'
                  | 'el'
                  | 'en'
                  | 'es'
                  | 'fa'
                  | 'fi'
                  | 'fr'
                  | 'he'
                  | 'hi'
                  | 'hu'
                  | 'id'
                  | 'it'
                  | 'ja'
                  | 'ko'
                  | 'nl'
                  | 'no'
                  | 'pl'
                  | 'pt'
                  | 'ro'
                  | 'ru'
                  | 'sv'
                  | 'ta'
                  | 'th'
                  | 'tr'
                  | 'uk'
                  | 'vi'
                  | 'zh'
                )
              | (
                  | 'ar'
                  | 'bg'
                  | 'bn'
                  | 'cs'
                  | 'da'
                  | 'de'
                  | 'el'
                  | 'en'
                  | 'es'
                  | 'fa'
                  | 'fi'
                  | 'fr'
                  | 'he'
                  | 'hi'
                  | 'hu'
                  | 'id'
                  | 'it'
                  | 'ja'
                  | 'ko'
                  | 'nl'
                  | 'no'
                  | 'pl'
                  | 'pt'
                  | 'ro'
                  | 'ru'
                  | 'sv'
                  | 'ta'
                  | 'th'
                  | 'tr'
                  | 'uk'
                  | 'vi'
                  | 'zh'
                )[]
            )
          | string;
        /**
         * The share of the evidence that must speak for it.
         */
        min?: number | string;
      };
  /**
   * the whole text is strict JSON
   */
  json?:
    | (boolean | string)
    | {
        /**
         * False: the text must not be JSON.
         */
        value?: boolean | string;
      };
  /**
   * the JSON is valid against a JSON Schema, inline or a file
   */
  jsonSchema?: (Readonly<Record<string, unknown>> | boolean | string) | string;
  /**
   * a JSONPath (RFC 9535) selects something, a value or a number of values
   */
  jsonPath?:
    | string
    | {
        /**
         * The path, such as $.items[*].name.
         */
        path: string;
        /**
         * What it selects; a list where it selects several.
         */
        value?: unknown;
        /**
         * How many values it selects.
         */
        count?:
          | (
              | number
              | {
                  /**
                   * The fewest that pass.
                   */
                  min?: number;
                  /**
                   * The most that pass.
                   */
                  max?: number;
                }
            )
          | string;
        /**
         * False: it must select nothing.
         */
        exists?: boolean | string;
      };
  /**
   * the text or value is one number: near a value, or within bounds
   */
  number?:
    | (number | string)
    | {
        /**
         * The expected number.
         */
        value?: number | string;
        /**
         * How far it may be off: a number, or a share of the value such as "5%".
         */
        tolerance?: ((number | string) | string) | string;
        /**
         * The least that passes.
         */
        min?: (number | string) | string;
        /**
         * The most that passes.
         */
        max?: (number | string) | string;
      };
  /**
   * the items of a list are the expected ones, as a set or in order; the score is F1
   */
  list?:
    | ((unknown[] | string) | string)
    | {
        /**
         * The expected items.
         */
        value: (unknown[] | string) | string;
        /**
         * The order counts, and so does how often an item stands there.
         */
        ordered?: boolean | string;
        /**
         * The F1 score that passes; 1 wants equality.
         */
        min?: number | string;
        /**
         * Upper and lower case are the same.
         */
        ignoreCase?: boolean | string;
        /**
         * White space around items does not count.
         */
        trim?: boolean | string;
      };
  /**
   * the whole text is well-formed XML, with a given root and given elements or attributes
   */
  xml?:
    | (boolean | string)
    | {
        /**
         * False: the text must not be XML.
         */
        value?: boolean | string;
        /**
         * The root element's name.
         */
        root?: string;
        /**
         * Paths that must lead somewhere: names from the root, // for any depth, * for any name, a last @name.
         */
        contains?: string[] | string;
      };
  /**
   * the text is HTML with every tag closed and nested as the standard wants, and holds given elements
   */
  html?:
    | (boolean | string)
    | {
        /**
         * False: the text must not be HTML.
         */
        value?: boolean | string;
        /**
         * Elements that must be there.
         */
        contains?: string[] | string;
      };
  /**
   * the whole text is SQL of a dialect, with allowed kinds of statements, on allowed tables
   */
  sql?:
    | (boolean | string)
    | {
        /**
         * False: the text must not be SQL.
         */
        value?: boolean | string;
        /**
         * Whose SQL it is.
         */
        dialect?:
          | (
              | 'postgresql'
              | 'mysql'
              | 'mariadb'
              | 'sqlite'
              | 'transactsql'
              | 'bigquery'
              | 'snowflake'
              | 'redshift'
              | 'trino'
              | 'athena'
              | 'hive'
              | 'flinksql'
              | 'db2'
            )
          | string;
        /**
         * Tables that may be read or written, by the name as written (public.orders is not orders).
         */
        tables?: string[] | string;
        /**
         * Kinds of statements that pass: select, insert, update, delete, create, drop and so on.
         */
        statements?: string[] | string;
      };
  /**
   * the Markdown has given sections, and a number of headings, lists, code blocks, tables or links
   */
  markdown?: {
    /**
     * Headings that must be there, in this order.
     */
    sections?: string[] | string;
    /**
     * How many headings.
     */
    headings?:
      | (
          | number
          | {
              /**
               * The fewest that pass.
               */
              min?: number;
              /**
               * The most that pass.
               */
              max?: number;
            }
        )
      | string;
    /**
     * How many lists; a list within a list is part of it.
     */
    lists?:
      | (
          | number
          | {
              /**
               * The fewest that pass.
               */
              min?: number;
              /**
               * The most that pass.
               */
              max?: number;
            }
        )
      | string;
    /**
     * How many items in all lists.
     */
    listItems?:
      | (
          | number
          | {
              /**
               * The fewest that pass.
               */
              min?: number;
              /**
               * The most that pass.
               */
              max?: number;
            }
        )
      | string;
    /**
     * How many fenced code blocks.
     */
    codeBlocks?:
      | (
          | number
          | {
              /**
               * The fewest that pass.
               */
              min?: number;
              /**
               * The most that pass.
               */
              max?: number;
            }
        )
      | string;
    /**
     * How many tables.
     */
    tables?:
      | (
          | number
          | {
              /**
               * The fewest that pass.
               */
              min?: number;
              /**
               * The most that pass.
               */
              max?: number;
            }
        )
      | string;
    /**
     * How many links, bare addresses included.
     */
    links?:
      | (
          | number
          | {
              /**
               * The fewest that pass.
               */
              min?: number;
              /**
               * The most that pass.
               */
              max?: number;
            }
        )
      | string;
    /**
     * The deepest heading that passes, from 1 to 6.
     */
    maxLevel?: number | string;
  };
  /**
   * the text is near to another: by edited characters, or by similarity, 1 − distance / the longer length
   */
  levenshtein?: {
    /**
     * The text to compare with.
     */
    value: string | number | boolean;
    /**
     * The most edits that pass.
     */
    max?: number | string;
    /**
     * The least similarity that passes.
     */
    min?: number | string;
    /**
     * Upper and lower case are the same.
     */
    ignoreCase?: boolean | string;
    /**
     * White space around texts does not count.
     */
    trim?: boolean | string;
  };
  /**
   * the words of the text overlap with a reference: ROUGE-N or ROUGE-L, without stemming (Lin 2004)
   */
  rouge?: {
    /**
     * The reference, or several, of which the best counts.
     */
    value: ((string | number | boolean) | (string | number | boolean)[]) | string;
    /**
     * Words in a run, or L for the longest common subsequence.
     */
    n?: (1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 'L') | string;
    /**
     * Recall is of the reference, precision of the answer, f their harmonic mean.
     */
    measure?: ('f' | 'recall' | 'precision') | string;
    /**
     * The score that passes.
     */
    min: number | string;
    /**
     * Upper and lower case are the same.
     */
    ignoreCase?: boolean | string;
  };
  /**
   * the runs of up to four words of the text stand in a reference: sentence BLEU (Papineni 2002)
   */
  bleu?: {
    /**
     * The reference, or several.
     */
    value: ((string | number | boolean) | (string | number | boolean)[]) | string;
    /**
     * The score that passes, from 0 to 1.
     */
    min: number | string;
    /**
     * For runs without a match: exp (NIST: a half, a quarter … of one), addOne (Lin and Och 2004), none (the score is 0).
     */
    smoothing?: ('none' | 'addOne' | 'exp') | string;
    /**
     * Upper and lower case are the same.
     */
    ignoreCase?: boolean | string;
  };
  /**
   * the answer means about the same as a reference, by the cosine of their embeddings
   */
  similar?:
    | (((string | number | boolean) | (string | number | boolean)[]) | string)
    | {
        /**
         * The reference, or several, of which the nearest counts.
         */
        value: ((string | number | boolean) | (string | number | boolean)[]) | string;
        /**
         * The least similarity that passes; its scale is that of the model.
         */
        min?: number | string;
        /**
         * A model of embeddings, as adapter:model or the id of one of the judges; default: a model that is computed here.
         */
        provider?: string;
      };
  /**
   * the model refused: by its API field, its finish reason or the wording of the first sentence (English and a dozen other languages)
   */
  refusal?:
    | (boolean | string)
    | {
        /**
         * False: the model must not refuse.
         */
        value?: boolean | string;
      };
  /**
   * the text holds personal data: email, phone, IBAN, card, US SSN, by form and check digits
   */
  pii?:
    | (boolean | string)
    | {
        /**
         * False: the text must hold none.
         */
        value: boolean | string;
        /**
         * What is looked for.
         */
        kinds?: ('email' | 'phone' | 'iban' | 'card' | 'ssn')[] | string;
        /**
         * Texts that do not count, such as your own address.
         */
        allow?: string[] | string;
      };
  /**
   * the text holds a key or token: by well-known prefixes, as a JWT, a private key, or a random text
   */
  secrets?:
    | (boolean | string)
    | {
        /**
         * False: the text must hold none.
         */
        value: boolean | string;
        /**
         * Random texts of 32 to 128 characters count too.
         */
        entropy?: boolean | string;
        /**
         * Texts that do not count, such as a documented example.
         */
        allow?: string[] | string;
      };
  /**
   * the model stopped for a given reason
   */
  finishReason?:
    | (
        | (
            | ('stop' | 'length' | 'toolCalls' | 'contentFilter' | 'refusal' | 'other')
            | ('stop' | 'length' | 'toolCalls' | 'contentFilter' | 'refusal' | 'other')[]
          )
        | string
      )
    | {
        /**
         * The reason that passes, or several.
         */
        value:
          | (
              | ('stop' | 'length' | 'toolCalls' | 'contentFilter' | 'refusal' | 'other')
              | ('stop' | 'length' | 'toolCalls' | 'contentFilter' | 'refusal' | 'other')[]
            )
          | string;
      };
  /**
   * the model calls given tools, with given arguments, in a given order, or none
   */
  toolCalls?:
    | (
        | (
            | (
                | string
                | {
                    /**
                     * The tool.
                     */
                    name: string;
                    /**
                     * The arguments it is called with.
                     */
                    args?: Readonly<Record<string, unknown>>;
                    /**
                     * subset: it may have further arguments.
                     */
                    compare?: 'subset' | 'exact';
                    /**
                     * A JSON Schema for its arguments.
                     */
                    schema?: Readonly<Record<string, unknown>> | boolean;
                    /**
                     * Paths in the arguments that are not compared, such as $.id.
                     */
                    ignore?: string[];
                    /**
                     * How many calls of it fit; 1 or more where it is left out.
                     */
                    count?:
                      | number
                      | {
                          /**
                           * The fewest that pass.
                           */
                          min?: number;
                          /**
                           * The most that pass.
                           */
                          max?: number;
                        };
                  }
              )
            | (
                | string
                | {
                    /**
                     * The tool.
                     */
                    name: string;
                    /**
                     * The arguments it is called with.
                     */
                    args?: Readonly<Record<string, unknown>>;
                    /**
                     * subset: it may have further arguments.
                     */
                    compare?: 'subset' | 'exact';
                    /**
                     * A JSON Schema for its arguments.
                     */
                    schema?: Readonly<Record<string, unknown>> | boolean;
                    /**
                     * Paths in the arguments that are not compared, such as $.id.
                     */
                    ignore?: string[];
                    /**
                     * How many calls of it fit; 1 or more where it is left out.
                     */
                    count?:
                      | number
                      | {
                          /**
                           * The fewest that pass.
                           */
                          min?: number;
                          /**
                           * The most that pass.
                           */
                          max?: number;
                        };
                  }
              )[]
          )
        | string
      )
    | {
        /**
         * The calls: names, or maps of name, args, compare, schema, ignore and count.
         */
        value?:
          | (
              | (
                  | string
                  | {
                      /**
                       * The tool.
                       */
                      name: string;
                      /**
                       * The arguments it is called with.
                       */
                      args?: Readonly<Record<string, unknown>>;
                      /**
                       * subset: it may have further arguments.
                       */
                      compare?: 'subset' | 'exact';
                      /**
                       * A JSON Schema for its arguments.
                       */
                      schema?: Readonly<Record<string, unknown>> | boolean;
                      /**
                       * Paths in the arguments that are not compared, such as $.id.
                       */
                      ignore?: string[];
                      /**
                       * How many calls of it fit; 1 or more where it is left out.
                       */
                      count?:
                        | number
                        | {
                            /**
                             * The fewest that pass.
                             */
                            min?: number;
                            /**
                             * The most that pass.
                             */
                            max?: number;
                          };
                    }
                )
              | (
                  | string
                  | {
                      /**
                       * The tool.
                       */
                      name: string;
                      /**
                       * The arguments it is called with.
                       */
                      args?: Readonly<Record<string, unknown>>;
                      /**
                       * subset: it may have further arguments.
                       */
                      compare?: 'subset' | 'exact';
                      /**
                       * A JSON Schema for its arguments.
                       */
                      schema?: Readonly<Record<string, unknown>> | boolean;
                      /**
                       * Paths in the arguments that are not compared, such as $.id.
                       */
                      ignore?: string[];
                      /**
                       * How many calls of it fit; 1 or more where it is left out.
                       */
                      count?:
                        | number
                        | {
                            /**
                             * The fewest that pass.
                             */
                            min?: number;
                            /**
                             * The most that pass.
                             */
                            max?: number;
                          };
                    }
                )[]
            )
          | string;
        /**
         * The names of the calls, where arguments do not matter.
         */
        names?: (string | string[]) | string;
        /**
         * any; ordered: in this order, others may stand between; exact: these and no others, in this order.
         */
        order?: ('any' | 'ordered' | 'exact') | string;
        /**
         * How many calls there are in all.
         */
        count?:
          | (
              | number
              | {
                  /**
                   * The fewest that pass.
                   */
                  min?: number;
                  /**
                   * The most that pass.
                   */
                  max?: number;
                }
            )
          | string;
        /**
         * True: the model calls no tool.
         */
        none?: boolean | string;
      };
  /**
   * the answer cost at most so many US dollars, as if nothing were cached
   */
  cost?:
    | ((number | string) | string)
    | {
        /**
         * US dollars.
         */
        max: (number | string) | string;
      };
  /**
   * the answer came within a duration; waiting and retries do not count
   */
  latency?:
    | string
    | {
        /**
         * Such as "500ms", "2s" or "1m30s".
         */
        max: string;
      };
  /**
   * the answer used a number of tokens, as the API counted them
   */
  tokens?: {
    /**
     * The least that passes.
     */
    min?: number | string;
    /**
     * The most that passes.
     */
    max?: number | string;
    /**
     * Which tokens are counted.
     */
    of?: ('input' | 'output' | 'total') | string;
  };
  /**
   * a judge finds that the answer meets a criterion
   */
  rubric?:
    | (string | number | boolean)
    | {
        /**
         * The criterion, in plain words.
         */
        value: string | number | boolean;
        /**
         * The id of one of the suite's judges; may be left out where there is only one.
         */
        judge?: string;
        /**
         * How often the judge is asked; the majority decides.
         */
        votes?: number | string;
        /**
         * Shows the judge the case's variables and the conversation; never the prompt.
         */
        input?: boolean | string;
        /**
         * Asks for a score from 0 to 1 and passes from here on; without it the judge says pass or fail.
         */
        threshold?: ((number | string) & number) | string;
      };
  /**
   * a judge finds that the answer says what a reference says and contradicts nothing of it
   */
  factual?:
    | unknown
    | {
        /**
         * The reference answer.
         */
        value: unknown;
        /**
         * The id of one of the suite's judges; may be left out where there is only one.
         */
        judge?: string;
        /**
         * How often the judge is asked; the majority decides.
         */
        votes?: number | string;
        /**
         * Shows the judge the case's variables and the conversation; never the prompt.
         */
        input?: boolean | string;
        /**
         * Asks for a score from 0 to 1 and passes from here on; without it the judge says pass or fail.
         */
        threshold?: ((number | string) & number) | string;
      };
  /**
   * a judge is asked in the user's own words, and the first choice that its reply holds decides
   */
  choice?:
    | (string | number | boolean)
    | {
        /**
         * What the judge is asked, word for word; {answer} stands for the answer.
         */
        value: string | number | boolean;
        /**
         * In the order in which they are looked for.
         */
        choices:
          | {
              /**
               * A text that the reply may hold; letter case does not count.
               */
              choice: string | number | boolean;
              /**
               * What it is worth; more than 0 passes.
               */
              score: (number | string) & number;
            }[]
          | string;
        /**
         * A system message before the question.
         */
        system?: string | number | boolean;
        /**
         * The id of one of the suite's judges; may be left out where there is only one.
         */
        judge?: string;
      };
  /**
   * a judge that sees both finds the answer no worse than that of the other side, whichever it sees first
   */
  pairwise?:
    | (string | number | boolean)
    | {
        /**
         * What the better answer is better at.
         */
        value: string | number | boolean;
        /**
         * The id of one of the suite's judges; may be left out where there is only one.
         */
        judge?: string;
        /**
         * How often the judge is asked; the majority decides.
         */
        votes?: number | string;
        /**
         * Shows the judge the case's variables and the conversation; never the prompt.
         */
        input?: boolean | string;
        /**
         * A win scores 1, a tie 0.5, a loss 0: the default lets a tie pass, 1 asks for a win.
         */
        min?: (number | string) | string;
      };
  /**
   * your own check: a function that a JavaScript or TypeScript file exports, in a child process with a deadline
   */
  module?:
    | string
    | {
        /**
         * The file, from the folder of the file that names it; no template.
         */
        value: string;
        /**
         * The export that is called with the answer.
         */
        export?: string;
        /**
         * Any value for your code; strings in it are templates over vars and expected.
         */
        args?: unknown;
        /**
         * Further files that decide the verdict: with the code's own they are part of the case's stamp.
         */
        files?: string[] | string;
        /**
         * How long one check may take.
         */
        timeout?: string;
        /**
         * How much memory it may take, in MB.
         */
        memoryMb?: number | string;
      };
  /**
   * your own check: a program that reads the answer as JSON on stdin and writes a verdict on stdout
   */
  exec?:
    | ((string[] | string) | string)
    | {
        /**
         * The command, without a shell; no template.
         */
        value: (string[] | string) | string;
        /**
         * Any value for your code; strings in it are templates over vars and expected.
         */
        args?: unknown;
        /**
         * Names of variables that it may see beside the basic ones.
         */
        env?: string[] | string;
        /**
         * Further files that decide the verdict: with the code's own they are part of the case's stamp.
         */
        files?: string[] | string;
        /**
         * How long one check may take.
         */
        timeout?: string;
        /**
         * How much memory it may take, in MB.
         */
        memoryMb?: number | string;
      };
  /**
   * the answer is the accepted one: exactly, up to white space and case, or by similarity
   */
  snapshot?:
    | (('exact' | 'normalised') | string)
    | {
        /**
         * normalised: runs of white space are one space, upper and lower case are the same.
         */
        value?: ('exact' | 'normalised') | string;
        /**
         * The least similarity that passes; without it the two must be the same.
         */
        min?: number | string;
      };
  not?: Assertion;
  /**
   * at least one of several assertions holds; the score is the highest
   */
  anyOf?: Assertion[];
  /**
   * every one of several assertions holds; the score is the lowest
   */
  allOf?: Assertion[];
  /**
   * The part of the answer that is checked.
   */
  select?:
    | ('text' | 'json' | 'toolCalls' | 'reasoning')
    | {
        /**
         * The answer, parsed as JSON.
         */
        json: true;
      }
    | {
        /**
         * What a JSONPath (RFC 9535) selects.
         */
        jsonPath: string;
      }
    | {
        /**
         * What a regular expression matches, in JavaScript syntax.
         */
        regex: string;
        /**
         * Its flags, such as "i".
         */
        flags?: string;
        /**
         * A capture group; default 0, the whole match.
         */
        group?: number;
        /**
         * Which match; default first.
         */
        match?: 'first' | 'last';
      }
    | {
        /**
         * A fenced code block of that language; "" is any.
         */
        codeBlock: string;
      }
    | {
        /**
         * What stands between <tag> and </tag>.
         */
        xmlTag: string;
      };
  /**
   * Your own name for the check.
   */
  name?: string;
  /**
   * Its weight in the score; default 1.
   */
  weight?: number;
  /**
   * With a threshold: the case fails where this check does.
   */
  required?: boolean;
}
