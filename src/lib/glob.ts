import { type GlobNode, parseGlob } from './parse-glob.ts';

export interface Glob {
  matches(text: string): boolean;
  /** True where something below a folder may match; the folder ends with a slash. */
  mayMatchBelow(folder: string): boolean;
}

export interface GlobOptions {
  /**
   * True where the texts are paths: a star ends at a slash, no wildcard stands for the dot at the start of a name, and
   * `!(…)`, `?(…)`, `*(…)`, `+(…)` and `@(…)` are groups. Else a star stands for any text, and parentheses for themselves.
   */
  readonly isPath: boolean;
}

/** Compiles `*`, `**`, `?`, `[a-z]`, `{a,b}`, `{1..3}` and, for paths, groups. Throws a `GlobError`. */
export function compileGlob(pattern: string, { isPath }: GlobOptions): Glob {
  const node = parseGlob(pattern, isPath);
  const run = (text: string) => {
    const state: State = { text, isPath, isOpen: false };
    const starts = new Uint8Array(text.length + 1);
    starts[0] = 1;
    return { ends: advance(node, starts, state), state };
  };
  return {
    matches: (text) => run(text).ends.at(-1) === 1,
    mayMatchBelow: (folder) => run(folder).state.isOpen,
  };
}

interface State {
  readonly text: string;
  readonly isPath: boolean;
  /** Set where the text ended while the pattern wanted more. */
  isOpen: boolean;
}

/** A byte for each position in the text and for its end: 1 where a way through the pattern leads to it. */
type Places = Uint8Array;

/** The places that a node can end at, all starts taken together: no way is tried twice. */
function advance(node: GlobNode, starts: Places, state: State): Places {
  if (!starts.includes(1)) return starts;
  if (node.kind !== 'sequence' && starts.at(-1) === 1) state.isOpen = true;
  switch (node.kind) {
    case 'text':
      return advanceText(node.text, starts, state);
    case 'character':
      return advanceCharacter(node.accepts, starts, state);
    case 'star':
      return advanceWhile(starts, state, (at) => !(state.isPath && state.text[at] === '/'));
    case 'rest':
      return advanceWhile(starts, state, () => true);
    case 'folders':
      return advanceFolders(starts, state);
    case 'sequence':
      return node.nodes.reduce((ends, next) => advance(next, ends, state), starts);
    case 'choice':
      return join(
        starts,
        node.options.map((option) => advance(option, starts, state)),
      );
    case 'repeat':
      return advanceRepeat(node, starts, state);
    case 'not':
      return advanceNot(node.node, starts, state);
  }
}

function* placesOf(places: Places): Generator<number> {
  for (let at = places.indexOf(1); at !== -1; at = places.indexOf(1, at + 1)) yield at;
}

function join({ length }: Places, several: readonly Places[]): Places {
  const joined = new Uint8Array(length);
  for (const places of several) for (const at of placesOf(places)) joined[at] = 1;
  return joined;
}

function advanceText(wanted: string, starts: Places, state: State): Places {
  const { text } = state;
  const ends = new Uint8Array(starts.length);
  const first = wanted[0];
  // No generator: most of the work for a pattern of many stars is done here.
  for (let at = starts.indexOf(1); at < starts.length; at += 1) {
    if (starts[at] !== 1 || (at < text.length && text[at] !== first && wanted !== '')) continue;
    if (text.startsWith(wanted, at)) ends[at + wanted.length] = 1;
    else if (text.length - at < wanted.length && wanted.startsWith(text.slice(at))) state.isOpen = true;
  }
  return ends;
}

function advanceCharacter(accepts: (character: string) => boolean, starts: Places, state: State): Places {
  const { text, isPath } = state;
  const ends = new Uint8Array(starts.length);
  for (const at of placesOf(starts)) {
    const character = text[at];
    if (character === undefined || (isPath && character === '/') || !isWild(at, state)) continue;
    if (accepts(character)) ends[at + 1] = 1;
  }
  return ends;
}

/** False at the dot that hides a name. */
function isWild(at: number, { text, isPath }: State): boolean {
  return !(isPath && text[at] === '.' && (at === 0 || text[at - 1] === '/'));
}

function advanceWhile(starts: Places, state: State, goesOn: (at: number) => boolean): Places {
  const ends = new Uint8Array(starts.length);
  let isOn = false;
  for (let at = starts.indexOf(1); at < starts.length; at += 1) {
    const mayGoOn = isWild(at, state);
    if (starts[at] === 1 && mayGoOn) isOn = true;
    if (isOn) ends[at] = 1;
    isOn &&= mayGoOn && goesOn(at);
  }
  if (ends.at(-1) === 1) state.isOpen = true;
  return ends;
}

function advanceFolders(starts: Places, state: State): Places {
  const ends = starts.slice();
  // Places that are added lie behind, and so are come to.
  for (const at of placesOf(ends)) {
    const slash = state.text.indexOf('/', at);
    if (slash !== -1 && isWild(at, state)) ends[slash + 1] = 1;
  }
  if (ends.at(-1) === 1) state.isOpen = true;
  return ends;
}

function advanceRepeat(
  { node, isOptional }: { readonly node: GlobNode; readonly isOptional: boolean },
  starts: Places,
  state: State,
): Places {
  const ends = isOptional ? starts.slice() : new Uint8Array(starts.length);
  let fresh = starts;
  while (fresh.includes(1)) {
    const next = advance(node, fresh, state);
    fresh = new Uint8Array(starts.length);
    for (const at of placesOf(next)) {
      if (ends[at] === 0) fresh[at] = 1;
      ends[at] = 1;
    }
  }
  return ends;
}

/** What else stands in the same segment. */
function advanceNot(node: GlobNode, starts: Places, state: State): Places {
  const ends = new Uint8Array(starts.length);
  for (const start of placesOf(starts)) {
    if (!isWild(start, state)) continue;
    const alone = new Uint8Array(starts.length);
    alone[start] = 1;
    const refused = advance(node, alone, state);
    const slash = state.text.indexOf('/', start);
    const stop = slash === -1 ? state.text.length : slash;
    for (let end = start; end <= stop; end += 1) if (refused[end] === 0) ends[end] = 1;
  }
  return ends;
}
