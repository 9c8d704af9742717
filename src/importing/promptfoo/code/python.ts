import { posix } from 'node:path';
import { defined } from '../../../json/defined.ts';
import { readPython } from '../../../text/code/script-imports.ts';
import { isMap, LeftOut, type Written } from '../../draft.ts';
import {
  type CodePlace,
  type EnvNames,
  findEnv,
  type ProgramCall,
  ProgramFile,
  type ProgramFilePorts,
  readProgramFiles,
} from './code-files.ts';

/** A suite's Python code. */
export class PythonFile extends ProgramFile {
  constructor(place: CodePlace) {
    super(place, { program: 'python3', folder: 'python', ending: 'py' });
  }

  protected override renderCalls(calls: readonly ProgramCall[], shown: string): string {
    const functions = calls.flatMap(({ name, line, source }) =>
      'code' in source ? [`# Line ${line}.\ndef ${name}(output, context):\n${source.code}\n\n\n`] : [],
    );
    const table = calls.map(({ name, line, source, options }) => {
      const own =
        'code' in source ? '' : `"file": ${toPython(this.fromHere(source.file))}, "name": ${toPython(source.name)}, `;
      const code = 'code' in source ? `"code": ${name}, ` : '';
      return `    # Line ${line}.\n    "${name}": {${code}${own}${toPython(options).slice(1)},\n`;
    });
    const imports = ['asyncio', 'contextlib', 'importlib.util', 'inspect', 'json', 'os', 're', 'sys'];
    return [
      `# Imported from ${shown} (promptfoo).\n`,
      ...imports.map((name) => `import ${name}\n`),
      '\n\n',
      ...functions,
      `CALLS = {\n${table.join('')}}\n`,
      `# Code starts in the folder of the config.\nSTART = ${toPython(this.fromHere('.'))}\n`,
      pythonBridge,
    ].join('');
  }
}

/** Parses `checks.py` or `checks.py:fn`, with or without `file://` or `python:`. */
export function findPython(reference: string): { readonly file: string; readonly name?: string } | undefined {
  const [, file, name] = /^(?:file:\/\/|python:)?(?:file:\/\/)?(.+?\.py)(?::([\w.]+))?$/.exec(reference) ?? [];
  return file === undefined ? undefined : { file: file.replaceAll('\\', '/'), ...defined({ name }) };
}

/** Reads a Python file and its imports from the same folder, the file first, and their text. */
export function readPythonFiles(file: string, written: Written, ports: ProgramFilePorts) {
  const folder = posix.dirname(file);
  return readProgramFiles(file, written, ports, { ending: 'py', findImports: (text) => findImports(text, folder) });
}

/** Files that imports may refer to in a folder. */
function findImports(text: string, folder: string): readonly string[] {
  return readPython(text)
    .imports.map((name) => posix.join(folder, ...name.split('.').filter((part) => part !== '')))
    .flatMap((module) => [`${module}.py`, `${module}/__init__.py`]);
}

/** Reads the imports of inline code from folders that it adds to Python's path. */
export async function readPythonImports(code: string, written: Written, ports: ProgramFilePorts) {
  const named = [...code.matchAll(/\bsys\.path\b.*["']([^"'\n]+)["']/g)];
  const folders = new Set(named.map(([, folder = '']) => posix.normalize(folder.replace(/^\/+/, ''))));
  const found: string[] = [];
  for (const folder of folders) {
    const beside = await ports.glob(posix.join(folder, '**/*.py'));
    const wanted = findImports(code, folder);
    found.push(...beside.map((path) => posix.normalize(path)).filter((path) => wanted.includes(path)));
  }
  const files = new Set<string>();
  const texts = [code];
  for (const file of found) {
    const read = await readPythonFiles(file, written, ports);
    if (read instanceof LeftOut) return read;
    for (const path of read.files) files.add(path);
    texts.push(read.text);
  }
  return { files: [...files], text: texts.join('\n') };
}

export function findPythonEnv(text: string): EnvNames {
  return findEnv(text, {
    needed: /\bos\.environ\[\s*["'](\w+)["']\s*\](?!\s*=[^=])/g,
    read: /\bos\.(?:getenv|environ\.get)\(\s*["'](\w+)["']/g,
  });
}

/** Writes JSON as a Python literal. */
export function toPython(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null || value === undefined) return 'None';
  if (Array.isArray(value)) return `[${value.map(toPython).join(', ')}]`;
  if (!isMap(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${toPython(item)}`)
    .join(', ')}}`;
}

/** Second half of a written Python file. It calls code like promptfoo does. */
const pythonBridge = `

HERE = os.path.dirname(os.path.abspath(__file__))


class Context(dict):
    """Parts of promptfoo's context that are not known here are not missing in silence."""

    unknown = ("prompt", "test", "logProbs", "provider", "providerResponse", "trace", "metadata")
    read = []

    def note(self, key):
        if not dict.__contains__(self, key) and key in self.unknown:
            self.read.append(key)

    def __contains__(self, key):
        self.note(key)
        return dict.__contains__(self, key)

    def __missing__(self, key):
        self.note(key)
        raise KeyError(key)

    def get(self, key, default=None):
        self.note(key)
        return dict.get(self, key, default)


def load(call):
    if "code" in call:
        return call["code"]
    path = os.path.abspath(os.path.join(HERE, call["file"]))
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    for part in call["name"].split("."):
        found = getattr(found, part)
    return found


def run(call, *args):
    # What the code prints is no part of its answer.
    with contextlib.redirect_stdout(sys.stderr):
        returned = load(call)(*args)
        if inspect.iscoroutine(returned):
            returned = asyncio.run(returned)
    return json.loads(json.dumps(returned, ensure_ascii=False), parse_constant=float_is_no_json)


def float_is_no_json(text):
    raise ValueError(text + " is no JSON")


def fill(template, output, context):
    # promptfoo fills the values of variables into inline code, and then runs what that makes.
    def text_of(found):
        value = context["vars"].get(found.group(1))
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    code = re.sub(r"\\{\\{\\s*(\\w+)\\s*\\}\\}", text_of, template)
    lines = code.split("\\n") if "\\n" in code else ["return " + code]
    scope = dict(globals())
    exec("def filled(output, context):\\n" + "".join("    " + line + "\\n" for line in lines), scope)
    return scope["filled"](output, context)


def refuse_unknown():
    if Context.read:
        sys.exit("context[" + json.dumps(Context.read[0]) + "] of promptfoo is not given here")


def check(call, given):
    args = given["args"] or {}
    output = given["target"]
    context = Context({"vars": args.get("vars", {})})
    if "config" in args:
        context["config"] = args["config"]
    if call.get("state"):
        output = given["target"].get("output", given["text"])
        context["providerResponse"] = {**given["target"], "output": output}
        if "metadata" in given["target"]:
            context["metadata"] = given["target"]["metadata"]
    elif call.get("json"):
        with contextlib.suppress(ValueError, TypeError):
            output = json.loads(output)
    try:
        verdict = judge(run(call, output, context), call)
    except BaseException as error:
        verdict = {"pass": False, "reason": "the check raised " + type(error).__name__ + ": " + str(error)}
    refuse_unknown()
    return verdict


def judge(result, call):
    inverse = call.get("inverse", False)
    threshold = call.get("threshold")
    if isinstance(result, str) and result.lower() in ("true", "false"):
        result = result.lower() == "true"
    if isinstance(result, str) and result.startswith("{"):
        result = json.loads(result)
    if isinstance(result, bool):
        return {"pass": result != inverse, "reason": "the check returned " + str(result)}
    if isinstance(result, (dict, list)):
        return grade(result, inverse, threshold)
    number = re.match(r"\\s*[-+]?(\\d+\\.?\\d*|\\.\\d+)(e[-+]?\\d+)?", str(result), re.I)
    if number is None:
        raise ValueError("no boolean, number or {pass, score, reason}: " + str(result)[:120])
    score = float(number.group())
    passed = score > 0 if threshold is None else score >= threshold
    return verdict(passed != inverse, score, "the check returned " + str(result))


def grade(result, inverse, threshold):
    result = dict(result) if isinstance(result, dict) else {}
    passed = result.get("pass", result.get("pass_"))
    score, reason = result.get("score"), result.get("reason")
    named = result.get("namedScores", result.get("named_scores"))
    if not isinstance(passed, bool) or not is_number(score) or not isinstance(reason, str):
        raise ValueError("no {pass, score, reason}: " + json.dumps(result)[:120])
    if threshold is not None and score < threshold:
        passed = False
    scores = ["%s %s" % pair for pair in named.items()] if isinstance(named, dict) else []
    reason = "; ".join([reason, *scores])
    # A pass of 0 that the code itself gives is a contradiction, and no verdict.
    if passed and not inverse:
        return {"pass": True, "score": limit(score), "reason": reason}
    return verdict(passed != inverse, score, reason)


def verdict(passed, score, reason):
    # The score is not inverted with the verdict: one that says the opposite is left out.
    said = {"pass": passed, "reason": reason}
    return said if limit(score) == int(not passed) else {**said, "score": limit(score)}


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def limit(score):
    return min(1, max(0, score))


def provider(call, given):
    messages = [{"role": one["role"], "content": one["content"]} for one in given["messages"]]
    prompt = messages[0]["content"] if len(messages) == 1 else json.dumps(messages, ensure_ascii=False)
    context = Context({"vars": given.get("vars", {}), "prompt": {"raw": prompt, "label": prompt}})
    response = run(call, *[prompt, call["options"], context][: call.get("arity", 3)])
    refuse_unknown()
    if not isinstance(response, dict) or ("output" not in response and "error" not in response):
        sys.exit("the provider returned no dict with an output or an error")
    if response.get("error") not in (None, ""):
        sys.exit(str(response["error"]))
    output = response["output"]
    is_text = isinstance(output, str)
    answer = {"text": output if is_text else json.dumps(output, ensure_ascii=False)}
    usage = response.get("tokenUsage") or {}
    if isinstance(usage.get("prompt"), int) and isinstance(usage.get("completion"), int):
        answer["usage"] = {"inputTokens": usage["prompt"], "outputTokens": usage["completion"]}
    if call.get("state"):
        answer["state"] = {key: value for key, value in response.items() if key != "output" or not is_text}
    return answer


def transform(call, given):
    returned = run(call, given["output"], Context(given["context"]))
    refuse_unknown()
    return returned


def prompt(call, variables):
    returned = run(call, Context({"vars": variables, "config": call.get("config", {})}))
    refuse_unknown()
    if isinstance(returned, dict) and "prompt" in returned:
        if returned.get("config"):
            sys.exit("the function returned a config, which a prompt has no equivalent of here")
        returned = returned["prompt"]
    if isinstance(returned, str) and ("{{" in returned or "{%" in returned):
        sys.exit("the function returned a template, which is not rendered here")
    chat = returned
    if isinstance(returned, str):
        try:
            chat = json.loads(returned)
        except ValueError:
            return returned
    is_chat = isinstance(chat, list) and all(isinstance(one, dict) and "role" in one for one in chat)
    return chat if is_chat else returned if isinstance(returned, str) else json.dumps(returned, ensure_ascii=False)


def main():
    call = CALLS[sys.argv[1]]
    os.chdir(os.path.join(HERE, START))
    out = sys.stdout
    if call["kind"] == "prompt":
        for line in sys.stdin:
            print(json.dumps(prompt(call, json.loads(line))), file=out, flush=True)
        return
    given = json.load(sys.stdin)
    kinds = {"check": check, "provider": provider, "transform": transform}
    print(json.dumps(kinds[call["kind"]](call, given)), file=out)


if __name__ == "__main__":
    main()
`;
