import { describe, expect, test } from 'vitest';
import { openTempProject } from '../../support/temp-project.ts';
import { problemsIn, suiteOf, testMistakes } from './follow-hints.ts';

const suite = 'evals/a.eval.yaml';

const braces = (opener: string) => `"${opener}" must be in quotes: without them, "{" begins a map in YAML`;

const colon = 'the value holds ": ", which begins a map in YAML';

/** A list of one case, in lines. */
const caseOf = (lines: readonly string[]) => `\n  - id: red\n${lines.map((line) => `    ${line}\n`).join('')}`;

const word = 'vars: { word: red }';

describe('a value of YAML that must be quoted', () => {
  testMistakes({
    'a template alone': {
      files: {
        [suite]: suiteOf({ cases: caseOf(['expected: red', word, 'assert:', '  - contains: {{ expected }}']) }),
      },
      says: [`${suite}:8:19 error syntax: ${braces('{{')}\nhint: put the whole value in quotes: "{{ expected }}"`],
      follow: ({ change }) => change(suite, '{{ expected }}', '"{{ expected }}"'),
    },
    'a template with a filter that has quotes of its own': {
      files: { [suite]: suiteOf({ prompts: '\n  - id: v1\n    text: {{ word | default: "x, y" }} # as it is' }) },
      says: [
        `${suite}:3:11 error syntax: ${braces('{{')}\nhint: put the whole value in quotes: '{{ word | default: "x, y" }}'`,
      ],
      follow: ({ change }) => change(suite, '{{ word | default: "x, y" }}', `'{{ word | default: "x, y" }}'`),
    },
    'templates in brackets, one after text': {
      files: {
        [suite]: suiteOf({
          prompts: '[{ id: v1, text: Say: {{ word }}, please }]',
          cases: '[{ id: red, vars: { word: red }, expected: red, assert: [{ contains: {{expected}} }] }]',
        }),
      },
      says: [
        `${suite}:1:27 error syntax: ${braces('{{')}\nhint: put the whole value in quotes: "Say: {{ word }}, please"`,
        `${suite}:3:77 error syntax: ${braces('{{')}\nhint: put the whole value in quotes: "{{expected}}"`,
      ],
      follow({ change }) {
        change(suite, 'Say: {{ word }}, please', '"Say: {{ word }}, please"');
        change(suite, '{{expected}}', '"{{expected}}"');
      },
    },
    'a block of a template': {
      files: { [suite]: suiteOf({ prompts: '\n  - id: v1\n    text: {% if word %}{{ word }}{% endif %}' }) },
      says: [
        `${suite}:3:11 error syntax: ${braces('{%')}\nhint: put the whole value in quotes: "{% if word %}{{ word }}{% endif %}"`,
      ],
      follow: ({ change }) =>
        change(suite, '{% if word %}{{ word }}{% endif %}', '"{% if word %}{{ word }}{% endif %}"'),
    },
    'a suite in which nothing is written': {
      files: { [suite]: '# later\n' },
      says: [
        `${suite}:1:1 error invalid-value: a suite must be a map of keys, not empty\nhint: write prompts, providers and cases; \`llmcheck init\` writes a sample`,
      ],
      follow: ({ project }) => project.write(suite, suiteOf()),
    },
    'a template on the second line of a text': {
      files: { [suite]: suiteOf({ prompts: '\n  - id: v1\n    text: Say this.\n    {{ word }}' }) },
      says: [
        `${suite}:4:5 error syntax: a text of several lines needs "|"\nhint: write "|" behind the colon of the line before, and the whole text on indented lines below it`,
      ],
      follow: ({ edit }) =>
        edit(suite, 'text: Say this.\n    {{ word }}', 'text: |\n      Say this.\n      {{ word }}'),
    },
    'no-break spaces in place of blanks': {
      files: {
        [suite]: suiteOf({
          cases: caseOf([word, 'expected:\u00a0red', 'assert: [{ contains: red }]']).replace('    a', ' \u00a0  a'),
        }),
      },
      says: [
        `${suite}:6:14 error syntax: this is a no-break space (U+00A0), which YAML does not take for a space\nhint: replace it with a space`,
        `${suite}:7:2 error syntax: this is a no-break space (U+00A0), which YAML does not take for a space\nhint: replace it with a space`,
      ],
      follow({ edit }) {
        edit(suite, '\u00a0red', ' red');
        edit(suite, '\u00a0  assert', '   assert');
      },
    },
    'a dash without a blank after it': {
      files: { [suite]: suiteOf({ cases: caseOf([word, 'assert: [{ contains: red }]']).replace('- id', '-id') }) },
      says: [`${suite}:4:3 error syntax: a space must follow the "-" of an item\nhint: write - id: …`],
      follow: ({ change }) => change(suite, '-id: ', '- id: '),
    },
    'a second case without a dash': {
      files: {
        [suite]: suiteOf({ cases: caseOf([word, 'assert: [{ contains: red }]', 'id: blue']) }),
      },
      says: [
        `${suite}:7:5 error syntax: the key "id" is written twice in one map\nhint: if another item of the list begins here, write - id: …`,
      ],
      follow: ({ edit }) =>
        edit(suite, '    id: blue', '  - id: blue\n    vars: { word: blue }\n    assert: [{ contains: blue }]'),
    },
    'a template over several lines': {
      files: { [suite]: suiteOf({ prompts: '\n  - id: v1\n    text: {{ word }}\n      and nothing else' }) },
      says: [
        `${suite}:3:11 error syntax: ${braces('{{')}\nhint: write "|" there, and the text on indented lines below it`,
      ],
      follow: ({ edit }) => edit(suite, 'text: {{ word }}\n', 'text: |\n      {{ word }}\n'),
    },
    'a template in a message, in the file of a prompt': {
      files: {
        [suite]: suiteOf({ prompts: '[{ id: v1, file: v1.yaml }]' }),
        'evals/v1.yaml': '- role: user\n  content: {{ word }}\n',
      },
      says: [`evals/v1.yaml:2:12 error syntax: ${braces('{{')}\nhint: put the whole value in quotes: "{{ word }}"`],
      follow: ({ change }) => change('evals/v1.yaml', '{{ word }}', '"{{ word }}"'),
    },
    'a template in the front matter of a prompt': {
      files: {
        [suite]: suiteOf({ prompts: '[{ id: v1, file: v1.prompty }]' }),
        'evals/v1.prompty': '---\nname: one\ndescription: {{ word }} is said\n---\nuser:\n{{ word }}\n',
      },
      says: [
        `evals/v1.prompty:3:14 error syntax: ${braces('{{')}\nhint: put the whole value in quotes: "{{ word }} is said"`,
      ],
      follow: ({ change }) => change('evals/v1.prompty', '{{ word }} is said', '"{{ word }} is said"'),
    },
    'a template in a file of cases': {
      files: {
        [suite]: suiteOf({ cases: '[{ file: cases.yaml }]' }),
        'evals/cases.yaml': '- id: red\n  vars: { word: red }\n  expected: red\n  assert: [{ equals: {{expected}} }]\n',
      },
      says: [
        `evals/cases.yaml:4:22 error syntax: ${braces('{{')}\nhint: put the whole value in quotes: "{{expected}}"`,
      ],
      follow: ({ change }) => change('evals/cases.yaml', '{{expected}}', '"{{expected}}"'),
    },
    'a colon in values, here and there': {
      files: {
        [suite]: suiteOf({
          prompts: '\n  - id: v1\n    text: Answer in one word: {{ word }}',
          cases: caseOf([`vars:`, '  word: Subject: red', 'assert: [{ contains: Subject: red }]']),
        }),
      },
      says: [
        `${suite}:3:11 error syntax: ${braces('{{')}\nhint: put the whole value in quotes: "Answer in one word: {{ word }}"`,
        `${suite}:8:13 error syntax: ${colon}\nhint: put the whole value in quotes: "Subject: red"`,
        `${suite}:9:26 error syntax: ${colon}\nhint: put the whole value in quotes: "Subject: red"`,
      ],
      follow({ change, edit }) {
        change(suite, 'Answer in one word: {{ word }}', '"Answer in one word: {{ word }}"');
        change(suite, 'Subject: red', '"Subject: red"');
        edit(suite, 'contains: Subject: red', 'contains: "Subject: red"');
      },
    },
    'a sentence with a colon in a list': {
      files: {
        [suite]: suiteOf({
          cases: caseOf([word, 'assert:', '  - containsAny:', '      - The color: {{ word }}', '      - red']),
        }),
      },
      says: [
        `${suite}:8:13 error syntax: ${braces('{{')}\nhint: put the whole value in quotes: "The color: {{ word }}"`,
      ],
      follow: ({ change }) => change(suite, 'The color: {{ word }}', '"The color: {{ word }}"'),
    },
    'a mark that YAML reserves': {
      files: {
        [suite]: suiteOf({
          cases: caseOf([word, 'assert:', '  - not: { contains: @home }', '  - not: { contains: `red` }']),
        }),
      },
      says: [
        `${suite}:7:26 error syntax: a value can't begin with "@" in YAML\nhint: put the whole value in quotes: "@home"`,
        `${suite}:8:26 error syntax: a value can't begin with "\`" in YAML\nhint: put the whole value in quotes: "\`red\`"`,
      ],
      follow({ change }) {
        change(suite, '@home', '"@home"');
        change(suite, '`red`', '"`red`"');
      },
    },
    'an exclamation mark': {
      files: { [suite]: suiteOf({ cases: caseOf([word, 'assert:', '  - not: { contains: !wow }']) }) },
      says: [
        `${suite}:7:26 error syntax: a value that begins with "!" is a tag in YAML, and no tag is known here\nhint: put the whole value in quotes: "!wow"`,
      ],
      follow: ({ change }) => change(suite, '!wow', '"!wow"'),
    },
    'text after a closing quote or bracket': {
      files: {
        [suite]: suiteOf({
          prompts: '\n  - id: v1\n    text: "{{ word }}" is red',
          cases: caseOf(["vars: { word: 'it's red' }", 'description: [urgent] red', 'assert: [{ contains: red }]']),
        }),
      },
      says: [
        `${suite}:3:11 error syntax: text follows the closing quote of a value\nhint: put the whole value in quotes: '"{{ word }}" is red'`,
        `${suite}:7:19 error syntax: text follows the closing quote of a value\nhint: put the whole value in quotes: "it's red"`,
        `${suite}:8:18 error syntax: text follows the closing bracket of a value\nhint: put the whole value in quotes: "[urgent] red"`,
      ],
      follow({ change }) {
        change(suite, '"{{ word }}" is red', `'"{{ word }}" is red'`);
        change(suite, "'it's red'", '"it\'s red"');
        change(suite, '[urgent] red', '"[urgent] red"');
      },
    },
    'a backslash in double quotes': {
      files: {
        [suite]: suiteOf({ cases: caseOf([word, 'assert:', '  - regex: "\\w+"', '  - not: { regex: "\\d\\n" }']) }),
      },
      says: [
        `${suite}:7:17 error syntax: "\\w" is not an escape of a text in double quotes\nhint: write it in single quotes: '\\w+'`,
        `${suite}:8:24 error syntax: "\\d" is not an escape of a text in double quotes\nhint: write \\\\d`,
      ],
      follow({ change }) {
        change(suite, '"\\w+"', "'\\w+'");
        change(suite, '\\d', '\\\\d');
      },
    },
    'a hash sign, which begins a comment': {
      files: { [suite]: suiteOf({ cases: caseOf([word, 'assert:', '  - not:', '      contains: #1']) }) },
      says: [
        `${suite}:8:11 error invalid-value: contains must be a string, a number or a boolean, not null\nhint: write a value; one that begins with "#" must be in quotes, as it is a comment without them`,
        `${suite}:8:21 warning syntax: "#1" is a comment in YAML, and the value is empty\nhint: write "#1" in quotes; a comment begins with "# "`,
      ],
      follow: ({ edit }) => edit(suite, '#1', '"#1"'),
    },
    'a colon in a text of a list': {
      files: {
        [suite]: suiteOf({ cases: caseOf([word, 'assert:', '  - containsAny:', '      - Re: red', '      - red']) }),
      },
      says: [
        `${suite}:8:13 error invalid-value: containsAny[0] must be a string, a number or a boolean, not a map\nhint: for a text, write it in quotes: "Re: red"`,
      ],
      follow: ({ change }) => change(suite, 'Re: red', '"Re: red"'),
    },
    'braces of another template language': {
      files: { [suite]: suiteOf({ prompts: '[{ id: v1, text: {word} }]' }) },
      says: [
        `${suite}:1:27 error invalid-value: text of the prompt must be a text, not a map\nhint: for a text, write it in quotes: "{word}"; a variable is written {{ word }}`,
      ],
      follow: ({ edit }) => edit(suite, '{word}', '"{{ word }}"'),
    },
  });
});

describe('a missing mark of YAML', () => {
  testMistakes({
    'no colon after a key': {
      files: {
        [suite]: `prompts\n  - id: v1\n    text: "{{ word }}"\nproviders: [openai:gpt-4o-mini]\ncases:${caseOf([word, 'expected red', 'assert: [{ contains: red }]'])}`,
      },
      says: [
        `${suite}:1:1 error syntax: "prompts" has no colon after it\nhint: write prompts:`,
        `${suite}:8:5 error syntax: "expected" has no colon after it\nhint: write expected: red`,
      ],
      follow({ change }) {
        change(suite, 'prompts', 'prompts:');
        change(suite, 'expected red', 'expected: red');
      },
    },
    'no colon before a bracket': {
      files: { [suite]: suiteOf({ cases: caseOf(['vars { word: red }', 'assert: [{ contains: red }]']) }) },
      says: [
        `${suite}:5:5 error unknown-key: unknown key "vars { word" in the case\nhint: write a colon and a blank after vars: "vars: …"`,
      ],
      follow: ({ edit }) => edit(suite, 'vars {', 'vars: {'),
    },
    'no colon in brackets': {
      files: { [suite]: suiteOf({ cases: '[{ id red, vars: { word: red }, assert: [{ contains: red }] }]' }) },
      says: [`${suite}:3:11 error unknown-key: unknown key "id red" in the case\nhint: write id: red`],
      follow: ({ change }) => change(suite, 'id red', 'id: red'),
    },
    'no blank after the colon': {
      files: {
        [suite]: suiteOf({ cases: '\n  - id:red\n    vars: { word: red }\n    assert:\n      - contains:red' }).replace(
          'providers: ',
          'providers:',
        ),
      },
      says: [
        `${suite}:2:1 error syntax: a blank must follow the colon after "providers"\nhint: write providers: [openai:gpt-4o-mini]`,
        `${suite}:4:5 error syntax: a blank must follow the colon after "id"\nhint: write id: red`,
      ],
      follow({ change, edit }) {
        change(suite, 'providers:[openai:gpt-4o-mini]', 'providers: [openai:gpt-4o-mini]');
        change(suite, 'id:red', 'id: red');
        edit(suite, 'contains:red', 'contains: red');
      },
    },
    'no blank after the colon of an assertion': {
      files: { [suite]: suiteOf({ cases: caseOf([word, 'assert:', '  - contains:red']) }) },
      says: [
        `${suite}:7:9 error invalid-value: an assertion is a map with one assertion name, not "contains:red"\nhint: a blank must follow the colon: contains: red`,
      ],
      follow: ({ change }) => change(suite, 'contains:red', 'contains: red'),
    },
    'a quote that is not closed': {
      files: { [suite]: suiteOf({ cases: caseOf(['description: "a color', word, 'assert: [{ contains: "red" }]']) }) },
      says: [`${suite}:5:18 error syntax: the quote that opens here is not closed\nhint: close it on this line with "`],
      follow: ({ edit }) => edit(suite, '"a color', '"a color"'),
    },
    'a bracket that is not closed': {
      files: { [suite]: suiteOf({ cases: caseOf(['vars: { word: red', 'assert: [{ contains: red }]']) }) },
      says: [`${suite}:5:11 error syntax: the "{" that opens here is not closed\nhint: close it with "}"`],
      follow: ({ edit }) => edit(suite, '{ word: red', '{ word: red }'),
    },
    'a line that is indented otherwise': {
      files: { [suite]: suiteOf({ cases: '\n  - id: red\n   vars: { word: red }\n    assert: [{ contains: red }]' }) },
      says: [
        `${suite}:5:4 error syntax: the line is not indented like the other lines of its map or list\nhint: put 4 blanks before it, not 3`,
      ],
      follow: ({ edit }) => edit(suite, '\n   vars', '\n    vars'),
    },
    'a line that is indented by a tab': {
      files: {
        [suite]: suiteOf({
          cases: '\n  - id: red\n    vars: { word: red }\n\tassert: [{ contains: red }]\n  - id: no',
        }),
      },
      says: [`${suite}:6:1 error syntax: a tab can't indent YAML: use spaces`],
      follow: ({ edit }) =>
        edit(suite, '\n\tassert: [{ contains: red }]\n  - id: no', '\n    assert: [{ contains: red }]'),
    },
    'an item without its dash': {
      files: {
        [suite]: suiteOf({
          cases: `${caseOf([word, 'assert: [{ contains: red }]'])}  id: again\n    vars: { word: red }\n    observe: true`,
        }),
      },
      says: [
        `${suite}:7:3 error syntax: the line is not indented like the other lines of its map or list\nhint: put 4 blanks before it, not 2; an item begins with "- "`,
      ],
      follow: ({ edit }) => edit(suite, '\n  id: again', '\n  - id: again'),
    },
    'a dash that only some items have': {
      files: {
        [suite]: suiteOf({
          cases:
            '\n  red:\n    vars: { word: red }\n    assert: [{ contains: red }]\n  - id: again\n    vars: { word: red }\n    observe: true',
        }),
      },
      says: [
        `${suite}:7:3 error syntax: an item of a list follows the keys of a map\nhint: begin each of them with "- ", or none`,
      ],
      follow: ({ edit }) => edit(suite, '\n  red:\n', '\n  - id: red\n'),
    },
  });
});

describe('a text behind a "#"', () => {
  const warn = (line: string, hint: string) => [
    `warning syntax: ${line}\nhint: write ${hint} in quotes; a comment begins with "# "`,
  ];

  test.each([
    ['expected: #billing', warn('"#billing" is a comment in YAML, and the value is empty', '"#billing"')],
    [
      'description: order #12 of two',
      warn('"#12 of two" is a comment in YAML, and the value is "order"', '"order #12 of two"'),
    ],
    ['description: order # the twelfth', []],
    ['description: order#12', []],
    ['description: "order #12" #twelve', []],
    ['threshold: 1 #all', []],
    ['expected: # none', []],
  ])('%s', async (line, warnings) => {
    const project = openTempProject();
    project.write(suite, suiteOf({ cases: caseOf([line, word, 'assert: [{ contains: red }]']) }));
    const { code, stderr } = await project.run(['validate'], { env: { OPENAI_API_KEY: 'x' } });
    expect([code, problemsIn(stderr).map((problem) => problem.replace(/^\S+ /, ''))]).toEqual([0, warnings]);
  });
});
