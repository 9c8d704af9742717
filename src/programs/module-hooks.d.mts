/** Does nothing after the first call in a process. True where it has started a thread, which kills this process once `parent` has ended. */
export function installModuleHooks(parent?: number): boolean;
