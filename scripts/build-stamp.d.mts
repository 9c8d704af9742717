export function isBuilt(): boolean;
export function writeStamp(): void;
