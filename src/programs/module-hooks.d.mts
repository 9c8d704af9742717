/** Once a process, whoever asks. */
export function installModuleHooks(): void;
