/** False only for a file of JavaScript that imports other such files and parts of Node, by their whole names, and nothing later. */
export function needsHooks(file: string): boolean;
