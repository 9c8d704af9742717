/** Does nothing after the first call in a process. True if it has started a thread, which kills this process once `parent` has ended. */
export function installModuleHooks(parent?: number): boolean;
