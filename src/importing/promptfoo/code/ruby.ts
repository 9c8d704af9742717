import { posix } from 'node:path';
import { defined } from '../../../json/defined.ts';
import { readRuby } from '../../../text/code/script-imports.ts';
import type { Written } from '../../draft.ts';
import {
  type CodePlace,
  type EnvNames,
  findEnv,
  type ProgramCall,
  ProgramFile,
  type ProgramFilePorts,
  readProgramFiles,
} from './code-files.ts';

/** A suite's Ruby code. */
export class RubyFile extends ProgramFile {
  constructor(place: CodePlace) {
    super(place, { program: 'ruby', folder: 'ruby', ending: 'rb' });
  }

  protected override renderCalls(calls: readonly ProgramCall[], shown: string): string {
    const methods = calls.flatMap(({ name, line, source }) =>
      'code' in source ? [`# Line ${line}.\ndef ${name}(output, context)\n${source.code}\nend\n\n`] : [],
    );
    const table = calls.map(({ name, line, source, options }) => {
      const own = 'code' in source ? {} : { file: this.fromHere(source.file) };
      const call = { ...own, name: 'code' in source ? name : source.name, ...options };
      const pairs = Object.entries(call).map(([key, value]) => `${key}: ${toRuby(value)}`);
      return `    # Line ${line}.\n    "${name}" => { ${pairs.join(', ')} },\n`;
    });
    return [
      `# Imported from ${shown} (promptfoo).\nrequire "json"\n\n`,
      ...methods,
      `module PromptfooBridge\n  CALLS = {\n${table.join('')}  }.freeze\n`,
      `  # Code starts in the folder of the config.\n  START = ${toRuby(this.fromHere('.'))}\n`,
      rubyBridge,
    ].join('');
  }
}

/** Parses `file://checks.rb`, `file://checks.rb:method` or `file://checks.rb:Module::Class.method`. */
export function findRuby(reference: string): { readonly file: string; readonly name?: string } | undefined {
  const [, file, name] = /^file:\/\/(.+?\.rb)(?::((?:\w+(?:::\w+)*\.)?\w+[?!]?))?$/.exec(reference) ?? [];
  return file === undefined ? undefined : { file, ...defined({ name }) };
}

/** Reads a Ruby file and the files it requires from the same folder, the file first, and their text. */
export function readRubyFiles(file: string, written: Written, ports: ProgramFilePorts) {
  const folder = posix.dirname(file);
  const findImports = (text: string, path: string): readonly string[] =>
    readRuby(text).imports.map((name) => {
      const from = name.startsWith('.') ? posix.dirname(path) : folder;
      return posix.join(from, name.endsWith('.rb') ? name : `${name}.rb`);
    });
  return readProgramFiles(file, written, ports, { ending: 'rb', findImports });
}

export function findRubyEnv(text: string): EnvNames {
  return findEnv(text, {
    needed: /\bENV\.fetch\(\s*["'](\w+)["']\s*\)(?!\s*(?:\{|do\b))/g,
    read: /\bENV(?:\[|\.(?:fetch|dig)\()\s*["'](\w+)["']/g,
  });
}

/** Writes a text, number or boolean as a Ruby literal. Escapes `#`, which starts code. */
function toRuby(value: unknown): string {
  return JSON.stringify(value).replaceAll('#', '\\#');
}

/** Second half of a written Ruby file. It calls code like promptfoo does. */
const rubyBridge = `
  # Parts of promptfoo's context that are not known here are not missing in silence.
  class Context < Hash
    UNKNOWN = %w[prompt test logProbs provider providerResponse trace metadata].freeze

    def unknown
      @unknown ||= []
    end

    %i[[] fetch dig key? has_key? include? member? values_at fetch_values slice].each do |name|
      define_method(name) do |*args, &block|
        unknown.concat(args.first(name == :dig ? 1 : args.size).select { |key| UNKNOWN.include?(key) && !keys.include?(key) })
        super(*args, &block)
      end
    end
  end

  class << self
    def run(call, *args)
      main = TOPLEVEL_BINDING.receiver
      return main.send(call[:name], *args) unless call[:file]

      path = File.expand_path(call[:file], __dir__)
      $LOAD_PATH.unshift(File.dirname(path))
      load path
      owner, _, method = call[:name].rpartition(".")
      owner.empty? ? main.send(method, *args) : Object.const_get(owner).public_send(method, *args)
    end

    def check(call, given)
      args = given["args"] || {}
      output = given["target"]
      context = Context.new.merge!(args.slice("config"), "vars" => args.fetch("vars", {}))
      if call[:state]
        output = given["target"].fetch("output", given["text"])
        context["providerResponse"] = given["target"].merge("output" => output)
        context["metadata"] = given["target"]["metadata"] if given["target"].key?("metadata")
      elsif call[:json]
        output = parse(output)
      end
      begin
        verdict = judge(JSON.parse(JSON.generate([run(call, output, context)])).first, call)
      rescue Exception => error
        # What raises, exits or gives no verdict is neither passed nor failed.
        fault = "the check raised #{error.class}: #{error.message}"
      end
      unknown = context.unknown.first
      fault = "context[#{unknown.inspect}] of promptfoo is not given here" if unknown
      fault ? abort(fault) : verdict
    end

    def parse(output)
      JSON.parse(output)
    rescue JSON::ParserError, TypeError
      output
    end

    def judge(result, call)
      result = result.downcase == "true" if result.is_a?(String) && %w[true false].include?(result.downcase)
      result = JSON.parse(result) if result.is_a?(String) && result.start_with?("{")
      inverse = call.fetch(:inverse, false)
      case result
      when true, false then { pass: result != inverse, reason: "the check returned #{result}" }
      when Hash, Array then grade(result, inverse, call[:threshold])
      else count(result, inverse, call[:threshold])
      end
    end

    def count(result, inverse, threshold)
      number = /\\A\\s*[-+]?(\\d+\\.?\\d*|\\.\\d+)(e[-+]?\\d+)?/i.match(result.to_s)
      raise "no boolean, number or {pass, score, reason}: #{result.inspect[0, 120]}" if number.nil?

      score = number[0].sub(/\\A\\s*([-+]?)\\./, '\\10.').to_f
      passed = threshold ? score >= threshold : score.positive?
      verdict(passed != inverse, score, "the check returned #{result}")
    end

    def grade(result, inverse, threshold)
      passed, score, reason = result.values_at("pass", "score", "reason") if result.is_a?(Hash)
      passed = result["pass_"] if passed.nil? && result.is_a?(Hash)
      unless [true, false].include?(passed) && score.is_a?(Numeric) && reason.is_a?(String)
        raise "no {pass, score, reason}: #{JSON.generate(result)[0, 120]}"
      end

      passed = false if threshold && score < threshold
      named = result["namedScores"] || result["named_scores"]
      scores = named.is_a?(Hash) ? named.map { |name, one| "#{name} #{one}" } : []
      reason = [reason, *scores].join("; ")
      # A pass of 0 that the code itself gives is a contradiction, and no verdict.
      return { pass: true, score: score.clamp(0, 1), reason: reason } if passed && !inverse

      verdict(passed != inverse, score, reason)
    end

    # The score is not inverted with the verdict: one that says the opposite is left out.
    def verdict(passed, score, reason)
      said = { pass: passed, reason: reason }
      score.clamp(0, 1) == (passed ? 0 : 1) ? said : said.merge(score: score.clamp(0, 1))
    end

    def main
      Encoding.default_external = Encoding::UTF_8
      call = CALLS.fetch(ARGV.first)
      given = JSON.parse($stdin.read.force_encoding(Encoding::UTF_8))
      # What the code prints is no part of its answer.
      answer = $stdout.dup
      $stdout.reopen($stderr)
      Dir.chdir(File.expand_path(START, __dir__))
      answer.puts(JSON.generate(check(call, given)))
    end
  end
end

PromptfooBridge.main if __FILE__ == $PROGRAM_NAME
`;
