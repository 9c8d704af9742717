/** Does nothing after the first call in a process. */
export function installModuleHooks(): void;
